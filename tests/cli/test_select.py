import numpy as np
import pytest
from small_models import write_faces

from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.tables import read_table
from fr3d.cli import main

PEOPLE = [f"{p:03d}" for p in range(20)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_faces(tmp_path / "faces.h5", PEOPLE)
    assert main(["split", "-q"]) == 0
    return tmp_path


def test_probes_become_a_file_of_their_own(folder, capsys):
    assert main(["select", "faces.h5", "--role", "probe"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    table = read_table(folder / "split.csv")
    wanted = table[(table["partition"] == "test") & (table["role"] == "probe")]
    probe = open_artifact(folder / "probe.h5")
    assert probe.subject_id == wanted["subject_id"].tolist()
    assert probe.session_id == wanted["session_id"].tolist()
    assert f"{len(probe)} of 60 rows" in err
    faces = open_artifact(folder / "faces.h5")
    assert np.array_equal(probe["albedo"][0], faces["albedo"][int(wanted.index[0])])
    steps = [step["command"] for step in probe.history]
    assert steps == ["ps-reconstruct", "align", "select"]
    assert set(probe.history[-1]["inputs"]) == {"faces.h5", "split.csv"}
    assert str(folder) not in str(probe.history)


def test_roles_and_partitions_divide_the_file(folder):
    rows = 0
    for partition in ("train", "val", "calibration", "test"):
        assert main(["select", "--partition", partition]) == 0
        rows += len(open_artifact(folder / f"{partition}.h5"))
    assert rows == 60


def test_the_same_input_gives_the_same_bytes_and_a_second_run_is_refused(folder, capsys):
    assert main(["select", "-o", "a.h5"]) == 0
    assert main(["select", "-o", "b.h5"]) == 0
    assert (folder / "a.h5").read_bytes() == (folder / "b.h5").read_bytes()
    assert main(["select", "-o", "a.h5"]) == 73
    assert main(["select", "-o", "a.h5", "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["--partition", "distractor"], 65, "no row is in the chosen partition"),
        (["missing.h5"], 66, "missing.h5: no such file"),
        (["--split", "no.csv"], 66, "no.csv: no such file"),
        (["--role", "prober"], 2, "prober"),
    ],
)
def test_errors(folder, capsys, words, status, says):
    assert main(["select", *words]) == status
    assert says in capsys.readouterr().err


def test_a_dry_run_writes_nothing(folder, capsys):
    assert main(["select", "-n"]) == 0
    assert "would write test.h5" in capsys.readouterr().err
    assert not (folder / "test.h5").exists()
