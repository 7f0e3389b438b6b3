import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import write_artifact
from fr3d.errors import MalformedInputError, UsageError
from fr3d.protocols.leaks import (
    check_leaks,
    content_digests,
    find_leaks,
    subject_hash,
    subject_hashes,
)
from fr3d.protocols.split import SplitPlan, make_split

CLEAN = [
    ("a", "1", "train", ""),
    ("a", "2", "train", ""),
    ("b", "1", "val", ""),
    ("c", "1", "calibration", "probe"),
    ("d", "1", "test", "gallery"),
    ("d", "2", "test", "probe"),
    ("e", "1", "test", "probe"),
]


def split(*more):
    columns = ["subject_id", "session_id", "partition", "role"]
    return pd.DataFrame([*CLEAN, *more], columns=columns)


def digests(table, **same):
    found = {key: f"{key}" for key in zip(table["subject_id"], table["session_id"], strict=True)}
    return found | {tuple(k.split("_")): v for k, v in same.items()}


def kinds(table, **options):
    return {leak.kind: leak.offenders for leak in find_leaks(table, **options)}


def test_a_clean_split_has_no_leak():
    assert kinds(split(), digests=digests(split()), training={"x"}, hashes={"d": "y"}) == {}


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (("a", "3", "test", "probe"), {"person": ("a",)}),
        (("d", "2", "test", "probe"), {"session": ("d/2",)}),
        (("d", "1", "test", "probe"), {"session": ("d/1",), "gallery-probe": ("d/1",)}),
        (("a", "3", "dirty", ""), {}),
    ],
)
def test_a_planted_row_is_found(row, found):
    assert kinds(split(row)) == found


@pytest.mark.parametrize(
    ("same", "found"),
    [
        ({"a_1": "P", "e_1": "P"}, ("e/1",)),  # two partitions
        ({"d_1": "P", "d_2": "P"}, ("d/2",)),  # gallery and probe
        ({"d_2": "P", "e_1": "P"}, ("e/1",)),  # two names
        ({"a_1": "P", "a_2": "P"}, None),  # a copy within one person's training rows harms nobody
    ],
)
def test_a_copied_capture_is_found(same, found):
    leaks = kinds(split(), digests=digests(split(), **same))
    assert leaks.get("content") == found


def test_training_subjects_are_found_in_test_and_calibration():
    hashes = {s: subject_hash("photoface", s) for s in "abcde"}
    training = {hashes[s] for s in "acd"}
    assert kinds(split(), training=training, hashes=hashes) == {"training-subjects": ("c", "d")}
    only = kinds(split(), training=training, hashes=hashes, tested=("test",))
    assert only == {"training-subjects": ("d",)}


def test_the_hash_is_sha256_of_dataset_and_subject():
    import hashlib

    assert subject_hash("photoface", "007") == hashlib.sha256(b"photoface/007").hexdigest()


def test_the_error_names_file_count_first_offenders_and_the_way_out():
    rows = [(name, "9", "test", "probe") for name in ("a", "b")]
    with pytest.raises(MalformedInputError) as caught:
        check_leaks(find_leaks(split(*rows)), "split.csv")
    assert caught.value.status == 65
    assert "split.csv: leak: 2 people in more than one partition: a, b" in caught.value.message
    assert "--allow-leak person" in caught.value.hint


def test_an_allowed_leak_is_returned_and_another_is_not_allowed_by_it():
    table = split(("a", "9", "test", "probe"), ("e", "1", "test", "probe"))
    assert [leak.kind for leak in check_leaks(find_leaks(table), "s", ["person", "session"])] == [
        "person",
        "session",
    ]
    with pytest.raises(MalformedInputError, match="listed more than once"):
        check_leaks(find_leaks(table), "s", ["person"])
    with pytest.raises(UsageError, match="no leak is called 'all'"):
        check_leaks(find_leaks(table), "s", ["all"])


@given(seed=st.integers(0, 1000), people=st.integers(8, 60))
def test_a_split_of_ours_never_leaks(seed, people):
    table = pd.DataFrame(
        [(f"{p}", f"{k}") for p in range(people) for k in range(3)],
        columns=["subject_id", "session_id"],
    )
    made = make_split(table, SplitPlan(seed=seed))
    assert find_leaks(made, digests=digests(made)) == []


def test_digests_and_hashes_of_an_artifact(tmp_path):
    vectors = np.array([[1, 2], [3, 4], [1, 2], [9, 9]], np.float32)
    columns = {
        "subject_id": ["007", "b", "c", "b"],
        "session_id": ["1", "1", "1", "1"],
        "view": ["", "", "", "flip"],
        "embedding": vectors,
    }
    step = Step("embed")
    path = tmp_path / "e.h5"
    write_artifact(path, "fr3d.embeddings", columns, step, attrs={"dataset": "set"})
    artifact = open_artifact(path, "fr3d.embeddings")
    found = content_digests(artifact)
    assert set(found) == {("007", "1"), ("b", "1"), ("c", "1")}
    assert found["007", "1"] == found["c", "1"] != found["b", "1"]
    assert subject_hashes(artifact)[0] == subject_hash("set", "007")
    assert json.dumps(subject_hashes(artifact))
