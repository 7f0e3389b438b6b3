"""How to integrate: method, limits on slopes, prior and trend; and what comes out."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError

Method = Literal["poisson", "robust", "dct", "fc"]
Detrend = Literal["none", "plane", "quadratic"]

RECTANGLE: tuple[Method, ...] = ("dct", "fc")
"""Methods that solve on the bounding rectangle, without weights and without known depth."""

# normals of a rendering or a scan: only what would divide by nothing is limited
EXACT_MIN_NZ = 7.5e-4


def _check_choice(name: str, found: str, known: tuple[str, ...]) -> None:
    if found not in known:
        raise UsageError(f"integration {name}: found '{found}', expected one of {', '.join(known)}")


@dataclass(frozen=True)
class Settings:
    """How to integrate.

    Attributes:
        method: `poisson`: least squares on the mask. `robust`: the same, but edges whose step the
            normals cannot explain may tear. `dct` and `fc` (Frankot-Chellappa): the bounding
            rectangle, with slopes of 0 outside the mask; for comparison.
        min_nz: cosine between normal and view below which slopes are limited.
        edge_power: an edge weighs as this power of the cosine; steep slopes are the least certain.
        prior_weight: how strongly a pixel is held to the prior depth; an edge weighs 1 or less.
        detrend: what to subtract from each component: its best plane or quadratic.
        rtol: error of the slopes, relative, at which to stop.
    """

    method: Method = "poisson"
    min_nz: float = 0.05
    edge_power: float = 0.5
    prior_weight: float = 1e-3
    detrend: Detrend = "none"
    rtol: float = 3e-4

    def __post_init__(self) -> None:
        _check_choice("method", self.method, get_args(Method))
        _check_choice("detrend", self.detrend, get_args(Detrend))
        if not 0 < self.min_nz < 1:
            raise UsageError(f"least n_z: found {self.min_nz:g}, expected between 0 and 1")
        if self.edge_power < 0 or self.prior_weight < 0:
            raise UsageError("integration: powers and weights must not be negative")
        if not 1e-6 <= self.rtol < 1:  # single precision holds no more
            raise UsageError(f"integration tolerance: found {self.rtol:g}, expected 1e-6 to 1")


EXACT = Settings(min_nz=EXACT_MIN_NZ, edge_power=0.0)


@dataclass(frozen=True)
class Integration:
    """Depth maps and how they were reached.

    Attributes:
        depth: (B, H, W) float32, height towards the camera in pixels of the map (of a camera: in
            pixels at the mean distance), NaN outside the mask, mean 0 over each 4-connected
            component unless a prior says where it is. NumPy or torch, as the normals came.
        iterations: (B,), of the conjugate gradients; 0 for the other methods.
        trend: (B, 6), what was subtracted from the largest component: coefficients of 1, x, y, x^2,
            x y, y^2 in pixels from the component's centroid, x right and y up.
    """

    depth: Any
    iterations: npt.NDArray[np.int64]
    trend: npt.NDArray[np.float64]
