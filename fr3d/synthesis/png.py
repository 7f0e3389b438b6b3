"""PNG files whose bytes depend on the pixels alone, not on the version of a picture library.

Reference: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", section 9.
"""

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[Any]
LEVEL = 6
GREY, COLOUR = 0, 2


def encode_png(image: Picture) -> bytes:
    """Encode a picture.

    Args:
        image: (H, W) grey or (H, W, 3) red, green and blue; uint8 or uint16.
    """
    height, width = image.shape[:2]
    kind = COLOUR if image.ndim == 3 else GREY
    bits = 8 * image.itemsize
    rows = np.ascontiguousarray(image.astype(image.dtype.newbyteorder(">"))).view(np.uint8)
    step = image.itemsize * (3 if kind == COLOUR else 1)
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    data = packer.compress(_filtered(rows.reshape(height, -1), step).tobytes()) + packer.flush()
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _filtered(rows: npt.NDArray[np.uint8], step: int) -> npt.NDArray[np.uint8]:
    """Predict each row by the filter that leaves the smallest sum of absolute differences.

    Args:
        rows: (H, N) bytes.
        step: bytes from a pixel to the next.
    """
    padded = np.pad(rows.astype(np.int16), ((1, 0), (step, 0)))
    here, left = padded[1:, step:], padded[1:, :-step]
    up, corner = padded[:-1, step:], padded[:-1, :-step]
    guesses = (np.zeros_like(here), left, up, (left + up) // 2, _paeth(left, up, corner))
    rest = np.stack([(here - guess).astype(np.uint8) for guess in guesses])
    cost = np.abs(rest.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int32)
    best = cost.argmin(axis=0)
    chosen = rest[best, np.arange(len(best))]
    return np.concatenate([best[:, None].astype(np.uint8), chosen], axis=1)


def _paeth(
    left: npt.NDArray[np.int16], up: npt.NDArray[np.int16], corner: npt.NDArray[np.int16]
) -> npt.NDArray[np.int16]:
    to_left, to_up = np.abs(up - corner), np.abs(left - corner)
    to_corner = np.abs(left + up - 2 * corner)
    either = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, either)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
