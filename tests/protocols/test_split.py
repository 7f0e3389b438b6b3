from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.errors import MalformedInputError, UsageError
from fr3d.protocols.assignment import divide
from fr3d.protocols.sizes import default_sizes, default_unknown, partition_sizes
from fr3d.protocols.split import SplitPlan, make_split
from fr3d.protocols.table import enrolled_people, unknown_people


def sessions(people: int, each: int = 6, **attributes) -> pd.DataFrame:
    rows = [(f"{p:03d}", f"s{k}") for p in range(people) for k in range(each)]
    table = pd.DataFrame(rows, columns=["subject_id", "session_id"])
    for name, value in attributes.items():
        table[name] = [value(int(s)) for s in table["subject_id"]]
    return table


def test_the_defaults_resolve_ten_percent_with_48_people():
    split = make_split(sessions(48), SplitPlan())
    people = split.groupby("partition")["subject_id"].nunique()
    assert people.to_dict() == {"train": 17, "val": 3, "calibration": 10, "test": 18}
    assert len(unknown_people(split, "test")) == 10
    assert len(enrolled_people(split, "test")) == 8
    assert set(unknown_people(split, "calibration")) == set(
        split.loc[split["partition"] == "calibration", "subject_id"]
    )


@given(
    counts=st.lists(st.integers(1, 7), min_size=4, max_size=40),
    gallery=st.integers(1, 2),
    seed=st.integers(0, 99),
    minimum=st.integers(1, 2),
)
@settings(max_examples=60, deadline=None)
def test_properties_of_any_split(counts, gallery, seed, minimum):
    table = pd.DataFrame(
        [(f"{p:02d}", f"s{k}") for p, n in enumerate(counts) for k in range(n)],
        columns=["subject_id", "session_id"],
    )
    plan = SplitPlan(gallery_count=gallery, min_sessions=minimum, seed=seed)
    try:
        split = make_split(table, plan)
    except UsageError as error:
        assert "nobody in the test partition" in error.message  # noqa: PT017
        return
    assert split[["subject_id", "session_id"]].equals(table)
    assert (split.groupby("subject_id")["partition"].nunique() == 1).all()
    size = split.groupby("subject_id")["session_id"].size()
    dirty = set(split.loc[split["partition"] == "dirty", "subject_id"])
    assert dirty == set(size.index[size < minimum])
    test = split[split["partition"] == "test"]
    roles = test.groupby("subject_id")["role"].apply(Counter)
    for subject in enrolled_people(split, "test"):
        assert roles[subject]["gallery"] == gallery
        assert roles[subject]["probe"] >= 1
    assert set(test["role"]) <= {"gallery", "probe"}
    assert set(split.loc[split["partition"].isin(["train", "val", "dirty"]), "role"]) <= {""}


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does():
    table = sessions(30)
    plan = SplitPlan(folds=3, repeats=2)
    once = make_split(table, plan)
    mixed = make_split(table.sample(frac=1, random_state=1), plan).sort_index()
    assert once.equals(mixed)
    assert not once.equals(make_split(table, SplitPlan(folds=3, repeats=2, seed=1)))


def test_the_order_of_the_people_does_not_matter():
    strata = {str(p): p % 3 for p in range(20)}
    backwards = dict(reversed(strata.items()))
    one = divide(strata, [5, 15], np.random.default_rng(0))
    assert one == divide(backwards, [5, 15], np.random.default_rng(0))


def test_strata_are_divided_alike():
    table = sessions(200, 2, gender=lambda p: "f" if p % 5 == 0 else "m")
    split = make_split(table, SplitPlan(stratify=["gender"]))
    people = split.drop_duplicates("subject_id")
    for name, rows in people.groupby("partition"):
        expected = len(rows) / 5
        assert abs((rows["gender"] == "f").sum() - expected) <= 1.5, name
    test = people[people["partition"] == "test"]
    unknown = test[test["subject_id"].isin(unknown_people(split, "test"))]
    assert abs((unknown["gender"] == "f").sum() - len(unknown) / 5) <= 1.5


def test_a_session_pattern_names_the_gallery():
    table = sessions(40)
    split = make_split(table, SplitPlan(gallery_pattern="s[01]"))
    gallery = split[split["role"] == "gallery"]
    assert set(gallery["session_id"]) == {"s0", "s1"}
    strangers = split[split["subject_id"].isin(unknown_people(split, "test"))]
    assert set(strangers["role"]) == {"probe"}
    assert len(strangers) == 6 * strangers["subject_id"].nunique()


def test_folds_cover_train_and_val_people_evenly():
    split = make_split(sessions(60), SplitPlan(folds=4, repeats=3))
    trained = split[split["partition"].isin(["train", "val"])]
    assert set(split.drop(trained.index)["fold_0"]) == {""}
    for column in ("fold_0", "fold_1", "fold_2"):
        assert (trained.groupby("subject_id")[column].nunique() == 1).all()
        sizes = trained.drop_duplicates("subject_id")[column].value_counts()
        assert sizes.max() - sizes.min() <= 1
        assert set(sizes.index) == {"0", "1", "2", "3"}
    assert not trained["fold_0"].equals(trained["fold_1"])


def test_old_partitions_are_replaced_and_other_columns_kept():
    first = make_split(sessions(30, note=lambda p: f"n{p}"), SplitPlan(folds=2))
    again = make_split(first, SplitPlan(seed=5))
    assert list(again.columns) == ["subject_id", "session_id", "partition", "role", "note"]


def test_distractors_are_all_gallery():
    split = make_split(sessions(60), SplitPlan(sizes={"distractor": 6}))
    rows = split[split["partition"] == "distractor"]
    assert rows["subject_id"].nunique() == 6
    assert set(rows["role"]) == {"gallery"}


@given(
    people=st.integers(1, 400),
    test=st.one_of(st.none(), st.floats(0, 0.5), st.integers(1, 5)),
    val=st.one_of(st.none(), st.floats(0, 0.3)),
)
def test_sizes_sum_to_the_people_and_honour_what_was_asked(people, test, val):
    asked = {"test": test, "val": val}
    if test is not None and test >= 1 and test + (val or 0) * people > people * (1 + 1e-6):
        with pytest.raises(UsageError):
            partition_sizes(people, asked)
        return
    sizes = partition_sizes(people, asked)
    assert sum(sizes.values()) == people
    assert min(sizes.values()) >= 0
    for name, value in asked.items():
        if value is not None:
            assert abs(sizes[name] - (value * people if value < 1 else value)) < 1


def test_large_sets_get_shares():
    sizes = default_sizes(1000)
    assert sizes["train"] == pytest.approx(540)
    assert sizes["test"] == pytest.approx(250)
    assert default_unknown(1000, 250) == 125


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (SplitPlan(stratify=["hair"]), "no attribute 'hair'"),
        (SplitPlan(sizes={"test": 100}), "ask for 100 people"),
        (SplitPlan(sizes={"train": 2, "val": 2, "calibration": 2, "test": 4}), "there are 20"),
        (SplitPlan(sizes={"test": -1}), "cannot have -1"),
        (SplitPlan(gallery_count=6), "nobody in the test partition"),
        (SplitPlan(gallery_pattern="front_*"), "nobody in the test partition"),
        (SplitPlan(folds=1), "folds must be 2"),
        (SplitPlan(folds=50), "50 folds"),
        (SplitPlan(unknown=30), "--unknown 30"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(plan, words):
    with pytest.raises(UsageError, match=words):
        make_split(sessions(20, gender=lambda p: "f"), plan)


def test_a_session_listed_twice_is_malformed():
    table = pd.concat([sessions(20), sessions(1)])
    with pytest.raises(MalformedInputError, match="000/s0 is listed twice"):
        make_split(table, SplitPlan())


def test_people_with_few_sessions_are_the_unknown_ones():
    rows = [(f"{p:02d}", f"s{k}") for p in range(40) for k in range(1 if p % 2 else 4)]
    table = pd.DataFrame(rows, columns=["subject_id", "session_id"])
    split = make_split(table, SplitPlan())
    singles = {f"{p:02d}" for p in range(1, 40, 2)}
    assert not enrolled_people(split, "test") & singles
    tested = set(split.loc[split["partition"] == "test", "subject_id"])
    assert tested & singles
    assert tested & singles <= set(unknown_people(split, "test"))
    assert np.all(split["partition"] != "dirty")
