"""fr3d info as a user runs it, on every kind of artifact."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from posed_faces import posed, poses, write_maps
from small_models import write_faces, write_model, write_split

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.writer import write_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus


def described(capsys: pytest.CaptureFixture[str], *paths: Path) -> list[dict]:
    """What `fr3d info --json` says."""
    capsys.readouterr()
    assert main(["info", *map(str, paths), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_maps(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = write_maps(tmp_path / "maps.h5", [posed(m) for m in poses(3)])
    (fields,) = described(capsys, path)
    assert list(fields)[:2] == ["file", "kind"]
    assert (fields["file"], fields["kind"], fields["frame"]) == ("maps.h5", "fr3d.maps", "camera")
    assert (fields["rows"], fields["people"], fields["rejected"]) == (3, 2, 1)
    assert fields["datasets"]["normal"] == "float32 (3, 150, 130, 3)"
    assert fields["datasets"]["depth"] == "float32 (3, 150, 130) pixel"
    assert fields["quality"]["residual"] == "0 .. 0.5 .. 1"
    assert fields["attributes"]["gender"] == {"(unknown)": 2, "female": 1}
    assert fields["rejected_because"] == {"three of four images": 1}
    assert fields["history"] == ["ps-reconstruct (0.1.0) solver=ls"]


def test_a_table_for_pipes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    one = write_maps(tmp_path / "one.h5", [posed(poses(1)[0])])
    assert main(["info", str(one)]) == 0
    rows = dict(list(csv.reader(io.StringIO(capsys.readouterr().out))))
    assert rows["field"] == "value"
    assert rows["rows"] == "1"
    assert rows["history.1"] == "ps-reconstruct (0.1.0) solver=ls"
    assert main(["info", str(one), str(one)]) == 0
    assert capsys.readouterr().out.startswith("file,field,value\none.h5,kind,fr3d.maps\n")


def test_embeddings(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    columns = {
        "subject_id": ["001", "002"],
        "session_id": ["a", "b"],
        "embedding": np.eye(2, 4, dtype=np.float32),
        "magnitude": np.array([1, np.nan], np.float32),
        "quality/residual": np.array([0.25, np.nan], np.float32),
    }
    write_artifact(tmp_path / "e.h5", "fr3d.embeddings", columns, Step("embed", seed=3))
    (fields,) = described(capsys, tmp_path / "e.h5")
    assert fields["kind"] == "fr3d.embeddings"
    assert fields["datasets"]["embedding"] == "float32 (2, 4)"
    assert fields["quality"]["residual"] == "0.25 .. 0.25 .. 0.25, 1 unknown"
    assert fields["history"] == ["embed (0.1.0) seed=3"]


def test_a_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "split.csv").write_text(
        "subject_id,session_id,partition,role\n"
        "001,a,train,\n001,b,train,\n"
        "002,a,test,gallery\n002,b,test,probe\n003,a,test,probe\n"
    )
    (fields,) = described(capsys, tmp_path / "split.csv")
    assert (fields["rows"], fields["people"]) == (5, 3)
    assert fields["partitions"]["train"] == {"people": 1, "rows": 2}
    assert fields["partitions"]["test"] == {
        "people": 2,
        "rows": 3,
        "gallery_rows": 1,
        "probe_rows": 2,
        "unknown_people": 1,
    }


def test_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = tmp_path / "normal"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"modalities": ["normal"], "people": 9}))
    (fields,) = described(capsys, run)
    assert (fields["kind"], fields["finished"], fields["people"]) == ("run", False, 9)
    (run / "status.json").write_text(json.dumps({"finished": True, "best_epoch": 4}))
    (fields,) = described(capsys, run)
    assert (fields["finished"], fields["best_epoch"]) == (True, 4)
    (run / "config.json").write_text("{")
    assert main(["info", str(run)]) == ExitStatus.MALFORMED


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("no.h5", ExitStatus.MISSING, "no.h5: no such file"),
        ("text.h5", ExitStatus.MALFORMED, "not an HDF5 file"),
        ("empty", ExitStatus.MALFORMED, "neither a run nor a folder of parts"),
        ("model.onnx", ExitStatus.MALFORMED, "model.onnx"),
        ("people.csv", ExitStatus.MALFORMED, "people.csv"),
        ("gallery.faiss", ExitStatus.MISSING, "a gallery needs it"),
    ],
)
def test_what_is_no_artifact(tmp_path: Path, capsys, name: str, status: int, says: str):
    (tmp_path / "empty").mkdir()
    for file in ("text.h5", "model.onnx", "gallery.faiss"):
        (tmp_path / file).write_bytes(b"hello")
    (tmp_path / "people.csv").write_text("name\nanna\n")
    assert main(["info", str(tmp_path / name)]) == status
    out, err = capsys.readouterr()
    assert not out
    assert says in err


def test_a_gallery_and_its_model(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    enrolled, others = ["a", "b", "c"], [f"k{n}" for n in range(10)]
    faces = write_faces(Path("faces.h5"), enrolled + others)
    write_split(Path("split.csv"), faces, enrolled=enrolled, strangers=[], calibration=others)
    write_model(Path("model.onnx"), faces, subjects=["x", "y"])
    assert main(["enroll", "--fpir", "0.1", "-q"]) == 0
    by_index, by_records, model = described(
        capsys, Path("gallery.faiss"), Path("gallery.h5"), Path("model.onnx")
    )
    assert {**by_index, "file": ""} == {**by_records, "file": ""}
    assert (by_index["kind"], by_index["people"], by_index["sessions"]) == ("fr3d.gallery", 3, 3)
    assert (by_index["calibration_people"], by_index["fpir"]) == (10, 0.1)
    assert by_index["index"] == "current"
    assert by_index["contract_sha256"] == model["contract_sha256"]
    assert by_index["history"][-1].startswith("enroll ")
    assert (model["kind"], model["modalities"]) == ("model", ["normal", "albedo"])
    assert model["alignment"]["template"] == "square"
    Path("gallery.faiss").unlink()
    (fields,) = described(capsys, Path("gallery.h5"))
    assert fields["index"].startswith("missing")
    assert not Path("gallery.faiss").exists()
