"""The parts of shards become the artifact that a single run would have written."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fr3d import __version__
from fr3d.artifacts import atomic
from fr3d.artifacts.joining import Joined, join_parts, nothing_usable
from fr3d.artifacts.locks import Lock
from fr3d.artifacts.parts import check_complete, in_use, sealed_parts
from fr3d.artifacts.plan import PartPlan, read_plan
from fr3d.errors import MalformedInputError


@dataclass(frozen=True)
class PartSet:
    """All parts of one run, in one folder or in several.

    Attributes:
        folders: where they lie.
        plan: what they are of.
    """

    folders: tuple[Path, ...]
    plan: PartPlan

    @property
    def paths(self) -> list[Path]:
        """The parts in order; one that lies in two folders was made twice alike."""
        by_name = {p.name: p for folder in reversed(self.folders) for p in sealed_parts(folder)}
        return [by_name[name] for name in sorted(by_name, key=lambda n: (len(n), n))]


def find_part_set(sources: Sequence[Path]) -> PartSet | None:
    """The part folders of one run, or None when the sources are finished artifacts.

    Args:
        sources: files or folders.

    Raises:
        MalformedInputError: parts are missing, or are of several runs or another version.
    """
    plans = [read_plan(source) if source.is_dir() else None for source in sources]
    known = [plan for plan in plans if plan is not None]
    if len(known) < len(plans):
        return None
    first = known[0]
    if any(plan.digest != first.digest for plan in known):
        _check_each_complete(sources, known)
        return None
    if first.version != __version__:
        raise MalformedInputError(
            f"{sources[0]}: made by fr3d {first.version}, this is {__version__}",
            "join parts with the version that made them",
        )
    if first.parts is None:
        raise MalformedInputError(
            f"{sources[0]}: how many parts there should be is not known",
            "run the command that made them again: it joins them",
        )
    check_complete(sources, first)
    return PartSet(tuple(sources), first)


def _check_each_complete(sources: Sequence[Path], plans: Sequence[PartPlan]) -> None:
    """Runs over different files can be merged, but only when each is complete."""
    try:
        for source, plan in zip(sources, plans, strict=True):
            check_complete([source], plan)
    except MalformedInputError as error:
        raise MalformedInputError(
            f"{error.message}; and the folders are of runs with other inputs or options",
            "shards go together when all had one command line and the same files with their times",
        ) from error


def merge_parts(
    parts: PartSet, output: Path, *, force: bool = False, remove: bool = False
) -> Joined:
    """Join the parts of shards; the bytes are those of a run without shards.

    Args:
        parts: all of them.
        output: the artifact; its rejects are listed beside it.
        force: replace an existing output.
        remove: remove the part folders afterwards.

    Raises:
        CannotWriteError: the output exists or cannot be written, or somebody is at work.
        MalformedInputError: the parts do not go together, or hold no row.
    """
    atomic.check_output(output, force)
    with ExitStack() as held:
        for folder in parts.folders:
            held.enter_context(_held(folder, shared=not remove))
        done = join_parts(parts.paths, parts.plan, output, force=force)
        if not done.rows:
            raise nothing_usable(output, done.rejected)
        for folder in parts.folders if remove else ():
            shutil.rmtree(folder)
    return done


@contextmanager
def _held(folder: Path, *, shared: bool) -> Iterator[None]:
    """Keep a run for all parts, which removes them at its end, from beginning."""
    try:
        lock = Lock(folder / "lock")
    except OSError as error:
        if shared:  # somebody else's folder can be read without a lock
            yield
            return
        raise atomic.cannot_write(folder, error) from error
    with lock:
        if not lock.take(shared=shared):
            raise in_use(folder, "a process is at work on these parts")
        yield
