"""Calibrated lights, and the light file that other commands take."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.atomic import write_bytes

FORMAT, VERSION = "fr3d.lights", 1
_DIGITS = 6


@dataclass(frozen=True)
class CalibratedLight:
    """One light.

    Attributes:
        direction: (3,), unit vector to the light; x right, y up, z to the camera.
        intensity: relative, one value or those of red, green and blue.
        source: photograph that it was seen in; empty where it is pooled from sessions.
        residual: misfit of the model, share of the intensity; NaN where nothing is fitted.
        uncertainty_deg: standard error of the direction, degrees.
        intensity_spread: standard error of the intensity's logarithm; NaN where unknown.
    """

    direction: npt.NDArray[np.float64]
    intensity: tuple[float, ...] = (1.0,)
    source: str = ""
    residual: float = float("nan")
    uncertainty_deg: float = float("nan")
    intensity_spread: float = float("nan")


def light_document(
    lights: Sequence[CalibratedLight], calibrated_by: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of a light file.

    Names of photographs stand under `calibrated_from`, not `file`: the lights belong to the
    photographs of other folders, by their order.

    Args:
        lights: in the order of the photographs.
        calibrated_by: how they were found: method, inputs and figures.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "lights": [_entry(light) for light in lights],
        "calibrated_by": dict(calibrated_by),
    }


def write_light_file(path: Path, document: Mapping[str, Any], force: bool = False) -> None:
    """Write a light file, whole or not at all.

    Args:
        path: where.
        document: as `light_document` makes it.
        force: replace a file that exists.
    """
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    write_bytes(path, (text + "\n").encode(), force)


def _entry(light: CalibratedLight) -> dict[str, Any]:
    values = [_rounded(value) for value in light.intensity]
    entry: dict[str, Any] = {
        "direction": [_rounded(value) for value in light.direction],
        "intensity": values[0] if len(values) == 1 else values,
    }
    if light.source:
        entry["calibrated_from"] = light.source
    figures = {
        "residual": light.residual,
        "uncertainty_deg": light.uncertainty_deg,
        "intensity_spread": light.intensity_spread,
    }
    return entry | {name: _rounded(v) for name, v in figures.items() if np.isfinite(v)}


def _rounded(value: float) -> float:
    """Six digits after the point: a hundred-thousandth of a degree; and no minus zero."""
    return round(float(value), _DIGITS) + 0.0
