"""fr3d train: aligned faces and a split to a run folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fr3d.cli.landmark_training import (
    LANDMARK_OPTIONS,
    Channels,
    Group,
    Sigma,
    Stacks,
    ValShare,
    landmark_training,
    refuse_given,
)
from fr3d.cli.options import (
    AllowLeak,
    BatchSize,
    Device,
    DryRun,
    Force,
    Quiet,
    Runs,
    Seed,
    Size,
    Split,
    Verbose,
    Workers,
)
from fr3d.cli.training_progress import bars, reading_processes

if TYPE_CHECKING:
    import pandas as pd

    from fr3d.artifacts.store import Artifact
    from fr3d.training.run import RunResult

_NETWORK = "Network"
_LEARNING = "Learning"


def train(
    context: typer.Context,
    *,
    faces: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Aligned faces; several files or a folder of parts. For landmarks a table of "
            "pictures and points.",
            show_default="faces.h5",
        ),
    ] = None,
    task: Annotated[
        Literal["identity", "landmarks"],
        typer.Option(help="What is learned: who it is, or where eyes, nose and mouth are."),
    ] = "identity",
    split: Split = Path("split.csv"),
    runs: Runs = Path("runs"),
    name: Annotated[
        str | None,
        typer.Option(
            help="Folder of the run in --runs.", show_default="the modality, or landmarks"
        ),
    ] = None,
    modality: Annotated[
        Literal["albedo", "normal", "depth", "image", "concat2", "concat3"],
        typer.Option(help="What the network sees; concat fuses frozen single modalities."),
    ] = "normal",
    branches: Annotated[
        str,
        typer.Option(
            help="Modalities that a concat fuses, by commas.",
            show_default="normal,albedo,depth for concat3",
        ),
    ] = "",
    backbone: Annotated[
        str,
        typer.Option(help="small, tiny, or timm_NAME for any of timm.", rich_help_panel=_NETWORK),
    ] = "small",
    pretrained: Annotated[
        bool,
        typer.Option(
            "--pretrained", help="Start from timm's published weights.", rich_help_panel=_NETWORK
        ),
    ] = False,
    embedding_size: Annotated[
        int,
        typer.Option(
            help="Length of a single embedding.", min=8, max=8192, rich_help_panel=_NETWORK
        ),
    ] = 256,
    loss: Annotated[
        Literal["arcface", "magface"],
        typer.Option(help="What is learned from.", rich_help_panel=_LEARNING),
    ] = "arcface",
    epochs: Annotated[
        int, typer.Option(help="Passes over the faces.", min=1, rich_help_panel=_LEARNING)
    ] = 40,
    batch_size: BatchSize = 32,
    per_person: Annotated[
        int, typer.Option(help="Of these, of each person.", min=1, rich_help_panel=_LEARNING)
    ] = 4,
    lr: Annotated[
        float, typer.Option(help="Highest learning rate.", rich_help_panel=_LEARNING)
    ] = 2e-3,
    patience: Annotated[
        int,
        typer.Option(
            help="Stop after so many epochs without a better validation; 0 never stops early.",
            min=0,
            rich_help_panel=_LEARNING,
        ),
    ] = 20,
    precision: Annotated[
        Literal["auto", "bf16", "float32"],
        typer.Option(help="Of the backbone while training.", rich_help_panel=_LEARNING),
    ] = "auto",
    threads: Annotated[
        int,
        typer.Option(
            help="CPU threads; more pay for large networks. They change the rounding.",
            min=1,
            rich_help_panel=_LEARNING,
        ),
    ] = 1,
    group: Group = "",
    val_share: ValShare = 0.2,
    stacks: Stacks = 2,
    channels: Channels = 64,
    sigma: Sigma = 1.0,
    size: Size = None,
    allow_leak: AllowLeak = None,
    seed: Seed = 0,
    device: Device = "auto",
    workers: Workers = None,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a network on aligned faces, or one that finds landmarks.

    Learns from the people of partition train, and keeps what is best on
    those of val.

    The run's folder holds the weights, the configuration, metrics.csv and
    TensorBoard events. A concat trains the single modalities that are
    missing, freezes them and learns their fusion. An interrupted run goes on
    where it was when the same command is given again.

    With --task landmarks it learns from a CSV table of face pictures with
    five points each, and writes landmarks.onnx: eye_image_left_x, ..._y,
    eye_image_right, nose_tip, mouth_image_left, mouth_image_right. --size is
    the side of that network's input, 128 by default, and batches hold 16.

    Examples:
      fr3d train --modality concat3
      fr3d train faces.h5 --split split.csv --modality normal --epochs 100 --seed 1
      fr3d train --modality concat2 --branches normal,albedo --name fused
      fr3d train --modality albedo --backbone timm_convnextv2_atto --pretrained --lr 3e-4
      fr3d train --task landmarks landmarks.csv --group clip
    """
    if task == "landmarks":
        landmark_training(context)
        return
    refuse_given(context, LANDMARK_OPTIONS, "landmarks")
    from fr3d.artifacts.provenance import sha256_file
    from fr3d.artifacts.store import open_artifact
    from fr3d.cli.console import detail, say, warn
    from fr3d.errors import UsageError
    from fr3d.protocols.table import read_split
    from fr3d.runtime import resolve_device
    from fr3d.training.config import TrainConfig
    from fr3d.training.partition import training_data
    from fr3d.training.plan import Machine, resolve_modalities
    from fr3d.training.plan import train as train_plan
    from fr3d.training.precision import resolve_precision
    from fr3d.training.run import check_folder

    modalities = resolve_modalities(modality, branches)
    if batch_size % per_person:
        raise UsageError(
            f"--batch-size {batch_size} is not a multiple of --per-person {per_person}",
            f"try --batch-size {per_person * max(2, batch_size // per_person)}",
        )
    if name is not None and (Path(name).name != name or name.startswith(".")):
        raise UsageError(f"--name {name}: expected the name of a folder", "--runs says where it is")
    artifact = open_artifact(faces or [Path("faces.h5")], require=modalities)
    table = read_split(split)
    _refuse_leaks(artifact, table, split, allow_leak)
    data = training_data(artifact, table, sha256_file(split))
    place = resolve_device(device)
    config = TrainConfig(
        modalities=modalities,
        backbone=backbone,
        pretrained=pretrained,
        embedding_size=embedding_size,
        loss=loss,
        epochs=epochs,
        people=max(2, batch_size // per_person),
        per_person=per_person,
        learning_rate=lr,
        patience=patience,
        precision=resolve_precision(precision, place),
        threads=threads,
        seed=seed,
    )
    folder = runs / (name or modality)
    people = f"{len(data.train.people)} people, {len(data.train.rows)} sessions"
    if dry_run:
        check_folder(folder, force=force)
        say(f"would train {folder} on {people} ({', '.join(modalities)})")
        return
    detail(f"{people}; {config.precision} on {place}")
    if data.val is None:
        warn(f"{split}: nobody to validate on: all epochs are run and the last weights kept")
    machine = Machine(place, reading_processes(workers, place))
    with bars() as report:
        result = train_plan(
            runs, folder.name, config, data, report, _say_branch, machine=machine, force=force
        )
    say(f"trained {result.folder} on {people}: {_outcome(result)}")


def _refuse_leaks(
    faces: "Artifact", table: "pd.DataFrame", split: Path, allowed: list[str] | None
) -> None:
    from fr3d.cli.console import warn
    from fr3d.protocols.leaks import check_leaks, content_digests, find_leaks

    leaks = find_leaks(table, digests=content_digests(faces))
    for leak in check_leaks(leaks, str(split), allowed or ()):
        warn(f"leak allowed: {leak.message}")


def _say_branch(result: "RunResult") -> None:
    from fr3d.cli.console import say

    say(f"{'found' if result.reused else 'trained'} branch {result.folder}: {_outcome(result)}")


def _outcome(result: "RunResult") -> str:
    text = f"kept epoch {result.best_epoch + 1}"
    if not result.figures:
        return text
    auc, eer = result.figures["val_auc"], result.figures["val_eer"]
    return f"{text}, validation AUC {auc:.4f}, EER {eer:.2%}"
