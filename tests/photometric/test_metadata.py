from pathlib import Path

import numpy as np
import pytest
from lit_sphere import LANDMARKS

from fr3d.errors import MalformedInputError
from fr3d.photometric.metadata import landmarks_inside, read_attributes, read_landmarks

FIVE = [[17, 18], [31, 18], [24, 27], [18, 34], [30, 34]]


@pytest.mark.parametrize("form", ["{},{}\n", "{} {}\n", "{:.2f};{:.2f} ", "\t{} , {}\r\n"])
def test_eleven_become_five(tmp_path: Path, form: str) -> None:
    path = tmp_path / "metadata.txt"
    path.write_bytes("".join(form.format(x, y) for x, y in LANDMARKS).encode())
    assert read_landmarks(path).tolist() == FIVE


def test_left_is_image_left_whoever_counts(tmp_path: Path) -> None:
    path = tmp_path / "metadata.txt"
    other = [LANDMARKS[i] for i in (4, 3, 2, 1, 0, 7, 6, 5, 9, 8, 10)]
    path.write_text("\n".join(f"{x},{y}" for x, y in other))
    assert read_landmarks(path).tolist() == FIVE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,2\n3,4", r"found 4 numbers, expected 22"),
        ("left eye", "found text"),
        (" ".join(["nan"] * 22), "not finite"),
    ],
)
def test_landmark_refusals(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "metadata.txt"
    path.write_text(text)
    with pytest.raises(MalformedInputError, match=reason):
        read_landmarks(path)


def test_points_outside_are_unknown() -> None:
    points = landmarks_inside(np.float32([[0, 0], [47, 30], [48, 3], [-1, 3], [5, 31.6]]), 32, 48)
    assert np.isnan(points[:, 0]).tolist() == [False, False, True, True, True]


def test_attributes_lose_their_blanks(tmp_path: Path) -> None:
    path = tmp_path / "metadataII.txt"
    path.write_text("male , no , both , 2 , ok , -hand-other , positive , mouth open\n\n")
    assert read_attributes(path) == {
        "gender": "male",
        "spectacles": "no",
        "facial_hair": "both",
        "pose": "2",
        "quality": "ok",
        "occlusion": "-hand-other",
        "emotion": "positive",
    }
    path.write_text("male, no\n")
    with pytest.raises(MalformedInputError, match="found 2 fields, expected 7"):
        read_attributes(path)
