"""Options that several commands share, each declared once.

allow-leak  benchmark split train
batch-size  benchmark embed enroll identify train
detector    align compare
device      benchmark compare embed ps-reconstruct synth train
dry-run     all writers
extractor   benchmark compare embed enroll
force       all writers
fpir        enroll identify
json        benchmark calibrate compare identify info verify
limit       compare show
model       benchmark compare embed enroll
output      all writers
partition   benchmark enroll select
quiet       all
role        enroll select
rows        compare show
runs        benchmark compare embed enroll export train
seed        benchmark split synth train
size        align ps-reconstruct synth train
split       benchmark enroll select train
strict      align ps-reconstruct
subject     compare show
template    align
threshold   compare enroll identify
thresholds  compare enroll
transfer    align calibrate ps-reconstruct
verbose     all
workers     align ps-reconstruct synth train
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fr3d.cli import console

_RUN = "Run"

Output = Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.")]
OptionalOutput = Annotated[
    Path | None, typer.Option("--output", "-o", help="Where the result goes.", show_default=False)
]
Force = Annotated[
    bool, typer.Option("--force", "-f", help="Replace an output that exists.", rich_help_panel=_RUN)
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        "-n",
        help="Check the inputs, say what would be done, write nothing.",
        rich_help_panel=_RUN,
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Random seed.", min=0)]
Device = Annotated[
    str,
    typer.Option(
        "--device", help="auto, cpu, cuda or cuda:N.", envvar="FR3D_DEVICE", rich_help_panel=_RUN
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-j",
        help="Worker processes; never changes the result.",
        min=1,
        envvar="FR3D_WORKERS",
        show_default="up to 8",
        rich_help_panel=_RUN,
    ),
]
BatchSize = Annotated[
    int,
    typer.Option("--batch-size", help="Faces at a time.", min=1, max=65536, rich_help_panel=_RUN),
]
AllowLeak = Annotated[
    list[str] | None,
    typer.Option("--allow-leak", help="Accept a leak, by the name that its error gives."),
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        help="An ONNX model or a run folder.",
        show_default="the newest of model.onnx and finished runs",
    ),
]
Extractor = Annotated[
    str | None,
    typer.Option(
        "--extractor",
        help="How to feed the network of somebody else: a TOML file, or arcface, mobilefacenet or "
        "sface.",
        show_default="NAME.toml beside NAME.onnx",
    ),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of training runs.")]
Split = Annotated[Path, typer.Option("--split", help="Table of partitions and roles.")]
Partition = Annotated[str, typer.Option("--partition", help="Partition to take rows from.")]
Role = Annotated[
    Literal["gallery", "probe"] | None,
    typer.Option("--role", help="Role to take rows from.", show_default=False),
]
Transfer = Annotated[
    str,
    typer.Option(
        "--transfer",
        help="How stored values become light: linear, srgb or gamma:G; for sessions also auto, "
        "by what re-renders them best.",
        rich_help_panel="How photographs are read",
    ),
]
Size = Annotated[
    int | None, typer.Option("--size", help="Height and width in pixels.", min=8, max=8192)
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail when any capture is rejected.", rich_help_panel=_RUN)
]
Fpir = Annotated[
    float | None,
    typer.Option(
        "--fpir",
        help="Share of strangers who may be named.",
        show_default="0.1, or that of the gallery",
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        help="Lowest score that is a match.",
        callback=console.check_finite,
        show_default="calibrated",
    ),
]
Thresholds = Annotated[
    Path | None,
    typer.Option(
        "--thresholds",
        help="Table of thresholds that 'fr3d benchmark' measured with this model.",
        show_default=False,
    ),
]
Rows = Annotated[
    str | None,
    typer.Option("--rows", "--row", help="Rows of the first file, from 0, such as 0,4-7."),
]
Subjects = Annotated[
    list[str] | None, typer.Option("--subject", help="Only this person; may be repeated.")
]
LIMIT_HELP = "At most so many sessions."
DETECTOR_HELP = (
    "Where landmarks come from: the detectors YuNet or MTCNN, the capture's own, a trained "
    "hourglass, auto (the capture's where there are any, else YuNet), or none: the frame is a "
    "registered crop and is only fitted into the square."
)
Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Say nothing but errors.",
        callback=console.set_quiet,
        rich_help_panel=_RUN,
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Say more; show tracebacks.",
        callback=console.set_verbose,
        rich_help_panel=_RUN,
    ),
]
