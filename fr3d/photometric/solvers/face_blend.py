"""A mean face takes over where a solver doubts its normals."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

# Faces lie about so far from their mean, radians. Chosen on Extended Yale B among 0.1 to 0.5.
FACE_SPREAD = np.float32(0.5)
_LEAST_ERROR = np.float32(0.1)


def draw_to_face(
    g: FloatArray, error: FloatArray, prior: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Combine what was found with what is expected, each by the inverse of its variance.

    The brightness of the expected face is that of least squares to what was found, surer pixels
    first.

    Args:
        g: (3, H, W), albedo times normal, as found.
        error: (H, W), angle by which it is expected to be off, radians.
        prior: expected normals times albedo in any unit (3, H, W) and their weight (H, W), 0 to 1.

    Returns:
        (3, H, W), albedo times normal.
    """
    expected, weight = prior
    variance = error * error
    sure = weight / (variance + _LEAST_ERROR * _LEAST_ERROR)
    scale = (sure * _dot(g, expected)).sum() / max(
        float((sure * _dot(expected, expected)).sum()), 1e-12
    )
    share = weight * variance / (variance + FACE_SPREAD * FACE_SPREAD)
    return np.asarray((1 - share) * g + share * (np.float32(max(scale, 0)) * expected), np.float32)


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
