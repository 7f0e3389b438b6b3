import numpy as np
import pandas as pd
import pytest

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.tables import read_table, write_table
from fr3d.artifacts.writer import write_artifact
from fr3d.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """faces.h5 with 48 people of 3 sessions, in the current folder."""
    monkeypatch.chdir(tmp_path)
    people = [f"{p:03d}" for p in range(48)]
    columns = {
        "subject_id": np.repeat(people, 3).tolist(),
        "session_id": ["a", "b", "c"] * 48,
        "depth": np.random.default_rng(0).normal(size=(144, 2, 2)).astype(np.float16),
        "attribute/gender": np.repeat(["f" if p % 4 == 0 else "m" for p in range(48)], 3).tolist(),
    }
    write_artifact(tmp_path / "faces.h5", "fr3d.maps", columns, Step("align"), frame="face:x")
    return tmp_path


def test_the_defaults_make_split_csv_from_faces(folder, capsys):
    assert main(["split"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "test 18 people, 54 sessions (8 enrolled, 10 unknown)" in err
    table = read_table(folder / "split.csv")
    assert list(table.columns) == ["subject_id", "session_id", "partition", "role", "gender"]
    assert table["subject_id"][0] == "000"
    assert len(table) == 144


def test_the_same_seed_gives_the_same_bytes(folder):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert main(["split", "-o", f"{name}.csv", "--seed", seed, "--stratify", "gender"]) == 0
    a, b, c = ((folder / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b != c


def test_sizes_folds_and_attributes_are_options(folder):
    extra = pd.DataFrame({"subject_id": [f"{p:03d}" for p in range(48)], "rig": ["2"] * 48})
    write_table(extra, folder / "rig.csv")
    words = "--train 20 --test 0.25 --val 2 --unknown 6 --gallery-sessions 2 --folds 4 --repeats 2"
    assert main(["split", *words.split(), "--attributes", "rig.csv"]) == 0
    table = read_table(folder / "split.csv")
    people = table.groupby("partition")["subject_id"].nunique()
    assert people.to_dict() == {"train": 20, "val": 2, "calibration": 14, "test": 12}
    assert (table["role"] == "gallery").sum() == 12
    assert set(table["rig"]) == {"2"}
    assert {"fold_0", "fold_1"} <= set(table.columns)


def test_a_table_of_sessions_will_do_and_keeps_its_columns(folder, capsys):
    rows = pd.DataFrame(
        [(f"{p:02d}", str(k), f"n{p}") for p in range(12) for k in range(2)],
        columns=["subject_id", "session_id", "note"],
    )
    write_table(rows, folder / "list.csv")
    assert main(["split", "list.csv", "-o", "out.csv"]) == 0
    table = read_table(folder / "out.csv")
    assert table[["subject_id", "session_id", "note"]].equals(rows)


def test_one_photograph_under_two_names_is_refused(folder, capsys):
    columns = {
        "subject_id": ["a", "b", "c", "d"],
        "session_id": ["1"] * 4,
        "depth": np.array([1, 2, 3, 1], np.float16)[:, None, None] * np.ones((1, 2, 2), np.float16),
    }
    write_artifact(folder / "copy.h5", "fr3d.maps", columns, Step("align"))
    words = ["split", "copy.h5", "-o", "out.csv", "--train", "3", "--test", "1", "--unknown", "0"]
    assert main([*words, "--val", "0", "--calibration", "0"]) == 2  # nobody can be enrolled
    words = ["split", "copy.h5", "-o", "out.csv", "--train", "4"]
    assert main(words) == 65
    assert "1 sessions that show the same capture as another: d/1" in capsys.readouterr().err
    assert not (folder / "out.csv").exists()
    assert main([*words, "--allow-leak", "content"]) == 0
    assert "leak allowed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["nothing.h5"], 66, "nothing.h5: no such file"),
        (["nothing.csv"], 66, "nothing.csv: cannot be read"),
        (["--test", "60"], 2, "partitions ask for 60 people, there are 48"),
        (["--stratify", "beard"], 2, "no attribute 'beard'"),
        (["--gallery-sessions", "x*"], 2, "sessions matching 'x*'"),
        (["-o", "faces.h5"], 73, "faces.h5: exists already"),
        (["--seed", "-1"], 2, "--seed"),
    ],
)
def test_errors(folder, capsys, words, status, says):
    assert main(["split", *words]) == status
    assert says in capsys.readouterr().err
    assert not (folder / "split.csv").exists()


def test_a_dry_run_writes_nothing(folder, capsys):
    assert main(["split", "-n"]) == 0
    assert "would write split.csv" in capsys.readouterr().err
    assert not (folder / "split.csv").exists()


def test_too_few_strangers_for_a_threshold_are_said_at_once(tmp_path, capsys):
    rows = "".join(f"{p},s{s}\n" for p in range(20) for s in range(3))
    (tmp_path / "s.csv").write_text("subject_id,session_id\n" + rows)
    words = ["split", str(tmp_path / "s.csv"), "-o", str(tmp_path / "split.csv"), "-f"]
    assert main([*words, "--calibration", "4"]) == 0
    assert "4 calibration people: enroll can promise no smaller rate than --fpir 0.2" in (
        capsys.readouterr().err
    )
    assert main([*words, "--calibration", "9"]) == 0
    assert "warning" not in capsys.readouterr().err
