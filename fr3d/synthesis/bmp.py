"""24-bit uncompressed BMP files, as Photoface's cameras wrote them."""

import struct

import numpy as np
import numpy.typing as npt


def encode_bmp(image: npt.NDArray[np.uint8]) -> bytes:
    """Encode a picture of three channels.

    Args:
        image: (H, W) grey, written as three equal channels, or (H, W, 3) red, green and blue.
    """
    height, width = image.shape[:2]
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    rows = image[::-1, :, ::-1].reshape(height, 3 * width)
    # Each row is filled up to a multiple of four bytes.
    data = np.pad(rows, ((0, 0), (0, -3 * width % 4))).tobytes()
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(data), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + info + data
