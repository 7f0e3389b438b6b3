"""Descriptions of networks: what is read, and what is refused in one line."""

from pathlib import Path

import pytest
from foreign_networks import TOML, network, write_photographs

from fr3d.artifacts.store import open_artifact
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.inference.description import (
    Description,
    find_description,
    read_description,
    shipped_descriptions,
)
from fr3d.inference.extractor import adopt, measured_threshold
from fr3d.inference.onnx_model import OnnxModel


def read(tmp_path: Path, text: str) -> Description:
    (tmp_path / "net.toml").write_text(text)
    return read_description(tmp_path / "net.toml")


def test_all_keys(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'size = [96, 80]\ntemplate = "crop"\ncolor = "BGR"\nscale = 1\nmean = 0.5\n'
        'std = [0.1, 0.2, 0.3]\nlayout = "NHWC"\ninput = "x"\noutput = "y"\nflip = "unit"\n'
        'exposure = "none"\nlicense = "MIT"\nnote = "n"',
    )
    assert found == Description(
        (96, 80), "crop", "BGR", 1.0, (0.5,), (0.1, 0.2, 0.3), "NHWC", "x", "y", "unit", "none",
        "MIT", "n",
    )  # fmt: skip
    assert (found.channels, found.frame) == (3, "face:crop")


def test_a_threshold_is_no_part_of_the_model(tmp_path: Path) -> None:
    """Else measuring one would make all earlier embeddings those of another model."""
    faces = open_artifact(write_photographs(tmp_path / "faces.h5", ["a"]))
    plain = adopt(network(), read(tmp_path, TOML), faces, "net.onnx")
    words = f'{TOML}\nthreshold = 0.25\nthreshold_note = "FMR 1 % somewhere"\n'
    told = adopt(network(), read(tmp_path, words), faces, "net.onnx")
    assert told.contract.sha256 == plain.contract.sha256
    assert measured_threshold(told) == (0.25, "FMR 1 % somewhere")
    assert measured_threshold(OnnxModel(told.data)) == (0.25, "FMR 1 % somewhere")
    assert measured_threshold(plain) is None
    assert measured_threshold(None) is None
    told.description = "[damaged"
    with pytest.raises(MalformedInputError, match="is damaged"):
        measured_threshold(told)


@pytest.mark.parametrize("value", ["nan", "1.01", '"0.3"', "true", "[0.3]", "-inf"])
def test_a_threshold_is_a_cosine(tmp_path: Path, value: str) -> None:
    with pytest.raises(MalformedInputError, match=r"threshold .*, expected a cosine of -1 to 1"):
        read(tmp_path, f"{TOML}\nthreshold = {value}\n")


def test_shipped_thresholds_say_where_they_are_from() -> None:
    for name in shipped_descriptions():
        path = find_description(Path("x.onnx"), name)
        assert path is not None
        found = read_description(path)
        assert (found.threshold is None) == (not found.threshold_note)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scale = 255.0", "scale = 0", "scale 0, expected a number above 0"),
        ("scale = 255.0", "scale = nan", "scale nan"),
        ("scale = 255.0", f"scale = 1{'0' * 400}", "scale 10000"),
        ("[10.0, 20.0, 30.0]", "[1.0, 2.0]", "expected a number, or 3 of them"),
        ("[10.0, 20.0, 30.0]", '"black"', "mean 'black'"),
        ("[10.0, 20.0, 30.0]", "[]", "mean \\[\\]"),
        ("[2.0, 4.0, 8.0]", "[2.0, 4.0, 0.0]", "above 0"),
        ("[2.0, 4.0, 8.0]", "true", "std True"),
        ("[16, 16]", "16", "size 16, expected \\[height, width\\]"),
        ("[16, 16]", "[16, 100000]", "size"),
        ('"RGB"', '"rgb"', "color 'rgb', expected one of RGB, BGR, grey"),
        ('"RGB"', "[1]", "color \\[1\\]"),
        ('"arcface112"', '"mine"', "template 'mine', expected one of arcface112"),
        ('flip = "none"', 'mirror = "none"', "unknown key 'mirror'"),
        ("scale = 255.0", "input = 7", "input: expected a text"),
        ("size = [16, 16]", "", "no key 'size'"),
        ("scale = 255.0", "scale", "not TOML"),
    ],
)
def test_what_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TOML
    with pytest.raises(MalformedInputError, match=message) as caught:
        read(tmp_path, TOML.replace(old, new))
    assert "net.toml" in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


def test_files_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MalformedInputError, match="not TOML"):
        read_description(path)
    path.write_bytes(b"# " + b"x" * 100_000)
    with pytest.raises(MalformedInputError, match="larger than"):
        read_description(path)
    path.write_text("x = " + "[" * 5000)
    with pytest.raises(MalformedInputError, match="not TOML"):
        read_description(path)
    with pytest.raises(MissingInputError):
        read_description(tmp_path)


def test_shipped() -> None:
    assert set(shipped_descriptions()) >= {"arcface", "mobilefacenet", "sface"}
    for name in shipped_descriptions():
        path = find_description(Path("net.onnx"), name)
        assert path is not None
        assert read_description(path).size == (112, 112)


def test_which_file(tmp_path: Path) -> None:
    network, beside = tmp_path / "net.onnx", tmp_path / "net.toml"
    assert find_description(network, None) is None
    beside.write_text(TOML)
    assert find_description(network, None) == beside
    assert find_description(network, str(beside)) == beside
    with pytest.raises(MissingInputError, match="--extractor vgg: no such file"):
        find_description(network, "vgg")
