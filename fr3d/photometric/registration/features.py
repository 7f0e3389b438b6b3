"""What two photographs of a face under different lights have in common: fine texture."""

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

# Chosen on Extended Yale B, as photographed and blurred, compressed and turned by up to 3 degrees.
_DARK = np.float32(0.018)  # of what is bright: keeps noise in shadows from being lifted
_BRIGHT = 99
_FINE = 3.0  # shading is smoother than this, px
_NEIGHBOURHOOD = 27  # side of the square in which contrast is made equal, px
_CONTRAST = np.float32(0.07)
_ROUNDING = 1e-8
_TAPER = 0.8


def exposed(images: FloatArray) -> FloatArray:
    """Scale the photographs of a session (L, H, W) alike, so that what is bright in it is 1."""
    sample = images[:, ::4, ::4].reshape(len(images), -1)
    bright = float(np.percentile(sample, _BRIGHT, axis=1).max())
    return images if bright <= 0 else np.asarray(images / np.float32(bright), np.float32)


def texture(image: FloatArray) -> FloatArray:
    """Keep the texture of a photograph and drop its light.

    The logarithm turns shading into an offset that varies slowly, which a high pass removes; local
    contrast is then made equal, so that the rims of shadows count no more than skin does.

    Args:
        image: (H, W), linear light, 1 where the session is bright.

    Returns:
        (H, W), about -1 to 1; zero where all is of one brightness, as in a black photograph.
    """
    log = np.log(np.maximum(image, 0) + _DARK)
    fine = log - cv2.GaussianBlur(log, (0, 0), _FINE, borderType=cv2.BORDER_REFLECT_101)
    side = (_NEIGHBOURHOOD, _NEIGHBOURHOOD)
    power = cv2.blur(fine * fine, side, borderType=cv2.BORDER_REFLECT_101)
    if power.max() < _ROUNDING:
        return np.zeros_like(image)
    return np.asarray(fine / np.sqrt(np.maximum(power, 0) + _CONTRAST**2), np.float32)


def taper(height: int, width: int) -> FloatArray:
    """Weights (height, width) that fall to 0 at the border by a cosine, so that it has no edge."""
    return np.outer(_cosine(height), _cosine(width)).astype(np.float32)


def _cosine(length: int) -> npt.NDArray[np.float64]:
    x = np.arange(length) + 0.5
    t = np.minimum(x, length - x) / (_TAPER * length / 2)
    return np.asarray(np.where(t < 1, 0.5 - 0.5 * np.cos(np.pi * t), 1.0))
