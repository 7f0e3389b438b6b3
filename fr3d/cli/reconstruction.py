"""What `fr3d ps-reconstruct` does once its options are read."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fr3d.cli.reconstruction_messages import refuse_rejects, rehearse, tell, warn_of

if TYPE_CHECKING:
    from fr3d.artifacts.provenance import Step
    from fr3d.artifacts.shard import Shard
    from fr3d.photometric.capture import Capture
    from fr3d.photometric.recipe import Camera, Recipe
    from fr3d.photometric.survey import Survey


@dataclass(frozen=True)
class Request:
    """What is to be reconstructed, from where and to where.

    Attributes:
        roots: raw folders, or `-` for a list of session folders on standard input.
        output: the maps.
        lights: one light file for all.
        layout: of the folders.
        ambient: name or glob of photographs without flash.
        transfer: as the user wrote it; may be `auto`.
        shard: as the user wrote it.
        workers: how many processes; None for as many as make sense.
        strict: fail when a capture is rejected.
        force: replace an output that exists.
        dry_run: write nothing.
    """

    roots: list[Path]
    output: Path
    lights: Path | None
    layout: Literal["auto", "photoface", "diligent", "yale", "plain"]
    ambient: str | None
    transfer: str
    shard: str | None
    workers: int | None
    strict: bool
    force: bool
    dry_run: bool


def run(request: Request, recipe: "Recipe") -> None:
    """Reconstruct, or say what would be done.

    Args:
        request: what.
        recipe: how, but for what the captures decide.

    Raises:
        MalformedInputError: no capture can be used, or one cannot and none may be rejected.
    """
    from fr3d.photometric.depth_prior import open_depths
    from fr3d.photometric.survey import survey_captures

    if recipe.depth_prior is not None:
        open_depths(recipe.depth_prior)  # a fault in it is everyone's
    share = _share(request.shard)
    survey = survey_captures(_captures(request, recipe), recipe.size)
    recipe = _settled(request, recipe, survey)
    warn_of(survey, recipe)
    if request.dry_run:
        rehearse(request.output, recipe, survey, share, force=request.force)
        return
    _write(request, recipe, survey, share)


def read_camera(path: Path) -> "Camera":
    """Read an intrinsic matrix.

    Args:
        path: nine numbers, three a line, separated by blanks or commas.

    Raises:
        MalformedInputError: it is not that.
    """
    from fr3d.errors import MalformedInputError
    from fr3d.photometric.integration.slopes import pinhole
    from fr3d.photometric.text import read_text

    lines = [line.replace(",", " ").split() for line in read_text(path).splitlines()]
    try:
        rows = [tuple(float(word) for word in words) for words in lines if words]
    except ValueError as error:
        raise MalformedInputError(f"{path}: found {error.args[0]}, expected numbers") from error
    try:
        pinhole(rows)
    except (MalformedInputError, ValueError) as error:  # the latter where rows differ in length
        raise MalformedInputError(
            f"{path}: not an intrinsic matrix", "expected three lines: fx 0 cx, 0 fy cy, 0 0 1"
        ) from error
    return tuple((row[0], row[1], row[2]) for row in rows)


def _captures(request: Request, recipe: "Recipe") -> "list[Capture]":
    from fr3d.errors import UsageError
    from fr3d.photometric.capture import captures_of_folders, find_captures
    from fr3d.photometric.session_list import read_session_list

    estimate = recipe.reading.estimate_lights
    if request.roots == [Path("-")]:
        if sys.stdin.isatty():
            raise UsageError(
                "- reads a list of session folders, and standard input is a terminal",
                "find raw -mindepth 2 -type d | fr3d ps-reconstruct -",
            )
        folders = read_session_list(sys.stdin.buffer.read())
        return captures_of_folders(
            folders,
            request.lights,
            layout=request.layout,
            ambient=request.ambient,
            estimate=estimate,
        )
    return find_captures(
        request.roots,
        request.lights,
        layout=request.layout,
        ambient=request.ambient,
        estimate=estimate,
    )


def _settled(request: Request, recipe: "Recipe", survey: "Survey") -> "Recipe":
    """The recipe with what depends on the captures."""
    from fr3d.alignment.finder import YunetFinder
    from fr3d.cli.console import say
    from fr3d.photometric.transfer import Transfer
    from fr3d.photometric.transfer_choice import choose_transfer

    attributes = any(c.attributes is not None for c in survey.captures)
    recipe = replace(recipe, attributes=attributes, find_landmarks=YunetFinder())
    if request.transfer != "auto":
        return replace(recipe, transfer=Transfer(request.transfer))
    choice = choose_transfer(survey.captures, recipe.reading)
    say(f"transfer {choice.transfer.name}: {choice.reason}")
    return replace(recipe, transfer=choice.transfer, transfer_choice=choice)


def _share(shard: str | None) -> "Shard | None":
    """The shard to make; an array that happens to be there leaves no work out unasked."""
    from fr3d.artifacts.shard import parse_shard, slurm_task
    from fr3d.cli.console import warn

    task = slurm_task(os.environ)
    if shard is not None:
        return parse_shard(shard, os.environ)
    if task:
        warn(f"this is {task}, but without --shard it makes everything; consider --shard slurm")
    return None


def _write(request: Request, recipe: "Recipe", survey: "Survey", share: "Shard | None") -> None:
    from fr3d.artifacts.plan import Contents
    from fr3d.artifacts.writer import ArtifactWriter
    from fr3d.cli.console import progress, say
    from fr3d.photometric.batch import reconstruct_all, rows_per_part
    from fr3d.runtime import worker_count

    step = _step(request, recipe, survey)
    total = len(survey.captures)
    writer = ArtifactWriter(
        request.output,
        "fr3d.maps",
        step,
        frame="camera",
        attrs={"lights_source": "estimated" if recipe.reading.estimate_lights else "given"},
        part_rows=rows_per_part(survey.canvas, recipe, total),
        force=request.force,
        # what was noted about the inputs may differ in its last digit from machine to machine
        plan=[replace(step, notes={}).record(), survey.moment],
        items=total,
        contents=Contents(_name(request.roots), "source_sha256"),
        shard=share,
    )
    workers = worker_count(request.workers)
    with progress(writer.share(total), "reconstructing") as bar, writer:
        if writer.resumed:
            say(f"continuing: {writer.resumed} parts were sealed before")
        reconstruct_all(survey.captures, recipe, survey.canvas, writer, workers, bar.advance)
    tell(writer, total)
    if request.strict:
        refuse_rejects(writer, total)


def _step(request: Request, recipe: "Recipe", survey: "Survey") -> "Step":
    from fr3d.alignment import yunet
    from fr3d.artifacts.provenance import Step, sha256_file
    from fr3d.photometric.depth_prior import open_depths

    inputs = {_name(request.roots): survey.digest}
    files = [*recipe.reading.flat, *([request.lights] if request.lights else [])]
    inputs |= {path.name: sha256_file(path) for path in files}
    if recipe.depth_prior is not None:
        depths = open_depths(recipe.depth_prior)
        inputs[depths.name] = depths.sha256
    device = None if recipe.device == "cpu" else recipe.device.partition(":")[0]
    parameters = {**recipe.parameters, "ambient": request.ambient}
    if recipe.size is not None or recipe.prior != "none" or recipe.reading.estimate_lights:
        parameters["landmark_finder"] = yunet.weights_sha256()
    return Step("ps-reconstruct", parameters, inputs, device=device, notes=recipe.notes)


def _name(roots: list[Path]) -> str:
    """How history calls the input."""
    if roots == [Path("-")]:
        return "standard input"
    return " ".join(dict.fromkeys(root.resolve().name for root in roots))
