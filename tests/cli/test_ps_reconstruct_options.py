"""The options of ps-reconstruct that change what is read, solved and stored."""

import csv
import io
import json
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from lit_sphere import LANDMARKS, degrees, light_source, photographs, sphere_normals, write_capture
from near_head import FOUR, MM, SIDE, head, lit

from fr3d.artifacts.store import Artifact, open_artifact
from fr3d.cli import main
from fr3d.photometric.near_light import NearLights

SIZE = 96  # smaller photographs are not registered


def sphere(folder: Path) -> Path:
    """A capture whose landmarks lie on the sphere."""
    write_capture(folder, size=SIZE)
    points = np.array(LANDMARKS) * SIZE / 48
    (folder / "metadata.txt").write_text("\n".join(f"{x:.0f},{y:.0f}" for x, y in points))
    return folder


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One good capture of a sphere."""
    sphere(tmp_path / "raw" / "s" / "a")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "raw"


def run(*words: object) -> int:
    return main(["ps-reconstruct", *map(str, words), "-j", "1", "-f"])


def maps(*words: object) -> Artifact:
    assert run(*words) == 0
    return open_artifact(Path("maps.h5"))


def reasons() -> list[str]:
    with Path("maps.h5.rejects.csv").open(newline="") as stream:
        return [row["reason"] for row in csv.DictReader(stream)]


def normal_error(found: Artifact) -> float:
    """Mean degrees on the sphere where all lights reach."""
    normal = np.moveaxis(found["normal"][0].astype(np.float64), -1, 0)
    normal /= np.maximum(np.linalg.norm(normal, axis=0), 1e-9)
    truth, _ = sphere_normals(SIZE, SIZE * 20 / 48)
    lit_by_all = (photographs(size=SIZE) > 0.05).all(axis=0)
    return float(degrees(normal, truth)[lit_by_all].mean())


def move(folder: Path, number: int, x: int, y: int) -> None:
    path = folder / f"im{number}.bmp"
    cv2.imwrite(str(path), np.roll(cv2.imread(str(path)), (y, x), (0, 1)))


@pytest.mark.parametrize("solver", ["ls", "ratio", "consistency", "cauchy", "shadow"])
def test_every_solver(raw: Path, solver: str) -> None:
    found = maps("raw", "--solver", solver)
    assert found.parameters["solver"] == solver
    assert ("shadow.onnx" in found.parameters["weights"]) is (solver == "shadow")
    assert normal_error(found) < (6 if solver == "shadow" else 1)


def textured(folder: Path) -> None:
    """Skin needs texture to be registered by."""
    rng = np.random.default_rng(3)
    spots = cv2.GaussianBlur(rng.random((SIZE, SIZE)).astype(np.float32), (0, 0), 1.5)
    albedo = 0.4 + 0.6 * (spots - spots.min()) / np.ptp(spots)
    for i, image in enumerate(photographs(size=SIZE)):
        levels = np.rint(image * albedo * 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"im{i}.bmp"), cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR))


def test_movement_is_undone_and_recorded(raw: Path) -> None:
    textured(raw / "s" / "a")
    assert (maps("raw")["shift"][0] == 0).all()
    still = normal_error(maps("raw", "--solver", "ls"))
    move(raw / "s" / "a", 1, 5, -3)
    found = maps("raw", "--solver", "ls")
    np.testing.assert_allclose(found["shift"][0], [[0, 0], [5, -3], [0, 0], [0, 0]], atol=0.3)
    assert found.quality["registration_residual"][0] < 1
    assert normal_error(found) < still + 1.5
    unmoved = maps("raw", "--solver", "ls", "--register", "none")
    assert "shift" not in unmoved
    assert normal_error(unmoved) > still + 4


def test_what_does_not_register_is_rejected(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    textured(raw / "s" / "a")
    sphere(raw / "s" / "noise")
    rng = np.random.default_rng(0)
    for i in range(4):
        noise = rng.integers(20, 255, (SIZE, SIZE), dtype=np.uint8)
        cv2.imwrite(str(raw / "s" / "noise" / f"im{i}.bmp"), noise)
    capsys.readouterr()
    assert len(maps("raw")) == 2
    assert "1 of them register poorly" in capsys.readouterr().err
    found = maps("raw", "--max-residual", "2")
    assert "poorly" not in capsys.readouterr().err
    assert found.session_id == ["a"]
    assert "do not register: they miss each other by" in reasons()[0]


def test_a_flash_that_did_not_fire_is_left_out(raw: Path) -> None:
    folder = sphere(raw / "s" / "b")
    cv2.imwrite(str(folder / "im2.bmp"), np.zeros((SIZE, SIZE, 3), np.uint8))
    bright = sphere(raw / "s" / "c")
    cv2.imwrite(str(bright / "im0.bmp"), np.full((SIZE, SIZE, 3), 255, np.uint8))
    both = sphere(raw / "s" / "d")
    for i in (0, 1):
        cv2.imwrite(str(both / f"im{i}.bmp"), np.zeros((SIZE, SIZE, 3), np.uint8))
    found = maps("raw", "--colour")
    assert found.session_id == ["a", "b", "c"]
    assert np.ptp(found.quality["mask_share"]) < 0.05
    light = photographs(size=SIZE)
    for row, used in ((1, [0, 1, 3]), (2, [1, 2, 3])):
        image = found["image"][row].astype(float).mean(axis=-1)
        np.testing.assert_allclose(image, light[used].mean(axis=0), atol=0.003)
    assert found.quality["black_flashes"].tolist() == [0, 1, 0]
    assert found.quality["overexposed_flashes"].tolist() == [0, 0, 1]
    assert reasons() == [
        "im0.bmp is black; im1.bmp is black: 2 photographs remain, expected at least 3"
    ]


def test_session_list_on_standard_input(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sphere(raw / "s" / "b")

    class Stdin:
        buffer = io.BytesIO(b"# one\nraw/s/b\n")
        terminal = False

        @classmethod
        def isatty(cls) -> bool:
            return cls.terminal

    monkeypatch.setattr("sys.stdin", Stdin)
    found = maps("-")
    assert found.session_id == ["b"]
    assert "standard input" in found.history[0]["inputs"]
    Stdin.terminal = True
    assert run("-") == 2


def test_transfer_auto_says_what_it_chose(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted((raw / "s" / "a").glob("*.bmp")):
        image = cv2.imread(str(path)) / 255
        cv2.imwrite(str(path), np.rint(image ** (1 / 2.2) * 255).astype(np.uint8))
    found = maps("raw", "--transfer", "auto")
    assert found.parameters["transfer"] in ("gamma:2.2", "srgb")
    assert found.history[0]["notes"]["transfer_choice"]["sessions"] == 1
    assert f"transfer {found.parameters['transfer']}: re-rendering" in capsys.readouterr().err


def test_colour(raw: Path) -> None:
    for path in sorted((raw / "s" / "a").glob("*.bmp")):
        tinted = cv2.imread(str(path)) * np.array([0.5, 1.0, 1.5])  # blue, green, red
        cv2.imwrite(str(path), np.clip(np.rint(tinted), 0, 255).astype(np.uint8))
    found = maps("raw", "--colour", "--solver", "ls")
    assert found["albedo"].shape[1:] == (SIZE, SIZE, 3)
    middle = found["albedo"][0][SIZE // 2, SIZE // 2].astype(float)
    np.testing.assert_allclose(middle / middle[1], [1.5, 1, 0.5], atol=0.05)
    assert maps("raw")["albedo"].shape[1:] == (SIZE, SIZE)


def test_raw_photographs_keep_their_depth(raw: Path) -> None:
    assert maps("raw", "--keep-raw")["raw"].dtype == np.uint8
    folder = raw / "s" / "a"
    for i, image in enumerate(photographs(size=SIZE)):
        (folder / f"im{i}.bmp").unlink()
        cv2.imwrite(str(folder / f"im{i}.png"), np.rint(image * 65535).astype(np.uint16))
    found = maps("raw", "--keep-raw")
    assert found["raw"].dtype == np.uint16
    np.testing.assert_allclose(found["raw"][0] / 65535, photographs(size=SIZE), atol=1e-5)
    assert found["albedo"].dtype == np.float16
    for i, image in enumerate(photographs(size=SIZE)):
        (folder / f"im{i}.png").unlink()
        np.save(folder / f"im{i}.npy", image * np.float32(1e6))
    found = maps("raw", "--solver", "ls")
    assert found["albedo"].dtype == np.float32
    assert float(found["albedo"][0].max()) == pytest.approx(0.7e6, rel=0.05)
    bright = found["confidence"][0]
    for i, image in enumerate(photographs(size=SIZE)):
        np.save(folder / f"im{i}.npy", image * np.float32(1e-4))
    found = maps("raw", "--solver", "ls")
    assert float(found["albedo"][0].max()) == pytest.approx(0.7e-4, rel=0.05)
    np.testing.assert_allclose(found["confidence"][0], bright, atol=2e-3)


def test_depth_options(raw: Path, tmp_path: Path) -> None:
    plain = maps("raw", "--solver", "ls")["depth"][0]
    inside = np.isfinite(plain)
    flat = maps("raw", "--solver", "ls", "--detrend", "quadratic")["depth"][0]
    assert flat[inside].std() < 0.5 * plain[inside].std()
    Path("maps.h5").rename("coarse.h5")
    held = maps("raw", "--solver", "ls", "--depth-prior", "coarse.h5", "--prior-weight", "10")
    np.testing.assert_allclose(held["depth"][0][inside], flat[inside], atol=1.5)
    assert "coarse.h5" in held.history[0]["inputs"]
    Path("K.txt").write_text(f"200 0 {SIZE / 2}\n0 200 {SIZE / 2}\n0 0 1\n")
    near = maps("raw", "--solver", "ls", "--camera", "K.txt")["depth"][0]
    assert np.abs(near - plain)[inside].max() > 1
    assert run("raw", "--depth-prior", "none.h5", "-n") == 66


@pytest.mark.parametrize(
    "rows", ["200 0 0\n0 200\n0 0 1", "200 2 9\n0 200 9\n0 0 1", "200 0 nan\n0 200 9\n0 0 1", ""]
)
def test_what_is_no_camera(raw: Path, capsys: pytest.CaptureFixture[str], rows: str) -> None:
    assert raw.is_dir()
    Path("K.txt").write_text(f"{rows}\n")
    assert run("raw", "--camera", "K.txt") == 65
    assert "K.txt: not an intrinsic matrix" in capsys.readouterr().err


def test_known_depth_is_of_the_same_part_of_the_photographs(raw: Path) -> None:
    maps("raw", "--solver", "ls")
    Path("maps.h5").rename("coarse.h5")
    assert run("raw", "--size", "48", "--depth-prior", "coarse.h5") == 65
    assert reasons() == [f"coarse.h5: depth is {SIZE}x{SIZE} pixels, expected 48x48 as the maps"]
    for corner, status in ((24, 0), (16, 65)):
        points = np.array(LANDMARKS) * 0.5 * SIZE / 48 + corner
        text = "\n".join(f"{x:.0f},{y:.0f}" for x, y in points)
        (raw / "s" / "a" / "metadata.txt").write_text(text)
        prior = ("--depth-prior", "cut.h5") if status else ()
        assert run("raw", "--size", "48", *prior) == status
        if not status:
            Path("maps.h5").rename("cut.h5")
    assert reasons() == ["cut.h5: shows another part of the photographs"]


def test_known_depth_may_be_a_folder_of_parts(raw: Path) -> None:
    sphere(raw / "s" / "b")
    maps("raw", "--solver", "ls", "--detrend", "quadratic")
    Path("maps.h5").rename("coarse.h5")
    assert run("raw", "--solver", "ls", "--detrend", "quadratic", "--shard", "1/1") == 0
    Path("maps.h5.parts").rename("coarse.h5.parts")
    words = ("raw", "--solver", "ls", "--prior-weight", "10", "--depth-prior")
    whole = maps(*words, "coarse.h5")
    parts = maps(*words, "coarse.h5.parts")
    np.testing.assert_array_equal(whole["depth"][:], parts["depth"][:])
    assert parts.history[0]["inputs"] == whole.history[0]["inputs"]


def test_aligned_faces_are_no_known_depth(
    raw: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    maps("raw", "--solver", "ls")
    with h5py.File("maps.h5", "r+") as stored:
        stored.attrs["frame"] = np.bytes_("face:square")
    Path("maps.h5").rename("faces.h5")
    assert run("raw", "--depth-prior", "faces.h5") == 65
    assert "found aligned faces, expected maps" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("--depth-prior", "maps.h5", "--integrate", "dct"),
        ("--depth-prior", "maps.h5", "--integrate", "fc"),
        ("--lights", "estimate", "--flip-lights", "z"),
        ("--mm-per-pixel", "nan"),
        ("--edge-power", "inf"),
        ("--full-scale", "inf"),
    ],
)
def test_options_that_cannot_be_met(raw: Path, words: tuple[str, ...]) -> None:
    assert raw.is_dir()
    assert run("raw", *words) == 2


def test_near_lights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    points, normal, mask = head()
    lights = NearLights(FOUR * 400.0)
    folder = tmp_path / "raw" / "s" / "a"
    folder.mkdir(parents=True)
    for i, image in enumerate(lit(points, normal, lights) * mask):
        cv2.imwrite(str(folder / f"im{i}.png"), np.rint(image * 30000).astype(np.uint16))
    entries = [{"direction": list(d), "intensity": 1.0, "position_mm": list(400 * d)} for d in FOUR]
    text = json.dumps({"format": "fr3d.lights", "version": 1, "lights": entries})
    Path("lights.json").write_text(text)

    def error(*words: object) -> float:
        found = maps("raw", "--lights", "lights.json", "--register", "none", *words)
        given = np.moveaxis(found["normal"][0].astype(float), -1, 0)
        both = mask & (found["mask"][0] > 0)
        return float(degrees(given, normal)[both].mean())

    distant = error("--solver", "ratio")
    assert error("--mm-per-pixel", MM) < 0.5 * distant
    words = ("raw", "--lights", "lights.json", "--mm-per-pixel", MM)
    assert run(*words, "--prior", "face") == 65
    assert reasons() == ["near lights are solved without a mean face"]
    assert run(*words, "--solver", "shadow") == 65
    assert reasons() == ["solver shadow does not know near lights, ls and ratio do"]
    assert error("--mm-per-pixel", MM) < 0.5 * distant
    assert open_artifact(Path("maps.h5"))["scale_mm"][0] == pytest.approx(MM)
    assert open_artifact(Path("maps.h5"))["mask"].shape[1:] == (SIDE, SIDE)


@pytest.fixture
def person(sample_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A capture of a synthetic person without landmarks or lights."""
    monkeypatch.chdir(tmp_path)
    folder = next(p.parent for p in sorted(sample_raw.glob("*/*/LightSource.m")))
    person = tmp_path / "raw" / "p" / "a"
    person.mkdir(parents=True)
    for path in sorted(folder.glob("im*")):
        (person / path.name).write_bytes(path.read_bytes())
    return person


@pytest.mark.parametrize(("zenith", "helps"), [(40, False), (75, True)])
def test_a_mean_face_helps_where_lights_stand_aside(
    person: Path, zenith: int, *, helps: bool
) -> None:
    source = light_source(np.full(4, zenith), np.array([45, 135, 225, 315]))
    (person / "LightSource.m").write_text(source)
    for path in person.glob("im*"):  # all light from one side, the other is dark
        image = cv2.imread(str(path), 0)
        image[:, : image.shape[1] // 2] = 0
        cv2.imwrite(str(path), image)
    helped = maps("raw")
    assert run("raw", "--prior", "none", "-o", "alone.h5") == 0
    alone = open_artifact(Path("alone.h5"))
    assert np.array_equal(helped["normal"][0], alone["normal"][0]) is not helps
    assert (helped.quality["face_prior"][0], alone.quality["face_prior"][0]) == (helps, 0)
    assert "mean_face.npz" in helped.parameters["weights"]
    assert "mean_face.npz" not in alone.parameters["weights"]
    dark = np.s_[:, : helped["mask"].shape[2] // 2 - 8]
    assert alone["mask"][0][dark].mean() < 0.2  # without the mean face nothing of it is used
    assert bool(helped["mask"][0][dark].mean() > 0.2) is helps
    faced = maps("raw", "--prior", "face", "--solver", "ls")
    assert faced.quality["face_prior"][0] == 1
    always = faced["normal"][0]
    assert not np.array_equal(always, maps("raw", "--solver", "ls")["normal"][0])


def test_estimated_lights_are_labelled(person: Path) -> None:
    found = maps("raw", "--lights", "estimate")
    assert found.parameters["lights"] == "estimated"
    with h5py.File("maps.h5") as stored:
        assert stored.attrs["lights_source"] in ("estimated", b"estimated")
    assert 0 < found.quality["light_uncertainty"][0] < 40
    np.testing.assert_allclose(np.linalg.norm(found["lights"][0], axis=-1), 1, atol=1e-5)


def test_shadow_on_pixels_that_no_light_reaches_still_has_normals(raw: Path) -> None:
    found = maps("raw", "--solver", "shadow")
    inside = found["mask"][0] > 0
    length = np.linalg.norm(found["normal"][0].astype(float), axis=-1)
    np.testing.assert_allclose(length[inside], 1, atol=2e-3)
