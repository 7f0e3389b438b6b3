"""From what the network says to scaled normals: the differentiable twin of the shipped solver."""

import torch
from torch import Tensor
from torch.nn import functional

from fr3d.photometric.solvers.symmetric import UPPER, solve_symmetric


def solution(
    images: Tensor, lights: Tensor, saturated: Tensor, each: Tensor, shared: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Solve the weighted least squares with ridge that the network proposes.

    Args:
        images: (B, L, H, W), in the network's unit.
        lights: (B, L, 3).
        saturated: (B, L, H, W), 0 or 1.
        each: (B, L, 2, h, w), of the network.
        shared: (B, 7, h, w), of the network.

    Returns:
        Scaled normals (B, 3, H, W), weights (B, L, H, W), the prior's unit normals (B, 3, H, W)
        and the logarithm of the expected error (B, H, W).
    """
    size = images.shape[-2:]
    sessions, count = images.shape[:2]
    each = enlarged(each.flatten(1, 2), size).reshape(sessions, count, 2, *size)
    shared = enlarged(shared, size)
    ratio = images / images.amax(1, keepdim=True).clamp_min(1e-6)
    weight = torch.sigmoid(each[:, :, 0] + each[:, :, 1] * ratio) * (1 - 0.95 * saturated)
    normal = functional.normalize(shared[:, :3], dim=1, eps=1e-4)
    ridge, albedo, hold = (shared[:, i].clamp(-8, 4).exp() for i in (3, 4, 5))
    cosine = torch.einsum("blc,bchw->blhw", lights, normal).clamp_min(0)
    drawn = (weight * cosine * images).sum(1) + hold * albedo
    target = normal * (drawn / ((weight * cosine**2).sum(1) + hold))[:, None]
    pairs = torch.stack([lights[..., i] * lights[..., j] for i, j in UPPER], 1)
    a = torch.einsum("bpl,blhw->bphw", pairs, weight)
    b = torch.einsum("blc,blhw->bchw", lights, weight * images) + ridge[:, None] * target
    return _solved(a, b, ridge), weight, normal, shared[:, 6]


def enlarged(planes: Tensor, size: torch.Size) -> Tensor:
    """Interpolate linearly to the size of the photographs."""
    return functional.interpolate(planes, size=size, mode="bilinear", align_corners=False)


def _solved(a: Tensor, b: Tensor, ridge: Tensor) -> Tensor:
    xx, xy, xz, yy, yz, zz = a.unbind(1)
    xx, yy, zz = xx + ridge, yy + ridge, zz + ridge
    return torch.stack(solve_symmetric((xx, xy, xz, yy, yz, zz), b.unbind(1)), 1)
