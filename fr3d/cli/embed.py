"""fr3d embed: aligned faces to embeddings."""

from pathlib import Path
from typing import Annotated

import typer

from fr3d.cli.options import (
    BatchSize,
    Device,
    DryRun,
    Extractor,
    Force,
    Model,
    Output,
    Quiet,
    Runs,
    Verbose,
)

_PART_ROWS = 1024


def embed(
    *,
    faces: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Aligned faces; several files or a folder of parts.", show_default="faces.h5"
        ),
    ] = None,
    model: Model = None,
    extractor: Extractor = None,
    output: Output = Path("embeddings.h5"),
    runs: Runs = Path("runs"),
    batch_size: BatchSize = 64,
    device: Device = "auto",
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Turn aligned faces into embeddings.

    The faces must be made as the model's contract says. Without --model, the
    newest of model.onnx and the finished runs is taken. An ONNX file runs on
    the CPU, a run folder on any device. Run it again to resume.

    Any face network in ONNX form will do: a TOML file says what it expects,
    size and template of the face, order of the colours, mean and deviation.
    It lies beside the network under the same name, or --extractor names it
    or one that comes with fr3d.

    Examples:
      fr3d embed
      fr3d embed faces.h5 -m model.onnx -o embeddings.h5
      fr3d embed faces.h5 -m runs/concat3 --device cuda --batch-size 256
      fr3d embed faces.h5 -m w600k_r50.onnx --extractor arcface
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.artifacts.provenance import Step
    from fr3d.artifacts.store import open_artifact
    from fr3d.artifacts.writer import ArtifactWriter
    from fr3d.cli.console import detail, progress, say
    from fr3d.inference.contract import check_faces
    from fr3d.inference.embedding import attributes_of, columns_of, embed_faces
    from fr3d.inference.model import find_model, open_model

    check_output(output, force or dry_run)
    artifact = open_artifact(faces or [Path("faces.h5")])
    path = find_model(model, runs)
    network = open_model(path, device, faces=artifact, extractor=extractor)
    check_faces(network.contract, artifact)
    detail(f"model contract {network.contract.sha256}")
    if dry_run:
        say(f"would embed {len(artifact)} faces by {path} -> {output}")
        return
    step = Step(
        "embed",
        {"model_contract": network.contract.sha256},
        {artifact.name: artifact.sha256},
        device=network.device,
    )
    writer = ArtifactWriter(
        output,
        "fr3d.embeddings",
        step,
        history=artifact.history,
        attrs={**artifact.attrs, **attributes_of(network)},
        part_rows=_PART_ROWS,
        items=len(artifact),
        force=force,
    )
    with writer, progress(len(artifact), "embedding") as bar:
        for index, rows in writer.todo(list(range(len(artifact)))):
            embedded = embed_faces(network, artifact, rows, batch_size)
            inherited = artifact.rejected if index == 0 else []
            writer.seal(index, columns_of(artifact, embedded), [*inherited, *embedded.rejected])
            bar.advance(len(rows))
    failed = len(writer.rejected) - len(artifact.rejected)
    say(
        f"embedded {writer.rows} of {len(artifact)} faces by {path} -> {output}"
        + (f" ({failed} refused, see {output}.rejects.csv)" if failed else "")
        + (f"; {len(artifact.rejected)} captures rejected earlier" if artifact.rejected else "")
    )
