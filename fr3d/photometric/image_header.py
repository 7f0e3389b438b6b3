"""Size, depth and completeness of an image file, before any decoder sees it."""

import mmap
import struct
from pathlib import Path

from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.photometric.image_formats.floats import EXR, NPY, exr, npy
from fr3d.photometric.image_formats.header import Buffer, DepthError, ImageHeader
from fr3d.photometric.image_formats.raster import PNG, bmp, check_chunks, jpeg, png, pnm, webp
from fr3d.photometric.image_formats.tiff import tiff

MAX_PIXELS = 64_000_000
SUFFIXES = frozenset(
    (
        ".bmp",
        ".png",
        ".pgm",
        ".ppm",
        ".pnm",
        ".tif",
        ".tiff",
        ".jpg",
        ".jpeg",
        ".webp",
        ".exr",
        ".npy",
    )
)
FORMATS = "BMP, PNG, PGM, TIFF, JPEG, WebP, EXR or NPY"
_READERS = (
    (b"BM", bmp),
    (PNG, png),
    (b"P5", pnm),
    (b"P6", pnm),
    (b"II*\0", tiff),
    (b"MM\0*", tiff),
    (b"\xff\xd8", jpeg),
    (b"RIFF", webp),
    (EXR, exr),
    (NPY, npy),
)


def probe(path: Path) -> ImageHeader:
    """Read the size of an image; refuse what is too short for it, too large or another format.

    Only the pages of the file that hold headers are read.

    Args:
        path: BMP, PNG, PGM/PPM, TIFF, JPEG, WebP, EXR or NPY.

    Raises:
        MalformedInputError: see above.
        MissingInputError: the file cannot be read.
    """
    try:
        with path.open("rb", buffering=0) as stream:
            if not stream.seek(0, 2):
                raise MalformedInputError(f"{path.name}: found an empty file, expected an image")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return parse_header(data, path.name)
    except OSError as error:
        raise MissingInputError(f"{path.name}: {error.strerror}") from error


def parse_header(data: Buffer, name: str) -> ImageHeader:
    """As `probe`, for bytes at hand.

    Args:
        data: the whole file.
        name: its name, for messages.
    """
    if not len(data):
        raise MalformedInputError(f"{name}: found an empty file, expected an image")
    start = data[:8]
    reader = next((r for magic, r in _READERS if start.startswith(magic)), None)
    if reader is None:
        raise MalformedInputError(f"{name}: found an unknown format, expected {FORMATS}")
    try:
        header = reader(data)
    except DepthError as error:
        raise MalformedInputError(f"{name}: {error}") from None
    except (struct.error, IndexError, ValueError, OverflowError) as error:
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

    Args:
        data: the whole file.
        name: its name, for messages.
    """
    if data.startswith(PNG):
        check_chunks(data, name)
