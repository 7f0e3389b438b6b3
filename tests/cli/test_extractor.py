"""Networks of other people through the command line: embed, enroll, identify, benchmark."""

import csv
import io
import json
from pathlib import Path

import pytest
from foreign_networks import TOML, network, with_external_weights, write_photographs
from small_models import write_split

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main

PEOPLE = [f"p{number}" for number in range(12)]
SMALL = ["--backbone", "tiny", "--embedding-size", "16", "--batch-size", "8", "--epochs", "1"]
FLAT = TOML.replace("[10.0, 20.0, 30.0]", "127.5").replace("[2.0, 4.0, 8.0]", "127.5")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces, a split, a network with its description, and embeddings."""
    folder = tmp_path_factory.mktemp("foreign")
    faces = write_photographs(folder / "faces.h5", PEOPLE, sessions=3)
    write_split(
        folder / "split.csv",
        faces,
        enrolled=PEOPLE[:4],
        strangers=PEOPLE[4:8],
        calibration=PEOPLE[8:],
    )
    (folder / "net.onnx").write_bytes(network(batch=1, reshape=[[1, 3]]))
    (folder / "net.toml").write_text(FLAT.replace('"none"', '"mean"'))
    embeddings = str(folder / "emb.h5")
    assert main(["embed", str(faces), "-m", str(folder / "net.onnx"), "-o", embeddings, "-q"]) == 0
    return folder


def run(folder: Path, command: str, *words: str) -> int:
    """One command with the files of the folder."""
    return main([command, *(str(folder / w[1:]) if w.startswith("@") else w for w in words)])


def test_the_embeddings_tell_their_model(made: Path) -> None:
    artifact = open_artifact(made / "emb.h5", "fr3d.embeddings")
    contract = json.loads(str(artifact.attrs["model_contract"]))
    assert contract["modalities"] == ["image"]
    assert contract["inputs"]["image"]["normalisation"] == "picture"
    assert artifact["embedding"].shape == (36, 3)
    assert artifact.attrs["training_subjects"] == "[]"


@pytest.mark.parametrize("source", ["@faces.h5", "@emb.h5"])
def test_a_gallery_keeps_the_adopted_network(
    made: Path, tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = str(tmp_path / "gallery.faiss")
    words = ["-m", "@net.onnx", "--split", "@split.csv", "-o", gallery, "--threshold", "0.999"]
    assert run(made, "enroll", source, *words) == 0
    capsys.readouterr()
    assert run(made, "identify", "@faces.h5", "-g", gallery) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 36
    for row in rows:
        if row["subject_id"] in PEOPLE[:4]:
            assert row["candidate"] == row["subject_id"]
    assert run(made, "identify", "@emb.h5", "-g", gallery) == 0
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out))) == rows


def test_faces_made_otherwise_are_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = str(tmp_path / "gallery.faiss")
    words = ["-m", "@net.onnx", "--split", "@split.csv", "-o", gallery, "--threshold", "0.9"]
    assert run(made, "enroll", "@faces.h5", *words) == 0
    other = write_photographs(tmp_path / "other.h5", ["x"], align={"detector": "capture"})
    assert main(["identify", str(other), "-g", gallery]) == 65
    assert "alignment.detector capture (expected yunet)" in capsys.readouterr().err
    # The shipped description wants faces of 112 pixels, and so does not fit this network.
    words = ["-m", "@net.onnx", "--extractor", "arcface", "-o", str(tmp_path / "e.h5")]
    assert run(made, "embed", "@faces.h5", *words) == 65
    assert "expected ? x 3 x 112 x 112" in capsys.readouterr().err


def test_benchmark_takes_it(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--split", "@split.csv", "--bootstrap", "0", "--json"]
    one, other = (str(tmp_path / f"{name}.json") for name in ("one", "other"))
    assert run(made, "benchmark", "@faces.h5", "-m", "@net.onnx", "-o", one, *words) == 0
    of_faces = capsys.readouterr().out
    assert run(made, "benchmark", "@emb.h5", "-o", other, *words) == 0
    assert capsys.readouterr().out == of_faces
    words += ["--extractor", "sface", "-o", str(tmp_path / "three.json")]
    assert run(made, "benchmark", "@emb.h5", *words) == 2
    assert "--extractor cannot change" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "text", "status", "message"),
    [
        (network(), None, 65, "carries no model contract"),
        (b"no network", FLAT, 65, "not an ONNX file"),
        (with_external_weights(network()), FLAT, 65, "keeps weights in other files"),
        (network(), FLAT + "sharpen = true\n", 65, "unknown key 'sharpen'"),
        (network(), FLAT.replace("16", "112"), 65, "expected ? x 3 x 112 x 112"),
        (network(reshape=[[3]]), FLAT, 65, "has shape (3,)"),
    ],
)
def test_one_line_for_what_cannot_be_adopted(
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
    text: str | None,
    status: int,
    message: str,
) -> None:
    (tmp_path / "net.onnx").write_bytes(data)
    if text:
        (tmp_path / "net.toml").write_text(text)
    words = ["-m", str(tmp_path / "net.onnx"), "-o", str(tmp_path / "emb.h5")]
    assert run(made, "embed", "@faces.h5", *words) == status
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().split("\n\n")) <= 2
    assert not (tmp_path / "emb.h5").exists()


def test_training_takes_colour_photographs_in_grey(made: Path, tmp_path: Path) -> None:
    words = ["--split", str(tmp_path / "split.csv"), "--runs", str(tmp_path / "runs"), *SMALL]
    faces = made / "faces.h5"
    text = (made / "split.csv").read_text().replace(",test,gallery", ",train,")
    text = text.replace(",test,probe", ",train,").replace(",calibration,", ",val,")
    (tmp_path / "split.csv").write_text(text)
    assert main(["train", str(faces), "--modality", "image", *words, "-q"]) == 0
    assert main(["embed", str(faces), "-m", str(tmp_path / "runs/image"), "-o",
                 str(tmp_path / "emb.h5"), "-q"]) == 0  # fmt: skip
