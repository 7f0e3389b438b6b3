"""TIFF, little and big endian."""

import struct

from fr3d.photometric.image_formats.header import (
    Buffer,
    Depth,
    DepthError,
    ImageHeader,
    need,
    whole_depth,
)

_CODES = {1: "B", 3: "H", 4: "I"}
_WIDTH, _HEIGHT, _BITS, _SAMPLE_FORMAT = 256, 257, 258, 339
_STRIPS, _TILES = (273, 279), (324, 325)
_TAGS = (_WIDTH, _HEIGHT, _BITS, _SAMPLE_FORMAT, *_STRIPS, *_TILES)


def tiff(data: Buffer) -> ImageHeader:
    """Header of the first image of a TIFF; its strips or tiles must lie inside the file."""
    order = "<" if data[:2] == b"II" else ">"
    tags = _tags(data, order)
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise ValueError("no size")
    for offsets, lengths in (_STRIPS, _TILES):
        for offset, length in zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=False):
            need(data, offset + length)
    return ImageHeader(tags[_HEIGHT][0], tags[_WIDTH][0], _depth(tags))


def _tags(data: Buffer, order: str) -> dict[int, tuple[int, ...]]:
    at = struct.unpack_from(order + "I", data, 4)[0]
    tags = {}
    for i in range(struct.unpack_from(order + "H", data, at)[0]):
        tag, kind, count = struct.unpack_from(order + "HHI", data, at + 2 + 12 * i)
        if tag in _TAGS and kind in _CODES:
            code = f"{order}{count}{_CODES[kind]}"
            place = at + 10 + 12 * i
            need(data, count)
            if struct.calcsize(code) > 4:
                place = struct.unpack_from(order + "I", data, place)[0]
            tags[tag] = struct.unpack_from(code, data, place)
    return tags


def _depth(tags: dict[int, tuple[int, ...]]) -> Depth:
    bits, kinds = set(tags.get(_BITS, (1,))), set(tags.get(_SAMPLE_FORMAT, (1,)))
    if len(bits) != 1 or len(kinds) != 1:
        raise DepthError("channels of several depths")
    (size,), (kind,) = bits, kinds
    if kind == 3:
        if size not in (32, 64):
            raise DepthError(f"{size} bit float values")
        return "float"
    if kind == 2:
        raise DepthError(f"signed {size} bit values")
    return whole_depth(size)
