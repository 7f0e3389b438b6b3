"""Random changes of a batch of faces that keep normals, depth and albedo of one face consistent.

Works on the normalised inputs of `fr3d.data.inputs`, as batched tensors on any device. Every change
is drawn once for a face and applied to all its maps. Flips, rotations, scalings, shifts and changes
of relief are held to transform(normals(z)) = normals(transform(z)) by tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """How strongly faces are changed; every strength may be 0.

    Args:
        flip: probability of a left-right flip.
        degrees: deviation of the in-plane rotation.
        log_scale: deviation of the logarithm of the scaling.
        shift: deviation of the shift, as a share of the map's width.
        relief: deviation of the logarithm of the factor on depth; normals follow.
        slant: deviation of the slope added to depth (pixels of height a pixel); normals follow.
            With `relief` this is the ambiguity of unknown lights (bas-relief), and nearly a small
            turn of the head; albedo is left as it is.
        gain: deviation of the logarithm of the factor on albedo and photograph.
        bias: deviation of the constant added to the photograph.
        noise: deviation of the noise on normals, which are made unit again, and on grey maps.
        erase: probability that one rectangle of the face is masked out.
        erase_area: largest share of the map that the rectangle takes.
    """

    flip: float = 0.5
    degrees: float = 6.0
    log_scale: float = 0.06
    shift: float = 0.03
    relief: float = 0.15
    slant: float = 0.15
    gain: float = 0.2
    bias: float = 0.1
    noise: float = 0.05
    erase: float = 0.5
    erase_area: float = 0.2


@dataclass(frozen=True)
class Draw:
    """What was drawn for each of B faces.

    Args:
        linear: (B, 2, 2) similarity on pixel coordinates, x right and y down.
        shift: (B, 2) shift in pixels, x right and y down.
        scale: (B,) the similarity's scaling.
        relief: (B,) factor on depth.
        slant: (B, 2) slope added to depth along x right and y up.
        gain: (B,) factor on albedo and photograph.
        bias: (B,) added to the photograph.
        erased: (B, 4) rectangle left, top, right, bottom in pixels; empty where none.
    """

    linear: Tensor
    shift: Tensor
    scale: Tensor
    relief: Tensor
    slant: Tensor
    gain: Tensor
    bias: Tensor
    erased: Tensor

    def to(self, device: torch.device) -> "Draw":
        """Return the same draw on another device."""
        return Draw(**{name: value.to(device) for name, value in vars(self).items()})


def draw_changes(
    strength: Augmentation, count: int, size: tuple[int, int], generator: torch.Generator
) -> Draw:
    """Draw the changes of a batch.

    Args:
        strength: how strongly.
        count: number of faces B.
        size: height and width of the maps in pixels.
        generator: source of all randomness, on the CPU, so that devices agree.
    """

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=generator)

    flip = torch.where(torch.rand(count, generator=generator) < strength.flip, -1.0, 1.0)
    angle = torch.deg2rad(strength.degrees * normal())
    scale = torch.exp(strength.log_scale * normal())
    cos, sin = torch.cos(angle), torch.sin(angle)
    linear = torch.stack((cos * flip, -sin, sin * flip, cos), 1).view(-1, 2, 2)
    return Draw(
        linear=linear * scale[:, None, None],
        shift=strength.shift * size[1] * normal(2),
        scale=scale,
        relief=torch.exp(strength.relief * normal()),
        slant=strength.slant * normal(2),
        gain=torch.exp(strength.gain * normal()),
        bias=strength.bias * normal(),
        erased=_rectangles(strength, count, size, generator),
    )


def _rectangles(
    strength: Augmentation, count: int, size: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Draw (B, 4) rectangles, empty with probability 1 - erase."""
    height, width = size
    use = torch.rand(count, generator=generator) < strength.erase
    area = torch.rand(count, generator=generator) * strength.erase_area * height * width * use
    aspect = torch.exp(torch.rand(count, generator=generator) * 2 - 1)
    middle = torch.rand(count, 2, generator=generator) * torch.tensor([width, height])
    half = 0.5 * torch.stack(((area * aspect).sqrt(), (area / aspect).sqrt()), 1)
    return torch.cat((middle - half, middle + half), 1)


def apply_changes(
    maps: Mapping[str, Tensor],
    mask: Tensor,
    draw: Draw,
    depth_unit: float = 1.0,
    *,
    slant_depth: bool = True,
) -> tuple[dict[str, Tensor], Tensor]:
    """Move, slant, brighten and partly erase a batch of faces.

    Args:
        maps: normalised inputs (B, C, H, W), 0 outside the mask.
        mask: valid pixels (B, H, W).
        draw: the changes, on the same device.
        depth_unit: pixels of height that 1.0 of the depth input stands for.
        slant_depth: add the drawn plane to depth; not where its normalisation takes planes out.

    Returns:
        The changed inputs and their mask.
    """
    moved, valid = _move(maps, mask, draw)
    valid &= ~_inside(draw.erased, valid.shape)
    changed = {}
    for name, values in moved.items():
        if name == "normal":
            new = _unit(_tilt_normals(_turn_normals(values, draw), draw))
        elif name == "depth":
            new = values * (draw.scale * draw.relief)[:, None, None, None]
            new = new + _plane(draw, mask.shape, depth_unit) if slant_depth else new
        elif name == "albedo":
            # The input is v / median - 1: a gain acts on v.
            new = (values + 1) * draw.gain[:, None, None, None] - 1
        else:
            new = values * draw.gain[:, None, None, None] + draw.bias[:, None, None, None]
        changed[name] = new * valid[:, None]
    return changed, valid


def add_noise(
    maps: Mapping[str, Tensor], mask: Tensor, deviation: float, generator: torch.Generator
) -> dict[str, Tensor]:
    """Add pixel noise to all maps but depth, and make normals unit again.

    Depth comes from integration, which leaves no pixel noise.

    Args:
        maps: normalised inputs (B, C, H, W).
        mask: valid pixels (B, H, W).
        deviation: standard deviation of the noise.
        generator: on the device of the maps.
    """
    noisy = {}
    for name, values in maps.items():
        if name == "depth" or deviation == 0:
            noisy[name] = values
            continue
        noise = torch.randn(values.shape, generator=generator, device=values.device)
        new = values + deviation * noise
        noisy[name] = (_unit(new) if name == "normal" else new) * mask[:, None]
    return noisy


def _move(maps: Mapping[str, Tensor], mask: Tensor, draw: Draw) -> tuple[dict[str, Tensor], Tensor]:
    """Resample all maps at once; each pixel is the mean of its valid neighbours only."""
    _, height, width = mask.shape
    stacked = torch.cat([*maps.values(), mask[:, None].to(torch.float32)], dim=1)
    warped = functional.grid_sample(
        stacked, _grid(draw, height, width), mode="bilinear", align_corners=True
    )
    weight = warped[:, -1:]
    values = warped[:, :-1] / weight.clamp(min=1e-6)
    parts = torch.split(values, [value.shape[1] for value in maps.values()], dim=1)
    return dict(zip(maps, parts, strict=True)), weight[:, 0] > 0.5


def _grid(draw: Draw, height: int, width: int) -> Tensor:
    """Return where each output pixel comes from, in the coordinates of `grid_sample`."""
    device = draw.shift.device
    centre = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=device)
    rows = torch.arange(height, device=device, dtype=torch.float32)
    columns = torch.arange(width, device=device, dtype=torch.float32)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    target = torch.stack((x, y), -1) - centre
    inverse = torch.linalg.inv(draw.linear)
    source = torch.einsum("bij,bhwj->bhwi", inverse, target[None] - draw.shift[:, None, None])
    return source / centre


def _turn_normals(normal: Tensor, draw: Draw) -> Tensor:
    """Flip and rotate (n_x, n_y); rows run down while n_y points up."""
    turn = draw.linear / draw.scale[:, None, None]
    x, y, z = normal[:, 0], -normal[:, 1], normal[:, 2]
    new_x = turn[:, 0, 0, None, None] * x + turn[:, 0, 1, None, None] * y
    new_y = turn[:, 1, 0, None, None] * x + turn[:, 1, 1, None, None] * y
    return torch.stack((new_x, -new_y, z), 1)


def _tilt_normals(normal: Tensor, draw: Draw) -> Tensor:
    """Follow z' = relief z + slant . (x, y); not unit afterwards."""
    relief = draw.relief[:, None, None]
    x = relief * normal[:, 0] - draw.slant[:, 0, None, None] * normal[:, 2]
    y = relief * normal[:, 1] - draw.slant[:, 1, None, None] * normal[:, 2]
    return torch.stack((x, y, normal[:, 2]), 1)


def _plane(draw: Draw, shape: torch.Size, unit: float) -> Tensor:
    """Return the drawn planes (B, 1, H, W), zero in the middle of the map."""
    _, height, width = shape
    device = draw.slant.device
    y = (height - 1) / 2 - torch.arange(height, device=device, dtype=torch.float32)
    x = torch.arange(width, device=device, dtype=torch.float32) - (width - 1) / 2
    plane = draw.slant[:, 0, None, None] * x[None, None] + draw.slant[:, 1, None, None] * y[:, None]
    return plane[:, None] / unit


def _unit(normal: Tensor) -> Tensor:
    """Scale to length one; where there is no normal the result is masked anyway."""
    # torch's own norm over a short dimension is fifteen times slower on a CPU.
    return normal * torch.rsqrt((normal * normal).sum(dim=1, keepdim=True).clamp(min=1e-12))


def _inside(box: Tensor, shape: torch.Size) -> Tensor:
    """Return the pixels (B, H, W) in each rectangle."""
    _, height, width = shape
    row = torch.arange(height, device=box.device)[None, :, None]
    column = torch.arange(width, device=box.device)[None, None, :]
    left, top, right, bottom = box[:, :, None, None].unbind(1)
    return (column >= left) & (column < right) & (row >= top) & (row < bottom)
