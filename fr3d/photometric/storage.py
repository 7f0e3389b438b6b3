"""How precisely maps are stored: as precisely as matters, in as few bytes as that takes."""

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError

_HALF = ("normal", "confidence")
_HALF_OF_INTEGERS = ("albedo", "image")
_LARGEST = float(np.finfo(np.float16).max)


def storage_type(name: str, *, exact: bool) -> type[np.float16] | type[np.float32]:
    """The type of a map on disk.

    A float16 normal is 0.006 degrees off in the mean and 0.023 at worst; albedo, mean photograph
    and confidence at most 0.05 %, an eighth of the step of an 8 bit photograph. A float16 depth
    would be up to half a pixel off and its slope wrong, so it stays float32. Photographs of
    floating point may have any range, which float16 has not. Measured on synthetic faces,
    Extended Yale B and DiLiGenT.

    Args:
        name: of the dataset.
        exact: whether any photograph of the file's captures is of floating point.
    """
    half = name in _HALF or (name in _HALF_OF_INTEGERS and not exact)
    return np.float16 if half else np.float32


def stored(plane: npt.NDArray[np.float32], name: str, *, exact: bool) -> npt.NDArray[np.floating]:
    """A map as it is stored; it never becomes infinite on the way.

    Args:
        plane: any shape.
        name: of the dataset.
        exact: as above.

    Raises:
        MalformedInputError: a value beyond the range of its type.
    """
    dtype = storage_type(name, exact=exact)
    if dtype is np.float16 and name in _HALF_OF_INTEGERS and plane.size:  # others are at most 1
        most = float(np.abs(plane).max())
        if not most <= _LARGEST:
            raise MalformedInputError(
                f"{name}: found values up to {most:.3g}, which cannot be stored; are the "
                "intensities of the lights right?"
            )
    return plane.astype(dtype, copy=False)
