"""The cast shadows of `fr3d.synthesis.raster`, for batches in PyTorch."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fr3d.synthesis.raster import BIAS, NEAREST

# Samples of a ray that are looked at together.
STRIDE = 8
# Lines are drawn this much together, so that one along a picture's border is not outside of it.
SHRUNK = 4e-6


class _Box(NamedTuple):
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


def distant_light(depth: Tensor, lights: Tensor, radius: float) -> Tensor:
    """How much of distant lights reaches height fields; see `fr3d.synthesis.raster`.

    Args:
        depth: (B, H, W), height towards the camera in pixels, NaN where nothing is.
        lights: (B, L, 3), unit vectors: x right, y up, z towards the camera.
        radius: angular radius of the lights, radians.

    Returns:
        (B, L, H, W), 0 in full shadow to 1; 0 where nothing is.
    """
    filled = ~depth.isnan()
    (pixels,) = torch.nonzero(filled.flatten(1).any(0), as_tuple=True)
    out = depth.new_zeros(*lights.shape[:2], *depth.shape[1:])
    if not len(pixels):
        return out
    lines = _lines(_box(filled), lights, radius)
    hidden = _hidden(depth, pixels, lines)
    # A light straight ahead has no direction in the picture, and casts no shadow.
    elevation = torch.atan2(lights[..., 2], lights[..., 0].hypot(lights[..., 1]))
    steep = (elevation + radius >= math.pi / 2 - 1e-3)[..., None]
    reached = torch.where(steep, 1.0, 1.0 - hidden)
    seen = filled.flatten(1).index_select(1, pixels)[:, None]
    out.flatten(2).index_copy_(2, pixels, torch.where(seen, reached, 0.0))
    return out


def _lines(box: _Box, lights: Tensor, radius: float) -> _Lines:
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
    """Share of each light that is hidden from pixels (P,): (B, L, P)."""
    horizon, where = _horizons(depth, lines)
    count, reach = horizon.shape[-1], lines.reach
    column, row = _places(pixels, depth)
    dx, dy = (column - lines.middle_x[:, None])[:, None], (row - lines.middle_y[:, None])[:, None]
    x, y, low, spread = (value[..., None] for value in lines[:4])
    t = dx * x + dy * y
    offset = (dy * x - dx * y).add_(reach)
    line = offset.floor()
    offset -= line
    step = (t + (reach - NEAREST + 0.5)).floor_().clamp_(0, count - 1)
    # Pixels that other sessions of the batch see may lie outside this one's lines.
    at = line.clamp_(0, count - 2).mul_(count).add_(step).long()
    height = depth.flatten(1).index_select(1, pixels)[:, None] + BIAS + low * t
    total = torch.zeros_like(t)
    for share in (1.0 - offset, offset):
        excess = horizon.flatten(2).gather(2, at).sub_(height)
        far = (t - where.flatten(2).gather(2, at)).add_(reach).clamp_(min=0.5)
        total += excess.div_(far.mul_(spread).add_(1e-9)).clamp_(0.0, 1.0).mul_(share)
        at += count
    return total


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
    heights = torch.where(heights.isnan(), -torch.inf, heights)
    heights += (lines.low[..., None] * steps)[:, :, None]
    horizon, where = heights.cummax(-1)
    return horizon, where


def near_light(depth: Tensor, lights: Tensor, radius: float) -> Tensor:
    """How much of near lights reaches height fields; see `fr3d.synthesis.raster`.

    Args:
        depth: (B, H, W), height towards the camera in pixels, NaN where nothing is.
        lights: (B, L, 3), where they stand: column, row, and height in pixels.
        radius: of the lights, pixels.

    Returns:
        As `distant_light`.
    """
    filled = ~depth.isnan()
    box = _box(filled)
    highest = torch.where(filled, depth, -torch.inf).amax((1, 2))
    (rays,) = torch.nonzero(filled.flatten(), as_tuple=True)
    session = rays.div(depth[0].numel(), rounding_mode="floor")
    out = depth.new_zeros(lights.shape[1], depth.numel())
    for number, light in enumerate(lights.unbind(1)):
        march = _March(depth, rays, light[session], radius)
        march.limit(_Box(*(side[session] for side in box)), highest[session])
        out[number].index_copy_(0, rays, march.share())
    return out.unflatten(1, depth.shape).movedim(0, 1)


class _March:
    """Rays from pixels towards a near light.

    Args:
        depth: (B, H, W).
        rays: (N,), the pixels where they begin, in the flattened batch.
        light: (N, 3), where each goes.
        radius: of the light, pixels.
    """

    def __init__(self, depth: Tensor, rays: Tensor, light: Tensor, radius: float) -> None:
        self.depth, self.rays = depth, rays
        self.column, self.row = _places(rays % depth[0].numel(), depth)
        self.first = rays - rays % depth[0].numel()
        self.base = depth.flatten().index_select(0, rays) + BIAS
        dx, dy, dz = light[:, 0] - self.column, light[:, 1] - self.row, light[:, 2] - self.base
        self.across = torch.hypot(dx, dy).clamp(min=1e-9)
        self.x, self.y = dx / self.across, dy / self.across
        distance = torch.hypot(self.across, dz)
        elevation = torch.atan2(dz, self.across)
        spread = torch.asin((radius / distance).clamp(max=1.0))
        self.low = torch.tan((elevation - spread).clamp(max=math.pi / 2 - 2e-3))
        self.high = torch.tan((elevation + spread).clamp(max=math.pi / 2 - 1e-3))
        self.end = self.across

    def limit(self, box: _Box, highest: Tensor) -> None:
        """Find how far each ray may meet anything: in the box of its session, below its top."""
        for at, step, first, last in (
            (self.column, self.x, box.left, box.right),
            (self.row, self.y, box.top, box.bottom),
        ):
            leave = (torch.where(step > 0, last, first) - at) / step
            self.end = torch.minimum(self.end, leave.nan_to_num(torch.inf, torch.inf, torch.inf))
        above = (highest - self.base) / self.low
        self.end = torch.where(self.low > 0, torch.minimum(self.end, above), self.end)

    def share(self) -> Tensor:
        """Share of the light that arrives, (N,)."""
        steepest = self.low.clone()
        if len(self.rays):
            for start in range(0, int(self.end.max().item()), STRIDE):
                # What has left, or sees nothing of the light any more, need not go on.
                on = (self.end >= start + NEAREST) & (steepest < self.high)
                (some,) = torch.nonzero(on, as_tuple=True)
                steepest.index_copy_(0, some, self._steepest(steepest, some, start + NEAREST))
        return 1.0 - ((steepest - self.low) / (self.high - self.low)).clamp(max=1.0)

    def _steepest(self, before: Tensor, some: Tensor, start: float) -> Tensor:
        """The steepest slope of some rays after a few more steps."""
        steps = torch.arange(STRIDE, device=some.device, dtype=before.dtype) + start
        before, first, column, row, x, y, base, end, across = (
            values.index_select(0, some)[:, None]
            for values in (
                before,
                self.first,
                self.column,
                self.row,
                self.x,
                self.y,
                self.base,
                self.end,
                self.across,
            )
        )
        slope = (_heights(self.depth, first, column + x * steps, row + y * steps) - base) / steps
        # NaN, beside a pixel without surface, compares false.
        met = (slope > before) & (steps <= end) & (steps < across)
        return torch.where(met, slope, before).amax(1)


def _heights(depth: Tensor, first: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Interpolate linearly; NaN beside a pixel without surface.

    Args:
        depth: (B, H, W).
        first: number of the first pixel of the ray's picture.
        x: columns.
        y: rows.
    """
    height, width = depth.shape[1:]
    column, row = x.floor().clamp_(0, width - 2), y.floor().clamp_(0, height - 2)
    right, down = x - column, y - row
    at = first + (row * width + column).long()
    flat = depth.flatten()
    upper = (1 - right) * flat[at] + right * flat[at + 1]
    lower = (1 - right) * flat[at + width] + right * flat[at + (width + 1)]
    return (1 - down) * upper + down * lower


def _places(pixels: Tensor, depth: Tensor) -> tuple[Tensor, Tensor]:
    """Columns and rows of flattened pixels."""
    width = depth.shape[-1]
    row = pixels.div(width, rounding_mode="floor")
    return (pixels - row * width).to(depth.dtype), row.to(depth.dtype)


def _box(filled: Tensor) -> _Box:
    """Where anything is, in each picture (B, H, W); all of it where nothing is."""
    sides = []
    for axis in (1, 2):
        line = filled.any(axis).float()
        last = line.shape[1] - 1 - line.flip(1).argmax(1)
        sides += [line.argmax(1).float(), last.float()]
    return _Box(*sides)
