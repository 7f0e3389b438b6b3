"""Faces to compare: every result stands at the place of its photograph or row."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.sources.named import named_photographs
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import write_artifact
from fr3d.data.inputs import InputSpec
from fr3d.data.picture import PICTURE
from fr3d.inference.compared import (
    ComparedFaces,
    embed_chosen,
    embed_photographs,
    plain_rows,
    thumbnail,
)
from fr3d.inference.contract import ModelContract
from fr3d.inference.photographs import photograph_source

COUNT, BROKEN, WHITE = 11, 1, 9
RECIPE = AlignmentRecipe(16, detector="none")
CONTRACT = ModelContract(
    "ab" * 32,
    ("image",),
    {"image": InputSpec("image", 3, PICTURE, clip=1.0).to_json()},
    (16, 16),
    RECIPE.frame,
    3,
)


class MeanColour:
    """Embeds a picture as its mean colour, and white not at all."""

    name, device, contract, training_subjects = "mean", "cpu", CONTRACT, ()

    def embed(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        mean = inputs["image"].mean(axis=(2, 3))
        mean[(mean > 0.99).all(axis=1)] = np.nan
        return mean, np.linalg.norm(mean, axis=1)


def colour(number: int) -> list[int]:
    """RGB of a photograph."""
    return [255] * 3 if number == WHITE else [20 * number, 200 - 10 * number, 40]


@pytest.fixture
def found(tmp_path: Path) -> ComparedFaces:
    """Photographs of one colour each, more than are embedded at once."""
    for number in range(COUNT):
        picture = np.full((24, 24, 3), colour(number)[::-1], np.uint8)
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), picture)
    (tmp_path / f"{BROKEN:02d}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    steps: list[int] = []
    source = photograph_source(named_photographs([tmp_path]), RECIPE)
    faces = embed_photographs(MeanColour(), source, RECIPE, steps.append)
    assert sum(steps) == COUNT
    return faces


def test_each_at_its_place(found: ComparedFaces) -> None:
    assert found.labels == tuple(f"{number:02d}.png" for number in range(COUNT))
    assert set(found.missing) == {BROKEN, WHITE}
    assert "finite" in found.missing[WHITE]
    for number in range(COUNT):
        wanted = np.array(colour(number)) / 255
        if number in found.missing:
            assert np.isnan(found.embedding[number]).all()
        else:
            np.testing.assert_allclose(found.embedding[number], wanted, atol=2e-3)
        picture = found.thumbnails[number]
        assert (picture is None) == (number == BROKEN)
        if picture is not None:
            np.testing.assert_allclose(picture.mean(axis=(0, 1)), colour(number), atol=1)


def test_scores(found: ComparedFaces) -> None:
    scores = found.scores()
    assert np.isnan(scores[[BROKEN, WHITE]]).all()
    assert np.isnan(scores[:, [BROKEN, WHITE]]).all()
    known = [n for n in range(COUNT) if n not in found.missing]
    assert (np.diag(scores)[known] == 1).all()
    np.testing.assert_array_equal(scores, scores.T)
    for one in known:
        for other in known:
            a, b = (found.embedding[n].astype(float) for n in (one, other))
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            assert scores[one, other] == pytest.approx(cosine, abs=1e-12)


def test_augmented_views_are_nobody(tmp_path: Path) -> None:
    columns = {
        "subject_id": ["a", "a", "b", "b"],
        "session_id": ["s", "s", "s", "s"],
        "view": ["", "mirrored", "mirrored", ""],
        "embedding": np.eye(4, 3, dtype=np.float32) + 0.1,
        "magnitude": np.ones(4, np.float32),
    }
    write_artifact(tmp_path / "e.h5", "fr3d.embeddings", columns, Step("embed", {}))
    artifact = open_artifact(tmp_path / "e.h5", "fr3d.embeddings")
    assert plain_rows(artifact) == {("a", "s"): 0, ("b", "s"): 3}
    faces = embed_chosen(artifact, [3, 0], None, 1)
    assert faces.labels == ("b/s", "a/s")
    np.testing.assert_array_equal(faces.embedding, columns["embedding"][[3, 0]])
    assert faces.thumbnails == [None, None]


def test_thumbnails_show_what_there_is() -> None:
    mask = np.zeros((2, 200, 100), np.uint8)
    mask[:, :150] = 1
    normal = np.zeros((2, 200, 100, 3), np.float32)
    normal[..., 2] = 1
    size = np.array([[200, 100], [150, 100]])
    faces = {"mask": mask, "normal": normal, "size": size}
    blue = thumbnail(faces, 0)
    assert blue is not None
    assert blue.shape == (128, 64, 3)
    assert tuple(blue[10, 10]) == (128, 128, 255)
    cut = thumbnail(faces, 1)
    assert cut is not None
    assert cut.shape == (128, 85, 3), "padding is no part of the face"
    red = thumbnail(faces | {"image": np.full((2, 9, 9, 3), [1.0, 0, 0]), "size": size * 0 + 9}, 0)
    assert red is not None
    assert tuple(red[4, 4]) == (255, 0, 0)
    assert thumbnail({"mask": mask}, 0) is None
