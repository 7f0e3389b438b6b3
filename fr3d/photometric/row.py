"""The row of an artifact that a reconstructed capture becomes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.capture import Capture
from fr3d.photometric.colour import coloured_maps
from fr3d.photometric.evidence import Evidence
from fr3d.photometric.near_capture import is_near
from fr3d.photometric.preparation import Prepared
from fr3d.photometric.quality import capture_quality, measure_fit, pixel_confidence
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.solution import Solution
from fr3d.photometric.storage import stored
from fr3d.photometric.survey import Canvas

FloatArray = npt.NDArray[np.float32]
Row = dict[str, Any]

_EMPTY = {"depth": np.nan}  # what stands outside the mask; elsewhere 0


def map_row(
    capture: Capture, prepared: Prepared, solution: Solution, recipe: Recipe, canvas: Canvas
) -> Row:
    """Collect maps, facts and figures of a capture.

    Args:
        capture: its files.
        prepared: what was read.
        solution: what was found.
        recipe: how.
        canvas: size of the row; smaller maps are padded at the right and below.

    Returns:
        One row of `fr3d.maps` by dataset.
    """
    evidence, mask = prepared.evidence, prepared.mask
    fit = measure_fit(
        solution.images,
        prepared.directions,
        solution.g,
        prepared.saturated,
        error=solution.error,
        noise=1.6 * evidence.noise,  # steps and sensor, where `evidence.noise` is their threshold
    )
    maps = {
        "normal": np.moveaxis(solution.normal, 0, -1),
        "albedo": solution.albedo,
        "depth": solution.depth,
        "confidence": pixel_confidence(fit) * mask,
        "image": prepared.usable(evidence.images).mean(axis=0),
    }
    if evidence.colour is not None:
        maps |= coloured_maps(evidence, solution.albedo, prepared.flashes.keep)
    row: Row = {
        name: padded(stored(plane, name, exact=canvas.exact), canvas, _EMPTY.get(name, 0))
        for name, plane in maps.items()
    }
    row["mask"] = padded(mask.astype(np.uint8), canvas)
    quality = capture_quality(
        fit,
        evidence.stored,
        evidence.saturated,
        evidence.lights.directions,
        mask,
        prepared.flashes,
    )
    row |= {
        f"quality/{name}": value for name, value in (quality | _figures(prepared, recipe)).items()
    }
    return (
        row
        | _lights(evidence, canvas)
        | _movement(prepared, canvas)
        | _facts(capture, evidence, recipe, canvas)
    )


def padded(plane: npt.NDArray[Any], canvas: Canvas, fill: float = 0) -> npt.NDArray[Any]:
    """A map with more rows below and more columns at the right.

    Args:
        plane: (h, w, ...).
        canvas: the size wanted.
        fill: what stands there.
    """
    height, width = plane.shape[:2]
    if (height, width) == (canvas.height, canvas.width):
        return np.ascontiguousarray(plane)
    out = np.full((canvas.height, canvas.width, *plane.shape[2:]), fill, plane.dtype)
    out[:height, :width] = plane
    return out


def _figures(prepared: Prepared, recipe: Recipe) -> dict[str, np.float32]:
    """What is known beside the fit; face_prior is 1 where a mean face took part."""
    drawn = prepared.prior is not None and not is_near(prepared, recipe)
    figures = {"ambient_level": prepared.evidence.ambient_level, "face_prior": float(drawn)}
    if prepared.light_uncertainty is not None:
        figures["light_uncertainty"] = prepared.light_uncertainty
    if prepared.registration is not None:
        figures["registration_residual"] = prepared.registration.loop_residual
        figures["registration_score"] = prepared.registration.score
    return {name: np.float32(value) for name, value in figures.items()}


def _lights(evidence: Evidence, canvas: Canvas) -> Row:
    count = len(evidence.stored)
    lights = np.full((canvas.lights, 3), np.nan, np.float32)
    lights[:count] = evidence.lights.directions
    intensity = np.full(canvas.lights, np.nan, np.float32)
    intensity[:count] = evidence.lights.grey_intensity
    return {"lights": lights, "light_intensity": intensity}


def _movement(prepared: Prepared, canvas: Canvas) -> Row:
    """How each photograph moved, in pixels of the map."""
    if prepared.registration is None:
        return {}
    shift = np.full((canvas.lights, 2), np.nan, np.float32)
    found = prepared.registration.shift / np.float32(prepared.evidence.framing.scale)
    shift[: len(found)] = found
    return {"shift": shift}


def _facts(capture: Capture, evidence: Evidence, recipe: Recipe, canvas: Canvas) -> Row:
    scale = np.nan
    if recipe.mm_per_pixel is not None:
        scale = recipe.mm_per_pixel * evidence.framing.scale
    row: Row = {
        "subject_id": capture.subject_id,
        "session_id": capture.session_id,
        "source_sha256": evidence.source_sha256,
        "size": np.array(evidence.framing.size, np.int32),
        "scale_mm": np.float32(scale),
        "warp": evidence.framing.warp,
        "landmarks": evidence.landmarks,
    }
    if recipe.attributes:
        row |= {f"attribute/{name}": value for name, value in evidence.attributes.items()}
    if recipe.keep_raw:
        row["raw"] = _raw(evidence.stored, canvas)
    return row


def raw_type(canvas: Canvas) -> type[np.uint8] | type[np.uint16] | type[np.float32]:
    """The type that keeps every photograph of a run as it is.

    Args:
        canvas: of the run.
    """
    if canvas.exact:
        return np.float32
    return np.uint16 if canvas.deep else np.uint8


def _raw(values: FloatArray, canvas: Canvas) -> npt.NDArray[Any]:
    """The photographs in full scale of their type."""
    dtype = raw_type(canvas)
    raw = np.zeros((canvas.lights, canvas.height, canvas.width), dtype)
    if not canvas.exact:
        most = 65535 if canvas.deep else 255
        values = np.clip(np.rint(values * np.float32(most)), 0, most)
    for i, photograph in enumerate(values):
        raw[i] = padded(photograph, canvas)
    return raw
