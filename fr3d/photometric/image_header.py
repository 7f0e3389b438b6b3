"""Size and completeness of an image file, before any decoder sees it."""

import mmap
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from fr3d.errors import MalformedInputError, MissingInputError

MAX_PIXELS = 64_000_000
SUFFIXES = (".bmp", ".png", ".pgm", ".ppm", ".pnm", ".tif", ".tiff", ".jpg", ".jpeg")
_PNG = b"\x89PNG\r\n\x1a\n"
_Buffer = bytes | mmap.mmap


@dataclass(frozen=True)
class ImageHeader:
    """What the first bytes of an image say.

    Attributes:
        height: rows.
        width: columns.
        full_scale: largest value that can be stored; 0 where the type of the values says it.
        lossy: whether the format is JPEG, whose values are rarely linear.
    """

    height: int
    width: int
    full_scale: int = 0
    lossy: bool = False


def probe(path: Path) -> ImageHeader:
    """Read the size of an image; refuse what is too short for it, too large or another format.

    Only the pages of the file that hold headers are read.

    Args:
        path: BMP, PNG, PGM/PPM, TIFF or JPEG.

    Raises:
        MalformedInputError: see above.
        MissingInputError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            if not stream.seek(0, 2):
                raise MalformedInputError(f"{path.name}: found an empty file, expected an image")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return parse_header(data, path.name)
    except OSError as error:
        raise MissingInputError(f"{path.name}: {error.strerror}") from error


def parse_header(data: _Buffer, name: str) -> ImageHeader:
    """As `probe`, for bytes at hand.

    Args:
        data: the whole file.
        name: its name, for messages.
    """
    reader = next((r for magic, r in _READERS if data[: len(magic)] == magic), None)
    if reader is None:
        raise MalformedInputError(
            f"{name}: found an unknown format, expected BMP, PNG, PGM, TIFF or JPEG"
        )
    try:
        header = reader(data)
    except (struct.error, IndexError, ValueError) as error:
        raise MalformedInputError(f"{name}: truncated or damaged image") from error
    if header.height < 1 or header.width < 1:
        raise MalformedInputError(f"{name}: found an image of {header.width}x{header.height}")
    if header.height * header.width > MAX_PIXELS:
        raise MalformedInputError(
            f"{name}: found {header.width}x{header.height} pixels, expected at most {MAX_PIXELS}"
        )
    return header


def check_complete(data: bytes, name: str) -> None:
    """Refuse a PNG with a chunk that is cut off or damaged; the other formats are checked above.

    Some decoders fill the missing rows of such a file without a word.

    Args:
        data: the whole file.
        name: its name, for messages.
    """
    if not data.startswith(_PNG):
        return
    at, kind = len(_PNG), b""
    try:
        while kind != b"IEND":
            length, kind = struct.unpack_from(">I4s", data, at)
            (expected,) = struct.unpack_from(">I", data, at + 8 + length)
            if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != expected:
                raise MalformedInputError(f"{name}: damaged image, a checksum is wrong")
            at += 12 + length
    except struct.error:
        raise MalformedInputError(f"{name}: truncated image") from None


def _need(data: _Buffer, size: int) -> None:
    if len(data) < size:
        raise ValueError(f"{len(data)} bytes, expected {size}")


def _bmp(data: _Buffer) -> ImageHeader:
    start, header_size = (
        struct.unpack_from("<I", data, 10)[0],
        struct.unpack_from("<I", data, 14)[0],
    )
    if header_size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression in (0, 3):
        _need(data, start + (width * bits + 31) // 32 * 4 * abs(height))
    else:
        _need(data, start + struct.unpack_from("<I", data, 34)[0])
    return ImageHeader(abs(height), width)


def _png(data: _Buffer) -> ImageHeader:
    width, height = struct.unpack_from(">II", data, 16)
    return ImageHeader(height, width)


def _pnm(data: _Buffer) -> ImageHeader:
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
    _need(data, at + 1 + width * height * channels * (2 if top > 255 else 1))
    return ImageHeader(height, width, full_scale=top)


def _skip_blanks(data: _Buffer, at: int) -> int:
    while data[at : at + 1].isspace() or data[at : at + 1] == b"#":
        at = _line_end(data, at) if data[at : at + 1] == b"#" else at + 1
    return at


def _line_end(data: _Buffer, at: int) -> int:
    end = data.find(b"\n", at)
    if end < 0:
        raise ValueError("no end of the comment")
    return end


_TIFF_TYPES = {1: "B", 3: "H", 4: "I"}


def _tiff(data: _Buffer) -> ImageHeader:
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(order + "I", data, 4)[0]
    tags = {}
    for i in range(struct.unpack_from(order + "H", data, at)[0]):
        tag, kind, count = struct.unpack_from(order + "HHI", data, at + 2 + 12 * i)
        if tag in (256, 257, 273, 279, 324, 325) and kind in _TIFF_TYPES:
            code = f"{order}{count}{_TIFF_TYPES[kind]}"
            place = at + 10 + 12 * i
            _need(data, count)
            if struct.calcsize(code) > 4:
                place = struct.unpack_from(order + "I", data, place)[0]
            tags[tag] = struct.unpack_from(code, data, place)
    if 256 not in tags or 257 not in tags:
        raise ValueError("no size")
    for offsets, lengths in ((273, 279), (324, 325)):
        for offset, length in zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=False):
            _need(data, offset + length)
    return ImageHeader(tags[257][0], tags[256][0])


def _jpeg(data: _Buffer) -> ImageHeader:
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


_READERS = (
    (b"BM", _bmp),
    (_PNG, _png),
    (b"P5", _pnm),
    (b"P6", _pnm),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
    (b"\xff\xd8", _jpeg),
)
