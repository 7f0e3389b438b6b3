"""The command synth: summary, refusal, dry run."""

from pathlib import Path

import pytest

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus

SMALL = ["--people", "1", "--sessions", "1", "--size", "48", "-j", "1"]


def test_it_writes_captures_and_truth_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "raw"
    assert main(["synth", str(root), *SMALL]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert "1 person x 1 session x 4 flashes, 48 px" in err
    assert len(list(root.glob("1001/*/im?.png"))) == 4
    assert (root / "truth.h5").is_file()
    assert main(["synth", str(root), *SMALL]) == ExitStatus.CANNOT_WRITE
    assert "--force" in capsys.readouterr().err
    assert main(["synth", str(root), *SMALL, "--force", "--format", "bmp", "--no-truth"]) == 0
    assert len(list(root.glob("1001/*/im?.bmp"))) == 4
    assert not list(root.glob("1001/*/im?.png"))
    assert not (root / "truth.h5").exists()


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "raw"
    assert main(["synth", str(root), *SMALL, "--dry-run"]) == 0
    assert "would write" in capsys.readouterr().err
    assert not root.exists()
    root.mkdir()
    (root / "mine").write_text("")
    assert main(["synth", str(root), *SMALL, "-n"]) == ExitStatus.CANNOT_WRITE


def test_wrong_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--people", "0"], ["--format", "gif"], ["--seed", "-1"]):
        assert main(["synth", str(tmp_path / "raw"), *words]) == ExitStatus.USAGE


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["out", "--kind", "photographs"], ["1001/1001_01.png", "synth.json", "truth.h5"]),
        (["out", "--kind", "rgbd", "--format", "bmp"], ["1001/1001_01.bmp", "1001/1001_01.npy"]),
        (["out", "--setup", "ring", "--flashes", "6", "--in-colour"], ["im5.png", "LightSource.m"]),
        (["out", "--near", "700", "--uneven", "0.1"], ["lights.json", "im3.png"]),
        (["out", "--sensor-bits", "16", "--gamma", "2.2", "--noise", "0"], ["im0.png"]),
        (["maps.h5"], []),
        (["MAPS.HDF5"], []),
        (["maps.h5", "--kind", "reconstruction", "--size", "80"], []),
    ],
)
def test_kinds_of_data(words: list[str], files: list[str], tmp_path: Path) -> None:
    output = tmp_path / words[0]
    assert main(["synth", *SMALL, str(output), *words[1:]]) == 0
    assert output.exists()
    made = {str(p.relative_to(output)) for p in output.rglob("*") if p.is_file()}
    for name in files:
        assert any(file.endswith(name) for file in made), (name, made)
    if output.suffix.lower() in (".h5", ".hdf5"):
        maps = open_artifact(output, "fr3d.maps", ["normal", "albedo", "depth", "mask", "image"])
        assert len(maps) == 1
        assert maps.frame == "camera"


def test_shares_are_obeyed(tmp_path: Path) -> None:
    words = ["--people", "4", "--sessions", "2", "--size", "32", "-j", "1"]
    words += ["--glasses", "1", "--beards", "1", "--turned", "1", "--expressive", "1"]
    assert main(["synth", str(tmp_path / "maps.h5"), *words]) == 0
    found = open_artifact(tmp_path / "maps.h5").attributes
    assert set(found["spectacles"]) == {"yes"}
    assert "1" not in found["pose"]
    assert "blankstare" not in found["emotion"]
    pairs = zip(found["gender"], found["facial_hair"], strict=True)
    assert all(hair == "none" for gender, hair in pairs if gender == "female")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["raw", "--kind", "maps"], "writes one file"),
        (["maps.h5", "--kind", "rgbd"], "writes a folder"),
        (["raw", "--kind", "rgbd", "--setup", "ring"], "no rig of flashes"),
        (["raw", "--setup", "narrow", "--flashes", "6"], "has four lights"),
        (["raw", "--format", "bmp", "--sensor-bits", "16"], "8 bits"),
        (["raw", "--gamma", "0"], "tone curve"),
        (["raw", "--movement", "60"], "out of pictures"),
        (["maps.h5", "--no-truth"], "for captures"),
        (["x.npz"], "into a folder"),
        *(
            (["raw", option, value], value)
            for option in ("--glasses", "--near", "--uneven", "--movement", "--noise", "--gamma")
            for value in ("nan", "inf")
        ),
    ],
)
def test_wishes_that_contradict_each_other(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synth", str(tmp_path / words[0]), *words[1:]]) == ExitStatus.USAGE
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    words = [str(tmp_path / "raw"), *SMALL, "--device", "cuda:7"]
    assert main(["synth", *words]) == ExitStatus.UNAVAILABLE
