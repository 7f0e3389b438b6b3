"""The picture of a comparison: what each cell shows."""

import numpy as np
import pytest

from fr3d.evaluation.report.comparison_picture import comparison_picture
from fr3d.evaluation.report.similarity import heat


def scores(count: int) -> np.ndarray:
    values = np.random.default_rng(count).uniform(-0.2, 0.9, (count, count))
    values = (values + values.T) / 2
    np.fill_diagonal(values, 1.0)
    return values


def names(count: int) -> list[str]:
    return [f"person {number}/session \x1b{number}" for number in range(count)]


def face(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((30, 20, 3), colour, np.uint8)


def packed(colours: np.ndarray) -> np.ndarray:
    """One number a colour."""
    return colours.astype(np.int64) @ [65536, 256, 1]


@pytest.mark.parametrize("count", [2, 5, 30, 200])
def test_every_score_has_its_colour(count: int) -> None:
    values = scores(count)
    values[0, 1] = values[1, 0] = np.nan
    picture = comparison_picture(names(count), [None] * count, values)
    assert picture.shape[0] < 3200
    assert picture.shape[1] < 3200
    colours = heat(values, 0.0, 1.0)
    known = np.isfinite(values) & ~np.eye(count, dtype=bool)
    assert np.isin(packed(colours[known]), packed(picture.reshape(-1, 3))).all()


def test_thumbnails_stand_on_both_sides() -> None:
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    picture = comparison_picture(names(3), [face(c) for c in colours], scores(3))
    for colour in colours:
        rows, columns = np.nonzero((picture == colour).all(axis=2))
        beside = columns < columns.min() + 112
        above = rows < rows.min() + 112
        assert beside.any()
        assert above.any()
        assert beside.sum() == pytest.approx(above.sum(), rel=0.2)


def test_frames_are_where_the_decision_is() -> None:
    values = scores(4)
    place = np.unravel_index(np.argsort(values[np.triu_indices(4, 1)]), (6,))[0]
    ordered = values[np.triu_indices(4, 1)][place]
    ink = np.array((230, 60, 30))

    def framed(threshold: float | None) -> int:
        picture = comparison_picture(names(4), [None] * 4, values, threshold)
        return int((picture == ink).all(axis=2).sum())

    assert framed(None) == 0
    assert framed(1.0) == 0
    one = framed(float(ordered[-1]))
    assert one > 0
    for count in (2, 3, 6):
        assert framed(float(ordered[-count])) == count * one


def test_captions_and_long_names_fit() -> None:
    long = ["x" * 500, "ä" * 500]
    picture = comparison_picture(long, [None, None], scores(2), 0.5, ["a caption " * 8, "b"])
    assert picture.shape[1] < 1200
    assert (picture[:, -4:] == 255).all(), "nothing may run out of the picture"
