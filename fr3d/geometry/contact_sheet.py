"""A table of pictures with labels, as one picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from fr3d.geometry.pictures import Picture

_GAP = 4
_LINE = 15
_INK = (40, 40, 40)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.4
_FRAME = (170, 170, 170)
_PAPER = 255


@dataclass(frozen=True)
class SheetRow:
    """One line of a contact sheet.

    Args:
        label: lines of text at its left.
        pictures: one a column, (H, W, 3) RGB; None leaves the place empty.
    """

    label: Sequence[str]
    pictures: Sequence[Picture | None]


def contact_sheet(
    rows: Sequence[SheetRow], headings: Sequence[Sequence[str]], tile: int = 128
) -> Picture:
    """Lay pictures out in a table.

    Args:
        rows: the lines of the table; all have a picture or None in every column.
        headings: lines of text above each column.
        tile: longest side of each picture, pixels; a line is as high as its highest picture.

    Returns:
        (H, W, 3) RGB.
    """
    margin = _label_width(rows)
    top = _LINE * max(len(lines) for lines in headings) + 2 * _GAP
    step = tile + _GAP
    heights = [_line_height(row, tile) for row in rows]
    shape = (top + sum(heights) + _GAP * len(rows), margin + step * len(headings), 3)
    sheet = np.full(shape, _PAPER, dtype=np.uint8)
    for column, lines in enumerate(headings):
        _write(sheet, lines, margin + column * step, _GAP, tile)
    y = top
    for row, height in zip(rows, heights, strict=True):
        _write(sheet, row.label, _GAP, y, margin - _GAP)
        for column, picture in enumerate(row.pictures):
            if picture is not None:
                _place(sheet, picture, margin + column * step, y, tile, height)
        y += height + _GAP
    return sheet


def _line_height(row: SheetRow, tile: int) -> int:
    """Height of the highest picture, and of the label at least."""
    pictures = [_fitted(picture, tile)[1] for picture in row.pictures if picture is not None]
    return max(*pictures, _LINE * len(row.label), 1)


def _fitted(picture: Picture, tile: int) -> tuple[int, int]:
    """Width and height of a picture whose longest side is `tile`."""
    height, width = picture.shape[:2]
    scale = tile / max(height, width)
    return max(1, round(scale * width)), max(1, round(scale * height))


def _label_width(rows: Sequence[SheetRow]) -> int:
    widths = [_width(line) for row in rows for line in row.label]
    return max(widths, default=0) + 3 * _GAP


def _width(text: str) -> int:
    return int(cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)[0][0])


def _write(sheet: Picture, lines: Sequence[str], x: int, y: int, room: int) -> None:
    """Write lines of text; a line that is too long is cut at its end."""
    for number, line in enumerate(lines):
        text = line
        while text and _width(text) > room:
            text = text[:-1]
        place = (x, y + _LINE * (number + 1) - 4)
        cv2.putText(sheet, text, place, _FONT, _FONT_SCALE, _INK, 1, cv2.LINE_AA)


def _place(sheet: Picture, picture: Picture, x: int, y: int, tile: int, height: int) -> None:
    """Fit a picture into its place, centred."""
    size = _fitted(picture, tile)
    method = cv2.INTER_AREA if tile < max(picture.shape[:2]) else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=method)
    left, top = x + (tile - size[0]) // 2, y + (height - size[1]) // 2
    sheet[top : top + size[1], left : left + size[0]] = small
    # A white mask would not stand out from the paper.
    corner = (left + size[0] - 1, top + size[1] - 1)
    cv2.rectangle(sheet, (left, top), corner, _FRAME, 1)
