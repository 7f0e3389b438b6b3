from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from lit_sphere import (
    AZIMUTH,
    LANDMARKS,
    ZENITH,
    degrees,
    photographs,
    sphere_normals,
    write_capture,
)

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction
from fr3d.photometric.capture import find_captures
from fr3d.photometric.framing import frame_face, frame_whole
from fr3d.photometric.photograph import Transfer
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.reconstruct import reconstruct, reconstruct_group
from fr3d.photometric.survey import Canvas, survey_captures


def row_of(root: Path, recipe: Recipe = Recipe(), canvas: Canvas | None = None) -> dict:  # noqa: B008
    survey = survey_captures(find_captures([root]), recipe.size)
    row = reconstruct(survey.captures[0], recipe, canvas or survey.canvas)
    assert row["normal"].dtype == np.float16
    return row | {"normal": exact_length(row["normal"])}


def exact_length(normal: np.ndarray) -> np.ndarray:
    """Undo the rounding of float16: its normals are 1 long to 0.1 %."""
    normal = normal.astype(np.float64)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    assert ((length == 0) | (np.abs(length - 1) < 1e-3)).all()
    return normal / np.maximum(length, 1e-9)


def test_a_row_of_the_sphere(tmp_path: Path) -> None:
    write_capture(tmp_path / "007" / "a")
    row = row_of(tmp_path, Recipe(solver="ratio"))
    truth, mask = sphere_normals()
    found = np.moveaxis(row["normal"], -1, 0)
    near = (photographs() > 0.02).all(axis=0) & mask
    assert degrees(found, truth)[near].mean() < 0.3
    inside = row["mask"] > 0
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), inside, atol=1e-5)
    assert (np.isnan(row["depth"]) == ~inside).all()
    assert (row["albedo"][~inside] == 0).all()
    np.testing.assert_allclose(row["albedo"][near], 0.7, atol=0.01)
    np.testing.assert_allclose(row["image"], photographs().mean(axis=0), atol=0.002)
    assert row["landmarks"].tolist() == [[17, 18], [31, 18], [24, 27], [18, 34], [30, 34]]
    assert row["attribute/gender"] == "male"
    assert row["attribute/occlusion"] == ""
    assert (row["size"] == 48).all()
    assert np.isnan(row["scale_mm"])
    assert (row["subject_id"], row["session_id"]) == ("007", "a")
    assert row["warp"].tolist() == [[1, 0, 0], [0, 1, 0]]


def test_padding_keeps_the_maps_and_their_true_size(tmp_path: Path) -> None:
    write_capture(tmp_path / "s" / "a")
    recipe = Recipe(keep_raw=True)
    alone, padded = row_of(tmp_path, recipe), row_of(tmp_path, recipe, Canvas(60, 70, 6))
    assert padded["size"].tolist() == [48, 48]
    assert np.isnan(padded["depth"][:, 48:]).all()
    for name in ("normal", "albedo", "mask", "image", "confidence"):
        assert (padded[name][48:] == 0).all()
        assert (padded[name][:, 48:] == 0).all()
    for name in ("normal", "albedo", "depth", "mask"):
        np.testing.assert_array_equal(padded[name][:48, :48], alone[name])
    assert padded["raw"].shape == (6, 60, 70)
    assert padded["lights"].shape == (6, 3)
    assert np.isnan(padded["lights"][4:]).all()
    np.testing.assert_array_equal(padded["raw"][:4, :48, :48], alone["raw"])


def test_depth_of_a_photograph_that_is_all_face(tmp_path: Path) -> None:
    """Padding is NaN even where the mask leaves nothing out."""
    folder = write_capture(tmp_path / "s" / "a", size=20)
    for i in range(4):
        cv2.imwrite(str(folder / f"im{i}.bmp"), np.full((20, 20, 3), 90 + i, np.uint8))
    row = row_of(tmp_path, canvas=Canvas(24, 24, 4))
    assert row["mask"].sum() == 400
    assert np.isnan(row["depth"]).sum() == 24 * 24 - 400


def test_raw_is_the_photographs_themselves(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a")
    raw = row_of(tmp_path, Recipe(keep_raw=True))["raw"]
    for i in range(4):
        np.testing.assert_array_equal(raw[i], cv2.imread(str(folder / f"im{i}.bmp"), 0))


def test_intensity_divides(tmp_path: Path) -> None:
    """Flashes of unequal strength, told in the table, give the same maps."""
    write_capture(tmp_path / "a" / "s" / "x", suffix="tiff", albedo=0.5)
    even = row_of(tmp_path / "a")
    folder = write_capture(tmp_path / "b" / "s" / "x", suffix="tiff")
    strength = [1.0, 0.5, 0.8, 0.25]
    lines = ["file,zenith,azimuth,intensity"]
    for i, (image, factor) in enumerate(zip(photographs(albedo=0.5), strength, strict=True)):
        cv2.imwrite(str(folder / f"im{i}.tiff"), image * np.float32(factor))
        lines.append(f"im{i}.tiff,{[36, 42, 40, 36][i]},{[134, 47, 313, 233][i]},{factor}")
    (folder / "LightSource.m").unlink()
    (folder / "lights.csv").write_text("\n".join(lines))
    uneven = row_of(tmp_path / "b")
    assert uneven["light_intensity"].tolist() == pytest.approx(strength)
    both = (even["mask"] > 0) & (uneven["mask"] > 0)
    np.testing.assert_allclose(uneven["albedo"][both], even["albedo"][both], atol=0.01)


def test_transfer_is_undone(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a", suffix="png")
    for i, image in enumerate(photographs()):
        levels = np.rint(image ** (1 / 2.2) * 65535).astype(np.uint16)
        cv2.imwrite(str(folder / f"im{i}.png"), levels)
    truth, _ = sphere_normals()
    near = (photographs() > 0.05).all(axis=0)

    def error(recipe: Recipe) -> float:
        return degrees(np.moveaxis(row_of(tmp_path, recipe)["normal"], -1, 0), truth)[near].mean()

    assert error(Recipe("ls", transfer=Transfer("gamma:2.2"))) < 0.1
    assert error(Recipe("ls")) > 3


def test_size_crops_the_face_before_solving(tmp_path: Path) -> None:
    write_capture(tmp_path / "s" / "a", size=96)
    (tmp_path / "s" / "a" / "metadata.txt").write_text(
        "\n".join(f"{2 * x},{2 * y}" for x, y in LANDMARKS)
    )
    row = row_of(tmp_path, Recipe(size=32, keep_raw=True))
    assert row["normal"].shape == (32, 32, 3)
    assert row["raw"].shape == (4, 32, 32)
    whole = row_of(tmp_path)
    points = np.hstack([row["landmarks"], np.ones((5, 1))]) @ row["warp"].T
    np.testing.assert_allclose(points, whole["landmarks"], atol=1e-4)
    # the map at a point is the whole map where the warp takes it
    x, y = (np.array([16, 16, 1]) @ row["warp"].T).round().astype(int)
    np.testing.assert_allclose(row["normal"][16, 16], whole["normal"][y, x], atol=0.06)


def test_framing_stays_inside() -> None:
    unknown = np.full((5, 2), np.nan, np.float32)
    middle = frame_face(unknown, 40, 60, 20)
    assert (middle.left, middle.top, middle.height, middle.width) == (10, 0, 40, 40)
    corner = frame_face(np.float32([[1, 1], [5, 1], [3, 3], [1, 5], [5, 5]]), 40, 60, 20)
    assert (corner.left, corner.top, corner.width) == (0, 0, 16)
    assert frame_whole(40, 60).warp.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_shadow_of_all_lights_has_a_normal_but_no_albedo(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a")
    for i in range(4):
        image = cv2.imread(str(folder / f"im{i}.bmp"))
        image[22:26, 22:26] = 0
        cv2.imwrite(str(folder / f"im{i}.bmp"), image)
    row = row_of(tmp_path, Recipe("ls"))
    hole = np.s_[22:26, 22:26]
    assert row["mask"][hole].all()
    np.testing.assert_allclose(np.linalg.norm(row["normal"][hole], axis=-1), 1, atol=1e-5)
    assert (row["albedo"][hole] == 0).all()
    assert (row["confidence"][hole] == 0).all()


def test_dark_captures_are_refused(tmp_path: Path) -> None:
    write_capture(tmp_path / "s" / "a", albedo=0.005)
    with pytest.raises(MalformedInputError, match="nothing is lit"):
        row_of(tmp_path)


@pytest.mark.parametrize("solver", ["ls", "consistency", "shadow"])
def test_batches_of_a_device_give_the_same_maps(tmp_path: Path, solver: str) -> None:
    """PyTorch solves the captures of a part together; on a CPU it must agree with NumPy."""
    torch = pytest.importorskip("torch")
    for i in range(3):
        write_capture(tmp_path / "s" / f"{i}", albedo=0.3 + 0.2 * i)
    write_capture(tmp_path / "s" / "small", size=40)
    (tmp_path / "s" / "1" / "im2.bmp").unlink()
    survey = survey_captures(find_captures([tmp_path]))
    device = "cuda:0" if torch.cuda.is_available() else "cpu:0"
    plain, rejected = reconstruct_group(survey.captures, Recipe(solver), survey.canvas)
    rows, others = reconstruct_group(survey.captures, Recipe(solver, device=device), survey.canvas)
    assert [r.session_id for r in rejected] == [r.session_id for r in others] == ["1"]
    assert [row["session_id"] for row in rows] == ["0", "2", "small"]
    for one, other in zip(plain, rows, strict=True):
        for name in ("normal", "albedo", "depth", "confidence"):
            np.testing.assert_allclose(
                one[name].astype(float), other[name].astype(float), atol=1e-3, err_msg=name
            )
        assert one["source_sha256"] == other["source_sha256"]


def test_a_batch_lists_what_cannot_be_solved_or_stored(tmp_path: Path) -> None:
    """Whatever the step that refuses a capture, the others go on and the order is kept."""
    pytest.importorskip("torch")
    for name in ("a", "b", "c", "d"):
        write_capture(tmp_path / "s" / name)
    (tmp_path / "s" / "d" / "im2.bmp").unlink()
    weak = "\n".join(f"{x},{y},{z},1e-6" for x, y, z in direction(ZENITH, AZIMUTH))
    (tmp_path / "weak.csv").write_text(f"x,y,z,intensity\n{weak}\n")
    survey = survey_captures(find_captures([tmp_path]))
    captures = list(survey.captures)
    captures[1] = replace(captures[1], lights=tmp_path / "weak.csv")
    for device in ("cpu", "cpu:0"):
        rows, rejected = reconstruct_group(captures, Recipe("ls", device=device), survey.canvas)
        assert [row["session_id"] for row in rows] == ["a", "c"]
        assert [r.session_id for r in rejected] == ["b", "d"]
        assert "cannot be stored" in rejected[0].reason
