"""What `fr3d.geometry.raster` sees, for batches in PyTorch: the z-buffer.

Of all that threads write to a pixel the largest or smallest stays, whoever arrives first.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from fr3d.synthesis.torch_mesh import first_rows

# Triangles overlap by this share of their height, so that no pixel falls between two of them.
OVERLAP = 1e-6


class Sight(NamedTuple):
    """What pixels see.

    Args:
        depth: (B, H, W), height towards the camera in pixels, NaN where nothing is.
        pixels: (B, P), those that see anything, ascending in each flattened picture; filled up
            with H * W.
        corners: (B, P, 3), vertices of the triangle that each of them sees.
        weight: (B, P, 3), barycentric weights, 0 where the list is filled up.
    """

    depth: Tensor
    pixels: Tensor
    corners: Tensor
    weight: Tensor


class _Boxes(NamedTuple):
    """Triangles of the batch with the pixels around them.

    Args:
        number: (N,), of the triangle.
        session: (N,), whose it is.
        left, top: (N,), first column and row of the box, real numbers.
        across, down: (N,), columns and rows.
    """

    number: Tensor
    session: Tensor
    left: Tensor
    top: Tensor
    across: Tensor
    down: Tensor


def see(
    points: Tensor, triangles: Tensor, size: tuple[int, int], both_sides: bool, border: int = 0
) -> Sight:
    """Find what each pixel sees; surfaces that turn their back are not seen.

    Args:
        points: (B, V, 3): column, row and height towards the camera, all in pixels.
        triangles: (T, 3), counter-clockwise seen from the front in a frame with y up.
        size: rows and columns.
        both_sides: see the backs of triangles as well.
        border: pixels along the edges of which only the depth is wanted.
    """
    boxes = _boxes(points, triangles, size, both_sides)
    number, depth = _nearest(boxes, _planes(points, triangles, boxes), len(points), size)
    number = torch.where(depth > -torch.inf, number, -1)
    inner = torch.zeros(size, dtype=torch.bool, device=points.device)
    inner[border : max(size[0] - border, 0), border : max(size[1] - border, 0)] = True
    pixels = _pixels((number >= 0) & inner.flatten())
    corners, weight = _weights(number, pixels, points, triangles, size[1])
    depth = torch.where(number >= 0, depth, torch.nan).view(-1, *size)
    return Sight(depth, pixels, corners, weight)


def depths(points: Tensor, triangles: Tensor, size: tuple[int, int]) -> Tensor:
    """Depth alone, of surfaces seen from both sides: (B, H * W), minus infinity where nothing is.

    Args:
        points: (B, V, 3), as in `see`.
        triangles: (T, 3).
        size: rows and columns.
    """
    boxes = _boxes(points, triangles, size, both_sides=True)
    _, depth = _nearest(boxes, _planes(points, triangles, boxes), len(points), size)
    return depth


def _boxes(points: Tensor, triangles: Tensor, size: tuple[int, int], both_sides: bool) -> _Boxes:
    """The triangles that may cover pixels, and their boxes."""
    planes = points.movedim(-1, 0)[:2].contiguous().index_select(-1, triangles.T.flatten())
    planes = planes.view(*planes.shape[:2], 3, -1)
    (ax, bx, cx), (ay, by, cy) = (plane.unbind(1) for plane in planes)
    # Rows run down: a triangle that faces the camera has negative area here.
    area = ((bx - ax) * (cy - ay)).addcmul_(by - ay, cx - ax, value=-1)
    first, last = planes.amin(2).ceil_(), planes.amax(2).floor_()
    wanted = (first <= last).all(0) & (area != 0 if both_sides else area < 0)
    (live,) = torch.nonzero(wanted.flatten(), as_tuple=True)
    first, last = (side.flatten(1).index_select(1, live) for side in (first, last))
    limits = torch.tensor([[size[1] - 1.0], [size[0] - 1.0]], device=points.device)
    first, last = first.clamp_(min=0.0), torch.minimum(last, limits)
    extent = (last - first + 1).clamp_(min=0.0).int()
    session = live.div(len(triangles), rounding_mode="floor")
    return _Boxes(live - session * len(triangles), session, *first, *extent)


def _planes(points: Tensor, triangles: Tensor, boxes: _Boxes) -> Tensor:
    """Numbers that are linear over the picture: two barycentric weights, and the depth.

    Returns:
        (9, N): of each the value at the first pixel of the box, and what a column and a row add.
    """
    corner = triangles.T.index_select(1, boxes.number) + boxes.session * points.shape[1]
    rows = points.flatten(0, 1).index_select(0, corner.flatten()).view(3, -1, 3)
    ax, ay, az, bx, by, bz, cx, cy, cz = rows.movedim(-1, 1).reshape(9, -1)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    u, v, _ = _weights_at(ax, ay, bx, by, cx, cy, boxes.left, boxes.top)
    right_u, down_u, right_v, down_v = (
        step / area for step in (by - cy, cx - bx, cy - ay, ax - cx)
    )
    a, b = az - cz, bz - cz
    z, right_z, down_z = cz + u * a + v * b, right_u * a + right_v * b, down_u * a + down_v * b
    return torch.stack([u, right_u, down_u, v, right_v, down_v, z, right_z, down_z])


def _nearest(
    boxes: _Boxes, planes: Tensor, batch: int, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Number of the triangle that is nearest in each pixel, and its depth.

    Every pixel of every box is looked at, whatever the boxes' sizes.

    Returns:
        Both (B, H * W); the depth is minus infinity where nothing is, the number any.
    """
    pixels, area = size[0] * size[1], boxes.across * boxes.down
    owner = torch.repeat_interleave(area)
    start = (area.cumsum(0) - area).int()
    nth = torch.arange(len(owner), device=owner.device, dtype=torch.int32)
    nth = (nth - start.index_select(0, owner)).to(planes.dtype)
    across, u, right_u, down_u, v, right_v, down_v, z, right_z, down_z = torch.cat(
        [boxes.across[None].to(planes.dtype), planes]
    ).index_select(1, owner)
    row = (nth + 0.5).div_(across).floor_()
    column = nth.addcmul_(row, across, value=-1)
    u.addcmul_(column, right_u).addcmul_(row, down_u)
    v.addcmul_(column, right_v).addcmul_(row, down_v)
    z.addcmul_(column, right_z).addcmul_(row, down_z)
    inside = (u >= -OVERLAP) & (v >= -OVERLAP) & (u + v <= 1 + OVERLAP)
    first = boxes.session * pixels + (boxes.top * size[1] + boxes.left).long()
    pixel = first.index_select(0, owner).add_(column.add_(row, alpha=size[1]).long())
    depth = planes.new_full((batch * pixels,), -torch.inf)
    depth.scatter_reduce_(0, pixel, torch.where(inside, z, -torch.inf), "amax")
    # The first of equally near triangles.
    inside &= z == depth.index_select(0, pixel)
    last = torch.iinfo(torch.int32).max
    number = torch.full_like(depth, last, dtype=torch.int32)
    wins = torch.where(inside, boxes.number.int().index_select(0, owner), last)
    number.scatter_reduce_(0, pixel, wins, "amin")
    return number.view(batch, -1), depth.view(batch, -1)


def _pixels(wanted: Tensor) -> Tensor:
    """The wanted pixels (B, N) of each session: (B, P), filled up with N."""
    session, pixel = torch.nonzero(wanted, as_tuple=True)
    counts = torch.bincount(session, minlength=len(wanted))
    most = int(counts.max().item())
    nth = torch.arange(len(pixel), device=pixel.device) - (counts.cumsum(0) - counts)[session]
    pixels = pixel.new_full((len(wanted) * most,), wanted.shape[1])
    return pixels.index_copy_(0, session * most + nth, pixel).view(len(wanted), most)


def _weights(
    number: Tensor, pixels: Tensor, points: Tensor, triangles: Tensor, width: int
) -> tuple[Tensor, Tensor]:
    """Corners and weights of pixels, worked out again: cheaper than to keep those of all boxes."""
    own = pixels < number.shape[1]
    number = torch.where(own, number.gather(1, pixels.clamp(max=number.shape[1] - 1)), 0)
    corner = triangles.T.index_select(1, number.flatten()).view(3, *number.shape)
    planes = points.movedim(-1, 0)[:2].flatten(1)
    around = planes.index_select(1, (corner + first_rows(points)).flatten())
    (ax, bx, cx), (ay, by, cy) = around.view(2, *corner.shape)
    row = pixels.div(width, rounding_mode="floor")
    column, row = (pixels - row * width).to(points.dtype), row.to(points.dtype)
    shares = _weights_at(ax, ay, bx, by, cx, cy, column, row)
    weight = torch.stack([torch.where(own, share, 0.0) for share in shares], -1)
    return corner.movedim(0, -1).contiguous(), weight


def _weights_at(
    ax: Tensor,
    ay: Tensor,
    bx: Tensor,
    by: Tensor,
    cx: Tensor,
    cy: Tensor,
    column: Tensor,
    row: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Barycentric weights of pixels in triangles a, b, c."""
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    right, below = cx - column, cy - row
    u = ((bx - column) * below - (by - row) * right) / area
    v = (right * (ay - row) - below * (ax - column)) / area
    return u, v, 1 - u - v
