"""What `fr3d align` does once its options are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from fr3d.alignment.faces import AlignmentSummary
    from fr3d.alignment.recipe import AlignmentRecipe
    from fr3d.alignment.sources.open import Reading
    from fr3d.alignment.sources.source import Source
    from fr3d.alignment.sources.triples import NormalCode


@dataclass(frozen=True)
class Depth:
    """Options on measured depth.

    Attributes:
        unit_mm: mm a stored unit, or None.
        sign: which numbers are nearer, or None.
        intrinsics: file of the cameras, or None.
        smoothing_mm: of the filter.
    """

    unit_mm: float | None
    sign: Literal["smaller-is-nearer", "larger-is-nearer"] | None
    intrinsics: Path | None
    smoothing_mm: float


def make_reading(
    transfer: str,
    depth: Depth,
    up: Literal["y", "z", "auto"],
    longest_edge: float,
    normal_code: "NormalCode",
) -> "Reading":
    """How inputs are read.

    Raises:
        UsageError: options that say nothing.
        MalformedInputError: cameras that are none.
    """
    from fr3d.alignment.sources.cameras import read_cameras
    from fr3d.alignment.sources.depth_files import DepthCode, check_unit
    from fr3d.alignment.sources.open import Reading
    from fr3d.photometric.transfer import Transfer

    said = depth.unit_mm is not None or depth.sign is not None
    code = DepthCode(check_unit(depth.unit_mm), depth.sign or "smaller-is-nearer")
    return Reading(
        Transfer(transfer),
        code if said else None,
        read_cameras(depth.intrinsics) if depth.intrinsics else None,
        depth.smoothing_mm,
        up,
        longest_edge,
        normal_code,
    )


def make_recipe(source: "Source", landmarks: Path | None, **options: Any) -> "AlignmentRecipe":
    """How faces of a source are aligned.

    Args:
        source: of faces.
        landmarks: run folder or ONNX file of a landmark network, or None.
        options: fields of the recipe.

    Raises:
        UsageError: options that do not fit together.
        MalformedInputError: maps that cannot be aligned in this way.
    """
    from fr3d.alignment.recipe import AlignmentRecipe
    from fr3d.alignment.sources.maps import MapsSource, check_alignable
    from fr3d.errors import UsageError

    if landmarks is not None:
        network, digest = _read_network(landmarks)
        options |= {"network": network, "network_sha256": digest}
    recipe = AlignmentRecipe(source=source.parameters, **options)
    if isinstance(source, MapsSource):
        check_alignable(source.artifact, recipe)
    elif recipe.detector == "capture":
        raise UsageError(f"{source.kind} come without landmarks", "choose another --detector")
    if recipe.frontal and source.kind == "photographs":
        raise UsageError("photographs have no depth to be turned by", "drop --frontal")
    return recipe


def run(
    source: "Source",
    recipe: "AlignmentRecipe",
    output: Path,
    *,
    workers: int | None,
    strict: bool,
    force: bool,
    dry_run: bool,
) -> None:
    """Align, or say what would be done.

    Raises:
        MalformedInputError: something was left out and nothing may be.
    """
    from fr3d.alignment.faces import align_source
    from fr3d.cli.console import progress, say
    from fr3d.errors import MalformedInputError
    from fr3d.runtime import worker_count

    _introduce(source)
    if dry_run:
        where = f"{recipe.size} x {recipe.size} ({recipe.frame})"
        say(f"would align {len(source)} sessions to {where} -> {output}")
        return
    with progress(len(source), "aligning") as bar:
        done = align_source(
            source,
            output,
            recipe,
            workers=worker_count(workers),
            force=force,
            advance=bar.advance,
        )
    _tell(done, source, output)
    if strict and done.rejected:
        raise MalformedInputError(
            f"{output}: {len(done.rejected)} sessions could not be aligned, and --strict was given",
            f"the reasons are in {output}.rejects.csv",
        )


def _read_network(path: Path) -> tuple[bytes, str]:
    """The landmark network of a run folder or ONNX file, and its digest."""
    from fr3d.alignment.hourglass import Hourglass
    from fr3d.errors import cannot_read

    file = path / "landmarks.onnx" if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise cannot_read(file, error) from error
    return data, Hourglass(data).sha256


def _introduce(source: "Source") -> None:
    """Say what was understood where it was not said."""
    from fr3d.cli.console import say

    if source.kind == "maps":
        return
    subjects = {source.key(row)[0] for row in range(len(source))}
    first = "/".join(source.key(0))
    say(f"{source.name}: {len(source)} {source.kind} of {len(subjects)} people, first {first}")


def _tell(done: "AlignmentSummary", source: "Source", output: Path) -> None:
    from fr3d.cli.console import detail, say, warn

    for reject in done.rejected:
        detail(f"left out {reject.subject_id}/{reject.session_id}: {reject.reason}")
    lost = f", {len(done.rejected)} without a usable face" if done.rejected else ""
    before = f", {len(done.earlier)} rejected earlier" if done.earlier else ""
    say(f"aligned {done.aligned} of {len(source)} sessions -> {output}{lost}{before}")
    for text in _doubts(output):
        warn(text)


def _doubts(output: Path) -> list[str]:
    """What the figures of the result say against it."""
    import numpy as np

    from fr3d.artifacts.store import open_artifact

    quality = open_artifact(output).quality
    doubts = []
    several = quality.get("face_count", np.zeros(0)) > 1
    if several.any():
        doubts.append(f"{several.sum()} sessions show several faces; see quality/face_count")
    nose = quality.get("nose_mm", np.zeros(0))
    known = nose[np.isfinite(nose)]
    if known.size and np.median(known) < 0:
        doubts.append("most noses lie behind eyes and mouth; is --depth-sign right?")
    inside = quality.get("face_inside", np.ones(0)) < 0.7
    if inside.any():
        doubts.append(f"{inside.sum()} faces reach out of their pictures; see quality/face_inside")
    return doubts
