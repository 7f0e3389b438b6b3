import numpy as np
import pandas as pd
import pytest

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.tables import write_table
from fr3d.artifacts.writer import Reject, write_artifact
from fr3d.errors import MalformedInputError
from fr3d.protocols.attributes import join_attributes, session_table
from fr3d.protocols.copying import copy_rows, open_sessions
from fr3d.protocols.selection import choose, rejects_of, select_rows
from fr3d.protocols.table import read_split

SPLIT = pd.DataFrame(
    [
        ("007", "g", "test", "gallery"),
        ("007", "p", "test", "probe"),
        ("007", "lost", "test", "gallery"),
        ("8", "p", "test", "probe"),
        ("9", "t", "train", ""),
        ("9", "bad", "dirty", ""),
    ],
    columns=["subject_id", "session_id", "partition", "role"],
)
REJECTED = [
    Reject("007", "lost", "no face"),
    Reject("007", "unlisted", "no face"),
    Reject("8", "unlisted", "three of four images"),
    Reject("9", "unlisted", "three of four images"),
]


@pytest.fixture
def faces(tmp_path):
    columns = {
        "subject_id": ["9", "007", "8", "007", "9"],
        "session_id": ["bad", "p", "p", "g", "t"],
        "normal": np.random.default_rng(0).normal(size=(5, 4, 4, 3)).astype(np.float16),
        "attribute/gender": ["m", "f", "", "f", "m"],
    }
    path = tmp_path / "faces.h5"
    step = Step("align", {"template": "arcface112"})
    write_artifact(path, "fr3d.maps", columns, step, frame="face:arcface112", rejected=REJECTED)
    return open_artifact(path)


@pytest.mark.parametrize(
    ("partition", "role", "rows", "lost"),
    [
        (["test"], [], [1, 2, 3], ["lost", "unlisted", "unlisted"]),
        (["test"], ["probe"], [1, 2], ["unlisted", "unlisted"]),
        (["test"], ["gallery"], [3], ["lost"]),
        (["train"], [], [4], ["unlisted"]),
        ([], [], [1, 2, 3, 4], ["lost", "unlisted", "unlisted", "unlisted"]),
    ],
)
def test_rows_and_failures_of_a_selection(faces, partition, role, rows, lost):
    chosen = choose(SPLIT, partition, role)
    assert select_rows(faces, chosen).tolist() == rows
    assert [r.session_id for r in rejects_of(faces, SPLIT, chosen)] == lost


def test_a_session_that_is_nowhere_is_malformed(faces):
    more = pd.DataFrame([("8", "q", "test", "probe")], columns=SPLIT.columns)
    with pytest.raises(MalformedInputError, match="1 of 5 sessions of the split are not in it"):
        select_rows(faces, choose(pd.concat([SPLIT, more]), ["test"]))
    with pytest.raises(MalformedInputError, match="no row is in the chosen"):
        select_rows(faces, choose(SPLIT, ["val"]))


def test_copied_rows_are_the_rows_and_inherit_the_history(faces, tmp_path):
    rows = select_rows(faces, choose(SPLIT, ["test"], ["probe"]))
    out = tmp_path / "probe.h5"
    copy_rows(faces, rows, out, Step("select", {"role": "probe"}), rejected=REJECTED[2:3])
    copy = open_sessions([out])
    assert copy.subject_id == ["007", "8"]
    assert copy.attributes == {"gender": ["f", ""]}
    assert np.array_equal(copy["normal"][:], faces["normal"][rows])
    assert copy["normal"].dtype == np.float16
    assert copy.frame == "face:arcface112"
    assert [step["command"] for step in copy.history] == ["align", "select"]
    assert copy.rejected == REJECTED[2:3]
    assert copy.text("digest") == [faces.text("digest")[i] for i in rows]


def test_sessions_of_an_artifact_with_attributes(faces):
    table = session_table(faces)
    assert table["subject_id"].tolist() == ["9", "007", "8", "007", "9"]
    extra = pd.DataFrame({"subject_id": ["8", "007"], "gender": ["m", ""], "age": ["30", "31"]})
    joined = join_attributes(table, extra, "a.csv")
    assert joined["gender"].tolist() == ["m", "f", "m", "f", "m"]
    assert joined["age"].tolist() == ["", "31", "30", "31", ""]
    with pytest.raises(MalformedInputError, match=r"a\.csv: 8 has more than one row"):
        join_attributes(table, pd.concat([extra, extra[:1]]), "a.csv")


def test_a_split_table_is_read_as_text_and_held_to_its_words(tmp_path):
    path = tmp_path / "split.csv"
    write_table(SPLIT.assign(note="x"), path)
    read = read_split(path)
    assert read["subject_id"].tolist()[0] == "007"
    assert list(read.columns)[-1] == "note"
    write_table(SPLIT.drop(columns="role"), path, force=True)
    assert set(read_split(path)["role"]) == {""}
    write_table(SPLIT.replace("val", "x").replace("train", "trian"), path, force=True)
    with pytest.raises(MalformedInputError, match="line 6: partition 'trian'"):
        read_split(path)
