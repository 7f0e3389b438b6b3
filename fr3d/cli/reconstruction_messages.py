"""What `fr3d ps-reconstruct` tells people: beforehand, afterwards, and instead."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fr3d.artifacts.rows import Reject
    from fr3d.artifacts.shard import Shard
    from fr3d.artifacts.writer import ArtifactWriter
    from fr3d.photometric.recipe import Recipe
    from fr3d.photometric.survey import Survey

_POOR_RESIDUAL = 2.0  # px; of photographs that miss by more about half are wrong


def tell(writer: "ArtifactWriter", total: int) -> None:
    """Say what was made.

    Args:
        writer: whose block has ended.
        total: captures of the whole run.
    """
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


def refuse_rejects(writer: "ArtifactWriter", total: int) -> None:
    """Fail when a capture was rejected, as --strict asks.

    Args:
        writer: whose block has ended.
        total: captures of the whole run.

    Raises:
        MalformedInputError: one was.
    """
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


def warn_of(survey: "Survey", recipe: "Recipe") -> None:
    """Warn of what the headers of the photographs tell.

    Args:
        survey: of the captures.
        recipe: how they are reconstructed.
    """
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


def rehearse(
    output: Path, recipe: "Recipe", survey: "Survey", share: "Shard | None", *, force: bool
) -> None:
    """Say what would be done, with all that can be known before decoding.

    Args:
        output: the maps.
        recipe: how they would be made.
        survey: of the captures.
        share: the shard that would be made; None for all.
        force: whether an output that exists may be replaced.

    Raises:
        MalformedInputError: no capture can be used.
    """
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
    if output.exists() and not force:
        warn(f"{output} exists: the run will need --force")
    part = f", of which shard {share} makes its share" if share else ""
    first = f"; the first: {rejected[0].reason}" if rejected else ""
    say(
        f"would write {output}: {total - len(rejected)} of {total} captures{part}, "
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
