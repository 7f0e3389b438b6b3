"""embed, enroll and identify as a user runs them, with a linear network."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_models import (
    contract_of_faces,
    write_faces,
    write_maps,
    write_model,
    write_split,
)

from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus
from fr3d.gallery.storage import open_gallery
from fr3d.gallery.threshold_table import Threshold, thresholds_bytes
from fr3d.protocols.leaks import subject_hash

ENROLLED = [f"e{i}" for i in range(6)]
STRANGERS = [f"u{i}" for i in range(6)]
CALIBRATION = [f"c{i:02d}" for i in range(20)]
COLUMNS = "subject_id,session_id,rank,candidate,score,margin,threshold,decision"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything up to the gallery; the tests work on copies."""
    folder = tmp_path_factory.mktemp("made")
    faces = write_faces(folder / "faces.h5", ENROLLED + STRANGERS + CALIBRATION)
    write_split(
        folder / "split.csv",
        faces,
        enrolled=ENROLLED,
        strangers=STRANGERS,
        calibration=CALIBRATION,
    )
    write_model(folder / "model.onnx", faces)
    write_faces(folder / "probe.h5", ENROLLED + STRANGERS, seed=5)
    return folder


@pytest.fixture
def work(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def _fails(words: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail, and leave no file behind; return what it said."""
    before = sorted(path.name for path in Path().iterdir())
    capsys.readouterr()
    assert main(words) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert sorted(path.name for path in Path().iterdir()) == before
    return err


def _decisions(capsys: pytest.CaptureFixture[str], words: list[str]) -> pd.DataFrame:
    capsys.readouterr()
    assert main(words) == 0
    return pd.read_csv(io.StringIO(capsys.readouterr().out), dtype={"subject_id": str})


# --- embed -------------------------------------------------------------------------------------


def test_embed_with_defaults(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embed"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "embedded 96 of 96 faces by model.onnx -> embeddings.h5" in err
    found = open_artifact(Path("embeddings.h5"), "fr3d.embeddings")
    assert found.subject_id == open_artifact(Path("faces.h5")).subject_id
    assert found["embedding"].shape == (96, 16)
    lengths = np.linalg.norm(found["embedding"][:], axis=1)
    np.testing.assert_allclose(found["magnitude"][:], lengths, rtol=1e-5)
    assert lengths.std() > 0.1, "embeddings must not be normalised"
    contract = contract_of_faces(Path("faces.h5"))
    assert found.attrs["model_contract"] == contract.to_json()
    assert found.attrs["model_contract_sha256"] == contract.sha256
    assert [step["command"] for step in found.history] == ["ps-reconstruct", "align", "embed"]
    assert set(found.attributes) == {"gender"}
    assert set(found.quality) == {"residual"}


def test_embed_is_the_same_twice_and_for_any_batch_size(work: Path) -> None:
    assert main(["embed", "-o", "one.h5"]) == 0
    assert main(["embed", "-o", "two.h5", "--batch-size", "7"]) == 0
    assert Path("one.h5").read_bytes() == Path("two.h5").read_bytes()


def test_embed_inherits_and_adds_rejects(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = Reject("x", "s9", "no nose tip")
    write_faces(Path("faces.h5"), ["a", "b"], spoil=[1], rejected=[lost])
    assert main(["embed"]) == 0
    assert "embedded 5 of 6 faces" in capsys.readouterr().err
    found = open_artifact(Path("embeddings.h5"), "fr3d.embeddings")
    assert [(r.subject_id, r.session_id) for r in found.rejected] == [("x", "s9"), ("a", "s1")]
    assert "no nose tip" in Path("embeddings.h5.rejects.csv").read_text()


def test_embed_refuses(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_faces(Path("other.h5"), ["a"], align={"detector": "none"})
    _fails(["embed", "other.h5"], 65, "alignment.detector none (expected yunet)", capsys)
    _fails(["embed", "none.h5"], 66, "none.h5: no such file", capsys)
    _fails(["embed", "-m", "none.onnx"], 66, "none.onnx: no such file", capsys)
    _fails(["embed", "--device", "cuda"], 69, "runs on the CPU", capsys)
    Path("embeddings.h5").write_text("mine")
    _fails(["embed"], 73, "exists already", capsys)
    assert main(["embed", "--force", "--dry-run"]) == 0
    assert Path("embeddings.h5").read_text() == "mine"
    Path("model.onnx").unlink()
    err = _fails(["embed", "-o", "new.h5"], 66, "no model.onnx and no finished run in runs", capsys)
    assert "fr3d train" in err


# --- enroll ------------------------------------------------------------------------------------


def test_enroll_with_defaults(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enroll"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "enrolled 6 people, 6 sessions, threshold " in err
    assert "for FPIR 0.1 (20 strangers, 60 sessions), by model.onnx -> gallery.faiss" in err
    records = open_gallery(Path("gallery.h5")).records
    assert list(records.enrolled.people) == ENROLLED
    assert set(records.enrolled.session_id) == {"s0"}
    assert list(records.calibration.people) == CALIBRATION
    assert records.model == Path("model.onnx").read_bytes()
    assert [s["command"] for s in records.steps] == ["ps-reconstruct", "align"]


def test_enroll_faces_or_their_embeddings(work: Path) -> None:
    """The same templates and threshold either way, and the same bytes the same way."""
    assert main(["embed"]) == 0
    assert main(["enroll", "-o", "one.faiss"]) == 0
    assert main(["enroll", "embeddings.h5", "-o", "two.faiss"]) == 0
    assert main(["enroll", "embeddings.h5", "-o", "three.faiss"]) == 0
    one, two = (open_gallery(Path(f"{name}.h5")).records for name in ("one", "two"))
    np.testing.assert_allclose(one.templates.vector, two.templates.vector, atol=1e-6)
    assert one.threshold == pytest.approx(two.threshold, abs=1e-6)
    assert Path("two.h5").read_bytes() == Path("three.h5").read_bytes()
    assert Path("two.faiss").read_bytes() == Path("three.faiss").read_bytes()


def test_enroll_refuses(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    err = _fails(["enroll", "--fpir", "0.01"], 65, "split.csv: 20 calibration people", capsys)
    assert "--fpir 0.0477" in err
    _fails(["enroll", "--fpir", "0"], 2, "above 0", capsys)
    _fails(["enroll", "--fpir", "0.1", "--threshold", "0.3"], 2, "only one", capsys)
    _fails(["enroll", "-o", "gallery.txt"], 2, "not a name for a gallery", capsys)
    _fails(["enroll", "--partition", "distractor"], 65, "no row is in the chosen", capsys)
    main(["embed", "-q"])
    write_model(Path("other.onnx"), Path("faces.h5"), seed=1)
    says = "embeddings.h5: made by another model than other.onnx: weights_sha256"
    _fails(["enroll", "embeddings.h5", "-m", "other.onnx"], 65, says, capsys)
    assert main(["enroll", "--dry-run"]) == 0
    assert not Path("gallery.h5").exists()


def test_enroll_without_strangers(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv("split.csv", dtype=str, keep_default_na=False)
    table[table["partition"] != "calibration"].to_csv("split.csv", index=False)
    _fails(["enroll"], 65, "split.csv: nobody in partition 'calibration'", capsys)
    assert main(["enroll", "--threshold", "0.5"]) == 0
    assert main(["identify", "--threshold", "0.5", "-o", "one.csv"]) == 0
    assert main(["identify", "-o", "two.csv"]) == 0
    assert Path("one.csv").read_text() == Path("two.csv").read_text()
    _fails(["identify", "--fpir", "0.1"], 65, "holds no calibration people", capsys)


def _table(rate: float, people: int, digest: str | None = None) -> None:
    digest = digest or contract_of_faces(Path("faces.h5")).sha256
    rows = [
        Threshold("fmr", rate, 0.9, rate, 50, None, digest),
        Threshold("fpir", rate, 0.345, 0.009, 40, people, digest),
    ]
    Path("report.thresholds.csv").write_bytes(thresholds_bytes(rows))


def test_enroll_takes_a_measured_threshold(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv("split.csv", dtype=str, keep_default_na=False)
    table[table["partition"] != "calibration"].to_csv("split.csv", index=False)
    _table(0.01, people=6)
    capsys.readouterr()
    assert main(["enroll", "--thresholds", "report.thresholds.csv", "--fpir", "0.01"]) == 0
    err = capsys.readouterr().err
    says = "threshold 0.345 from report.thresholds.csv for FPIR 0.01, not calibrated here (it"
    assert says in err
    records = open_gallery(Path("gallery.h5")).records
    assert records.threshold == 0.345
    assert records.fpir is None, "nothing was calibrated, and adding people must not pretend so"
    assert records.step.parameters["measured"]["target"] == 0.01
    assert records.step.parameters["measured"]["gallery_people"] == 6
    assert "report.thresholds.csv" in records.step.inputs
    found = _decisions(capsys, ["identify"])
    assert (found["threshold"] == 0.345).all()
    _fails(["identify", "--fpir", "0.01"], 65, "holds no calibration people", capsys)
    assert main(["info", "gallery.h5"]) == 0
    assert "fpir,0.01" not in capsys.readouterr().out


def test_enroll_refuses_a_threshold_of_elsewhere(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["enroll", "--thresholds", "report.thresholds.csv"]
    _fails(words, 66, "report.thresholds.csv", capsys)
    _table(0.01, people=5)
    says = "report.thresholds.csv: measured with 5 enrolled people, and 6 are to be enrolled"
    err = _fails(words, 65, says, capsys)
    assert "partition 'calibration'" in err
    _table(0.01, people=6, digest="ab" * 32)
    _fails(words, 65, "measured with model abababababab, model.onnx is ", capsys)
    _table(0.01, people=6)
    _fails([*words, "--fpir", "0.05"], 65, "no threshold for FPIR 0.05, it has 0.01", capsys)
    _fails([*words, "--threshold", "0.3"], 2, "only one can decide", capsys)


def test_enroll_refuses_strangers_whom_the_model_knows(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(Path("model.onnx"), Path("faces.h5"), subjects=[subject_hash("", "c03")])
    _fails(["enroll"], 65, "1 calibration people were in the training: c03", capsys)


def test_enroll_names_who_could_not_be(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = ENROLLED + STRANGERS + CALIBRATION
    write_faces(Path("faces.h5"), people, spoil=[0])
    assert main(["enroll"]) == 0
    err = capsys.readouterr().err
    assert "e0/s0: left out" in err
    assert "e0: no session in test could be used" in err
    assert "enrolled 5 people" in err


# --- identify ----------------------------------------------------------------------------------


@pytest.fixture
def enrolled(work: Path) -> Path:
    assert main(["enroll", "-q"]) == 0
    return work


def test_the_users_line(enrolled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _decisions(capsys, ["identify", "probe.h5", "--gallery", "gallery.faiss"])
    assert ",".join(found.columns) == COLUMNS
    assert len(found) == 36
    assert (found["rank"] == 1).all()
    known = found[found["subject_id"].isin(ENROLLED)]
    unknown = found[found["subject_id"].isin(STRANGERS)]
    assert (known["decision"] == known["subject_id"]).all()
    assert (unknown["decision"] == "unknown").mean() >= 0.8
    assert ((found["score"] >= found["threshold"]) == (found["decision"] != "unknown")).all()


def test_output_to_pipe_file_and_json(enrolled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["identify", "--top-k", "3"]) == 0
    out, err = capsys.readouterr()
    assert "searched 36 probes among 6 people" in err
    assert main(["identify", "--top-k", "3", "-o", "decisions.csv"]) == 0
    assert capsys.readouterr().out == ""
    assert Path("decisions.csv").read_text() == out
    assert main(["identify", "--top-k", "3", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(line) for line in lines] == [COLUMNS.split(",")] * 108
    assert [line["rank"] for line in lines[:6]] == [1, 2, 3] * 2
    assert lines[0]["margin"] == pytest.approx(lines[0]["score"] - lines[1]["score"])
    assert main(["identify", "--top-k", "3", "--json", "-o", "decisions.jsonl"]) == 0
    assert [json.loads(x) for x in Path("decisions.jsonl").read_text().splitlines()] == lines


def test_more_candidates_than_people(enrolled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _decisions(capsys, ["identify", "-k", "50"])
    assert len(found) == 36 * 6
    assert found[found["rank"] == 6]["margin"].isna().all()
    assert found.groupby(["subject_id", "session_id"])["candidate"].nunique().eq(6).all()


def test_names_in_the_probe_file_do_not_matter(
    enrolled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fr3d.artifacts.writer import Step, write_artifact

    first = _decisions(capsys, ["identify"])
    probe = open_artifact(Path("probe.h5"))
    columns = {name: probe[name][:] for name in probe.names if name != "digest"}
    columns["subject_id"] = [f"x{i}" for i in range(len(probe))]
    *history, align = probe.history
    step = Step("align", align["arguments"])
    write_artifact(
        Path("nameless.h5"), "fr3d.maps", columns, step, frame=probe.frame, history=history
    )
    second = _decisions(capsys, ["identify", "nameless.h5"])
    rest = COLUMNS.split(",")[1:]
    pd.testing.assert_frame_equal(first[rest], second[rest])


def test_faces_and_their_embeddings_are_one(
    enrolled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["embed", "probe.h5"]) == 0
    faces = _decisions(capsys, ["identify"])
    embeddings = _decisions(capsys, ["identify", "embeddings.h5"])
    pd.testing.assert_frame_equal(faces, embeddings, check_exact=False, atol=1e-6)


def test_another_rate(enrolled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strict = _decisions(capsys, ["identify", "--fpir", "0.05"])
    default = _decisions(capsys, ["identify", "--fpir", "0.1"])
    pd.testing.assert_frame_equal(default, _decisions(capsys, ["identify"]))
    assert strict["threshold"][0] > default["threshold"][0]
    _fails(["identify", "--fpir", "0.01"], 65, "20 calibration people cannot resolve", capsys)


def test_two_seeds_are_two_models(enrolled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(Path("other.onnx"), Path("faces.h5"), seed=1)
    assert main(["embed", "probe.h5", "-m", "other.onnx", "-q"]) == 0
    says = "embeddings.h5: made by another model than gallery.faiss: weights_sha256"
    _fails(["identify", "embeddings.h5"], 65, says, capsys)


def test_other_recipes_are_refused(enrolled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_faces(Path("other.h5"), ["e0"], solver="robust")
    _fails(["identify", "other.h5"], 65, "reconstruction.solver robust", capsys)


@pytest.fixture
def aligned(work: Path) -> Path:
    """A gallery whose model was made for faces that `align` makes of maps."""
    write_maps(Path("maps.h5"), ENROLLED + CALIBRATION)
    assert main(["align", "--detector", "capture", "--size", "32", "-f", "-q", "-j1"]) == 0
    write_model(Path("model.onnx"), Path("faces.h5"))
    write_split(
        Path("split.csv"),
        Path("faces.h5"),
        enrolled=ENROLLED,
        strangers=[],
        calibration=CALIBRATION,
    )
    assert main(["enroll", "-q"]) == 0
    return work


def test_unaligned_maps_are_aligned_by_the_recipe(
    aligned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same scores as after `align` with the same options, to the last bit."""
    write_maps(Path("probe_maps.h5"), ENROLLED + STRANGERS, seed=3, faceless=[4])
    words = ["align", "probe_maps.h5", "--detector", "capture", "--size", "32", "-j1"]
    assert main([*words, "-o", "probe_faces.h5"]) == 0
    assert main(["identify", "probe_maps.h5", "-o", "maps.csv", "--batch-size", "5"]) == 0
    err = capsys.readouterr().err
    assert "e1/s1: not searched: 0 of 5 landmarks" in err
    assert main(["identify", "probe_faces.h5", "-o", "faces.csv"]) == 0
    assert Path("maps.csv").read_text() == Path("faces.csv").read_text()
    found = pd.read_csv("maps.csv")
    assert len(found) == 35
    known = found[found["subject_id"].isin(ENROLLED)]
    assert (known["candidate"] == known["subject_id"]).mean() > 0.6


def test_maps_of_another_recipe_are_refused(
    aligned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_maps(Path("other.h5"), ["e0"], solver="robust")
    _fails(["identify", "other.h5"], 65, "reconstruction.solver robust", capsys)
    write_faces(Path("other.h5"), ["e0"], frame="somewhere")
    _fails(["identify", "other.h5"], 65, "frame 'somewhere', expected camera or face:", capsys)


def test_rejected_probes_are_named(enrolled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = Reject("e9", "s9", "no nose tip")
    write_faces(Path("probe.h5"), ["e0"], spoil=[2], rejected=[lost])
    capsys.readouterr()
    assert main(["identify"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "e9/s9: not searched: no nose tip" in err
    assert "e0/s2: not searched" in err
    write_faces(Path("probe.h5"), ["e0"], spoil=[0, 1, 2])
    _fails(["identify"], 65, "no probe could be used", capsys)


def test_identify_refuses(enrolled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _fails(["identify", "none.h5"], 66, "none.h5: no such file", capsys)
    _fails(["identify", "--gallery", "none.faiss"], 66, "none.h5: no such file", capsys)
    _fails(["identify", "--fpir", "0.1", "--threshold", "0.1"], 2, "only one", capsys)
    Path("out.csv").write_text("mine")
    _fails(["identify", "-o", "out.csv"], ExitStatus.CANNOT_WRITE, "exists already", capsys)
    assert main(["identify", "-o", "out.csv", "--force", "--dry-run"]) == 0
    assert Path("out.csv").read_text() == "mine"
    data = bytearray(Path("gallery.h5").read_bytes())
    data[len(data) // 2] ^= 1
    Path("gallery.h5").write_bytes(data)
    _fails(["identify"], 65, "gallery.h5: damaged", capsys)


def test_a_lost_index_is_repaired_and_said(
    enrolled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _decisions(capsys, ["identify"])
    Path("gallery.faiss").unlink()
    assert main(["identify", "-o", "again.csv"]) == 0
    assert "gallery.faiss: was missing, made again from gallery.h5" in capsys.readouterr().err
    pd.testing.assert_frame_equal(before, _decisions(capsys, ["identify"]))


def test_identify_is_light(enrolled: Path) -> None:
    code = (
        "import sys; from fr3d.cli import main; status = main(sys.argv[1:]);"
        "loaded = {'torch', 'pandas', 'scipy'} & set(sys.modules);"
        "sys.exit(f'loaded {loaded}' if loaded else status)"
    )
    words = ["identify", "probe.h5", "--gallery", "gallery.faiss"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(COLUMNS + "\n")
