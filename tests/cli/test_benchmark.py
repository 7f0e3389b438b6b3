import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from small_models import write_faces, write_model

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.tables import read_table, write_table
from fr3d.artifacts.writer import write_artifact
from fr3d.cli import main
from fr3d.gallery.threshold_table import read_thresholds
from fr3d.protocols.leaks import subject_hash

PEOPLE = [f"{p:03d}" for p in range(48)]
FAST = ["--bootstrap", "10"]


def write_embeddings(path, training=(), **attrs):
    generator = np.random.default_rng(0)
    rows = [(who, f"s{k}") for who in PEOPLE for k in range(4)]
    centre = np.repeat(generator.normal(size=(48, 24)), 4, axis=0)
    columns = {
        "subject_id": [who for who, _ in rows],
        "session_id": [session for _, session in rows],
        "embedding": (centre + 0.6 * generator.normal(size=centre.shape)).astype(np.float32),
    }
    attrs["training_subjects"] = json.dumps(list(training))
    step = Step("embed")
    write_artifact(path, "fr3d.embeddings", columns, step, attrs=attrs, force=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_embeddings(tmp_path / "embeddings.h5", model_contract_sha256="c" * 64)
    assert main(["split", "embeddings.h5", "-q"]) == 0
    return tmp_path


def people_of(folder, partition):
    table = read_table(folder / "split.csv")
    return sorted(set(table.loc[table["partition"] == partition, "subject_id"]))


def test_the_defaults_measure_and_report(folder, capsys):
    assert main(["benchmark", *FAST]) == 0
    out, err = capsys.readouterr()
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(out))}
    assert float(rows["auc"]["value"]) > 0.9
    assert float(rows["auc"]["low"]) <= float(rows["auc"]["value"]) <= float(rows["auc"]["high"])
    assert float(rows["tpir@fpir=0.1"]["value"]) > 0.5
    assert rows["tpir@fpir=0.001"]["value"] == ""
    assert "not resolvable" in rows["tpir@fpir=0.001"]["note"]
    assert "report.json, report.html" in err
    report = json.loads((folder / "report.json").read_text())
    assert report["counts"]["people"] == 18
    assert report["counts"]["unknown_people"] == 10
    assert report["model_contract"] == "c" * 64
    assert set(report["inputs"]) == {"embeddings.h5", "split.csv"}
    assert str(folder) not in (folder / "report.json").read_text()
    assert (folder / "report.html").read_text().startswith("<!doctype html>")


def test_the_same_inputs_give_the_same_bytes(folder):
    assert main(["benchmark", *FAST, "-o", "a.json"]) == 0
    assert main(["benchmark", *FAST, "-o", "b.json"]) == 0
    for kind in ("json", "html"):
        assert (folder / f"a.{kind}").read_bytes() == (folder / f"b.{kind}").read_bytes()


def test_requirements_decide_the_status_after_the_report(folder, capsys):
    met, missed = "tpir@fpir=0.1>=0.2", "eer<=0.000001"
    assert main(["benchmark", *FAST, "--require", met, "--require", "rank-2>=0.5"]) == 0
    assert main(["benchmark", *FAST, "-f", "--require", met, "--require", missed]) == 3
    assert f"requirement not met: {missed}" in capsys.readouterr().err
    assert (folder / "report.json").exists()
    unresolved = "tpir@fpir=0.02>=0.01"
    assert main(["benchmark", *FAST, "-f", "--require", unresolved]) == 3
    assert "not resolvable" in capsys.readouterr().err


def test_the_table_of_thresholds_says_what_the_report_says(folder):
    assert main(["benchmark", "-q"]) == 0
    report = json.loads((folder / "report.json").read_text())
    rows = read_thresholds(folder / "report.thresholds.csv")
    points = {("fmr", p["target"]): p for p in report["verification"]["points"]}
    points |= {("fpir", p["target"]): p for p in report["open_set"]["calibrated"]}
    assert {(row.kind, row.target) for row in rows} == {
        key for key, point in points.items() if point["resolvable"]
    }
    for row in rows:
        point = points[row.kind, row.target]
        assert row.threshold == pytest.approx(point["threshold"])
        assert row.measured == pytest.approx(point["false_positive"]["value"])
        assert row.gallery_people == (8 if row.kind == "fpir" else None)
        assert row.model_contract == "c" * 64
    assert "bootstrap" in report["intervals"]


def test_enroll_and_compare_take_the_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    faces = write_faces(tmp_path / "faces.h5", PEOPLE)
    write_model(tmp_path / "model.onnx", faces)
    assert main(["split", "-q"]) == 0
    assert main(["benchmark", "faces.h5", *FAST, "-q"]) == 0
    table = ["--thresholds", "report.thresholds.csv"]
    assert main(["enroll", *table, "--fpir", "0.1", "-q"]) == 0
    capsys.readouterr()
    assert main(["compare", "faces.h5", "--rows", "0-2", *table, "--fmr", "0.1"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    fmr = {r.target: r.threshold for r in read_thresholds(Path(table[1])) if r.kind == "fmr"}
    assert [float(row["threshold"]) for row in rows] == pytest.approx([fmr[0.1]] * 3)


def test_json_lines(folder, capsys):
    assert main(["benchmark", *FAST, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"metric", "value", "low", "high", "note"} == set(rows[0])


def plant(folder, change):
    table = read_table(folder / "split.csv")
    write_table(change(table), folder / "split.csv", force=True)


def person(table):
    table.loc[table.index[table["partition"] == "train"][0], ["partition", "role"]] = (
        "test",
        "probe",
    )
    return table


def session(table):
    import pandas as pd

    return pd.concat([table, table[table["role"] == "probe"][:1]])


def both(table):
    import pandas as pd

    return pd.concat([table, table[table["role"] == "gallery"][:1].assign(role="probe")])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (person, "1 people in more than one partition"),
        (session, "1 sessions listed more than once"),
        (both, "1 sessions both in the gallery and among the probes"),
    ],
)
def test_a_planted_leak_is_refused(folder, capsys, change, says):
    plant(folder, change)
    assert main(["benchmark", *FAST]) == 65
    err = capsys.readouterr().err
    assert f"split.csv: leak: {says}" in err
    assert "hint: " in err
    assert not (folder / "report.json").exists()


def test_a_copied_photograph_is_refused(folder, capsys):
    artifact = open_artifact(folder / "embeddings.h5", "fr3d.embeddings")
    vectors = artifact["embedding"][:]
    train, test = (people_of(folder, name)[0] for name in ("train", "test"))
    vectors[artifact.subject_id.index(test)] = vectors[artifact.subject_id.index(train)]
    columns = {
        "subject_id": artifact.subject_id,
        "session_id": artifact.session_id,
        "embedding": vectors,
    }
    path = folder / "embeddings.h5"
    write_artifact(path, "fr3d.embeddings", columns, Step("embed"), force=True)
    assert main(["benchmark", *FAST]) == 65
    assert "1 sessions that show the same capture" in capsys.readouterr().err


def test_training_people_are_refused_unless_allowed_in_so_many_words(folder, capsys):
    seen = [*people_of(folder, "train"), people_of(folder, "test")[2]]
    write_embeddings(folder / "embeddings.h5", [subject_hash("", who) for who in seen])
    assert main(["benchmark", *FAST]) == 65
    err = capsys.readouterr().err
    assert f"that the model was trained on: {seen[-1]}" in err
    assert "--allow-leak training-subjects" in err
    assert main(["benchmark", *FAST, "--allow-leak", "everything"]) == 2
    assert main(["benchmark", *FAST, "--allow-leak", "training-subjects"]) == 0
    report = json.loads((folder / "report.json").read_text())
    assert len(report["leaks_allowed"]) == 1
    assert "Leak allowed: 1 subjects" in (folder / "report.html").read_text()


def test_the_training_hashes_of_another_data_set_are_no_leak(folder):
    training = [subject_hash("photoface", who) for who in PEOPLE]
    write_embeddings(folder / "embeddings.h5", training, dataset="yale")
    assert main(["benchmark", *FAST]) == 0
    write_embeddings(folder / "embeddings.h5", training, dataset="photoface")
    assert main(["benchmark", *FAST, "-f"]) == 65


def test_faces_and_a_model_are_as_good_as_embeddings(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    faces = write_faces(tmp_path / "faces.h5", PEOPLE)
    assert main(["split", "-q"]) == 0
    seen = [subject_hash("", people_of(tmp_path, "train")[0])]
    write_model(tmp_path / "model.onnx", faces, subjects=seen)
    assert main(["benchmark", "faces.h5", *FAST]) == 0
    direct = capsys.readouterr().out
    assert main(["embed", "-q"]) == 0
    assert main(["benchmark", *FAST, "-o", "other.json"]) == 0
    assert capsys.readouterr().out == direct
    one, two = (json.loads((tmp_path / n).read_text()) for n in ("report.json", "other.json"))
    assert one["model_contract"] == two["model_contract"] != ""
    assert set(one["inputs"]) == {"faces.h5", "split.csv"}
    assert main(["benchmark", "-m", "model.onnx", "-f"]) == 2


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["missing.h5"], 66, "missing.h5: no such file"),
        (["--split", "missing.csv"], 66, "missing.csv"),
        (["--partition", "distractor"], 65, "no row is in the chosen partition"),
        (["--require", "auc"], 2, "not a requirement"),
        (["--fpirs", "2"], 2, "--fpirs '2'"),
        (["-o", "page.html"], 2, "name the JSON file"),
        (["-o", "embeddings.h5"], 73, "exists already"),
    ],
)
def test_errors(folder, capsys, words, status, says):
    assert main(["benchmark", *FAST, *words]) == status
    assert says in capsys.readouterr().err


def test_a_dry_run_checks_and_writes_nothing(folder, capsys):
    assert main(["benchmark", "-n"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "would measure 72 sessions of partition test" in err
    assert not (folder / "report.json").exists()
