"""BMP, PNG, PGM/PPM, JPEG and WebP."""

import struct
import zlib

from fr3d.errors import MalformedInputError
from fr3d.photometric.image_formats.header import Buffer, ImageHeader, need, whole_depth

PNG = b"\x89PNG\r\n\x1a\n"


def bmp(data: Buffer) -> ImageHeader:
    """Header of a BMP; it must hold all its rows."""
    start, header_size = struct.unpack_from("<I4xI", data, 10)
    if header_size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression in (0, 3):
        need(data, start + (width * bits + 31) // 32 * 4 * abs(height))
    else:
        need(data, start + struct.unpack_from("<I", data, 34)[0])
    return ImageHeader(abs(height), width)


def png(data: Buffer) -> ImageHeader:
    """Header of a PNG; `check_chunks` says whether it is complete."""
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    return ImageHeader(height, width, whole_depth(bits))


def check_chunks(data: bytes, name: str) -> None:
    """Refuse a PNG with a chunk that is cut off or damaged.

    Some decoders fill the missing rows of such a file without a word.

    Args:
        data: the whole file.
        name: its name, for messages.
    """
    at, kind = len(PNG), b""
    try:
        while kind != b"IEND":
            length, kind = struct.unpack_from(">I4s", data, at)
            (expected,) = struct.unpack_from(">I", data, at + 8 + length)
            if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != expected:
                raise MalformedInputError(f"{name}: damaged image, a checksum is wrong")
            at += 12 + length
    except struct.error:
        raise MalformedInputError(f"{name}: truncated image") from None


def pnm(data: Buffer) -> ImageHeader:
    """Header of a binary PGM or PPM; it must hold all its rows."""
    fields: list[int] = []
    at = 2
    while len(fields) < 3:
        at = _skip_blanks(data, at)
        end = at
        while data[end : end + 1].isdigit():
            end += 1
        fields.append(int(data[at:end]))
        at = end
    width, height, top = fields
    channels = 3 if data[1:2] == b"6" else 1
    need(data, at + 1 + width * height * channels * (2 if top > 255 else 1))
    return ImageHeader(height, width, "16 bit" if top > 255 else "8 bit", full_scale=top)


def _skip_blanks(data: Buffer, at: int) -> int:
    while data[at : at + 1].isspace() or data[at : at + 1] == b"#":
        at = _line_end(data, at) if data[at : at + 1] == b"#" else at + 1
    return at


def _line_end(data: Buffer, at: int) -> int:
    end = data.find(b"\n", at)
    if end < 0:
        raise ValueError("no end of the comment")
    return end


def jpeg(data: Buffer) -> ImageHeader:
    """Header of a JPEG; its end must be there."""
    if b"\xff\xd9" not in data[-1024:]:
        raise ValueError("no end")
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return ImageHeader(height, width, lossy=True)
        at += 2 + length


def webp(data: Buffer) -> ImageHeader:
    """Header of a WebP; it must be as long as it says."""
    need(data, struct.unpack_from("<I", data, 4)[0] + 8)
    kind = bytes(data[12:16])
    if bytes(data[8:12]) != b"WEBP":
        raise ValueError("another RIFF file")
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return ImageHeader(height, width, lossy=True)
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return ImageHeader((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1)
    if kind != b"VP8 ":
        raise ValueError("no picture")
    width, height = struct.unpack_from("<HH", data, 26)
    return ImageHeader(height & 0x3FFF, width & 0x3FFF, lossy=True)
