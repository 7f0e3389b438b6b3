"""A whole synthetic data set: many people, many sessions, resumable, the same with any workers."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from fr3d.artifacts.atomic import cannot_write, write_bytes
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.errors import CannotWriteError
from fr3d.synthesis.people import Plan, make_person
from fr3d.synthesis.photoface import subject_name
from fr3d.synthesis.truth import Columns

MANIFEST = "synth.json"
TRUTH = "truth.h5"


def missing_people(plan: Plan, root: Path) -> list[int]:
    """Numbers of the people of whom a session folder is missing."""
    numbers = range(plan.people)
    return [n for n in numbers if not all(f.is_dir() for f in plan.folders(root, n))]


def prepare(plan: Plan, root: Path, truth: bool, force: bool) -> None:
    """Refuse early what cannot be written; with `force`, remove an earlier data set.

    A folder that holds the beginning of the same data set is taken as it is, to be completed.

    Args:
        plan: what is to be made.
        root: where.
        truth: whether true maps are wanted.
        force: replace a data set that is there. Files of other origin are never touched.

    Raises:
        CannotWriteError: the folder holds something else, or the data set is complete.
    """
    if root.exists() and not root.is_dir():
        raise CannotWriteError(f"{root}: exists and is not a folder", "give another name")
    if not root.exists() or not any(root.iterdir()):
        return
    earlier = read_manifest(root)
    if earlier is None:
        raise CannotWriteError(
            f"{root}: holds files, but no {MANIFEST} of an earlier run", "give an empty folder"
        )
    complete = not missing_people(plan, root) and (not truth or (root / TRUTH).exists())
    if (earlier != plan or complete) and not force:
        raise CannotWriteError(
            f"{root}: holds {'this' if earlier == plan else 'another'} synthetic data set already",
            "use --force to replace it, or give another folder",
        )


def read_manifest(root: Path) -> Plan | None:
    """Read which data set a folder holds; None when it holds none."""
    try:
        found = json.loads((root / MANIFEST).read_text("utf-8"))
        if found.pop("generator") != "fr3d synth":
            return None
        return Plan(**found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def synthesise(
    plan: Plan,
    root: Path,
    *,
    truth: bool = True,
    workers: int = 1,
    force: bool = False,
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Make a data set, or complete one that was interrupted.

    Args:
        plan: what to make.
        root: the folder of raw captures.
        truth: keep the true maps in `truth.h5` beside the people.
        workers: processes; the result does not depend on them.
        force: replace a data set that is there.
        advance: told the number of sessions after each person.

    Raises:
        CannotWriteError: the folder holds something else, or cannot be written.
    """
    prepare(plan, root, truth, force)
    if force:
        clear(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not (root / MANIFEST).exists():
            write_bytes(root / MANIFEST, (plan.manifest() + "\n").encode(), force=True)
        _make(plan, root, truth and not (root / TRUTH).exists(), workers, force, advance)
    except OSError as error:
        raise cannot_write(root, error) from error


def clear(root: Path) -> None:
    """Remove the sessions that the manifest of an earlier run names, and its true maps."""
    earlier = read_manifest(root)
    if earlier is None:
        return
    (root / TRUTH).unlink(missing_ok=True)
    for person in range(earlier.people):
        for folder in earlier.folders(root, person):
            shutil.rmtree(folder, ignore_errors=True)
        subject = root / subject_name(person)
        if subject.is_dir() and not any(subject.iterdir()):
            subject.rmdir()
    (root / MANIFEST).unlink()


def _make(
    plan: Plan,
    root: Path,
    truth: bool,
    workers: int,
    force: bool,
    advance: Callable[[int], object],
) -> None:
    missing = set(missing_people(plan, root))
    with _truth_writer(plan, root, truth, force) as writer:
        unsealed = {index for index, _ in writer.todo(_rows(plan))} if writer else set()
        people = sorted(missing | unsealed)
        job = partial(make_person, plan, root, truth)
        advance(plan.sessions * (plan.people - len(people)))
        for person, columns in zip(people, _run(job, people, workers), strict=True):
            if writer and person in unsealed:
                writer.seal(person, columns)
            advance(plan.sessions)


@contextmanager
def _truth_writer(
    plan: Plan, root: Path, truth: bool, force: bool
) -> Iterator[ArtifactWriter | None]:
    if not truth:
        yield None
        return
    parameters = asdict(plan)
    seed = parameters.pop("seed")
    step = Step("synth", parameters, {}, seed=seed)
    with ArtifactWriter(
        root / TRUTH,
        "fr3d.maps",
        step,
        frame="camera",
        part_rows=plan.sessions,
        items=plan.people * plan.sessions,
        force=force,
    ) as writer:
        yield writer


def _rows(plan: Plan) -> list[tuple[int, int]]:
    return [(person, number) for person in range(plan.people) for number in range(plan.sessions)]


def _run(job: Callable[[int], Columns], people: list[int], workers: int) -> Iterator[Columns]:
    """Run jobs in order, in this process when one worker is enough."""
    workers = min(workers, len(people))
    if workers <= 1:
        yield from map(job, people)
        return
    # A fresh interpreter each: forking a process that has threads is not safe.
    with ProcessPoolExecutor(workers, get_context("spawn"), _leave_ctrl_c_to_parent) as pool:
        try:
            yield from pool.map(job, people)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _leave_ctrl_c_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
