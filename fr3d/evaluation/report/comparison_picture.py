"""Who looks like whom: the scores of a few faces as one picture, their thumbnails on two sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.evaluation.report.similarity import heat
from fr3d.geometry.pictures import BACKGROUND, Picture, drawable

Scores = npt.NDArray[np.float64]
Ink = tuple[int, int, int]

MOST = 500
"""Faces of a picture that can still be looked at."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK, _FAINT, _PAPER = (35, 35, 35), (120, 120, 120), 255
_SAME: Ink = (230, 60, 30)
_ITSELF = 245
_GAP = 12
_LONGEST = 240
_WIDEST = 1800
"""Pixels that the cells of a picture may take together, but for very many faces."""
_LEAST, _MOST = 14, 112
_LEAST_WITH_SCORES = 34
_LOW, _HIGH = 0.0, 1.0
_UNSEEN = "no face"


@dataclass(frozen=True)
class _Layout:
    """Pixels: side of a cell, and where the cells begin."""

    cell: int
    left: int
    top: int


def comparison_picture(
    labels: Sequence[str],
    thumbnails: Sequence[Picture | None],
    scores: Scores,
    threshold: float | None = None,
    caption: Sequence[str] = (),
) -> Picture:
    """Draw the scores of all pairs, violet for 0 and less to yellow for 1.

    The score stands in each cell while there is room for it. Cells of pairs that are taken for one
    person have a red frame.

    Args:
        labels: of the faces, N of them.
        thumbnails: (H, W, 3) RGB of each; None where there is none.
        scores: (N, N), NaN where there is none.
        threshold: lowest score that is one person; None draws no frames.
        caption: lines of text below.

    Returns:
        (H, W, 3) RGB.
    """
    count = len(labels)
    cell = int(np.clip(_WIDEST // count, _LEAST, _MOST))
    pictured = any(picture is not None for picture in thumbnails)
    names = [drawable(label) for label in labels]
    scale = _scale(cell)
    strip = cell + _GAP // 2 if pictured else 0
    room = min(max(_width(name, scale) for name in names), _LONGEST) + 2 * _GAP
    layout = _Layout(cell, room + strip, _GAP // 2 + strip + round(28 * scale))
    lines = [drawable(line) for line in caption]
    width = layout.left + count * cell + _GAP
    width = max([width, *(_width(line, 0.45) + 2 * _GAP for line in lines)])
    below = layout.top + count * cell + _GAP
    sheet = np.full((below + 20 * len(lines) + _GAP // 2, width, 3), _PAPER, np.uint8)
    _draw_names(sheet, names, layout, scale)
    if pictured:
        _draw_thumbnails(sheet, thumbnails, scores, layout)
    _draw_cells(sheet, scores, threshold, layout)
    for number, line in enumerate(lines):
        _write(sheet, line, (_GAP, below + 20 * number + 12), 0.45, _INK)
    return sheet


def _draw_names(sheet: Picture, names: Sequence[str], at: _Layout, scale: float) -> None:
    """Names at the left; above the columns as much of each as there is room for."""
    for place, name in enumerate(names):
        middle = at.top + place * at.cell + at.cell // 2 + round(10 * scale)
        _write(sheet, _cut(name, scale, _LONGEST), (_GAP, middle), scale, _INK)
        if at.cell >= _LEAST_WITH_SCORES:
            small = _cut(name, 0.8 * scale, at.cell - 4)
            x = at.left + place * at.cell + (at.cell - _width(small, 0.8 * scale)) // 2
            _write(sheet, small, (x, at.top - 5), 0.8 * scale, _FAINT)


def _draw_thumbnails(
    sheet: Picture, thumbnails: Sequence[Picture | None], scores: Scores, at: _Layout
) -> None:
    side = at.cell - 2
    left, top = at.left - at.cell - _GAP // 2, _GAP // 2
    for place, picture in enumerate(thumbnails):
        tile = _tile(picture, side)
        if picture is None and np.isnan(scores[place, place]) and side >= 40:
            scale = 0.004 * side
            x = (side - _width(_UNSEEN, scale)) // 2
            _write(tile, _UNSEEN, (x, side // 2 + 4), scale, _FAINT)
        y, x = at.top + place * at.cell + 1, at.left + place * at.cell + 1
        sheet[y : y + side, left : left + side] = tile
        sheet[top : top + side, x : x + side] = tile


def _draw_cells(sheet: Picture, scores: Scores, threshold: float | None, at: _Layout) -> None:
    colours = heat(scores, _LOW, _HIGH)
    colours[np.isnan(scores)] = BACKGROUND
    known = np.flatnonzero(np.isfinite(np.diag(scores)))
    colours[known, known] = _ITSELF  # everybody is himself: no colour should be spent on that
    # Gaps between small cells would be a net before them.
    edge = 1 if at.cell >= _LEAST_WITH_SCORES else 0
    thick = max(2 if at.cell >= 20 else 1, at.cell // 24)
    with_scores = at.cell >= _LEAST_WITH_SCORES
    for row, column in np.ndindex(scores.shape):
        y, x = at.top + row * at.cell, at.left + column * at.cell
        score, ground = float(scores[row, column]), colours[row, column]
        same = threshold is not None and row != column and score >= threshold
        _fill(sheet, x + edge, y + edge, at.cell - 2 * edge, _SAME if same else ground)
        if same:
            inset = edge + thick
            _fill(sheet, x + inset, y + inset, at.cell - 2 * inset, ground)
        if with_scores and row != column and np.isfinite(score):
            _write_score(sheet, score, ground, (x, y), at.cell)


def _fill(sheet: Picture, x: int, y: int, side: int, ink: Any) -> None:
    sheet[y : y + side, x : x + side] = ink


def _write_score(
    sheet: Picture, score: float, ground: Any, corner: tuple[int, int], cell: int
) -> None:
    text = f"{score:.2f}".replace("-0.00", "0.00")
    scale = min(0.6, 0.011 * cell)
    dark = float(np.dot(ground.astype(float), (0.299, 0.587, 0.114))) < 140.0
    x = corner[0] + (cell - _width(text, scale)) // 2
    y = corner[1] + cell // 2 + round(10 * scale)
    _write(sheet, text, (x, y), scale, (255, 255, 255) if dark else (20, 20, 20))


def _tile(picture: Picture | None, side: int) -> Picture:
    """A thumbnail fitted into a square; grey where there is none."""
    tile = np.full((side, side, 3), BACKGROUND, np.uint8)
    if picture is None:
        return tile
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(scale * width)), max(1, round(scale * height))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=method)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    return tile


def _scale(cell: int) -> float:
    """Size of the letters beside cells of this height."""
    return float(np.clip(cell / 60, 0.3, 0.5))


def _cut(text: str, scale: float, room: int) -> str:
    """Leave out the middle of what is too long: names of files differ at their ends."""
    if _width(text, scale) <= room:
        return text
    for kept in range(len(text) - 1, 1, -1):
        short = f"{text[: kept // 2]}..{text[len(text) - (kept - kept // 2) :]}"
        if _width(short, scale) <= room:
            return short
    return ""


def _width(text: str, scale: float) -> int:
    return int(cv2.getTextSize(text, _FONT, scale, 1)[0][0])


def _write(sheet: Picture, text: str, place: tuple[int, int], scale: float, ink: Ink) -> None:
    cv2.putText(sheet, text, place, _FONT, scale, ink, 1, cv2.LINE_AA)
