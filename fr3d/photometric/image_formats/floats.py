"""OpenEXR and NumPy's NPY."""

import ast
import re
import struct

from fr3d.photometric.image_formats.header import (
    Buffer,
    Depth,
    DepthError,
    ImageHeader,
    need,
)

EXR, NPY = b"\x76\x2f\x31\x01", b"\x93NUMPY"
_MAX_HEADER = 1 << 16
_ROWS_IN_A_CHUNK = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
_NPY_DEPTHS: dict[str, Depth] = {"u1": "8 bit", "u2": "16 bit", "f2": "float", "f4": "float"}
_NPY_DEPTHS["f8"] = "float"


def npy(data: Buffer) -> ImageHeader:
    """Header of an NPY image, (H, W) or (H, W, 3); Python objects are refused, never loaded."""
    wide = data[6] > 1
    length = struct.unpack_from("<I" if wide else "<H", data, 8)[0]
    start = (12 if wide else 10) + length
    if length > _MAX_HEADER:
        raise ValueError("header too long")
    need(data, start)
    try:
        head = ast.literal_eval(bytes(data[start - length : start]).decode("latin-1"))
        kind, shape = str(head["descr"]), tuple(int(n) for n in head["shape"])
    except (SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("no header") from error
    match = re.fullmatch(r"[<>|=]?([a-zA-Z]\d+)", kind)
    if match is None or match[1] not in _NPY_DEPTHS:
        raise DepthError(f"{kind[:20]} (NumPy's name) values")
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3, 4)):
        raise DepthError(f"an array of shape {shape}", "height x width or height x width x 3")
    channels = shape[2] if len(shape) == 3 else 1
    need(data, start + shape[0] * shape[1] * channels * int(match[1][1:]))
    return ImageHeader(shape[0], shape[1], _NPY_DEPTHS[match[1]])


def exr(data: Buffer) -> ImageHeader:
    """Header of a single-part OpenEXR image; all its chunks must lie inside the file."""
    version = struct.unpack_from("<I", data, 4)[0]
    if version & 0x1800:
        raise DepthError("a deep or multi-part OpenEXR file", "one flat image")
    attributes, at = _attributes(data)
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    if left > right or top > bottom:
        raise ValueError("empty window")
    if not version & 0x200:
        _check_chunks(data, at, bottom - top + 1, attributes["compression"][0])
    return ImageHeader(bottom - top + 1, right - left + 1, "float")


def _attributes(data: Buffer) -> tuple[dict[str, bytes], int]:
    found: dict[str, bytes] = {}
    at = 8
    while data[at : at + 1] != b"\0":
        name, at = _word(data, at)
        _, at = _word(data, at)
        size = struct.unpack_from("<I", data, at)[0]
        need(data, at + 4 + size)
        found[name] = bytes(data[at + 4 : at + 4 + size])
        at += 4 + size
    if not {"dataWindow", "compression", "channels"} <= set(found):
        raise ValueError("no window")
    return found, at + 1


def _word(data: Buffer, at: int) -> tuple[str, int]:
    end = data.find(b"\0", at, at + 256)
    if end < 0:
        raise ValueError("no end of a name")
    return bytes(data[at:end]).decode("latin-1"), end + 1


def _check_chunks(data: Buffer, at: int, height: int, compression: int) -> None:
    """Follow the table of chunks: decoders fill what is missing without a word."""
    rows = _ROWS_IN_A_CHUNK.get(compression, 1)
    count = -(-height // rows)
    need(data, at + 8 * count)
    for offset in struct.unpack_from(f"<{count}Q", data, at):
        if offset < at + 8 * count:
            raise ValueError("a chunk was never written")
        need(data, offset + 8)
        need(data, offset + 8 + struct.unpack_from("<i", data, offset + 4)[0])
