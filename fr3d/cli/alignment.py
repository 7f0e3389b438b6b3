"""What `fr3d align` does once its options are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from fr3d.alignment.faces import AlignmentSummary
    from fr3d.alignment.recipe import AlignmentRecipe
    from fr3d.alignment.sources.normal_codes import NormalCode
    from fr3d.alignment.sources.open import Reading
    from fr3d.alignment.sources.source import Source


_USUAL_NOSE = (4.0, 60.0)
"""How far noses stand before eyes and mouth, mm, with room for noise and turned heads."""
_DOUBTFUL_ANGLE = 20.0


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


def make_recipe(
    source: "Source", landmarks: Path | None, depth: Depth, **options: Any
) -> "AlignmentRecipe":
    """How faces of a source are aligned.

    Args:
        source: of faces.
        landmarks: run folder or ONNX file of a landmark network, or None.
        depth: options on measured depth.
        options: fields of the recipe.

    Raises:
        UsageError: options that do not fit together.
        MalformedInputError: maps that cannot be aligned in this way.
    """
    from fr3d.alignment.recipe import AlignmentRecipe
    from fr3d.alignment.sources.maps import MapsSource, check_alignable
    from fr3d.errors import UsageError

    if landmarks is not None and options["detector"] != "hourglass":
        raise UsageError(
            f"--landmarks {landmarks}: only the detector hourglass uses it",
            "add --detector hourglass",
        )
    if landmarks is not None:
        network, digest = _read_network(landmarks)
        options |= {"network": network, "network_sha256": digest}
    recipe = AlignmentRecipe(source=source.parameters, **options)
    if isinstance(source, MapsSource):
        check_alignable(source.artifact, recipe)
    elif recipe.detector == "capture":
        raise UsageError(f"{source.kind} come without landmarks", "choose another --detector")
    measured = depth.unit_mm is not None or depth.sign is not None or depth.intrinsics is not None
    if measured and source.kind != "rgbd":
        raise UsageError(
            f"{source.kind} have no measured depth, which these options are for",
            "drop --depth-unit, --depth-sign and --intrinsics",
        )
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
    from fr3d.cli.console import say, warn

    if source.kind == "maps":
        return
    subjects = {source.key(row)[0] for row in range(len(source))}
    first = "/".join(source.key(0))
    kind = {"rgbd": "RGB-D pairs", "triples": "sets of maps"}.get(source.kind, source.kind)
    say(f"{source.name}: {len(source)} {kind} of {len(subjects)} people, first {first}")
    others = source.passed_over
    if others:
        warn(f"{len(others)} other files are passed over, such as {others[0]}")


def _tell(done: "AlignmentSummary", source: "Source", output: Path) -> None:
    from fr3d.cli.console import detail, say, warn

    for reject in done.rejected:
        detail(f"left out {reject.subject_id}/{reject.session_id}: {reject.reason}")
    lost = f", {len(done.rejected)} left out" if done.rejected else ""
    before = f", {len(done.earlier)} rejected earlier" if done.earlier else ""
    why = f"; the reasons are in {output}.rejects.csv" if lost else ""
    say(f"aligned {done.aligned} of {len(source)} sessions -> {output}{lost}{before}{why}")
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
    middle = float(np.median(known)) if known.size else _USUAL_NOSE[0]
    if middle < 0:
        doubts.append("most noses lie behind eyes and mouth; is --depth-sign right?")
    elif not _USUAL_NOSE[0] <= middle <= _USUAL_NOSE[1]:
        doubts.append(f"noses stand {middle:.3g} mm before eyes and mouth; is --depth-unit right?")
    angle = quality.get("normal_depth_angle", np.zeros(0))
    if (angle > _DOUBTFUL_ANGLE).any():
        doubts.append(
            f"{(angle > _DOUBTFUL_ANGLE).sum()} sessions have normals that do not fit their depth; "
            "see quality/normal_depth_angle and --normal-code"
        )
    inside = quality.get("face_inside", np.ones(0)) < 0.7
    if inside.any():
        doubts.append(f"{inside.sum()} faces reach out of their pictures; see quality/face_inside")
    return doubts
