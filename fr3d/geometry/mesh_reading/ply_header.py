"""The header of a PLY: which elements follow, and how their values are stored."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fr3d.errors import MalformedInputError
from fr3d.geometry.mesh_reading.tokens import Bytes

MAX_HEADER = 1 << 16
_MAX_PROPERTIES = 256
_TYPES = {
    "char": "i1",
    "uchar": "u1",
    "short": "i2",
    "ushort": "u2",
    "int": "i4",
    "uint": "u4",
    "float": "f4",
    "double": "f8",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "float32": "f4",
    "float64": "f8",
}
_ENCODINGS: dict[str, Literal["", "<", ">"]] = {
    "ascii": "",
    "binary_little_endian": "<",
    "binary_big_endian": ">",
}


@dataclass(frozen=True)
class Property:
    """One value, or one list of values, of each row of an element.

    Args:
        name: as the file says.
        type: of a value, as NumPy names it without byte order.
        length_type: of the length of a list; empty for a single value.
    """

    name: str
    type: str
    length_type: str = ""


@dataclass(frozen=True)
class Element:
    """Rows that are stored alike.

    Args:
        name: such as "vertex".
        rows: how many.
        properties: of each row, in the order in which they are stored.
    """

    name: str
    rows: int
    properties: tuple[Property, ...]

    @property
    def has_lists(self) -> bool:
        """Whether rows differ in length."""
        return any(p.length_type for p in self.properties)


@dataclass(frozen=True)
class PlyHeader:
    """What the head of a PLY says.

    Args:
        order: byte order as NumPy names it; empty for text.
        elements: in the order in which they are stored.
        texture: name of the picture that a comment "TextureFile" gives, or empty.
        size: bytes of the header.
    """

    order: Literal["", "<", ">"]
    elements: tuple[Element, ...]
    texture: str
    size: int


def parse_header(data: Bytes, name: str) -> PlyHeader:
    """Read the header.

    Args:
        data: (N,) the file.
        name: its name, for messages.

    Raises:
        MalformedInputError: no PLY, or a header that cannot be followed.
    """
    head = bytes(data[:MAX_HEADER])
    end = head.find(b"end_header")
    close = head.find(b"\n", end)
    if not head.startswith(b"ply") or end < 0 or close < 0:
        raise MalformedInputError(f"{name}: not a PLY, or its header is cut off")
    lines = head[:end].decode("latin-1").splitlines()[1:]
    try:
        return _parsed(lines, close + 1)
    except (ValueError, KeyError, IndexError) as error:
        raise MalformedInputError(f"{name}: the header of the PLY cannot be read") from error


def _parsed(lines: list[str], size: int) -> PlyHeader:
    order: Literal["", "<", ">"] | None = None
    texture = ""
    elements: list[tuple[str, int, list[Property]]] = []
    for line in lines:
        words = line.split()
        match words[:1]:
            case ["format"]:
                order = _ENCODINGS[words[1]]
            case ["comment"] if len(words) > 2 and words[1].lower() == "texturefile":
                texture = texture or line.split(None, 2)[2].strip()
            case ["element"]:
                elements.append((words[1], _row_count(words[2]), []))
            case ["property"]:
                elements[-1][2].append(_property(words))
    if order is None or sum(len(e[2]) for e in elements) > _MAX_PROPERTIES:
        raise ValueError
    return PlyHeader(order, tuple(Element(n, r, tuple(p)) for n, r, p in elements), texture, size)


def _row_count(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 16):
        raise ValueError
    return int(word)


def _property(words: list[str]) -> Property:
    if words[1] != "list":
        return Property(words[2], _TYPES[words[1]])
    length = _TYPES[words[2]]
    if np.dtype(length).kind == "f":
        raise ValueError
    return Property(words[4], _TYPES[words[3]], length)
