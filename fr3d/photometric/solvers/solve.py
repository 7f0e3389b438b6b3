"""Photographs under known lights become scaled normals (albedo times normal), by a named solver.

One implementation serves NumPy, a session and a block of pixels at a time so that they stay in the
cache, and PyTorch on any device, a batch at a time.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, constant, namespace
from fr3d.photometric.solvers.fit import Rig
from fr3d.photometric.solvers.linear import least_squares, ratio_weighted
from fr3d.photometric.solvers.prior import Prior, make_pull
from fr3d.photometric.solvers.problem import Problem, Pull
from fr3d.photometric.solvers.robust import cauchy, consistency

Solver = Callable[[Problem], Array]

SOLVERS: dict[str, Solver] = {
    "ls": least_squares,
    "ratio": ratio_weighted,
    "cauchy": cauchy,
    "consistency": consistency,
}

_SAMPLES = 32768  # at a time on a CPU: 128 KiB, so that a few arrays of them stay in the cache


def solve(
    images: Array,
    lights: npt.NDArray[np.float64],
    saturated: Array | None = None,
    solver: str = "ls",
    prior: Prior | None = None,
) -> Array:
    """Solve a batch of sessions that have the same number of lights and the same size.

    Args:
        images: (B, L, H, W), linear light over the intensity of the flash; NumPy or PyTorch.
        lights: (B, L, 3), unit vectors from the face to each light, not in one plane.
        saturated: (B, L, H, W) bool, samples that the camera could not hold; none by default.
        solver: name in `SOLVERS`.
        prior: expected normals (B, 3, H, W), whose length is the expected albedo in any unit, and
            their weight (B, H, W), 0 where nothing is expected.

    Returns:
        (B, 3, H, W), albedo times normal; of the same kind and on the same device as `images`.
    """
    lights = np.asarray(lights, dtype=np.float64)
    if namespace(images) is not np:
        return _solve_batch(images, lights, saturated, prior, solver)
    batch, _, *shape = images.shape
    out = np.empty((batch, 3, *shape), np.float32)
    for i, (session, light) in enumerate(zip(images, lights, strict=True)):
        marked, known = _session(saturated, prior, i)
        _solve_session(session, light, marked, known, solver, out[i].reshape(3, -1))
    return out


def _session(saturated: Array | None, prior: Prior | None, i: int) -> tuple[Any, Any]:
    of_prior = None if prior is None else (prior[0][i], prior[1][i])
    return None if saturated is None else saturated[i], of_prior


def _solve_session(
    images: Array,
    lights: npt.NDArray[np.float64],
    saturated: Array | None,
    prior: Prior | None,
    solver: str,
    out: Array,
) -> None:
    """Solve one session, block by block, into out (3, P)."""
    count = len(images)
    planes = np.asarray(images, np.float32).reshape(count, -1)
    marked = None if saturated is None or not saturated.any() else saturated.reshape(count, -1)
    rig = Rig(lights, planes)
    pull = None if prior is None else make_pull(planes, lights, _flat(prior, planes))
    step = max(512, _SAMPLES // count)
    for start in range(0, planes.shape[1], step):
        part = np.s_[:, start : start + step]
        block = Problem(
            rig,
            planes[part],
            None if marked is None else marked[part],
            None if pull is None else Pull(pull.target[part], pull.weight[part], pull.rig),
        )
        out[part] = SOLVERS[solver](block)


def _solve_batch(
    images: Array,
    lights: npt.NDArray[np.float64],
    saturated: Array | None,
    prior: Prior | None,
    solver: str,
) -> Array:
    batch, count, *shape = images.shape
    planes = images.float().reshape(batch, count, -1)
    marked = None if saturated is None else saturated.reshape(planes.shape)
    pull = None if prior is None else make_pull(planes, lights, _flat(prior, planes))
    problem = Problem(Rig(lights, planes), planes, marked, pull)
    return SOLVERS[solver](problem).reshape(batch, 3, *shape)


def _flat(prior: Prior, planes: Array) -> Prior:
    """Pixels in one row, and where the photographs are."""
    *batch, _, pixels = planes.shape
    normal, weight = prior
    return (
        constant(normal, planes).reshape(*batch, 3, pixels),
        constant(weight, planes).reshape(*batch, 1, pixels),
    )
