"""One capture becomes one row of maps."""

import hashlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import MalformedInputError
from fr3d.photometric.capture import Capture
from fr3d.photometric.evidence import Evidence, load_evidence
from fr3d.photometric.integration.integrate import integrate
from fr3d.photometric.mask import lit_mask
from fr3d.photometric.photograph import LINEAR, SATURATED, Transfer
from fr3d.photometric.quality import capture_quality, measure_fit, pixel_confidence
from fr3d.photometric.solvers.linear import SOLVERS, split_scaled_normal
from fr3d.photometric.survey import Canvas

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

INTEGRATOR = "poisson"
_LEAST_MASK = 0.01


@dataclass(frozen=True)
class Recipe:
    """How captures are reconstructed.

    Attributes:
        solver: name in `solvers.linear.SOLVERS`.
        transfer: how stored values become light.
        size: crop the face to a square of this size; None keeps the whole photograph.
        keep_raw: whether rows carry the photographs.
        attributes: whether rows carry attributes.
    """

    solver: str = "ls"
    transfer: Transfer = LINEAR
    size: int | None = None
    keep_raw: bool = False
    attributes: bool = True

    @property
    def parameters(self) -> dict[str, Any]:
        """As history and model contracts record it."""
        return {
            "solver": self.solver,
            "transfer": self.transfer.name,
            "integrator": INTEGRATOR,
            "size": self.size,
            "keep_raw": self.keep_raw,
        }


def reconstruct(capture: Capture, recipe: Recipe, canvas: Canvas) -> dict[str, Any]:
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
    if capture.problem:
        raise MalformedInputError(capture.problem)
    evidence = load_evidence(capture, recipe.transfer, recipe.size)
    lights = evidence.lights.directions
    images = evidence.images / evidence.lights.intensity.astype(np.float32)[:, None, None]
    mask = lit_mask(evidence.images)
    if mask.mean() < _LEAST_MASK:
        raise MalformedInputError("the photographs are dark: nothing is lit")
    g = SOLVERS[recipe.solver](images, lights, evidence.stored >= SATURATED)
    maps = _maps(g, mask)
    fit = measure_fit(images, lights, g)
    maps["confidence"] = pixel_confidence(fit) * mask
    maps["image"] = evidence.images.mean(axis=0)
    quality = capture_quality(fit, evidence.stored, lights, mask)
    fill = {"depth": np.nan}
    row: dict[str, Any] = {
        name: _padded(plane, canvas, fill.get(name, 0)) for name, plane in maps.items()
    }
    row |= {f"quality/{name}": value for name, value in quality.items()}
    return row | _facts(capture, evidence, recipe, canvas)


def _maps(g: FloatArray, mask: Mask) -> dict[str, npt.NDArray[Any]]:
    albedo, normal = split_scaled_normal(g)
    normal = _filled(normal, albedo, mask) * mask
    depth = integrate(normal[None], mask[None]).depth[0]
    return {
        "normal": np.moveaxis(normal, 0, -1),
        "albedo": albedo * mask,
        "depth": depth,
        "mask": mask.astype(np.uint8),
    }


def _filled(normal: FloatArray, albedo: FloatArray, mask: Mask) -> FloatArray:
    """Give pixels of the mask that no light reached the nearest normal; their albedo stays 0."""
    known = mask & (albedo > 0)
    if (known == mask).all() or not known.any():
        return normal
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros(int(labels.max()) + 1, np.intp)
    source[labels[known]] = np.flatnonzero(known)
    missing = mask & ~known
    filled = normal.copy()
    filled[:, missing] = normal.reshape(3, -1)[:, source[labels[missing]]]
    return filled


def _padded(plane: npt.NDArray[Any], canvas: Canvas, fill: float = 0) -> npt.NDArray[Any]:
    height, width = plane.shape[:2]
    if (height, width) == (canvas.height, canvas.width):
        return np.ascontiguousarray(plane)
    out = np.full((canvas.height, canvas.width, *plane.shape[2:]), fill, plane.dtype)
    out[:height, :width] = plane
    return out


def _facts(capture: Capture, evidence: Evidence, recipe: Recipe, canvas: Canvas) -> dict[str, Any]:
    count = len(evidence.stored)
    lights = np.full((canvas.lights, 3), np.nan, np.float32)
    lights[:count] = evidence.lights.directions
    intensity = np.full(canvas.lights, np.nan, np.float32)
    intensity[:count] = evidence.lights.intensity
    row: dict[str, Any] = {
        "subject_id": capture.subject_id,
        "session_id": capture.session_id,
        "lights": lights,
        "light_intensity": intensity,
        "source_sha256": _sha256_files(capture),
        "size": np.array(evidence.framing.size, np.int32),
        "scale_mm": np.float32(np.nan),
        "warp": evidence.framing.warp,
        "landmarks": evidence.landmarks,
    }
    if recipe.attributes:
        row |= {f"attribute/{name}": value for name, value in evidence.attributes.items()}
    if recipe.keep_raw:
        raw = np.zeros((canvas.lights, canvas.height, canvas.width), np.uint8)
        levels = np.clip(np.rint(evidence.stored * 255), 0, 255).astype(np.uint8)
        for i, photograph in enumerate(levels):
            raw[i] = _padded(photograph, canvas)
        row["raw"] = raw
    return row


def _sha256_files(capture: Capture) -> str:
    total = hashlib.sha256()
    for path in capture.files:
        total.update(f"{path.name}\0{sha256_file(path)}\n".encode())
    return total.hexdigest()
