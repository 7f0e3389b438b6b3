"""Decoding OpenEXR images."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, UnavailableError


def decode_exr(path: Path) -> npt.NDArray[Any] | None:
    """Decode the colours of an OpenEXR image; layers other than colour are passed over.

    Args:
        path: the file.

    Returns:
        (H, W) or (H, W, 3), float32; None when it is damaged.

    Raises:
        MalformedInputError: it holds neither grey nor red, green and blue of full resolution.
        UnavailableError: the package that decodes is not installed.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise UnavailableError(
            f"{path.name}: OpenEXR images need the package OpenEXR", "install it with pip"
        ) from error
    OpenEXR.set_global_thread_count(0)
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = {name: c.pixels for name, c in file.channels().items()}
    except (OSError, RuntimeError, ValueError, TypeError):
        return None
    return _colours(channels, path.name)


def _colours(channels: dict[str, Any], name: str) -> npt.NDArray[Any]:
    sets: list[tuple[str, ...]] = [("R", "G", "B"), ("Y",)]
    if len(channels) == 1:
        sets.append(tuple(channels))
    names = next((s for s in sets if set(s) <= set(channels)), ())
    planes = [np.asarray(channels[n], np.float32) for n in names]
    if not planes or len({p.shape for p in planes}) > 1 or planes[0].ndim != 2:
        found = ",".join(sorted(channels))[:60]
        raise MalformedInputError(f"{name}: found channels {found}, expected R,G,B or Y")
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)
