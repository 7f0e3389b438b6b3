"""Kernels of the renderer on a CPU: the shadows that height fields and frames cast."""

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# A ray that starts this far above its own pixel does not meet that pixel's neighbours by rounding.
BIAS = 0.35
# What is nearer than this, pixels, is the surface's own slope and shades itself.
NEAREST = 1.0


@njit(cache=True)
def distant_light(depth: FloatArray, light: FloatArray, radius: float) -> FloatArray:
    """How much of a distant light reaches a height field.

    Lines along the light cross the picture a pixel apart; on each, the horizon towards the light is
    a running maximum, so that the time does not depend on how far shadows fall. What lies between
    an occluder and the picture's plane counts as solid.

    Args:
        depth: (H, W), height towards the camera in pixels, NaN where nothing is.
        light: (3,), unit vector to the middle of the light: x right, y up, z towards the camera.
        radius: angular radius of the light, radians.

    Returns:
        (H, W), 0 in full shadow to 1, linear in the penumbra; 0 where nothing is. The surface's own
        slope is not looked at.
    """
    box = _filled(depth)
    across = np.hypot(light[0], light[1])
    elevation = np.arctan2(light[2], across)
    if box[1] < 0 or elevation + radius >= np.pi / 2 - 1e-3:
        return np.where(np.isnan(depth), 0.0, 1.0)
    # Along a line away from the light: one pixel a step.
    away = -light[0] / across, light[1] / across
    low = np.tan(max(elevation - radius, -np.pi / 2 + 1e-3))
    spread = np.tan(elevation + radius) - low
    horizon, place = _horizons(depth, box, away, low)
    return _shade(depth, box, away, low, spread, horizon, place)


@njit(cache=True)
def _horizons(
    depth: FloatArray, box: tuple[int, int, int, int], away: tuple[float, float], low: float
) -> tuple[FloatArray, FloatArray]:
    """The highest ray that each place of each line has met, and where along the line it did.

    Args:
        depth: (H, W).
        box: first and last row and column with any surface.
        away: column and row of one step away from the light.
        low: by how much the light's lowest ray sinks in a step.

    Returns:
        Two arrays (lines, steps), -inf where no surface was met yet.
    """
    first_row, last_row, first_column, last_column = box
    middle_x, middle_y = 0.5 * (first_column + last_column), 0.5 * (first_row + last_row)
    half = 0.5 * np.hypot(last_column - first_column, last_row - first_row) + 2.0
    count = 2 * int(half) + 3
    horizon, place = np.full((count, count), -np.inf), np.zeros((count, count))
    for line in range(count):
        best, where = -np.inf, 0.0
        offset = line - (count - 1) * 0.5
        for step in range(count):
            t = step - (count - 1) * 0.5
            x = middle_x + t * away[0] - offset * away[1]
            y = middle_y + t * away[1] + offset * away[0]
            if first_column <= x <= last_column and first_row <= y <= last_row:
                z = height_at(depth, x, y) + low * t
                if z > best:
                    best, where = z, t
            horizon[line, step] = best
            place[line, step] = where
    return horizon, place


@njit(cache=True)
def _shade(
    depth: FloatArray,
    box: tuple[int, int, int, int],
    away: tuple[float, float],
    low: float,
    spread: float,
    horizon: FloatArray,
    place: FloatArray,
) -> FloatArray:
    """Compare each pixel with the horizon between the two lines beside it.

    Args:
        depth: (H, W).
        box: first and last row and column with any surface.
        away: column and row of one step away from the light.
        low: by how much the light's lowest ray sinks in a step.
        spread: by how much more its highest ray does.
        horizon: of `_horizons`.
        place: of `_horizons`.
    """
    first_row, last_row, first_column, last_column = box
    middle_x, middle_y = 0.5 * (first_column + last_column), 0.5 * (first_row + last_row)
    centre = (len(horizon) - 1) * 0.5
    out = np.zeros(depth.shape)
    for row in range(first_row, last_row + 1):
        for column in range(first_column, last_column + 1):
            z = depth[row, column]
            if np.isnan(z):
                continue
            dx, dy = column - middle_x, row - middle_y
            t = dx * away[0] + dy * away[1]
            offset = -dx * away[1] + dy * away[0] + centre
            step, line = int(np.floor(t + centre - NEAREST + 0.5)), int(np.floor(offset))
            out[row, column] = 1.0
            if step < 0:
                continue
            share = offset - line
            highest, where = horizon[line, step], place[line, step]
            beside, there = horizon[line + 1, step], place[line + 1, step]
            if highest > -np.inf and beside > -np.inf:
                highest += share * (beside - highest)
                where += share * (there - where)
            elif share > 0.5:
                highest, where = beside, there
            excess = highest - (z + BIAS + low * t)
            if excess > 0.0:
                out[row, column] -= min(excess / (max(t - where, 0.5) * spread + 1e-9), 1.0)
    return out


@njit(cache=True)
def near_light(depth: FloatArray, light: FloatArray, radius: float) -> FloatArray:
    """How much of a near light reaches a height field.

    Args:
        depth: (H, W), height towards the camera in pixels, NaN where nothing is.
        light: (3,), where the light stands: column, row, and height towards the camera in pixels.
        radius: of the light, pixels.

    Returns:
        As `distant_light`.
    """
    height, width = depth.shape
    out = np.zeros((height, width))
    first_row, last_row, first_column, last_column = _filled(depth)
    if last_row < 0:
        return out
    highest = np.nanmax(depth)
    for row in range(first_row, last_row + 1):
        for column in range(first_column, last_column + 1):
            z = depth[row, column]
            if np.isnan(z):
                continue
            dx, dy, dz = light[0] - column, light[1] - row, light[2] - z - BIAS
            across = max(np.hypot(dx, dy), 1e-9)
            distance = np.sqrt(across * across + dz * dz)
            elevation, spread = np.arctan2(dz, across), np.arcsin(min(radius / distance, 1.0))
            high = min(elevation + spread, np.pi / 2 - 1e-3)
            low, high = np.tan(min(elevation - spread, np.pi / 2 - 2e-3)), np.tan(high)
            steepest, t = low, NEAREST
            while z + BIAS + low * t <= highest and t < across:
                x, y = column + dx / across * t, row + dy / across * t
                if x < first_column or x > last_column or y < first_row or y > last_row:
                    break
                slope = (height_at(depth, x, y) - z - BIAS) / t
                if slope > steepest:
                    steepest = slope
                    if slope >= high:
                        break
                t += 1.0
            out[row, column] = 1.0 - min((steepest - low) / (high - low), 1.0)
    return out


@njit(cache=True)
def veiled(
    depth: FloatArray, column: FloatArray, row: FloatArray, height: FloatArray
) -> FloatArray:
    """How much of the surroundings of points lies behind a surface.

    Args:
        depth: (H, W), height of the surface towards the camera, NaN where it is not.
        column: (P,), of the points.
        row: (P,).
        height: (P,), of the points.

    Returns:
        (P,), 0..1: of the four pixels around each point, those in which the surface is higher,
        weighted as in linear interpolation.
    """
    out = np.zeros(len(column))
    for n in range(len(column)):
        left, top = int(np.floor(column[n])), int(np.floor(row[n]))
        right, down = column[n] - left, row[n] - top
        for i in range(max(top, 0), min(top + 2, depth.shape[0])):
            for j in range(max(left, 0), min(left + 2, depth.shape[1])):
                if depth[i, j] > height[n]:
                    share = right if j > left else 1 - right
                    out[n] += share * (down if i > top else 1 - down)
    return out


@njit(cache=True)
def height_at(depth: FloatArray, x: float, y: float) -> float:
    """Interpolate linearly; NaN, which compares false, beside a pixel without surface."""
    column, row = min(int(x), depth.shape[1] - 2), min(int(y), depth.shape[0] - 2)
    right, down = x - column, y - row
    upper = (1 - right) * depth[row, column] + right * depth[row, column + 1]
    lower = (1 - right) * depth[row + 1, column] + right * depth[row + 1, column + 1]
    return (1 - down) * upper + down * lower


@njit(cache=True)
def _filled(depth: FloatArray) -> tuple[int, int, int, int]:
    """The first and last row and column with any surface; the last are -1 when there is none."""
    first_row, last_row, first_column, last_column = depth.shape[0], -1, depth.shape[1], -1
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            if not np.isnan(depth[row, column]):
                first_row, last_row = min(first_row, row), max(last_row, row)
                first_column, last_column = min(first_column, column), max(last_column, column)
    return first_row, last_row, first_column, last_column
