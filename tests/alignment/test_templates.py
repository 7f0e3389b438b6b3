import json
from pathlib import Path

import numpy as np
import pytest
from posed_faces import posed, poses

from fr3d.alignment.align import align_maps
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.templates import TEMPLATES, find_template, template_points
from fr3d.errors import Fr3dError, MissingInputError, UsageError

POINTS = [[30, 35], [70, 35], [50, 55], [35, 75], [65, 75]]


def written(folder: Path, content: object, name: str = "mine.json") -> str:
    (folder / name).write_text(json.dumps(content))
    return str(folder / name)


def test_a_margin_lies_around_the_template():
    plain = find_template("arcface112").scaled(112)
    wide = find_template("arcface112").scaled(182, 44)
    np.testing.assert_allclose(wide, plain * 138 / 112 + 22)


def test_the_photoface_template_is_the_same_face_smaller():
    small, large = (np.array(TEMPLATES[name]) for name in ("photoface", "arcface112"))
    ratio = np.ptp(small, axis=0) / np.ptp(large, axis=0)
    np.testing.assert_allclose(ratio, 2 / 3, atol=0.01)


def test_templates_from_files(tmp_path: Path):
    name = written(tmp_path, {"size": 100, "points": POINTS})
    np.testing.assert_allclose(template_points(name, 200), 2 * np.array(POINTS))
    recipe = AlignmentRecipe(200, name, "capture")
    assert recipe.frame == "face:mine"
    assert AlignmentRecipe.from_parameters(recipe.parameters()) == recipe
    aligned = align_maps(posed(poses(1)[0]), recipe)
    target = 2 * np.array(POINTS)
    assert np.abs(aligned.maps.landmarks - target).mean() < 8  # another shape of face
    affine = align_maps(posed(poses(1)[0]), AlignmentRecipe(200, name, "capture", warp="affine"))
    assert affine.quality["landmark_residual"] < aligned.quality["landmark_residual"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"size": 100}, "no template"),
        ([1], "no template"),
        ({"size": 0, "points": POINTS}, "found size 0"),
        ({"size": 100, "points": POINTS[:4]}, "shape"),
        ({"size": 100, "points": "abcde"}, "no numbers"),
        ({"size": 100, "points": POINTS[::-1]}, "side by side above"),
        ({"size": 100, "points": [*POINTS[:4], [float("nan"), 3]]}, "shape"),
    ],
)
def test_bad_templates(tmp_path: Path, content: object, says: str):
    with pytest.raises(Fr3dError, match=says):
        find_template(written(tmp_path, content))


def test_missing_and_unknown_templates(tmp_path: Path):
    with pytest.raises(MissingInputError, match=r"none.json"):
        find_template(str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match=r"no template 'vgg'"):
        find_template("vgg")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"template": "box", "detector": "capture"}, "finds no box"),
        ({"template": "box", "warp": "affine"}, "needs a template of points"),
        ({"detector": "none", "warp": "affine"}, "needs a template of points"),
        ({"detector": "hourglass"}, "trained network"),
        ({"margin": 112}, "leaves nothing"),
        ({"face": "left"}, "no face 'left'"),
        ({"look_at": "mask"}, "no map to look at 'mask'"),
    ],
)
def test_options_that_do_not_fit_together(options: dict, says: str):
    with pytest.raises(UsageError, match=says):
        AlignmentRecipe(**options)
