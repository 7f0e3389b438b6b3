"""A face that can be looked at from several sides."""

from collections.abc import Iterator

import numpy as np
import pytest
from posed_faces import posed, poses

from fr3d.alignment import align, place
from fr3d.alignment.detectors import Detection
from fr3d.alignment.found import FoundFace
from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.sources.maps import MapsFace

BOX = np.array([0.0, 0.0, 50.0, 50.0])


class Side(MapsFace):
    """One side, with the score that a detector gives it, or None."""

    def __init__(self, score: float | None, others=(), hollow: bool = False) -> None:
        super().__init__(posed(poses(1)[0]), {})
        self.score, self.others, self.hollow = score, others, hollow

    def picture(self, _: str) -> np.ndarray:
        return np.full((4, 4, 3), 0 if self.score is None else round(100 * self.score), np.uint8)

    def turned(self) -> Iterator["Side"]:
        yield from self.others


def chosen(monkeypatch: pytest.MonkeyPatch, *sides: tuple) -> float:
    """The score of the face that was aligned."""

    def find(picture, recipe, quick):
        if not picture.any():
            return None
        face = FoundFace(BOX, posed(poses(1)[0]).landmarks, picture[0, 0, 0] / 100)
        return Detection(face, 1, 0)

    monkeypatch.setattr(place, "find_face", find)
    first, *others = [Side(score, (), hollow) for score, hollow in sides]
    first.others = others
    recipe = AlignmentRecipe(detector="yunet")
    return align.align_face(first, recipe).quality["landmark_score"]


def test_the_surest_side_is_taken(monkeypatch):
    assert chosen(monkeypatch, (0.6, False), (0.85, False), (0.7, False)) == pytest.approx(0.85)
    assert chosen(monkeypatch, (None, False), (0.7, False)) == pytest.approx(0.7)


def test_nothing_is_looked_at_after_a_sure_one(monkeypatch):
    assert chosen(monkeypatch, (0.92, False), (0.99, False)) == pytest.approx(0.92)


def test_a_surface_from_behind_counts_only_without_another(monkeypatch):
    assert chosen(monkeypatch, (0.6, False), (0.95, True)) == pytest.approx(0.6)
    assert chosen(monkeypatch, (None, False), (0.95, True)) == pytest.approx(0.95)


def test_a_face_that_no_side_shows(monkeypatch):
    with pytest.raises(NoFaceError, match="no face found"):
        chosen(monkeypatch, (None, False), (None, True))
