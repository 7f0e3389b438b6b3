"""From stored values to linear light."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Transfer:
    """How stored values become light: `linear`, `srgb` or `gamma:G`.

    Attributes:
        name: as the user writes it.
    """

    name: str = "linear"

    def __post_init__(self) -> None:
        if self.name in ("linear", "srgb"):
            return
        match = re.fullmatch(r"gamma:(\d+(?:\.\d+)?)", self.name)
        if match is None or not 0.1 <= float(match[1]) <= 10:
            raise UsageError(
                f"no such transfer: {self.name}", "choose linear, srgb, gamma:2.2 or auto"
            )

    def linear(self, values: FloatArray) -> FloatArray:
        """Turn stored values, 0 to 1, into linear light.

        Args:
            values: any shape.

        >>> Transfer("gamma:2").linear(np.float32([0.5])).tolist()
        [0.25]
        """
        if self.name == "linear":
            return values
        if self.name == "srgb":
            low = values / np.float32(12.92)
            high = ((np.maximum(values, 0) + np.float32(0.055)) / np.float32(1.055)) ** 2.4
            return np.where(values <= 0.04045, low, high).astype(np.float32)
        return np.power(np.maximum(values, 0), float(self.name[6:]), dtype=np.float32)

    def slope(self, values: FloatArray) -> FloatArray:
        """Light gained per stored value, the derivative of `linear`.

        Args:
            values: any shape, 0 to 1.
        """
        if self.name == "linear":
            return np.ones_like(values)
        if self.name == "srgb":
            high = (2.4 / 1.055) * ((np.maximum(values, 0) + 0.055) / 1.055) ** 1.4
            return np.where(values <= 0.04045, 1 / 12.92, high).astype(np.float32)
        power = float(self.name[6:])
        return (power * np.power(np.maximum(values, 0), power - 1)).astype(np.float32)

    def of_levels(self, levels: npt.NDArray[Any], full_scale: float) -> FloatArray:
        """Turn whole numbers into linear light by a table, or floats by the formula.

        Args:
            levels: uint8, uint16 or float; any shape.
            full_scale: the level that stands for 1.
        """
        if levels.dtype.kind != "u":
            return self.linear(levels.astype(np.float32) / np.float32(full_scale))
        table = _table(self, levels.dtype.itemsize, full_scale)
        if levels.dtype == np.uint8:
            return np.asarray(cv2.LUT(levels, table), np.float32)
        return table[levels]


@lru_cache(maxsize=4)
def _table(transfer: Transfer, size: int, full_scale: float) -> FloatArray:
    values = np.arange(256**size, dtype=np.float32) / np.float32(full_scale)
    return transfer.linear(values.astype(np.float32, copy=False))


LINEAR = Transfer()
SRGB = Transfer("srgb")
