"""fr3d train --task landmarks: a table of pictures and points to a landmark network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fr3d.cli.training_progress import bars, reading_processes

if TYPE_CHECKING:
    from fr3d.training.landmarks.config import LandmarkConfig

_PANEL = "Landmarks"

LANDMARK_OPTIONS = ("group", "val_share", "stacks", "channels", "sigma", "size")
IDENTITY_OPTIONS = (
    *("split", "modality", "branches", "backbone", "pretrained", "embedding_size", "loss"),
    *("per_person", "patience", "allow_leak"),
)

Group = Annotated[
    str,
    typer.Option(
        help="Column that names what belongs on one side, such as a clip.",
        show_default="each picture alone",
        rich_help_panel=_PANEL,
    ),
]
ValShare = Annotated[
    float,
    typer.Option(
        help="Share of the groups to validate on.", min=0.0, max=0.9, rich_help_panel=_PANEL
    ),
]
Stacks = Annotated[
    int,
    typer.Option(help="Hourglasses one after the other.", min=1, max=16, rich_help_panel=_PANEL),
]
Channels = Annotated[
    int, typer.Option(help="Of the hourglasses.", min=8, max=1024, rich_help_panel=_PANEL)
]
Sigma = Annotated[
    float,
    typer.Option(
        help="Width of the peaks in pixels of the heatmap, each 4 of the picture.",
        min=0.3,
        max=8.0,
        rich_help_panel=_PANEL,
    ),
]


def refuse_given(context: typer.Context, names: Sequence[str], task: str) -> None:
    """Refuse options of the other task, which would be passed over in silence.

    Args:
        context: of the command.
        names: of the other task's parameters.
        task: that they are for.
    """
    from fr3d.errors import UsageError

    for name in names:
        if _is_given(context, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{option} is for --task {task}", f"leave it out, or add --task {task}"
            )


def landmark_training(context: typer.Context) -> None:
    """Train a landmark network with the options of `fr3d train`.

    Args:
        context: of the command; its parameters are the options.
    """
    from fr3d.cli.console import detail, say, warn
    from fr3d.errors import UsageError
    from fr3d.runtime import resolve_device
    from fr3d.training.landmarks.run import TASK, landmark_data, train_landmarks
    from fr3d.training.run import check_folder

    refuse_given(context, IDENTITY_OPTIONS, "identity")
    options = context.params
    if len(options["faces"] or ()) != 1:
        raise UsageError(
            f"{len(options['faces'] or ())} tables, expected one for --task landmarks",
            "fr3d train --task landmarks landmarks.csv",
        )
    name = options["name"] or TASK
    if Path(name).name != name or name.startswith("."):
        raise UsageError(f"--name {name}: expected the name of a folder", "--runs says where it is")
    device = resolve_device(options["device"])
    config = _config(options, device, batch_given=_is_given(context, "batch_size"))
    folder = Path(options["runs"]) / name
    check_folder(folder, force=options["force"])
    data = landmark_data(Path(options["faces"][0]), config)
    if options["dry_run"]:
        say(f"would train {folder}: {data.describe()}")
        return
    detail(f"{data.describe()}; {config.precision} on {device}")
    if not len(data.val):
        warn("no faces to validate on: all epochs are run and the last weights kept")
    with bars() as report:
        result = train_landmarks(
            folder,
            config,
            data,
            report,
            device=device,
            workers=reading_processes(options["workers"], device),
            force=options["force"],
        )
    kept = f"kept epoch {result.best_epoch + 1}{_figures(result.figures)}"
    say(f"trained {folder} on {len(data.train)} faces: {kept}")


def _config(options: Mapping[str, Any], device: str, *, batch_given: bool) -> "LandmarkConfig":
    from fr3d.training.landmarks.config import LandmarkConfig
    from fr3d.training.precision import resolve_precision

    given = {name: options[name] for name in ("stacks", "channels", "sigma", "epochs", "threads")}
    given |= {name: options[name] for name in ("val_share", "group", "seed")}
    if options["size"] is not None:
        given["size"] = options["size"]
    if batch_given:
        given["batch"] = options["batch_size"]
    precision = resolve_precision(options["precision"], device, vectors=True)
    return LandmarkConfig(**given, learning_rate=options["lr"], precision=precision)


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether the user wrote an option, rather than it having its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _figures(figures: Mapping[str, float]) -> str:
    if not figures:
        return ""
    return f", validation NME {figures['val_nme']:.2%}, in grey {figures['val_nme_grey']:.2%}"
