"""fr3d compare: is this the same person?"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fr3d.cli.options import (
    DETECTOR_HELP,
    LIMIT_HELP,
    Device,
    DryRun,
    Extractor,
    Force,
    Json,
    Model,
    OptionalOutput,
    Quiet,
    Rows,
    Runs,
    Subjects,
    Threshold,
    Thresholds,
    Verbose,
)

_DECIDE = "What decides"


def compare(
    *,
    source: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="Photographs and folders of photographs; or a file of maps, faces or embeddings.",
        ),
    ],
    model: Model = None,
    extractor: Extractor = None,
    output: OptionalOutput = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Print a square table instead of a row a pair.")
    ] = False,
    json: Json = False,
    threshold: Threshold = None,
    thresholds: Thresholds = None,
    fmr: Annotated[
        float | None,
        typer.Option(
            "--fmr",
            help="Share of pairs of strangers that may match, for --thresholds.",
            show_default="the only one of the table",
        ),
    ] = None,
    rows: Rows = None,
    subject: Subjects = None,
    detector: Annotated[
        Literal["auto", "yunet", "mtcnn"] | None,
        typer.Option("--detector", help=DETECTOR_HELP, show_default="the model's, else auto"),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help=LIMIT_HELP, min=2, max=5000)] = 200,
    runs: Runs = Path("runs"),
    device: Device = "auto",
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare faces with each other: the same person, or not?

    Photographs are aligned as the model asks, and nothing is left behind; of
    several faces in one the largest is taken. One row a pair, in the order in
    which the faces are named: the cosine, and the decision 'same' or
    'different' where a threshold is known: --threshold, one of --thresholds,
    or the one that came with the network. -o draws the scores with the faces
    on two sides; red frames are pairs that are the same person.

    Examples:
      fr3d compare a.jpg b.jpg
      fr3d compare a.jpg b.jpg -m MobileFaceNet.onnx --extractor mobilefacenet
      fr3d compare album/ new.jpg -o compare.png
      fr3d compare faces.h5 --rows 0,4-7 --matrix
      fr3d compare embeddings.h5 --subject 1001 --thresholds report.thresholds.csv --fmr 0.001
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.cli.comparison import (
        check_options,
        check_picture,
        decide,
        emit_pairs,
        emit_square,
        tell,
        write_picture,
    )
    from fr3d.cli.comparison_inputs import Request, open_inputs
    from fr3d.cli.console import progress, say

    check_options(output, threshold, thresholds, fmr)
    if output:
        check_output(output, force or dry_run)
    request = Request(model, extractor, detector, runs, device, rows, tuple(subject or ()), limit)
    inputs = open_inputs(source, request)
    if output:
        check_picture(output, inputs.count)
    decision = decide(inputs, threshold, thresholds, fmr)
    if dry_run:
        say(f"would compare {inputs.count} faces by {inputs.by}, {decision.words}")
        return
    with progress(inputs.count, "comparing") as bar:
        faces = inputs.embed(bar.advance)
    tell(faces)
    scores = faces.scores()
    if output:
        write_picture(output, faces, scores, decision, force)
    if matrix:
        emit_square(faces, scores, json)
    else:
        emit_pairs(faces, scores, decision, json)
    say(decision.verdict(scores) + (f" -> {output}" if output else ""))
