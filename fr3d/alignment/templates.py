"""Where the five points of a face lie in an aligned picture."""

import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError

TEMPLATES: dict[str, tuple[tuple[float, float], ...]] = {
    "arcface112": (
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ),
}
"""Points in a frame of 112 x 112: eyes, nose tip, mouth corners, image left before image right."""

_SIDE = 112


def template_points(name: str, size: int) -> npt.NDArray[np.float64]:
    """Look up a template and scale it to a frame.

    Args:
        name: one of `TEMPLATES`.
        size: side of the square frame, pixels.

    Returns:
        (5, 2) x and y in pixels.

    >>> template_points("arcface112", 224)[2].tolist()
    [112.0504, 143.4732]
    """
    if name not in TEMPLATES:
        raise UsageError(f"no template '{name}', expected one of {', '.join(TEMPLATES)}")
    return np.array(TEMPLATES[name]) * (size / _SIDE)
