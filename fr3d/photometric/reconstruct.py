"""Captures become rows of maps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.rows import Reject
from fr3d.errors import Fr3dError
from fr3d.photometric.capture import Capture
from fr3d.photometric.depth_prior import known_depth
from fr3d.photometric.near_capture import check_near
from fr3d.photometric.preparation import Prepared, prepare
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.row import map_row
from fr3d.photometric.solution import solve_captures
from fr3d.photometric.survey import Canvas

FloatArray = npt.NDArray[np.float32]
Row = dict[str, Any]


def reconstruct(capture: Capture, recipe: Recipe, canvas: Canvas) -> Row:
    """Reconstruct one capture.

    Args:
        capture: its files.
        recipe: how.
        canvas: size of the row; smaller maps are padded at the right and below.

    Returns:
        One row of `fr3d.maps` by dataset; maps have the frame "camera".

    Raises:
        MalformedInputError: the capture cannot be used; the message names the file.
        MissingInputError: a file is gone.
    """
    prepared, depth = _ready(capture, recipe)
    (solution,) = solve_captures([prepared], recipe, [depth])
    return map_row(capture, prepared, solution, recipe, canvas)


def reconstruct_group(
    captures: Sequence[Capture], recipe: Recipe, canvas: Canvas
) -> tuple[list[Row], list[Reject]]:
    """Reconstruct captures, together where that is faster; what cannot be used is rejected.

    Args:
        captures: their files.
        recipe: how.
        canvas: size of the rows.

    Returns:
        Rows and rejects, each in the order of the captures.
    """
    rows: list[Row] = []
    rejected: list[Reject] = []
    if recipe.device == "cpu":  # one at a time, so that no more than one is held
        for capture in captures:
            with _rejecting(capture, rejected):
                rows.append(reconstruct(capture, recipe, canvas))
        return rows, rejected
    ready: list[Capture] = []
    inputs: list[tuple[Prepared, FloatArray | None]] = []
    for capture in captures:
        with _rejecting(capture, rejected):
            inputs.append(_ready(capture, recipe))
            ready.append(capture)
    solutions = solve_captures([p for p, _ in inputs], recipe, [d for _, d in inputs])
    for capture, (prepared, _), solution in zip(ready, inputs, solutions, strict=True):
        with _rejecting(capture, rejected):
            rows.append(map_row(capture, prepared, solution, recipe, canvas))
    order = {(c.subject_id, c.session_id): i for i, c in enumerate(captures)}
    return rows, sorted(rejected, key=lambda r: order[r.subject_id, r.session_id])


@contextmanager
def _rejecting(capture: Capture, rejected: list[Reject]) -> Iterator[None]:
    """List a capture that cannot be used, with the reason."""
    try:
        yield
    except Fr3dError as error:
        rejected.append(Reject(capture.subject_id, capture.session_id, error.message))


def _ready(capture: Capture, recipe: Recipe) -> tuple[Prepared, FloatArray | None]:
    """All that a capture's solution needs, with the depth that is known beforehand."""
    prepared = prepare(capture, recipe)
    check_near(prepared, recipe)
    if recipe.depth_prior is None:
        return prepared, None
    names = capture.subject_id, capture.session_id
    return prepared, known_depth(recipe.depth_prior, *names, prepared.evidence.framing)
