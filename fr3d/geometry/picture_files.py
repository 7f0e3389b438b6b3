"""Pictures as PNG files that say what their values mean."""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d import __version__

KEYWORD = "fr3d"
_HEAD = 8 + 25  # the signature and the header chunk, which must come first
_CHUNK_FRAME = 12  # length, type and checksum


def encode_png(picture: npt.NDArray[Any], meaning: Mapping[str, Any] | None = None) -> bytes:
    """Write a picture as PNG.

    Args:
        picture: (H, W) or (H, W, 3) RGB, 8 or 16 bit a value.
        meaning: what the values mean; kept as JSON in the text chunk `fr3d`.
    """
    planes = picture[..., ::-1] if picture.ndim == 3 else picture
    data = bytes(cv2.imencode(".png", np.ascontiguousarray(planes))[1])
    if meaning is None:
        return data
    text = json.dumps(dict(meaning), sort_keys=True, ensure_ascii=False)
    chunks = _text_chunk("Software", f"fr3d {__version__}") + _text_chunk(KEYWORD, text)
    return data[:_HEAD] + chunks + data[_HEAD:]


def read_meaning(data: bytes) -> dict[str, Any]:
    """What the values of a PNG mean: the inverse of `encode_png`; empty when it does not say.

    Args:
        data: the file.
    """
    place, wanted = 8, KEYWORD.encode() + b"\0\0\0\0\0"
    while place + _CHUNK_FRAME <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        content = data[place + 8 : place + 8 + length]
        if kind == b"iTXt" and content.startswith(wanted):
            meaning: dict[str, Any] = json.loads(content[len(wanted) :])
            return meaning
        place += _CHUNK_FRAME + length
    return {}


def _text_chunk(keyword: str, text: str) -> bytes:
    """An uncompressed iTXt chunk, the one kind of PNG text that is UTF-8."""
    content = b"iTXt" + keyword.encode() + b"\0\0\0\0\0" + text.encode()
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
