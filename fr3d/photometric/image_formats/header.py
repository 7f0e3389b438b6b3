"""What the header of an image tells."""

import mmap
from dataclasses import dataclass
from typing import Literal

Buffer = bytes | mmap.mmap
Depth = Literal["8 bit", "16 bit", "float"]


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the first bytes of an image say.

    Attributes:
        height: rows.
        width: columns.
        depth: how values are stored.
        full_scale: largest value that can be stored; 0 where the depth says it.
        lossy: whether the format is JPEG, whose values are rarely linear.
    """

    height: int
    width: int
    depth: Depth = "8 bit"
    full_scale: int = 0
    lossy: bool = False


def need(data: Buffer, size: int) -> None:
    """Refuse data shorter than its header says.

    Args:
        data: the file.
        size: bytes that it should have at least.
    """
    if len(data) < size:
        raise ValueError(f"{len(data)} bytes, expected {size}")


def whole_depth(bits: int) -> Depth:
    """The depth of whole numbers of so many bits.

    Args:
        bits: of one value, at most 16.
    """
    if not 1 <= bits <= 16:
        raise DepthError(f"{bits} bit values")
    return "8 bit" if bits <= 8 else "16 bit"


class DepthError(Exception):
    """Values of a kind that no camera writes, such as 32 bit whole numbers.

    Args:
        found: what the file holds.
        expected: what it should.
    """

    def __init__(self, found: str, expected: str = "8 or 16 bit or float") -> None:
        super().__init__(f"found {found}, expected {expected}")
