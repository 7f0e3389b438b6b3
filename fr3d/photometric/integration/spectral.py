"""Depth on the bounding rectangle by one transform, for comparison with the masked methods."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.integration.cosine import Field, is_torch, rectangle_inverse
from fr3d.photometric.integration.edges import divergence, inner_edges, mean_steps
from fr3d.photometric.integration.slopes import Slopes


def solve_dct(slopes: Slopes) -> Field:
    """Poisson's equation on the rectangle with free borders, slopes being 0 outside the mask.

    Reference:
        Simchony, Chellappa, Shao 1990, "Direct analytical methods for solving Poisson equations
        in computer vision problems".
    """
    whole = inner_edges(slopes.across * 0 + 1)
    step = mean_steps(slopes.across, slopes.down)
    return rectangle_inverse(slopes.across)(divergence(whole, step, slopes.across * 0))


def solve_fc(slopes: Slopes) -> Field:
    """The nearest integrable slopes among periodic ones.

    Reference:
        Frankot, Chellappa 1988, "A Method for Enforcing Integrability in Shape from Shading
        Algorithms", equation 21.
    """
    height, width = slopes.across.shape[-2:]
    kx = 2j * np.pi * np.fft.fftfreq(width)[None, :]
    ky = 2j * np.pi * np.fft.fftfreq(height)[:, None]
    power = np.abs(kx) ** 2 + np.abs(ky) ** 2
    power[0, 0] = 1
    across, down = (_transform(s) for s in (slopes.across, slopes.down))
    x, y = (_like(across, k.conj() / power) for k in (kx, ky))
    return _inverse(across * x + down * y)


def _transform(field: Field) -> Field:
    if is_torch(field):
        import torch

        return torch.fft.fft2(field.double())
    return np.fft.fft2(field)


def _inverse(spectrum: Field) -> Field:
    if is_torch(spectrum):
        import torch

        return torch.fft.ifft2(spectrum).real.float()
    return np.fft.ifft2(spectrum).real.astype(np.float32)


def _like(spectrum: Field, values: npt.NDArray[Any]) -> Field:
    return spectrum.new_tensor(values) if is_torch(spectrum) else values
