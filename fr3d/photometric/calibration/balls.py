"""A folder of photographs of a ball becomes lights."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.calibration.ball import Ball
from fr3d.photometric.calibration.chrome import find_highlight
from fr3d.photometric.calibration.diffuse import Shading, fit_shading
from fr3d.photometric.calibration.folder import BallFolder, read_photographs
from fr3d.photometric.calibration.result import CalibratedLight
from fr3d.photometric.photograph import Photograph
from fr3d.photometric.transfer import Transfer

FloatArray = npt.NDArray[np.float64]

_COLOURED = 0.02


def _nothing(_: str) -> None:
    pass


def chrome_lights(
    folder: BallFolder, ball: Ball, transfer: Transfer, warn: Callable[[str], object] = _nothing
) -> list[CalibratedLight]:
    """Directions from a mirror ball; it tells no intensities.

    Args:
        folder: its photographs.
        ball: its outline.
        transfer: how stored values become light.
        warn: told of highlights at the rim, which are uncertain.
    """
    lights = []
    for photograph in read_photographs(folder):
        spot = find_highlight(photograph.light(transfer), ball, photograph.name)
        if spot.direction[2] <= 0:
            warn(
                f"{photograph.name}: highlight near the rim of the ball ({spot.rim:.0%} of its "
                "radius): the light stands behind it, known to "
                f"{spot.uncertainty_deg:.1f} degrees"
            )
        lights.append(
            CalibratedLight(
                spot.direction, source=photograph.name, uncertainty_deg=spot.uncertainty_deg
            )
        )
    return lights


def diffuse_lights(
    folder: BallFolder,
    ball: Ball,
    transfer: Transfer,
    directions: FloatArray | None = None,
) -> list[CalibratedLight]:
    """Directions and relative intensities from a matte ball.

    Args:
        folder: its photographs.
        ball: its outline.
        transfer: how stored values become light.
        directions: (L, 3), when they are known; only intensities are fitted then.

    Returns:
        Lights whose intensities (mean of the channels) have the geometric mean 1; those of colour
        photographs carry red, green and blue, as the ball shows them.
    """
    count = len(folder.photographs)
    if directions is not None and len(directions) != count:
        raise MalformedInputError(
            f"{folder.path}: found {count} photographs, expected {len(directions)}, one for each "
            "known direction"
        )
    fits = [
        _fit(photograph, ball, transfer, None if directions is None else directions[number])
        for number, photograph in enumerate(read_photographs(folder))
    ]
    colours = np.array([colour for _, colour in fits])
    level = np.exp(np.log(colours.mean(axis=1)).mean())
    relative = colours / level
    grey = bool((np.abs(relative / relative.mean(axis=1, keepdims=True) - 1) < _COLOURED).all())
    return [
        CalibratedLight(
            shading.direction,
            (float(values.mean()),) if grey else tuple(float(v) for v in values),
            path.name,
            shading.residual,
            shading.uncertainty_deg,
        )
        for (shading, _), values, path in zip(fits, relative, folder.photographs, strict=True)
    ]


def _fit(
    photograph: Photograph, ball: Ball, transfer: Transfer, direction: FloatArray | None
) -> tuple[Shading, Sequence[float]]:
    """The fit to the mean of the channels, and the intensity of each channel."""
    clear = ~photograph.saturated()
    grey = np.where(clear, photograph.light(transfer), 1.0).astype(np.float32)
    shading = fit_shading(grey, ball, photograph.name, direction)
    if not photograph.coloured:
        return shading, [shading.intensity] * 3
    channels = [
        fit_shading(
            np.where(clear, channel, 1.0).astype(np.float32),
            ball,
            photograph.name,
            shading.direction,
        ).intensity
        for channel in photograph.colour(transfer)
    ]
    return shading, channels
