"""fr3d align as a user runs it."""

from pathlib import Path

import numpy as np
import pytest
from posed_faces import posed, poses, write_maps

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus
from fr3d.geometry.maps import FaceMaps


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with maps of three sessions, one of them without a face."""
    monkeypatch.chdir(tmp_path)
    faces = [posed(m) for m in poses(3)]
    lost = FaceMaps(
        faces[1].mask, landmarks=np.full((5, 2), np.nan, np.float32), **faces[1].present
    )
    write_maps(Path("maps.h5"), [faces[0], lost, faces[2]])
    return tmp_path


def test_the_defaults_read_maps_and_write_faces(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["align", "-v"]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert "left out 001/s1: no face found" in err
    assert "aligned 2 of 3 sessions -> faces.h5, 1 left out, 1 rejected earlier" in err
    assert "; the reasons are in faces.h5.rejects.csv" in err
    faces = open_artifact(folder / "faces.h5")
    assert faces["normal"].shape == (2, 112, 112, 3)
    assert faces.parameters["detector"] == "auto"
    assert "001,s1,no face found" in (folder / "faces.h5.rejects.csv").read_text()


def test_options_reach_the_recipe(folder: Path):
    words = ["align", "maps.h5", "-o", "small.h5", "--size", "64", "--detector", "none", "-q"]
    assert main(words) == 0
    faces = open_artifact(folder / "small.h5")
    assert faces.frame == "face:crop"
    assert faces["depth"].shape == (3, 64, 64)
    assert faces.parameters == {
        "size": 64,
        "template": "crop",
        "detector": "none",
        "detector_sha256": "",
    }


def test_strict_fails_but_keeps_what_was_done(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["align", "--strict"]) == ExitStatus.MALFORMED
    assert "1 sessions could not be aligned" in capsys.readouterr().err
    assert len(open_artifact(folder / "faces.h5")) == 2


def test_a_dry_run_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["align", "-n", "-j", "2"]) == 0
    assert "would align 3 sessions to 112 x 112 (face:arcface112)" in capsys.readouterr().err
    assert not (folder / "faces.h5").exists()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["align", "no.h5"], ExitStatus.MISSING, "no.h5: no such file"),
        (["align", "text.h5"], ExitStatus.MALFORMED, "text.h5: not an HDF5 file"),
        (["align", "half.h5"], ExitStatus.MALFORMED, "half.h5"),
        (["align", "-o", "there.h5"], ExitStatus.CANNOT_WRITE, "there.h5: exists already"),
        (["align", "--detector", "dlib"], ExitStatus.USAGE, "dlib"),
        (["align", "--template", "vgg"], ExitStatus.USAGE, "vgg"),
        (["align", "--detector", "yunet"], ExitStatus.MALFORMED, "none of 4 captures could be"),
    ],
)
def test_bad_input_is_one_line_and_a_hint(
    folder: Path, words: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
):
    Path("text.h5").write_text("hello")
    Path("half.h5").write_bytes(Path("maps.h5").read_bytes()[:9000])
    Path("there.h5").write_text("mine")
    assert main(words) == status
    err = capsys.readouterr().err
    assert err.startswith("fr3d: error: ")
    assert says in err
    assert "\nhint: " in err
    assert Path("there.h5").read_text() == "mine"
    assert not Path("faces.h5").exists()


def test_aligning_twice_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["align", "-q"]) == 0
    assert main(["align", "faces.h5", "-o", "again.h5"]) == ExitStatus.MALFORMED
    assert "aligned already, its frame is 'face:arcface112'" in capsys.readouterr().err
