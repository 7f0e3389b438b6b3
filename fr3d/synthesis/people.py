"""The making of people: their sessions rendered, and written to disk or turned into rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from fr3d.artifacts.drafts import Draft, Drafter
from fr3d.artifacts.rows import Reject
from fr3d.errors import Fr3dError
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.engine import Engine
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.pairs import pair_name, write_pair, write_photograph
from fr3d.synthesis.photoface import session_names, subject_name, write_session
from fr3d.synthesis.plan import Plan
from fr3d.synthesis.reconstruction import reconstructed_row
from fr3d.synthesis.scene import photograph
from fr3d.synthesis.session import Session
from fr3d.synthesis.studio import Shot, draw
from fr3d.synthesis.truth import attributes, stack_rows, true_row


@dataclass
class Rows:
    """The rows of one person.

    Args:
        kept: by dataset.
        rejected: sessions that could not be reconstructed.
    """

    kept: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[Reject] = field(default_factory=list)


def names(plan: Plan, person: int) -> list[str]:
    """The ids of a person's sessions, in order."""
    if plan.kind in ("photographs", "rgbd"):
        return [pair_name(subject_name(person), number) for number in range(plan.sessions)]
    return session_names(plan.seed, person, plan.sessions)


def place(plan: Plan, root: Path, person: int, name: str) -> Path:
    """What is there once a session is written whole: its folder, or its picture."""
    where = root / subject_name(person) / name
    return where if plan.kind == "photoface" else where.with_name(f"{name}.{plan.picture}")


def make_people(
    engine: Engine,
    plan: Plan,
    people: Sequence[int],
    root: Path | None,
    drafter: Drafter | None,
) -> list[Draft]:
    """Render all sessions of some people; write those that are missing, and draft their rows.

    Args:
        engine: where pictures are computed; the result does not depend on how many people there
            are.
        plan: of the data set.
        people: their numbers.
        root: folder of the captures; None when they are not wanted.
        drafter: writes the rows of each person as one part; None when they are not wanted.
    """
    rows = {person: Rows() for person in people}
    wanted = _wanted(plan, people, root, everything=drafter is not None)
    for (person, number), session in _rendered(engine, plan, wanted):
        name = names(plan, person)[number]
        if root is not None and not place(plan, root, person, name).exists():
            _write(plan, root, person, name, session)
        if drafter is not None:
            _collect(plan, rows[person], subject_name(person), name, session)
    if drafter is None:
        return []
    return [drafter.draft(p, stack_rows(its.kept), its.rejected) for p, its in rows.items()]


def _wanted(
    plan: Plan, people: Sequence[int], root: Path | None, *, everything: bool
) -> list[tuple[int, int]]:
    """Person and number of the sessions to render."""
    pairs = [(person, number) for person in people for number in range(plan.sessions)]
    if everything or root is None:
        return pairs
    return [(p, n) for p, n in pairs if not place(plan, root, p, names(plan, p)[n]).exists()]


def _rendered(
    engine: Engine, plan: Plan, wanted: Sequence[tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], Session]]:
    """Sessions in order, as many at a time as suits the engine."""
    shots = _drawn(plan, wanted)
    for start in range(0, len(wanted), engine.batch):
        group = wanted[start : start + engine.batch]
        taken = photograph(engine, list(islice(shots, len(group))), plan.studio)
        yield from zip(group, taken, strict=True)


def _drawn(plan: Plan, wanted: Sequence[tuple[int, int]]) -> Iterator[Shot]:
    """What is drawn for each session; a person is drawn once for all sessions that follow."""
    habits, head = plan.studio.variety.habits, load_heads()
    for person, sessions in groupby(wanted, itemgetter(0)):
        identity = sample_identity(plan.seed, person, head, habits)
        for _, number in sessions:
            yield draw(identity, plan.seed, person, number, plan.studio)


def _write(plan: Plan, root: Path, person: int, name: str, session: Session) -> None:
    folder = root / subject_name(person)
    if plan.kind == "photoface":
        write_session(folder / name, session, attributes(session), plan.picture)
    elif plan.kind == "rgbd":
        write_pair(folder, name, session, plan.picture)
    else:
        write_photograph(folder, name, session, plan.picture)


def _collect(plan: Plan, rows: Rows, subject: str, name: str, session: Session) -> None:
    """Add the row of a session, or the reason why there is none."""
    if plan.kind != "reconstruction":
        exact = plan.kind != "maps"
        rows.kept.append(true_row(subject, name, session, exact=exact))
        return
    try:
        rows.kept.append(reconstructed_row(subject, name, session, plan.picture))
    except Fr3dError as error:
        rows.rejected.append(Reject(subject, name, error.message))
