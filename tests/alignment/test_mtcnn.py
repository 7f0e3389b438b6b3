"""The cascade on rendered faces, whose points are known, and on what is no face."""

import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fr3d.alignment.exposure import as_picture
from fr3d.alignment.mtcnn import Mtcnn, weights_sha256
from fr3d.errors import UsageError
from fr3d.photometric.metadata import read_landmarks

Face = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def faces(sample_raw: Path) -> list[Face]:
    """Pictures of 124 pixels and the five points that the renderer put there."""
    found = []
    for folder in sorted(sample_raw.glob("*/*/"))[::40]:
        flashes = [cv2.imread(str(path), 0) for path in sorted(folder.glob("im*"))]
        picture = as_picture(np.mean(flashes, axis=0) / 255)
        found.append((picture, read_landmarks(folder / "metadata.txt")))
    return found


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.hypot(*(one - other).T).mean())


def test_points_lie_where_the_renderer_put_them(faces: list[Face]) -> None:
    for picture, truth in faces:
        face = Mtcnn().find(picture)[0]
        assert face.score > 0.9
        assert apart(face.landmarks, truth) < 3.5
        inside = (face.landmarks > face.box[:2]) & (face.landmarks < face.box[2:])
        assert inside.all()


def test_mirror_images_give_mirrored_faces(faces: list[Face]) -> None:
    """On average no point and no box leans to a side."""
    lean = []
    for picture, _ in faces:
        face = Mtcnn().find(picture)[0]
        mirrored = Mtcnn().find(np.ascontiguousarray(picture[:, ::-1]))[0]
        last = picture.shape[1] - 1
        back = (mirrored.landmarks * [-1, 1] + [last, 0])[[1, 0, 2, 4, 3]]
        assert apart(back, face.landmarks) < 4
        boxes = face.box[[0, 2]] - (last - mirrored.box[[2, 0]])
        lean.append([(face.landmarks - back)[:, 0].mean() / 2, boxes.mean() / 2])
    assert np.abs(np.mean(lean, axis=0)).max() < 0.6


def test_a_face_cut_by_the_edge_keeps_its_points(faces: list[Face]) -> None:
    """Where ONet's box is cut, the points follow what it saw."""
    errors: dict[bool, list[float]] = {False: [], True: []}
    for picture, truth in faces:
        left, top = np.floor(truth.min(axis=0)).astype(int) - [10, 9]
        cut = np.ascontiguousarray(picture[top:, left:])
        for uncut, distances in errors.items():
            found = Mtcnn(points_in_uncut_box=uncut).find(cut)
            if found:
                distances.append(apart(found[0].landmarks, truth - np.array([left, top])))
    assert len(errors[False]) >= len(faces) // 2
    assert np.median(errors[False]) < 4
    assert np.median(errors[False]) < np.median(errors[True]) - 1


def test_two_faces_of_a_scene_come_by_score(faces: list[Face]) -> None:
    (first, one), (second, other) = faces[0], faces[1]
    scene = np.full((260, 400, 3), 90, np.uint8)
    scene[20:144, 30:154] = first
    scene[100:224, 240:364] = second
    found = Mtcnn().find(scene)
    assert len(found) == 2
    assert found[0].score >= found[1].score
    for truth in (one + np.array([30, 20]), other + np.array([240, 100])):
        assert min(apart(face.landmarks, truth) for face in found) < 3.5


def test_large_pictures_are_searched_for_large_faces_only(faces: list[Face]) -> None:
    picture, truth = faces[0]
    scene = np.full((1700, 4000, 3), 90, np.uint8)
    scene[900:1024, 1500:1624] = picture
    assert Mtcnn().find(scene) == []
    (found,) = Mtcnn(smallest=50, smallest_share=0).find(scene)
    assert apart(found.landmarks, truth + np.array([1500, 900])) < 3.5


def test_colours_are_taken_in_the_order_of_opencv(faces: list[Face]) -> None:
    picture = faces[0][0]
    warm = (picture * np.array([0.45, 0.65, 1.0])).astype(np.uint8)
    cold = np.ascontiguousarray(warm[..., ::-1])
    right, wrong = Mtcnn().find(warm), Mtcnn().find(cold)
    assert right[0].score > (wrong[0].score if wrong else 0)


@pytest.mark.parametrize("size", [(0, 0), (0, 50), (50, 0), (1, 1), (12, 12), (19, 300), (5, 900)])
def test_nothing_is_found_where_no_face_fits(size: tuple[int, int]) -> None:
    assert Mtcnn().find(np.zeros((*size, 3), np.uint8)) == []


def test_nothing_is_found_in_flat_pictures_and_noise() -> None:
    assert Mtcnn().find(np.full((90, 120, 3), 128, np.uint8)) == []
    noise = np.random.default_rng(0).integers(0, 256, (150, 140, 3), dtype=np.uint8)
    assert Mtcnn().find(noise) == []


def test_copies_of_a_worker_find_the_same(faces: list[Face]) -> None:
    picture = faces[2][0]
    copy = pickle.loads(pickle.dumps(Mtcnn()))
    one, other = copy.find(picture)[0], Mtcnn().find(picture)[0]
    np.testing.assert_array_equal(one.landmarks, other.landmarks)
    assert one.score == other.score


@pytest.mark.parametrize(
    "options", [{"smallest": 5}, {"factor": 1.0}, {"factor": 0}, {"smallest": float("nan")}]
)
def test_options_that_would_not_end_are_refused(options: dict) -> None:
    with pytest.raises(UsageError, match="expected 12 or more and between 0 and 1"):
        Mtcnn(**options)


def test_it_runs_without_torch_and_says_nothing() -> None:
    code = (
        "import sys, numpy as np; from fr3d.alignment.mtcnn import Mtcnn; "
        "Mtcnn().find(np.zeros((60, 60, 3), np.uint8)); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_digest_is_that_of_the_published_weights() -> None:
    assert weights_sha256() == "1d81aed999d22d0b619c1c8e7f0332b31dece6eca938f5465052b64a9597cfc7"
