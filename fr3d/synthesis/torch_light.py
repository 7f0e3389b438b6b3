"""Cast shadows of distant lights, as in `fr3d.synthesis.cast_shadow`, for batches in PyTorch."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fr3d.synthesis.cast_shadow import BIAS, NEAREST
from fr3d.synthesis.torch_pixels import picked

# Lines are drawn this much together, so that one along a picture's border is not outside of it.
SHRUNK = 4e-6
# Lower than any surface, pixels; infinity would not mix.
NOTHING = -1e6


class Box(NamedTuple):
    """First and last column and row with any surface, (B,) each."""

    left: Tensor
    right: Tensor
    top: Tensor
    bottom: Tensor


class _Lines(NamedTuple):
    """Lines along lights across pictures.

    Args:
        x, y: (B, L), direction away from the light, column and row of one step.
        low: (B, L), by how much rays from the light's lower edge sink in a step.
        spread: (B, L), by how much less those from its upper edge rise.
        middle_x, middle_y: (B,), where the lines' middle lies.
        reach: steps, and lines, to each side of the middle.
    """

    x: Tensor
    y: Tensor
    low: Tensor
    spread: Tensor
    middle_x: Tensor
    middle_y: Tensor
    reach: int


def distant_light(depth: Tensor, pixels: Tensor, lights: Tensor, radius: float) -> Tensor:
    """How much of distant lights reaches height fields; see `fr3d.synthesis.cast_shadow`.

    Args:
        depth: (B, H, W), height towards the camera in pixels, NaN where nothing is.
        pixels: (B, P), where it is asked for, in each flattened picture; any number where a list
            is filled up.
        lights: (B, L, 3), unit vectors: x right, y up, z towards the camera.
        radius: angular radius of the lights, radians.

    Returns:
        (B, L, P), 0 in full shadow to 1, for pixels that show a surface.
    """
    if not pixels.numel():
        return lights.new_zeros(*lights.shape[:2], 0)
    hidden = _hidden(depth, pixels, _lines(box_of(~depth.isnan()), lights, radius))
    # A light straight ahead has no direction in the picture, and casts no shadow.
    elevation = torch.atan2(lights[..., 2], lights[..., 0].hypot(lights[..., 1]))
    steep = elevation + radius >= math.pi / 2 - 1e-3
    return torch.where(steep[..., None], 1.0, 1.0 - hidden)


def _lines(box: Box, lights: Tensor, radius: float) -> _Lines:
    """Lay lines through the middle of what is filled."""
    # A sunken light must not become a steep one by rounding.
    x, y, z = lights.double().unbind(-1)
    across = torch.hypot(x, y).clamp(min=1e-9)
    elevation = torch.atan2(z, across)
    low = torch.tan((elevation - radius).clamp(min=1e-3 - math.pi / 2))
    spread = torch.tan(elevation + radius) - low
    width, height = box.right - box.left, box.bottom - box.top
    half = int(0.5 * torch.hypot(width, height).max().item() + 2.0)
    kind = lights.dtype
    return _Lines(
        x=(-x / across).to(kind),
        y=(y / across).to(kind),
        low=low.to(kind),
        spread=spread.to(kind),
        middle_x=0.5 * (box.left + box.right),
        middle_y=0.5 * (box.top + box.bottom),
        reach=half + 1,
    )


def _hidden(depth: Tensor, pixels: Tensor, lines: _Lines) -> Tensor:
    """Share of each light that is hidden from pixels (B, P): (B, L, P)."""
    horizons, (reach, count) = _horizons(depth, lines), (lines.reach, 2 * lines.reach + 1)
    column, row = (place[:, None] for place in places_of(pixels, depth))
    x, y, low, spread = (value[..., None] for value in lines[:4])
    middle_x, middle_y = lines.middle_x[:, None, None], lines.middle_y[:, None, None]
    t = torch.addcmul(-middle_x * x - middle_y * y, column, x).addcmul_(row, y)
    offset = torch.addcmul(middle_x * y - middle_y * x, row, x).addcmul_(column, y, value=-1)
    line = offset.floor()
    share = offset.sub_(line)
    # Whole numbers: rounding must not depend on how far the lines of others in the batch reach.
    step = (t + (0.5 - NEAREST)).floor_().add_(reach).clamp_(0, count - 1)
    # What fills lists up may lie anywhere.
    at = step.add_(line.add_(reach).clamp_(0, count - 2), alpha=count).long()
    height = picked(depth, pixels)[:, None]
    highest, there = _between(*horizons, at, share)
    far = t.sub(there).clamp_(min=0.5).mul_(spread)
    height = (height + BIAS).addcmul(low, t)
    return highest.sub_(height).div_(far).clamp_(0.0, 1.0)


def _between(horizon: Tensor, where: Tensor, at: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """The horizon between two lines, and its place; that of the nearer line if one has none.

    Args:
        horizon: (B, L, lines, steps).
        where: the steps that give it.
        at: (B, L, P), numbers of steps on the first of both lines, all lines in one row.
        share: (B, L, P), how far the pixels lie towards the second.

    Returns:
        Both (B, L, P); the place is counted from the lines' middle.
    """
    count = horizon.shape[-1]
    horizon, where = horizon.flatten(2), where.flatten(2)
    first, second = horizon.gather(2, at), horizon[..., count:].gather(2, at)
    both = torch.minimum(first, second) > NOTHING
    share = torch.where(both, share, (share > 0.5).to(share.dtype))
    here, there = (
        side.gather(2, at).sub_(count // 2).to(share.dtype) for side in (where, where[..., count:])
    )
    return first.lerp_(second, share), here.lerp_(there, share)


def _horizons(depth: Tensor, lines: _Lines) -> tuple[Tensor, Tensor]:
    """The running maximum of heights over sinking rays on each line, and the step that gives it.

    Returns:
        Both (B, L, lines, steps).
    """
    steps = torch.arange(-lines.reach, lines.reach + 1, device=depth.device, dtype=depth.dtype)
    grid = depth.new_empty(*lines.x.shape, len(steps), len(steps), 2)
    x, y = lines.x[..., None], lines.y[..., None]
    height, width = depth.shape[1:]
    # In the unit of `grid_sample`: -1 and 1 are the middles of the frame of NaN around the picture.
    sides = (x, -y, lines.middle_x, width - 1), (y, x, lines.middle_y, height - 1)
    for axis, (along, over, middle, last) in enumerate(sides):
        unit = (2.0 - SHRUNK) / (last + 2)
        first = (steps * over + (middle[:, None, None] - 0.5 * last)) * unit
        torch.add((steps * along * unit)[:, :, None], first[..., None], out=grid[..., axis])
    framed = functional.pad(depth, (1, 1, 1, 1), value=torch.nan)[:, None]
    heights = functional.grid_sample(
        framed, grid.flatten(1, 2), padding_mode="border", align_corners=True
    ).view(grid.shape[:-1])
    # NaN, beside a pixel without surface, hides nothing.
    heights = heights.nan_to_num_(2 * NOTHING)
    heights += (lines.low[..., None] * steps)[:, :, None]
    horizon, where = heights.cummax(-1)
    return horizon, where


def places_of(pixels: Tensor, depth: Tensor) -> tuple[Tensor, Tensor]:
    """Columns and rows of pixels of flattened pictures (..., H, W), as real numbers."""
    width = depth.shape[-1]
    row = pixels.div(width, rounding_mode="floor")
    return (pixels - row * width).to(depth.dtype), row.to(depth.dtype)


def box_of(filled: Tensor) -> Box:
    """Where anything is, in each picture (B, H, W); all of it where nothing is."""
    sides = []
    for axis in (1, 2):
        line = filled.any(axis).float()
        last = line.shape[1] - 1 - line.flip(1).argmax(1)
        sides += [line.argmax(1).float(), last.float()]
    return Box(*sides)
