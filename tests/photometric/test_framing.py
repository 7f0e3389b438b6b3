"""Cutting photographs in which the head has moved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.photometric.framing import Framing, frame_face, frame_movement, frame_whole

SHIFTS = st.tuples(st.floats(-9, 9), st.floats(-9, 9))
LANDMARKS = np.array([[40, 40], [60, 40], [50, 52], [43, 64], [57, 64]], np.float32)


def picture(height: int = 60, width: int = 70) -> np.ndarray:
    return np.random.default_rng(0).random((height, width)).astype(np.float32)


def quadratic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 1 + 0.01 * x - 0.02 * y + 3e-4 * x * x - 2e-4 * x * y + 1e-4 * y * y


@given(st.integers(-30, 30), st.integers(-30, 30))
def test_whole_pixels_are_not_resampled(x: int, y: int) -> None:
    image, frame = picture(), Framing(10, 5, 40, 50, (40, 50))
    rows = np.clip(np.arange(5, 45) + y, 0, 59)
    columns = np.clip(np.arange(10, 60) + x, 0, 69)
    assert np.array_equal(frame.cut(image, (x, y)), image[rows][:, columns])
    assert np.array_equal(frame.cut(image), image[5:45, 10:60])


@given(SHIFTS)
def test_parts_of_a_pixel_are_exact_for_quadratic_surfaces(shift: tuple[float, float]) -> None:
    y, x = np.mgrid[:60, :70].astype(float)
    frame = Framing(12, 12, 30, 40, (30, 40))
    found = frame.cut(quadratic(x, y).astype(np.float32), shift)
    y, x = np.mgrid[12:42, 12:52].astype(float)
    truth = quadratic(x + shift[0], y + shift[1])
    assert found == pytest.approx(truth, abs=2e-5)


def test_light_stays_positive() -> None:
    image = np.zeros((30, 30), np.float32)
    image[10:20, 10:20] = 1
    assert frame_whole(30, 30).cut(image, (0.5, 0.4)).min() >= 0


def test_moved_photographs_come_together() -> None:
    """A smooth picture drawn at four places, cut at its own offset each."""
    frame = Framing(20, 20, 40, 40, (20, 20))
    y, x = np.mgrid[:90, :100].astype(float)
    shifts = [(0, 0), (4.3, -6.7), (-9.5, 3.2), (2.25, 8.75)]
    cuts = [
        frame.cut(np.float32(1 + np.sin((x - a) / 6) * np.cos((y - b) / 7)), (a, b))
        for a, b in shifts
    ]
    assert np.abs(np.stack(cuts) - cuts[0]).max() < 2e-3


@given(st.lists(SHIFTS, min_size=1, max_size=4), st.integers(0, 1))
def test_valid_is_where_no_photograph_ends(shifts: list[tuple[float, float]], half: int) -> None:
    size = (26, 34) if half else (52, 68)
    frame = Framing(1, 4, 52, 68, size)
    found = frame.valid(shifts, 60, 70)
    assert found.shape == size
    whole = np.all([_covered(frame, s) > 1 - 2e-3 for s in shifts], axis=0)
    assert np.array_equal(found, whole)


def _covered(frame: Framing, shift: tuple[float, float]) -> np.ndarray:
    """Share of each map pixel that a photograph of 60 x 70 covers, pixel by pixel of it."""

    def along(start: float, count: int, length: int) -> np.ndarray:
        low = start - 0.5 + np.arange(count)
        return np.clip(np.minimum(low + 1, length - 0.5) - np.maximum(low, -0.5), 0, 1)

    rows = along(frame.top + shift[1], frame.height, 60)
    share = np.outer(rows, along(frame.left + shift[0], frame.width, 70))
    step = frame.height // frame.size[0]
    return share.reshape(frame.size[0], step, frame.size[1], step).mean(axis=(1, 3))


def test_nothing_is_lost_without_movement() -> None:
    assert frame_whole(30, 40).valid(np.zeros((4, 2)), 30, 40).all()
    face = frame_face(LANDMARKS, 100, 100, 37)
    assert face.valid([(0, 0)], 100, 100).all()


def test_a_movement_costs_its_own_width() -> None:
    valid = frame_whole(30, 40).valid([(0, 0), (3, 0), (-2, 5)], 30, 40)
    assert valid.sum() == (30 - 5) * (40 - 5)
    assert not valid[:, :2].any()
    assert not valid[25:].any()


def test_where_movement_is_looked_for() -> None:
    area = frame_movement(LANDMARKS + 50, 200, 200)
    face = frame_face(LANDMARKS + 50, 200, 200, 32)
    assert (area.height, area.width) == area.size
    assert area.scale == 1
    assert area.width == pytest.approx(1.25 * face.width, abs=2)
    assert area.left + area.width / 2 == pytest.approx(face.left + face.width / 2, abs=1)
    assert frame_movement(np.full((5, 2), np.nan), 80, 90) == frame_whole(80, 90)
    edge = frame_movement(LANDMARKS, 90, 100)
    assert edge.left >= 0
    assert edge.top + edge.height <= 90
