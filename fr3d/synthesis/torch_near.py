"""Cast shadows of near lights, as in `fr3d.synthesis.cast_shadow`, for batches in PyTorch."""

import math

import torch
from torch import Tensor

from fr3d.synthesis.cast_shadow import BIAS, NEAREST
from fr3d.synthesis.torch_light import Box, box_of, places_of
from fr3d.synthesis.torch_pixels import picked

# Samples of a ray that are looked at together.
STRIDE = 8


def near_light(depth: Tensor, pixels: Tensor, lights: Tensor, radius: float) -> Tensor:
    """How much of near lights reaches height fields; see `fr3d.synthesis.cast_shadow`.

    Args:
        depth: (B, H, W), height towards the camera in pixels, NaN where nothing is.
        pixels: (B, P), as in `distant_light`; H * W where a list is filled up.
        lights: (B, L, 3), where they stand: column, row, and height in pixels.
        radius: of the lights, pixels.

    Returns:
        (B, L, P), 0 in full shadow to 1; 0 where nothing is.
    """
    filled = ~depth.isnan()
    box = box_of(filled)
    highest = torch.where(filled, depth, -torch.inf).amax((1, 2))
    shown = (pixels < depth[0].numel()) & ~picked(depth, pixels).isnan()
    session, place = torch.nonzero(shown, as_tuple=True)
    rays = session * depth[0].numel() + pixels[session, place]
    out = depth.new_zeros(lights.shape[1], pixels.numel())
    for number, light in enumerate(lights.unbind(1)):
        march = _March(depth, rays, light[session], radius)
        march.limit(Box(*(side[session] for side in box)), highest[session])
        out[number].index_copy_(0, session * pixels.shape[1] + place, march.share())
    return out.view(-1, *pixels.shape).movedim(0, 1)


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
        self.column, self.row = places_of(rays % depth[0].numel(), depth)
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
        self.end = self.across * (1 - 1e-6)

    def limit(self, box: Box, highest: Tensor) -> None:
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
        before, first, column, row, x, y, base, end = (
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
            )
        )
        slope = (_heights(self.depth, first, column + x * steps, row + y * steps) - base) / steps
        # NaN, beside a pixel without surface, compares false.
        met = (slope > before) & (steps <= end)
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
