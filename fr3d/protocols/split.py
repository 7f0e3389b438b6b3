"""People into train, val, calibration, test and distractor; sessions into gallery and probe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fr3d.errors import MalformedInputError, UsageError
from fr3d.protocols.assignment import divide, person_strata
from fr3d.protocols.roles import choose_unknown, gallery_sessions
from fr3d.protocols.sizes import default_unknown, largest_remainder, partition_sizes

LEADING = ("subject_id", "session_id", "partition", "role")


@dataclass(frozen=True)
class SplitPlan:
    """What a split is asked to be.

    Attributes:
        sizes: by partition, a share of the people (below 1), a number of them, or None: the rest.
        stratify: attribute columns in whose values the partitions should be alike.
        gallery_count: gallery sessions of each enrolled person.
        gallery_pattern: shell pattern of the gallery sessions; replaces the count if not empty.
        unknown: share (below 1) or number of test people who are never enrolled; None: half of
            them, but at least ten of 48 people or more.
        min_sessions: people with fewer go to `dirty`.
        folds: number of folds over train and val people; 0 for none.
        repeats: fold columns, each another division.
        seed: of all draws.
    """

    sizes: Mapping[str, float | None] = field(default_factory=dict)
    stratify: Sequence[str] = ()
    gallery_count: int = 1
    gallery_pattern: str = ""
    unknown: float | None = None
    min_sessions: int = 1
    folds: int = 0
    repeats: int = 1
    seed: int = 0


def make_split(sessions: pd.DataFrame, plan: SplitPlan) -> pd.DataFrame:
    """Give every session its partition and role.

    The result depends on the ids and the seed, not on the order of the rows.

    Args:
        sessions: subject_id, session_id and any further columns, all text.
        plan: what the split should be.

    Returns:
        The rows in their order with partition and role after the ids, then fold_0.., then the
        columns that were there.

    Raises:
        MalformedInputError: no rows, or a session listed twice.
        UsageError: sizes, attributes or roles that these people do not allow.
    """
    _check(sessions, plan)
    draw = iter(np.random.SeedSequence(plan.seed).spawn(4))
    counts = sessions.groupby("subject_id")["session_id"].size()
    kept = sessions[sessions["subject_id"].map(counts) >= plan.min_sessions]
    strata = person_strata(kept, plan.stratify)
    partition = _partitions(strata, plan, np.random.default_rng(next(draw)))
    gallery = _gallery(kept, strata, partition, plan, np.random.default_rng(next(draw)))
    table = sessions.drop(columns=[c for c in LEADING[2:] if c in sessions.columns])
    table = table.drop(columns=[c for c in table.columns if c.startswith("fold_")])
    place = [partition.get(s, "dirty") for s in table["subject_id"]]
    table.insert(2, "partition", place)
    table.insert(3, "role", [_role(*row, gallery) for row in _rows(table)])
    for repeat, fold in enumerate(
        _folds(strata, partition, plan, np.random.default_rng(next(draw)))
    ):
        table.insert(4 + repeat, f"fold_{repeat}", [fold.get(s, "") for s in table["subject_id"]])
    return table


def _rows(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    columns = (table["subject_id"], table["session_id"], table["partition"])
    return list(zip(*columns, strict=True))


def _check(sessions: pd.DataFrame, plan: SplitPlan) -> None:
    if sessions.empty:
        raise MalformedInputError("no sessions to split")
    twice = sessions.duplicated(["subject_id", "session_id"])
    if twice.any():
        first = sessions[twice].iloc[0]
        raise MalformedInputError(
            f"session {first['subject_id']}/{first['session_id']} is listed twice",
            f"{int(twice.sum())} rows repeat an earlier one: list each session once",
        )
    for name in plan.stratify:
        if name not in sessions.columns:
            known = ", ".join(c for c in sessions.columns if c not in LEADING) or "none"
            raise UsageError(f"no attribute '{name}' to stratify by", f"attributes: {known}")
    if plan.folds == 1 or plan.folds < 0 or plan.repeats < 1 or plan.gallery_count < 1:
        raise UsageError("folds must be 2 or more, repeats and gallery sessions 1 or more")


def _partitions(
    strata: Mapping[str, tuple[str, ...]], plan: SplitPlan, generator: np.random.Generator
) -> dict[str, str]:
    sizes = partition_sizes(len(strata), plan.sizes)
    names = list(sizes)
    parts = divide(strata, list(sizes.values()), generator)
    return {person: names[part] for person, part in parts.items()}


def _gallery(
    kept: pd.DataFrame,
    strata: Mapping[str, tuple[str, ...]],
    partition: Mapping[str, str],
    plan: SplitPlan,
    generator: np.random.Generator,
) -> set[tuple[str, str]]:
    """Enrolled sessions: some of the test people's, and all of the distractors'."""
    groups = kept.groupby("subject_id")["session_id"].apply(list)
    tested = {str(p): list(s) for p, s in groups.items() if partition[str(p)] == "test"}
    unknown = _unknown_count(plan.unknown, len(strata), len(tested))
    rule = {"count": plan.gallery_count, "pattern": plan.gallery_pattern}
    strangers = choose_unknown(tested, strata, unknown, generator, **rule)  # type: ignore[arg-type]
    enrolled = {p: s for p, s in tested.items() if p not in strangers}
    chosen = gallery_sessions(enrolled, generator, **rule)  # type: ignore[arg-type]
    return chosen | {
        (str(p), s)
        for p, names in groups.items()
        if partition[str(p)] == "distractor"
        for s in names
    }


def _unknown_count(asked: float | None, people: int, tested: int) -> int:
    if asked is None:
        return default_unknown(people, tested)
    if asked < 0 or (asked >= tested > 0):
        raise UsageError(
            f"--unknown {asked:g}: there are {tested} test people, one must be enrolled"
        )
    return int(asked) if asked >= 1 else int(asked * tested + 0.5)


def _role(subject: str, session: str, partition: str, gallery: set[tuple[str, str]]) -> str:
    if (subject, session) in gallery:
        return "gallery"
    # Calibration people are strangers to the gallery: all that they have are probes.
    return "probe" if partition in ("test", "calibration") else ""


def _folds(
    strata: Mapping[str, tuple[str, ...]],
    partition: Mapping[str, str],
    plan: SplitPlan,
    generator: np.random.Generator,
) -> list[dict[str, str]]:
    """Divisions of the train and val people into folds of equal size."""
    people = {p: s for p, s in strata.items() if partition[p] in ("train", "val")}
    if not plan.folds:
        return []
    if len(people) < plan.folds:
        raise UsageError(
            f"{plan.folds} folds need as many people, train and val have {len(people)}"
        )
    sizes = largest_remainder([len(people) / plan.folds] * plan.folds, len(people))
    divisions = [divide(people, sizes, generator) for _ in range(plan.repeats)]
    return [{person: str(fold) for person, fold in parts.items()} for parts in divisions]
