"""A pass over all captures before any is reconstructed: sizes, common canvas, listing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fr3d.errors import Fr3dError, MalformedInputError, cannot_read
from fr3d.photometric.capture import Capture
from fr3d.photometric.image_formats.header import ImageHeader
from fr3d.photometric.image_header import probe

LEAST_SIDE = 16  # pixels; less shows no surface to speak of


@dataclass(frozen=True)
class Canvas:
    """What all rows of one file share.

    Attributes:
        height: rows of every map.
        width: columns of every map.
        lights: photographs of the capture that has the most.
        exact: whether any photograph is of floating point, so that maps may have any range.
        deep: whether any photograph has more than 8 bits.
    """

    height: int
    width: int
    lights: int
    exact: bool = False
    deep: bool = False


@dataclass(frozen=True)
class Survey:
    """What is known before decoding.

    Attributes:
        captures: all of them, problems noted.
        canvas: common size.
        mostly_padding: captures that would fill less than half of the canvas.
        lossy: captures with JPEG photographs.
        unfit_ambient: captures with a photograph without flash that differs in size or depth from
            the others, so that it is not subtracted.
        digest: SHA-256 of names and sizes of all files.
        moment: SHA-256 of these and the files' times of change.
    """

    captures: tuple[Capture, ...]
    canvas: Canvas
    mostly_padding: tuple[Capture, ...]
    lossy: int
    unfit_ambient: int
    digest: str
    moment: str

    @property
    def usable(self) -> int:
        """Captures without a problem so far."""
        return sum(not c.problem for c in self.captures)


def survey_captures(captures: Sequence[Capture], size: int | None = None) -> Survey:
    """Read the image headers of all captures and fix the common size.

    Args:
        captures: as found on disk.
        size: crop every face to a square of this size; else the largest photograph decides.

    Raises:
        MalformedInputError: not one capture can be used.
    """
    checked: list[Capture] = []
    sizes: list[ImageHeader | None] = []
    for capture in captures:
        noted, header = _measured(capture)
        checked.append(noted)
        sizes.append(header)
    known = [h for h in sizes if h is not None]
    height = size or max((h.height for h in known), default=1)
    width = size or max((h.width for h in known), default=1)
    canvas = Canvas(
        height,
        width,
        max((len(c.images) for c in checked), default=1),
        exact=any(h.depth == "float" for h in known),
        deep=any(h.depth != "8 bit" for h in known),
    )
    small = (
        ()
        if size
        else tuple(
            c
            for c, h in zip(checked, sizes, strict=True)
            if h is not None and 2 * h.height * h.width < height * width
        )
    )
    digest, moment = _listing(checked)
    lossy = sum(h.lossy for h in known)
    unfit = sum(a.ambient != b.ambient for a, b in zip(captures, checked, strict=True))
    return Survey(tuple(checked), canvas, small, lossy, unfit, digest, moment)


def _measured(capture: Capture) -> tuple[Capture, ImageHeader | None]:
    """The capture with what its headers reveal, and its size when it is usable."""
    if capture.problem:
        return capture, None
    like = capture.images[0]
    try:
        first = probe(like)
        _check_least(like, first)
        for path in capture.images[1:]:
            _check_like(path, probe(path), like, first)
        if capture.mask is not None:
            _check_size(capture.mask, probe(capture.mask), like, first)
        capture = _with_fit_ambient(capture, first)
    except Fr3dError as error:
        return replace(capture, problem=error.message), None
    return capture, first


def _with_fit_ambient(capture: Capture, first: ImageHeader) -> Capture:
    """Without photographs that cannot be subtracted, unless the user asked for them by name.

    Half of the people of cropped Extended Yale B have an ambient photograph that is not cropped.
    """
    kept = []
    for path in capture.ambient:
        try:
            _check_like(path, probe(path), capture.images[0], first)
        except MalformedInputError:
            if capture.ambient_asked:
                raise
            continue
        kept.append(path)
    return capture if len(kept) == len(capture.ambient) else replace(capture, ambient=tuple(kept))


def _check_like(path: Path, header: ImageHeader, like: Path, first: ImageHeader) -> None:
    _check_size(path, header, like, first)
    if header.depth != first.depth:
        raise MalformedInputError(
            f"{path.name}: found {header.depth} values, expected {first.depth} as {like.name}"
        )


def _check_least(path: Path, header: ImageHeader) -> None:
    if min(header.height, header.width) < LEAST_SIDE:
        raise MalformedInputError(
            f"{path.name}: found {header.width}x{header.height} pixels, expected at least "
            f"{LEAST_SIDE} a side"
        )


def _check_size(path: Path, header: ImageHeader, like: Path, first: ImageHeader) -> None:
    if (header.height, header.width) != (first.height, first.width):
        raise MalformedInputError(
            f"{path.name}: found {header.width}x{header.height} pixels, expected "
            f"{first.width}x{first.height} as {like.name}"
        )


def _listing(captures: Sequence[Capture]) -> tuple[str, str]:
    names, times = hashlib.sha256(), hashlib.sha256()
    for capture in captures:
        head = f"{capture.subject_id}\0{capture.session_id}\0{capture.problem}\n".encode()
        names.update(head)
        for path in capture.files:
            try:
                state = path.stat()
            except OSError as error:
                raise cannot_read(path, error) from error
            names.update(f"{path.name}\0{state.st_size}\n".encode())
            times.update(f"{state.st_mtime_ns}\n".encode())
    times.update(names.digest())
    return names.hexdigest(), times.hexdigest()
