"""What `fr3d ps-reconstruct` does once its options are read."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fr3d.artifacts.provenance import Step
    from fr3d.artifacts.rows import Reject
    from fr3d.artifacts.shard import Shard
    from fr3d.artifacts.writer import ArtifactWriter
    from fr3d.photometric.capture import Capture
    from fr3d.photometric.recipe import Camera, Recipe
    from fr3d.photometric.survey import Survey


_POOR_RESIDUAL = 2.0  # px; of photographs that miss by more about half are wrong


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
    _warn(survey, recipe)
    if request.dry_run:
        _rehearse(request, recipe, survey, share)
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
    _tell(writer, total)
    if request.strict:
        _refuse_rejects(writer, total)


def _tell(writer: "ArtifactWriter", total: int) -> None:
    """Say what was made."""
    from fr3d.cli.console import say, warn

    output, rejects = writer.path, len(writer.rejected)
    if writer.shard is None:
        note = f", {rejects} rejected: see {output}.rejects.csv" if rejects else ""
        say(f"reconstructed {writer.rows} of {total} captures -> {output}{note}")
        _tell_movement(output)
        return
    if not writer.locked:
        warn(f"{output}.parts: no locks on this file system; start each shard only once")
    left = writer.missing()
    state = f"{left} parts are still missing" if left else f"fr3d merge {output}.parts joins all"
    note = f", {rejects} rejected" if rejects else ""
    say(
        f"shard {writer.shard}: reconstructed {writer.rows} of {writer.share(total)} captures"
        f"{note} -> {output}.parts; {state}"
    )


def _tell_movement(output: Path) -> None:
    """Say how many captures may still be out of register."""
    from fr3d.artifacts.store import open_artifact
    from fr3d.cli.console import say

    residual = open_artifact(output).quality.get("registration_residual")
    poor = 0 if residual is None else int((residual > _POOR_RESIDUAL).sum())
    if poor:
        say(
            f"{poor} of them register poorly (by more than {_POOR_RESIDUAL:g} px): they moved "
            "otherwise than registration finds, or are smooth; --max-residual rejects such"
        )


def _refuse_rejects(writer: "ArtifactWriter", total: int) -> None:
    from fr3d.errors import MalformedInputError

    if not writer.rejected:
        return
    first = writer.rejected[0]
    whole = writer.shard is None
    raise MalformedInputError(
        f"{writer.path}: {len(writer.rejected)} of {writer.share(total)} captures were rejected, "
        "and --strict allows none",
        f"their reasons are in {writer.path}.rejects.csv"
        if whole
        else f"{first.subject_id}/{first.session_id}: {first.reason}",
    )


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


def _warn(survey: "Survey", recipe: "Recipe") -> None:
    from fr3d.cli.console import warn
    from fr3d.photometric.solvers.choice import redundancy_note

    if survey.mostly_padding:
        first, canvas = survey.mostly_padding[0], survey.canvas
        warn(
            f"{len(survey.mostly_padding)} captures fill less than half of {canvas.width}x"
            f"{canvas.height} pixels (first: {first.subject_id}/{first.session_id}); consider "
            "--size"
        )
    if survey.lossy and recipe.transfer.name == "linear":
        warn(
            f"{survey.lossy} captures are JPEG, whose values are rarely linear; consider "
            "--transfer srgb or auto"
        )
    if survey.unfit_ambient:
        warn(
            f"{survey.unfit_ambient} captures have an ambient photograph of another size or depth, "
            "which is not subtracted"
        )
    few = [len(c.images) for c in survey.captures if not c.problem]
    note = redundancy_note(recipe.solver, min(few, default=4))
    if note:
        warn(note)


def _rehearse(request: Request, recipe: "Recipe", survey: "Survey", share: "Shard | None") -> None:
    """Say what would be done, with all that can be known before decoding."""
    from fr3d.cli.console import detail, say, warn
    from fr3d.errors import MalformedInputError

    rejected = _foreseen(recipe, survey)
    for reject in rejected:
        detail(f"would reject {reject.subject_id}/{reject.session_id}: {reject.reason}")
    canvas, total = survey.canvas, len(survey.captures)
    if len(rejected) == total:
        raise MalformedInputError(
            f"none of {total} captures could be used: {rejected[0].subject_id}/"
            f"{rejected[0].session_id}: {rejected[0].reason}",
            "-v lists all of them",
        )
    if request.output.exists() and not request.force:
        warn(f"{request.output} exists: the run will need --force")
    part = f", of which shard {share} makes its share" if share else ""
    first = f"; the first: {rejected[0].reason}" if rejected else ""
    say(
        f"would write {request.output}: {total - len(rejected)} of {total} captures{part}, "
        f"{canvas.width}x{canvas.height} pixels, {canvas.lights} lights; "
        f"{len(rejected)} rejected{first}"
    )


def _foreseen(recipe: "Recipe", survey: "Survey") -> "list[Reject]":
    """Captures that are known to be unusable before any photograph is decoded."""
    from fr3d.artifacts.rows import Reject
    from fr3d.errors import Fr3dError
    from fr3d.photometric.exposure import read_texts

    found = []
    for capture in survey.captures:
        problem = capture.problem
        if not problem:
            try:
                read_texts(capture, recipe.reading)
            except Fr3dError as error:
                problem = error.message
        if problem:
            found.append(Reject(capture.subject_id, capture.session_id, problem))
    return found
