"""The reading options of ps-reconstruct, through the command."""

import io
import json
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from lit_sphere import AZIMUTH, ZENITH, photographs, sphere_normals, write_capture

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.geometry.lights import direction

DIRECTIONS = direction(ZENITH, AZIMUTH)
NORMAL, MASK = sphere_normals()
LIT = (photographs() > 0.03).all(axis=0) & MASK


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return main(["ps-reconstruct", *words, "-j", "1", "--register", "none", "--solver", "ls", "-f"])


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def wrong(row: int = 0) -> float:
    """Mean angle to the sphere's normals, degrees."""
    with h5py.File("maps.h5") as file:
        normal = np.moveaxis(file["normal"][row].astype(float), -1, 0)[:, LIT]
    return float(
        np.rad2deg(np.arccos(np.clip((normal * NORMAL[:, LIT]).sum(axis=0), -1, 1))).mean()
    )


def rewrite(folder: Path, change: object) -> None:
    for path in sorted(folder.glob("*.bmp")):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) / 255
        values = change(path, image)  # type: ignore[operator]
        assert cv2.imwrite(str(path), np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))


def parameters() -> dict[str, object]:
    with h5py.File("maps.h5") as file:
        found: dict[str, object] = json.loads(file.attrs["parameters"])
    return found


def ids() -> list[tuple[str, str]]:
    with h5py.File("maps.h5") as file:
        subject, session = (file[n].asstr()[:] for n in ("subject_id", "session_id"))
    return list(zip(subject, session, strict=True))


def test_a_list_of_sessions(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "c"):
        write_capture(place / "raw" / "s" / name)
    feed(monkeypatch, b"# two of three\nraw/s/c\n\nraw/s/a\n")
    assert run("-") == 0
    assert ids() == [("s", "a"), ("s", "c")]
    feed(monkeypatch, b"raw/s/b\0raw/s/none\0")
    assert run("-") == 0
    assert ids() == [("s", "b")]
    assert "s,none,no such file" in Path("maps.h5.rejects.csv").read_text()
    capsys.readouterr()
    feed(monkeypatch, b"\n")
    assert run("-") == 65
    assert "standard input: names no session folders" in capsys.readouterr().err


def test_lights_that_count_otherwise(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_capture(place / "raw" / "ball", names="f{}")
    (folder / "LightSource.m").unlink()
    np.save(folder / "lights.npy", (DIRECTIONS * [1, -1, -1]).T)
    assert run() == 65
    assert "lights.npy: all 4 lights stand behind the face" in capsys.readouterr().err
    assert run("--flip-lights", "yz") == 0
    assert ids() == [("ball", "plain")]
    assert wrong() < 1
    assert parameters()["flip_lights"] == "yz"
    assert run("--flip-lights", "up") == 2


@pytest.mark.parametrize(("option", "limit"), [("gamma:2.2", 1.0), ("auto", 1.0), ("linear", 90)])
def test_a_wrong_gamma_shows(place: Path, option: str, limit: float) -> None:
    for name in "abcd":
        folder = write_capture(place / "raw" / "s" / name, size=48)
        rewrite(folder, lambda _, image: image ** (1 / 2.2))
    assert run("--transfer", option) == 0
    assert wrong() < limit
    assert parameters()["transfer"] in (("srgb", "gamma:2.2") if option == "auto" else (option,))
    if option == "linear":
        assert wrong() > 5
    if option == "auto":
        assert open_artifact(Path("maps.h5")).history[0]["notes"]["transfer_choice"]["decided"]


def test_ambient_light(place: Path) -> None:
    folder = write_capture(place / "raw" / "s" / "a", albedo=0.5)
    rewrite(folder, lambda _, image: image + 0.2)
    cv2.imwrite(str(folder / "ambient.png"), np.full((48, 48), 51, np.uint8))
    assert run() == 0
    assert wrong() < 1
    with h5py.File("maps.h5") as file:
        assert 0.3 < file["quality/ambient_level"][0] < 1
    assert run("--ambient", "") == 0
    assert wrong() > 4


def test_a_flat_field(place: Path) -> None:
    rows, columns = np.mgrid[:48, :48] / 47
    flat = [0.6 - 0.3 * rows, 0.3 + 0.3 * rows, 0.6 - 0.3 * columns, 0.3 + 0.3 * columns]
    folder = write_capture(place / "raw" / "s" / "a")
    rewrite(folder, lambda path, image: image * flat[int(path.stem[2:])][..., None] / 0.45)
    np.save(place / "white.npy", np.stack(flat))
    assert run() == 0
    bare = wrong()
    assert run("--flat", "white.npy") == 0
    assert wrong() < 1
    assert bare > 3
    assert run("--flat", "nothing") == 66


def test_colour(place: Path) -> None:
    hue = np.array([0.4, 0.7, 1.0])  # blue, green, red
    rewrite(write_capture(place / "raw" / "s" / "a"), lambda _, image: image * hue)
    assert run("--colour") == 0
    with h5py.File("maps.h5") as file:
        albedo, image = file["albedo"][0], file["image"][0]
    assert albedo.shape == image.shape == (48, 48, 3)
    np.testing.assert_allclose(
        albedo[LIT] / albedo[LIT].sum(axis=1, keepdims=True),
        [hue[::-1] / 2.1] * LIT.sum(),
        atol=0.02,
    )
    assert main(["align", "maps.h5", "--detector", "none", "-o", "faces.h5"]) == 0
    assert main(["show", "faces.h5", "-o", "sheet.png"]) == 0
