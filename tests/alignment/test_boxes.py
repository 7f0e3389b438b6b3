"""Suppression against a slow one, and what moves boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.alignment.boxes import moved, squared, suppress

Box = tuple[int, int, int, int]
SIDES = st.integers(1, 12)
PLACES = st.integers(-6, 20)
BOXES = st.lists(
    st.tuples(PLACES, PLACES, SIDES, SIDES, st.sampled_from([0.2, 0.5, 0.7, 0.9, 0.95])),
    max_size=25,
)


def cells(box: Box) -> set[tuple[int, int]]:
    """The unit squares that a box covers."""
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


def slow(boxes: list[Box], scores: list[float], threshold: float, share_of: str) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda k: -scores[k]):
        mine = cells(boxes[i])
        for k in kept:
            other = cells(boxes[k])
            whole = len(mine | other) if share_of == "union" else min(len(mine), len(other))
            if len(mine & other) / whole > threshold:
                break
        else:
            kept.append(i)
    return kept


@given(BOXES, st.sampled_from([0.31, 0.5, 0.69]), st.sampled_from(["union", "smaller"]))
def test_suppression_keeps_what_counting_squares_keeps(rows, threshold, share_of) -> None:
    boxes = [(x, y, x + w, y + h) for x, y, w, h, _ in rows]
    scores = [row[4] for row in rows]
    array = np.array(boxes, np.float32).reshape(-1, 4)
    found = suppress(array, np.array(scores, np.float32), threshold, share_of)
    assert found.tolist() == slow(boxes, scores, threshold, share_of)


def test_a_box_within_another_goes_by_the_smaller_area_only() -> None:
    boxes = np.array([[0, 0, 10, 10], [2, 2, 5, 5]], np.float32)
    scores = np.array([0.6, 0.9], np.float32)
    assert suppress(boxes, scores, 0.5, "union").tolist() == [1, 0]
    assert suppress(boxes, scores, 0.5, "smaller").tolist() == [1]


def test_moving_is_in_sides_of_the_box() -> None:
    box = np.array([[10, 20, 30, 60]], np.float32)
    shift = np.array([[0.1, -0.1, 0.5, 0.25]], np.float32)
    np.testing.assert_allclose(moved(box, shift), [[12, 16, 40, 70]], rtol=1e-6)
    np.testing.assert_allclose(moved(box, shift, 10), [[13, 15, 45, 72.5]], rtol=1e-6)


@pytest.mark.parametrize("box", [[0, 0, 4, 10], [3, 5, 13, 9], [-2, -2, 2, 2]])
def test_squares_keep_the_middle_and_the_longer_side(box: list[float]) -> None:
    (square,) = squared(np.array([box], np.float32))
    np.testing.assert_allclose(square[:2] + square[2:], np.add(box[:2], box[2:]), atol=1e-5)
    side = max(box[2] - box[0], box[3] - box[1])
    np.testing.assert_allclose(square[2:] - square[:2], [side, side], rtol=1e-6)
