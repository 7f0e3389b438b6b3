"""Grey PNG files whose bytes depend on the pixels alone, not on the version of a picture library.

Reference: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", section 9.
"""

import struct
import zlib

import numpy as np
import numpy.typing as npt

Bytes2D = npt.NDArray[np.uint8]


def encode_png(image: Bytes2D) -> bytes:
    """Encode an 8-bit grey picture.

    Args:
        image: (H, W) uint8.
    """
    height, width = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    data = packer.compress(_filtered(image).tobytes()) + packer.flush()
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _filtered(image: Bytes2D) -> Bytes2D:
    """Predict each row by the filter that leaves the smallest sum of absolute differences."""
    padded = np.pad(image.astype(np.int16), ((1, 0), (1, 0)))
    here, left = padded[1:, 1:], padded[1:, :-1]
    up, corner = padded[:-1, 1:], padded[:-1, :-1]
    guesses = (np.zeros_like(here), left, up, (left + up) // 2, _paeth(left, up, corner))
    rows = np.stack([(here - guess).astype(np.uint8) for guess in guesses])
    cost = np.abs(rows.view(np.int8).astype(np.int32)).sum(axis=2)
    best = cost.argmin(axis=0)
    chosen = rows[best, np.arange(len(best))]
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
