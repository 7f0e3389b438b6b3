"""Pictures in PyTorch: points laid out, windows averaged, and what stands before what."""

import torch
from torch import Tensor
from torch.nn import functional


def laid_out(values: Tensor, pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Put values (B, ..., P) on pixels (B, P) of pictures (B, ..., *size), 0 elsewhere.

    Args:
        values: of the points.
        pixels: where each belongs in a flattened picture; H * W where a list is filled up.
        size: H and W.
    """
    count = size[0] * size[1]
    at = pixels.view(len(pixels), *[1] * (values.ndim - 2), -1).expand(values.shape)
    # What fills lists up goes into one more pixel, which is cut off.
    out = values.new_zeros(*values.shape[:-1], count + 1).scatter_(-1, at, values)
    return out[..., :count].view(*values.shape[:-1], *size)


def picked(pictures: Tensor, pixels: Tensor) -> Tensor:
    """Values at pixels (B, P) of pictures (B, H, W); the last pixel's where a list is filled up."""
    flat = pictures.flatten(1)
    return flat.gather(1, pixels.clamp(max=flat.shape[1] - 1))


def blocks(pictures: Tensor, first: Tensor, size: tuple[int, int], samples: int) -> Tensor:
    """Average blocks of samples of windows that lie anywhere.

    Args:
        pictures: (B, L or 1, C, H, W).
        first: (B, L, 2), first row and column of each window.
        size: rows and columns of blocks.
        samples: rows and columns of a block.

    Returns:
        (B, L, C, *size).
    """
    width, (rows, columns) = (
        pictures.shape[-1],
        (torch.arange(n, device=first.device) for n in size),
    )
    at = samples * (rows[:, None] * width + columns)
    at = at.flatten() + (first[..., :1] * width + first[..., 1:])
    shape = *first.shape[:2], pictures.shape[2], -1
    at, flat = at[:, :, None].expand(shape), pictures.flatten(-2).expand(shape)
    total = flat.gather(-1, at)
    for part in range(1, samples * samples):
        row, column = divmod(part, samples)
        total += flat[..., row * width + column :].gather(-1, at)
    return total.div_(samples * samples).view(*total.shape[:-1], *size)


def veiled(depth: Tensor, places: Tensor, heights: Tensor) -> Tensor:
    """How much of the surroundings of points lies behind surfaces; see `cast_shadow.veiled`.

    Args:
        depth: (B, L, H, W), minus infinity where nothing is.
        places: (B, L, 2, P), columns and rows.
        heights: (B, P).

    Returns:
        (B, L, P), 0..1.
    """
    height, width = depth.shape[-2:]
    # Points outside have both their columns, or rows, in this frame.
    framed = functional.pad(depth, (2, 2, 2, 2), value=-torch.inf).flatten(2)
    column, row = places.floor().unbind(2)
    right, down = (places - places.floor()).unbind(2)
    across = width + 4
    at = ((row.clamp(-2, height) + 2) * across + column.clamp(-2, width) + 2).long()
    total = torch.zeros_like(right)
    for below, share in ((0, 1 - down), (across, down)):
        for beside, part in ((0, 1 - right), (1, right)):
            higher = framed[..., below + beside :].gather(2, at) > heights[:, None]
            total += torch.where(higher, share * part, 0.0)
    return total
