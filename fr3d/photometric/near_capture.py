"""A capture whose lights stand so near that direction and strength change over the face."""

import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError
from fr3d.photometric.framing import Framing
from fr3d.photometric.near_light import (
    SOLVERS,
    Integrator,
    NearLights,
    NearSolution,
    as_distant,
    solve_near,
)
from fr3d.photometric.preparation import Prepared
from fr3d.photometric.recipe import Camera, Recipe

NEAR_SOLVER = "ratio"
_KNOWN = " and ".join(SOLVERS)


def is_near(capture: Prepared, recipe: Recipe) -> bool:
    """Whether a capture's lights are taken as near: their places and the scale are known."""
    return recipe.mm_per_pixel is not None and capture.evidence.lights.positions_mm is not None


def check_near(capture: Prepared, recipe: Recipe) -> None:
    """Refuse what cannot be done under near lights.

    Args:
        capture: ready to be solved.
        recipe: how.

    Raises:
        UsageError: another solver, or a mean face, was asked for.
    """
    if not is_near(capture, recipe):
        return
    if recipe.solver not in ("auto", *SOLVERS):
        raise UsageError(f"solver {recipe.solver} does not know near lights, {_KNOWN} do")
    if recipe.prior == "face":
        raise UsageError("near lights are solved without a mean face")


def map_camera(camera: Camera, framing: Framing) -> npt.NDArray[np.float64]:
    """The intrinsic matrix in pixels of the map.

    Args:
        camera: in pixels of the photograph.
        framing: which part of it the map shows.
    """
    scale = framing.scale
    to_map = np.array(
        [
            [1 / scale, 0, (0.5 - framing.left) / scale - 0.5],
            [0, 1 / scale, (0.5 - framing.top) / scale - 0.5],
            [0, 0, 1],
        ]
    )
    return np.asarray(to_map @ np.array(camera))


def solve_near_capture(
    capture: Prepared, recipe: Recipe, solver: str, integrate: Integrator
) -> tuple[NearSolution, npt.NDArray[np.float32]]:
    """Solve a capture under near lights.

    The optical axis goes through the camera's principal point; without a camera through the middle
    of the photograph.

    Args:
        capture: whose lights have places.
        recipe: how; with the length that a pixel covers.
        solver: `ls` or `ratio`.
        integrate: normals (3, h, w) and mask to depth.

    Returns:
        The solution, and the photographs (K, h, w) as they would be under distant lights.
    """
    evidence, keep = capture.evidence, capture.flashes.keep
    if recipe.mm_per_pixel is None or evidence.lights.positions_mm is None:
        raise ValueError("near lights need their places and the length of a pixel")
    lights = NearLights(evidence.lights.positions_mm[keep])
    framing, mm = evidence.framing, recipe.mm_per_pixel * evidence.framing.scale
    if recipe.camera is None:
        middle = np.array([capture.photograph_size[::-1]]) / 2 - 0.5
        column, row = framing.points(middle.astype(np.float32))[0]
        distance = None
    else:
        matrix = map_camera(recipe.camera, framing)
        column, row = matrix[0, 2], matrix[1, 2]
        distance = float(matrix[0, 0] * mm)
    found = solve_near(
        capture.images,
        lights,
        mm,
        capture.mask,
        integrate,
        solver=solver,
        centre=(float(column), float(row)),
        camera_mm=distance,
        saturated=capture.saturated,
    )
    return found, as_distant(capture.images, found, lights)
