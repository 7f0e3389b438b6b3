"""Captures become rows of maps."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import Artifact, open_artifact
from fr3d.errors import Fr3dError, MalformedInputError
from fr3d.photometric.capture import Capture
from fr3d.photometric.preparation import Prepared, prepare
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.row import map_row
from fr3d.photometric.solution import solve_captures
from fr3d.photometric.survey import Canvas

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
    prepared = prepare(capture, recipe)
    depth = _known_depth(capture, prepared, recipe)
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
            try:
                rows.append(reconstruct(capture, recipe, canvas))
            except Fr3dError as error:
                rejected.append(Reject(capture.subject_id, capture.session_id, error.message))
        return rows, rejected
    ready: list[tuple[Capture, Prepared]] = []
    depths = []
    for capture in captures:
        try:
            prepared = prepare(capture, recipe)
            depths.append(_known_depth(capture, prepared, recipe))
            ready.append((capture, prepared))
        except Fr3dError as error:
            rejected.append(Reject(capture.subject_id, capture.session_id, error.message))
    solutions = solve_captures([p for _, p in ready], recipe, depths)
    for (capture, prepared), solution in zip(ready, solutions, strict=True):
        rows.append(map_row(capture, prepared, solution, recipe, canvas))
    return rows, rejected


def _known_depth(
    capture: Capture, prepared: Prepared, recipe: Recipe
) -> npt.NDArray[np.float32] | None:
    """Depth of the same session in other maps, NaN where unknown."""
    if recipe.depth_prior is None:
        return None
    artifact, rows = _depths(recipe.depth_prior)
    row = rows.get((capture.subject_id, capture.session_id))
    if row is None:
        raise MalformedInputError(f"{recipe.depth_prior.name}: has no such session")
    height, width = prepared.mask.shape
    depth = artifact["depth"][row]
    if depth.shape[0] < height or depth.shape[1] < width:
        raise MalformedInputError(
            f"{recipe.depth_prior.name}: depth is {depth.shape[1]}x{depth.shape[0]} pixels, "
            f"expected {width}x{height} as the maps"
        )
    return np.asarray(depth[:height, :width], np.float32)


@lru_cache(maxsize=1)
def _depths(path: Path) -> tuple[Artifact, dict[tuple[str, str], int]]:
    artifact = open_artifact(path, require=["depth"])
    keys = zip(artifact.subject_id, artifact.session_id, strict=True)
    return artifact, {key: i for i, key in enumerate(keys)}
