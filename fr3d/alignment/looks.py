"""How a landmark network is asked: in a rough window, then in an upright one, each also mirrored.

Training measures with the same functions as the detector finds faces with.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from fr3d.alignment.heatmaps import Heatmaps, decode, from_heatmap
from fr3d.alignment.window import Picture, Window, cut, face_frame, window_of_points
from fr3d.geometry.similarity import inverse, transform_points

FloatArray = npt.NDArray[np.float64]
Images = npt.NDArray[np.float32]
Compute = Callable[[Images], Heatmaps]
"""From images (B, 3, S, S), BGR, 0 to 255, to heatmaps (B, 5, H, W), 0 to 1."""

_LEAST_FACE = 0.08  # size of a face over the side of its window; training begins at 0.2

MIRRORED = [1, 0, 2, 4, 3]
"""Order of the points in the mirror."""


def look(
    pictures: Sequence[Picture],
    windows: Sequence[Window],
    compute: Compute,
    size: int,
    *,
    mirror: bool = True,
) -> tuple[FloatArray, FloatArray]:
    """Find the points of one face a picture.

    Args:
        pictures: (H, W, 3) BGR each.
        windows: where to look, one a picture.
        compute: the network.
        size: side of its input, pixels.
        mirror: average the heatmaps with those of the mirror image.

    Returns:
        Points (B, 5, 2) in pixels of their pictures, and the heights of their peaks (B, 5).
    """
    matrices = [window.matrix(size) for window in windows]
    views = [cut(one, matrix, size) for one, matrix in zip(pictures, matrices, strict=True)]
    images = np.stack(views).transpose(0, 3, 1, 2).astype(np.float32)
    maps = compute(np.ascontiguousarray(images))
    if mirror:
        other = compute(np.ascontiguousarray(images[..., ::-1]))
        maps = (maps + other[:, MIRRORED, :, ::-1]) / 2.0
    found, heights = decode(maps)
    inside = from_heatmap(found, size / maps.shape[-1])
    back = [transform_points(inverse(m), p) for m, p in zip(matrices, inside, strict=True)]
    return np.array(back), heights


def locate(
    pictures: Sequence[Picture], windows: Sequence[Window], compute: Compute, size: int
) -> tuple[FloatArray, FloatArray]:
    """Look twice: around the face as it is thought to lie, then upright around what was found.

    Args:
        pictures: (H, W, 3) BGR each.
        windows: where to look first, one a picture.
        compute: the network.
        size: side of its input, pixels.

    Returns:
        As `look`.
    """
    rough, _ = look(pictures, windows, compute, size)
    pairs = zip(rough, windows, strict=True)
    closer = [window_of_points(p) if _is_spread(p, w) else w for p, w in pairs]
    return look(pictures, closer, compute, size)


def _is_spread(points: FloatArray, window: Window) -> bool:
    """Tell whether points are far enough apart to say where a face is at all."""
    return face_frame(points).size > _LEAST_FACE * window.side
