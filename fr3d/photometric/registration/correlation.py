"""Phase correlation of pairs of photographs."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft2, next_fast_len, rfft2

from fr3d.photometric.registration.features import exposed, taper, texture

FloatArray = npt.NDArray[np.float32]
ComplexArray = npt.NDArray[np.complex64]
Pairs = Sequence[tuple[int, int]]

_RINGS = 64  # rings of the spectrum in one cycle a pixel
_NOISE_RINGS = slice(29, 33)  # about half a cycle a pixel, where optics leave nothing but noise
_LEAST_SIGNAL = 0.03
_BLUR = 0.5  # px; rounds the peak, so that a parabola fits it


def correlation_surfaces(images: FloatArray, pairs: Pairs, reach: int) -> FloatArray:
    """Correlate photographs, each frequency alike but for its noise.

    Args:
        images: (L, H, W), linear light of any scale.
        pairs: which photographs to compare, i and j.
        reach: the largest movement looked for, px; less than half of H and W.

    Returns:
        (P, 2 reach + 1, 2 reach + 1): how well photograph j fits i when it has moved by (x, y)
        relative to i, at row y + reach and column x + reach; standard deviation 1.

    Reference:
        Kuglin and Hines 1975, "The phase correlation image alignment method".
    """
    height, width = images.shape[1:]
    size = (next_fast_len(height, real=True), next_fast_len(width, real=True))
    window = taper(height, width)
    phases = [_phase(rfft2(texture(i) * window, size, workers=1)) for i in exposed(images)]
    out = np.empty((len(pairs), 2 * reach + 1, 2 * reach + 1), np.float32)
    for k, (i, j) in enumerate(pairs):
        whole = irfft2(np.conj(phases[i]) * phases[j], size, workers=1)
        _around_zero(whole, reach, out[k])
        out[k] /= max(float(out[k].std()), 1e-12)
    return out


def _around_zero(whole: FloatArray, reach: int, out: FloatArray) -> None:
    """Copy what lies within reach of (0, 0), which the transform puts at the corners."""
    r, n = reach, reach + 1
    out[r:, r:] = whole[:n, :n]
    out[r:, :r] = whole[:n, -r:]
    out[:r, r:] = whole[-r:, :n]
    out[:r, :r] = whole[-r:, -r:]


def _phase(spectrum: ComplexArray) -> ComplexArray:
    """Give each frequency the share of its power that is not noise as amplitude."""
    power = spectrum.real**2 + spectrum.imag**2
    ring, count, rounding = _rings(*spectrum.shape)
    mean = np.bincount(ring, weights=power.ravel(), minlength=len(count)) / np.maximum(count, 1)
    noise = mean[_NOISE_RINGS].mean()
    signal = np.maximum(1 - noise / np.maximum(mean, 1e-30), _LEAST_SIGNAL).astype(np.float32)
    amplitude = signal[ring].reshape(power.shape) * rounding
    return np.asarray(spectrum * (amplitude / np.sqrt(np.maximum(power, 1e-30))), np.complex64)


@lru_cache(maxsize=8)
def _rings(
    height: int, half_width: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]:
    """Ring of each frequency of a real transform, size of the rings, and gain of the rounding."""
    rows = np.fft.fftfreq(height)[:, None]
    columns = np.linspace(0, 0.5, half_width)[None]
    f = np.hypot(rows, columns)
    ring = (f * _RINGS).astype(np.intp).ravel()
    # a Gaussian on the surface of a pair, hence half of its exponent in each of the two
    rounding = np.exp(-((2 * np.pi * _BLUR * f) ** 2) / 4).astype(np.float32)
    return ring, np.bincount(ring), rounding
