"""fr3d calibrate, from photographs on disk to a light file that is read again."""

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from lit_sphere import photographs, write_capture

from fr3d.cli import main
from fr3d.geometry.lights import direction
from fr3d.photometric.lights import read_lights


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.rad2deg(np.arccos(np.clip((a * b).sum(axis=-1), -1, 1)))


@pytest.fixture
def matte(tmp_path: Path) -> Path:
    """A matte ball under four lights, with a mask."""
    folder = tmp_path / "grey"
    folder.mkdir()
    for number, image in enumerate(photographs(size=96)):
        cv2.imwrite(str(folder / f"{number}.png"), np.rint(65535 * image).astype(np.uint16))
    rows, columns = np.mgrid[:96, :96]
    inside = np.hypot(rows - 47.5, columns - 47.5) < 40
    cv2.imwrite(str(folder / "mask.png"), inside.astype(np.uint8) * 255)
    return folder


def test_a_matte_ball_becomes_a_light_file(matte: Path, tmp_path, capsys) -> None:
    output = tmp_path / "lights.json"
    assert main(["calibrate", str(matte), "--ball", "diffuse", "-o", str(output)]) == 0
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert [row["source"] for row in rows] == ["0.png", "1.png", "2.png", "3.png"]
    assert [round(float(row["zenith"])) for row in rows] == [36, 42, 40, 36]
    assert [round(float(row["azimuth"])) for row in rows] == [134, 47, 313, 233]
    assert "4 lights" in told.err
    document = json.loads(output.read_text())
    assert document["format"] == "fr3d.lights"
    assert document["calibrated_by"]["method"] == "diffuse ball"
    assert set(document["calibrated_by"]["inputs"]) == {"mask.png", *(f"{i}.png" for i in range(4))}
    read = read_lights(output)
    assert apart(read.directions, direction([36, 42, 40, 36], [134, 47, 313, 233])).max() < 0.3
    np.testing.assert_allclose(read.intensity, 1, atol=0.01)
    assert not read.files  # the names of the ball's photographs bind no one


def test_light_files_and_rejects_are_verified(matte: Path, tmp_path, capsys) -> None:
    lights, rejects = tmp_path / "lights.json", tmp_path / "maps.h5.rejects.csv"
    assert main(["calibrate", str(matte), "--ball", "diffuse", "-o", str(lights)]) == 0
    rejects.write_text("subject_id,session_id,reason\n1,a,dark\n2,b,dark\n")
    capsys.readouterr()
    assert main(["verify", str(lights), str(rejects)]) == 0
    told = capsys.readouterr().out
    assert "lights.json,lights,4,0\n" in told
    assert "rejects.csv,structure,2,0\n" in told
    rejects.write_text("subject_id,session_id\n1,a\n")
    assert main(["verify", str(rejects)]) == 65
    assert "no column 'reason'" in capsys.readouterr().err
    lights.write_text(lights.read_text().replace("fr3d.lights", "other"))
    assert main(["verify", str(lights)]) == 65
    assert "not a light file" in capsys.readouterr().err


def test_a_dark_ball_on_dark_ground_needs_a_mask(tmp_path, capsys) -> None:
    for number in range(3):
        image = np.full((96, 96), 8, np.uint8)
        cv2.circle(image, (40 + 5 * number, 45), 3, 255, -1)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    assert main(["calibrate", str(tmp_path), "-o", str(tmp_path / "lights.json")]) == 65
    told = " ".join(capsys.readouterr().err.split())
    assert "found no ball" in told
    assert "dark ball on dark ground" in told


def test_a_mask_beside_the_ball_is_told(tmp_path, capsys) -> None:
    """A dark mirror ball, hardly lighter than the ground but for its highlight."""
    rows, columns = np.mgrid[:120, :120]
    for number in range(4):
        image = np.where(np.hypot(rows - 60, columns - 55) < 40, 6, 1).astype(np.uint8)
        cv2.circle(image, (45 + 6 * number, 50 + number), 3, 255, -1)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    for x, told in ((55, False), (61, True)):
        disc = 255 * (np.hypot(rows - 60, columns - x) < 40).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "mask.png"), disc)
        assert main(["calibrate", str(tmp_path), "-o", str(tmp_path / "l.json"), "--force"]) == 0
        said = " ".join(capsys.readouterr().err.split())
        assert ("does not lie on the ball's outline" in said) == told
        assert ("about radius 40 around 5" in said) == told


def test_known_directions_leave_the_intensities(matte: Path, tmp_path, capsys) -> None:
    light = str(tmp_path / "a.json")
    assert main(["calibrate", str(matte), "--ball", "diffuse", "-o", light]) == 0
    words = ["calibrate", str(matte), "--ball", "diffuse", "--directions", light, "--json"]
    capsys.readouterr()
    assert main([*words, "-o", str(tmp_path / "b.json")]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(abs(row["intensity"] - 1) < 0.01 for row in rows)
    a, b = (read_lights(tmp_path / name).directions for name in ("a.json", "b.json"))
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_dry_run_writes_nothing_and_an_output_is_kept(matte: Path, tmp_path, capsys) -> None:
    output = tmp_path / "lights.json"
    words = ["calibrate", str(matte), "--ball", "diffuse", "-o", str(output)]
    assert main([*words, "-n"]) == 0
    assert not output.exists()
    assert "would write" in capsys.readouterr().err
    assert main(words) == 0
    assert main(words) == 73
    assert main([*words, "--force", "-q"]) == 0


def test_sessions_of_a_rig_tell_their_intensities(tmp_path, capsys) -> None:
    for number in range(11):
        write_capture(tmp_path / "raw" / f"p{number}" / "s", albedo=0.4 + 0.03 * number, size=96)
    output = tmp_path / "rig.json"
    assert main(["calibrate", str(tmp_path / "raw"), "--rig", "-o", str(output)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert all(abs(float(row["intensity"]) - 1) < 0.01 for row in rows)
    assert json.loads(output.read_text())["calibrated_by"]["sessions"] == 11
    read_lights(output)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["{none}"], 66, "no such folder"),
        (["{matte}"], 65, "no highlight"),
        (["{matte}", "--rig", "--ball", "diffuse"], 2, "--rig"),
        (["{matte}", "--directions", "x.json"], 2, "--directions"),
        (["{matte}", "--mask", "{none}"], 66, "no such file"),
        (["{few}", "--rig"], 65, "expected at least 10"),
        (["{few}"], 65, "no photographs"),
    ],
)
def test_what_cannot_be_calibrated_is_an_error(
    words: list[str], status: int, message: str, matte: Path, tmp_path, capsys
) -> None:
    for number in range(3):
        write_capture(tmp_path / "few" / f"p{number}" / "s", size=96)
    names = {"none": tmp_path / "none", "matte": matte, "few": tmp_path / "few"}
    words = [word.format(**names) for word in words]
    assert main(["calibrate", *words, "-o", str(tmp_path / "o.json")]) == status
    told = capsys.readouterr()
    assert message in told.err
    assert not told.out
    assert not (tmp_path / "o.json").exists()


# Lights of the chrome ball below, x right, y up, z to the camera, as a user of the photographs
# computed and posted them.
POSTED = np.array(
    [
        [0.4845, 0.4702, 0.7377], [0.2296, 0.1395, 0.9632], [-0.0499, 0.1774, 0.9829],
        [-0.1077, 0.4432, 0.8899], [-0.3277, 0.5067, 0.7974], [-0.1216, 0.5622, 0.8180],
        [0.2679, 0.4247, 0.8648], [0.0882, 0.4319, 0.8976], [0.1938, 0.3358, 0.9218],
        [0.0758, 0.3337, 0.9396], [0.1172, 0.0496, 0.9919], [-0.1532, 0.3635, 0.9189],
    ]
)  # fmt: skip


def test_a_real_chrome_ball(shared: Path, tmp_path, capsys) -> None:
    spheres = shared / "data" / "spheres"
    chrome = tmp_path / "chrome.json"
    assert main(["calibrate", str(spheres / "chrome"), "-o", str(chrome)]) == 0
    assert "does not lie on" not in capsys.readouterr().err
    lights = read_lights(chrome).directions
    assert apart(lights, POSTED / np.linalg.norm(POSTED, axis=1, keepdims=True)).max() < 1.0
    grey = tmp_path / "grey.json"
    words = ["calibrate", str(spheres / "gray"), "--ball", "diffuse", "-o", str(grey)]
    assert main([*words, "--directions", str(chrome)]) == 0
    assert np.abs(np.log(read_lights(grey).intensity.mean(axis=-1))).max() < 0.03
