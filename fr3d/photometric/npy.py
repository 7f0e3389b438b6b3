"""NumPy arrays from NPY files; nothing is ever unpickled."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError


def load_numbers(data: bytes, name: str, hint: str = "") -> npt.NDArray[Any]:
    """Load an array of numbers.

    Args:
        data: the whole file.
        name: its name, for messages.
        hint: what to do about a fault.

    Raises:
        MalformedInputError: damaged, or anything but numbers.
    """
    try:
        values = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, MemoryError) as error:
        raise MalformedInputError(f"{name}: not an NPY file of numbers", hint) from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise MalformedInputError(f"{name}: not an NPY file of numbers", hint)
    return values
