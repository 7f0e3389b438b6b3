"""Does a mask's disc fit the ball? Its circle should be where the photographs have an edge."""

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.photometric.calibration.ball import Ball

_Array = npt.NDArray[np.float64]

# All as shares of the radius: blur, how far inside and outside of a circle is compared, and how far
# around the given circle others are tried, in which steps.
_BLUR, _APART, _REACH, _STEP = 0.03, 0.06, 0.3, 0.05
_ANGLES = np.linspace(0, 2 * np.pi, 72, endpoint=False)
# On a real mirror ball and a matte one, right discs have 1.0 and discs off by a tenth of the radius
# 1.4 to 10; steps are of the square root of light.
_LEAST_GAIN, _LEAST_STEP = 1.3, 0.005


def better_outline(image: npt.NDArray[np.float32], ball: Ball) -> Ball | None:
    """A circle near the given one that has a clearly stronger edge; None when there is none.

    A disc that is off by a tenth of its radius turns the lights of a mirror ball by 11 degrees, and
    nothing in a single highlight tells.

    Args:
        image: (H, W), linear light, mean over the photographs.
        ball: outline to judge.
    """
    smooth = cv2.GaussianBlur(np.sqrt(image), (0, 0), _BLUR * ball.radius).astype(np.float64)
    offsets = np.arange(-round(_REACH / _STEP), round(_REACH / _STEP) + 1) * _STEP * ball.radius
    grid = [v.ravel() for v in np.meshgrid(offsets, offsets, offsets, indexing="ij")]
    x, y, radius = grid[0] + ball.x, grid[1] + ball.y, grid[2] + ball.radius
    outside = _along(smooth, x, y, (1 + _APART) * radius)
    step = np.abs(outside - _along(smooth, x, y, (1 - _APART) * radius))
    edge = np.median(step, axis=1)
    own, best = edge[len(edge) // 2], int(edge.argmax())
    if edge[best] < max(_LEAST_GAIN * own, own + _LEAST_STEP):
        return None
    return Ball(float(x[best]), float(y[best]), float(radius[best]))


def _along(image: _Array, x: _Array, y: _Array, radius: _Array) -> _Array:
    """Values (N, angles) on N circles; beyond the image those of its border."""
    columns = np.rint(x[:, None] + radius[:, None] * np.cos(_ANGLES)).astype(int)
    rows = np.rint(y[:, None] + radius[:, None] * np.sin(_ANGLES)).astype(int)
    height, width = image.shape
    return np.asarray(image[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)])
