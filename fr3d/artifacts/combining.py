"""Finished artifacts of one kind become one: their rows one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.lineage import number_names, unite_histories
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.rows import Reject, Values
from fr3d.artifacts.schema import find_spec
from fr3d.artifacts.store import Artifact
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.errors import MalformedInputError

_PART_BYTES = 16 << 20
_MOST_ROWS = 256
_CANVAS = ("y", "x", "light")
_UNKNOWN = ("depth", "lights", "light_intensity", "shift")
_ALIKE = "make them with the same options"


@dataclass(frozen=True)
class Combination:
    """Artifacts that go together, and what they have in common.

    Attributes:
        artifacts: in the order of their rows.
        shapes: of a row, by dataset; maps have the largest canvas.
        history: theirs as one.
        rejected: all of them.
    """

    artifacts: tuple[Artifact, ...]
    shapes: Mapping[str, tuple[int, ...]]
    history: tuple[dict[str, Any], ...]
    rejected: tuple[Reject, ...]

    @property
    def rows(self) -> int:
        """Of the result."""
        return sum(map(len, self.artifacts))

    @property
    def mostly_padding(self) -> list[Path]:
        """Files whose maps would fill less than half of the canvas."""
        if "mask" not in self.shapes:
            return []
        area = int(np.prod(self.shapes["mask"]))
        return [a.paths[0] for a in self.artifacts if 2 * int(np.prod(a["mask"].shape[1:])) < area]


def combine(artifacts: Sequence[Artifact]) -> Combination:
    """Check that artifacts go together.

    Args:
        artifacts: of one kind.

    Raises:
        MalformedInputError: they differ in kind, frame, options, datasets, types or shapes, or a
            session is in two of them.
    """
    first = artifacts[0]
    for other in artifacts[1:]:
        _check_alike(first, other)
    _check_keys(artifacts)
    names = dict.fromkeys(name for a in artifacts for name in a.names)
    shapes = {name: _common_shape(artifacts, name) for name in names if name != "digest"}
    rejected = tuple(reject for a in artifacts for reject in a.rejected)
    history = unite_histories([(str(a.paths[0]), a.history) for a in artifacts])
    return Combination(tuple(artifacts), shapes, tuple(history), rejected)


def write_combination(combination: Combination, output: Path, *, force: bool = False) -> None:
    """Write artifacts as one.

    Smaller maps are padded at the right and below under a zero mask, as a single run would have
    done; attributes that a file lacks are unknown.

    Args:
        combination: of artifacts.
        output: the artifact; resumes when it was interrupted.
        force: replace an existing output.

    Raises:
        CannotWriteError: the output exists or cannot be written.
    """
    first = combination.artifacts[0]
    inputs = number_names([(a.name, a.sha256) for a in combination.artifacts])
    writer = ArtifactWriter(
        output,
        first.kind,
        Step("merge", {}, inputs),
        frame=first.frame,
        history=combination.history,
        attrs=first.attrs,
        part_rows=_rows_per_part(combination),
        force=force,
        items=combination.rows,
    )
    with writer:
        sources = ((a, row) for a in combination.artifacts for row in range(len(a)))
        for index, group in writer.todo(sources):
            columns = {name: _column(name, group, combination) for name in combination.shapes}
            writer.seal(index, columns, combination.rejected if index == 0 else ())


def _check_alike(first: Artifact, other: Artifact) -> None:
    one, two = first.paths[0], other.paths[0]
    for what, left, right in (
        ("kind", first.kind, other.kind),
        ("frame", first.frame, other.frame),
        ("attributes", first.attrs, other.attrs),
    ):
        if left != right:
            shown = f": {left or 'none'} and {right or 'none'}" if isinstance(left, str) else ""
            raise MalformedInputError(f"{one} and {two} differ in their {what}{shown}", _ALIKE)
    odd = [n for n in {*first.names} ^ {*other.names} if not n.startswith("attribute/")]
    if odd:
        having, lacking = (one, two) if odd[0] in first else (two, one)
        raise MalformedInputError(f"{lacking}: no dataset '{min(odd)}', which {having} has", _ALIKE)


def _check_keys(artifacts: Sequence[Artifact]) -> None:
    seen: dict[tuple[str, ...], Path] = {}
    for artifact in artifacts:
        views = artifact.text("view") if "view" in artifact else [""] * len(artifact)
        rows = list(zip(artifact.subject_id, artifact.session_id, views, strict=True))
        rejects = {(r.subject_id, r.session_id, "") for r in artifact.rejected}
        for key in [*rows, *sorted(rejects - set(rows))]:
            if key in seen:
                raise MalformedInputError(
                    f"{artifact.paths[0]}: session {'/'.join(key[:2])} is also in {seen[key]}",
                    "give each file once, or take one of them with 'fr3d select'",
                )
            seen[key] = artifact.paths[0]


def _common_shape(artifacts: Sequence[Artifact], name: str) -> tuple[int, ...]:
    having = [a for a in artifacts if name in a]
    for one, two in pairwise(having):
        left, right = one[name], two[name]
        kinds = {left.dtype.kind, right.dtype.kind}
        if left.dtype != right.dtype and kinds != {"S"}:
            raise _unlike(one, two, f"type of '{name}': {left.dtype} and {right.dtype}")
        growing = _growing_axes(one, name)
        fixed = [i for i in range(1, len(left.shape)) if i not in growing]
        if len(left.shape) != len(right.shape) or any(
            left.shape[i] != right.shape[i] for i in fixed
        ):
            raise _unlike(one, two, f"shape of '{name}': {left.shape[1:]} and {right.shape[1:]}")
    return tuple(max(sizes) for sizes in zip(*(a[name].shape[1:] for a in having), strict=True))


def _growing_axes(artifact: Artifact, name: str) -> list[int]:
    """Axes that padding makes alike; a face frame has one size, so they are a camera's."""
    spec = find_spec(artifact.kind, name)
    if spec is None or artifact.frame != "camera":
        return []
    return [i for i, axis in enumerate(spec.axes) if axis in _CANVAS]


def _unlike(one: Artifact, two: Artifact, what: str) -> MalformedInputError:
    return MalformedInputError(f"{one.paths[0]} and {two.paths[0]} differ in the {what}", _ALIKE)


def _rows_per_part(combination: Combination) -> int:
    first = combination.artifacts[0]
    size = sum(
        int(np.prod(shape)) * first[name].dtype.itemsize
        for name, shape in combination.shapes.items()
        if name in first
    )
    return max(1, min(_MOST_ROWS, _PART_BYTES // max(1, size)))


def _column(name: str, group: Sequence[tuple[Artifact, int]], whole: Combination) -> Values:
    shape = whole.shapes[name]
    if next(a for a in whole.artifacts if name in a)[name].dtype.kind == "S":
        return [a.text_at(name, row) if name in a else "" for a, row in group]
    return [_padded(a[name][row], shape, name) for a, row in group]


def _padded(value: npt.NDArray[Any], shape: tuple[int, ...], name: str) -> npt.NDArray[Any]:
    if value.shape == shape:
        return value
    fill = np.nan if name in _UNKNOWN else 0
    padded = np.full(shape, fill, value.dtype)
    padded[tuple(slice(n) for n in value.shape)] = value
    return padded
