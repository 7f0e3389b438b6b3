"""Sealed part files beside an output: finished rows that survive a kill."""

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fr3d.artifacts import atomic
from fr3d.artifacts.locks import Lock
from fr3d.artifacts.plan import NOTE, PartPlan, read_plan
from fr3d.artifacts.shard import Shard
from fr3d.errors import CannotWriteError, MalformedInputError

_SHARD_LOCK = re.compile(r"shard-(\d+)-of-(\d+)\.lock")
_NAMED = 8


class PartFolder:
    """The folder `<output>.parts`, held by one writer or by several shards at a time.

    A whole run holds `lock` alone. Shards share it, and each holds a lock of its own. Who comes in
    settles the plan first, one after the other.

    Args:
        path: the output that the parts belong to.
        plan: what the parts are of; parts of another plan are not reused.
        shard: which of the parts are wanted; None for all.
        force: throw parts of another plan away.

    Attributes:
        locked: False where the file system offers no locks.

    Raises:
        CannotWriteError: another writer is at work, or parts of another plan lie there.
    """

    def __init__(
        self, path: Path, plan: PartPlan, *, shard: Shard | None = None, force: bool
    ) -> None:
        self.output, self.shard = path, shard
        self.folder = path.with_name(path.name + ".parts")
        self._locks: list[Lock] = []
        try:
            self.folder.mkdir(exist_ok=True)
            with Lock(self.folder / "plan.lock") as settling:
                settling.take(wait=True)
                self._enter(plan, force)
        except OSError as error:
            self.release()
            raise atomic.cannot_write(self.folder, error) from error
        except BaseException:
            self.release()
            raise

    def _enter(self, plan: PartPlan, force: bool) -> None:
        lock = Lock(self.folder / "lock")
        self._locks.append(lock)
        if not lock.take(shared=self.shard is not None):
            raise in_use(self.output, "another process is writing it")
        if self.shard is not None:
            own = Lock(self.folder / f"shard-{self.shard.number}-of-{self.shard.count}.lock")
            self._locks.append(own)
            if not own.take():
                raise in_use(self.output, f"shard {self.shard} is being made already")
        self.locked = lock.offered
        self._adopt(plan, force)
        if self.shard is None and lock.offered:
            for left_over in self.folder.glob(".part-*.tmp"):  # of workers that were killed
                left_over.unlink()

    def _adopt(self, plan: PartPlan, force: bool) -> None:
        found, sealed = _plan_digest(self.folder), self.sealed()
        if found == plan.digest:
            return
        if self.shard is not None and not self._alone():
            raise CannotWriteError(
                f"{self.folder}: shards with other inputs or options are at work",
                "give all shards the same command line and the same files, with their times",
            )
        if sealed and not force:
            raise CannotWriteError(
                f"{self.folder}: unfinished parts of a run with other inputs or options",
                "repeat that run to resume it, or use --force to drop them",
            )
        for part in sealed:
            part.unlink()
        atomic.write_bytes(self.folder / NOTE, plan.to_json().encode(), force=True)

    def _alone(self) -> bool:
        """Whether no other shard is at work; none can begin while the plan is being settled."""
        lock = self._locks[0]
        alone = lock.take()
        lock.take(shared=True)
        return alone

    def part(self, index: int) -> Path:
        """Where part `index` lies once it is sealed."""
        return part_path(self.folder, index)

    def sealed(self) -> list[Path]:
        """The parts that are complete, in order."""
        return sealed_parts(self.folder)

    def release(self) -> None:
        """Let others write; the parts stay, and where there is none yet nothing does."""
        alone = self.shard is None and bool(self._locks) and self._locks[0].take()
        if alone and self._locks[0].offered and not self.sealed():
            with suppress(OSError):  # an error is being reported already
                shutil.rmtree(self.folder)
        self._let_go()

    def remove(self) -> None:
        """Remove the parts, once they are joined."""
        shutil.rmtree(self.folder)
        self._let_go()

    def _let_go(self) -> None:
        while self._locks:
            self._locks.pop().release()


def part_path(folder: Path, index: int) -> Path:
    """Where part `index` of a folder lies."""
    return folder / f"part-{index:06d}.h5"


def sealed_parts(folder: Path) -> list[Path]:
    """The parts of a folder that are complete, in order."""
    return sorted(folder.glob("part-*.h5"), key=lambda path: (len(path.name), path.name))


def check_complete(folders: Sequence[Path], plan: PartPlan) -> None:
    """Refuse folders that together lack parts.

    Args:
        folders: parts of one plan.
        plan: that plan.

    Raises:
        MalformedInputError: parts are missing; the hint tells which shards make them.
    """
    if plan.parts is None:
        return
    present = {path.name for folder in folders for path in sealed_parts(folder)}
    missing = [i for i in range(plan.parts) if part_path(folders[0], i).name not in present]
    if not missing:
        return
    names = ", ".join(str(i) for i in missing[:_NAMED]) + (", ..." if missing[_NAMED:] else "")
    raise MalformedInputError(
        f"{folders[0]}: {len(missing)} of {plan.parts} parts are missing: {names}",
        _who_makes(folders, missing)
        or "run the command that made the others again: it makes what is missing",
    )


def _who_makes(folders: Sequence[Path], missing: list[int]) -> str:
    """The shards to run again, where the lock files of shards tell of how many they were."""
    notes = [_SHARD_LOCK.fullmatch(p.name) for folder in folders for p in folder.glob("shard-*")]
    counts = {int(note[2]) for note in notes if note}
    if len(counts) != 1:
        return ""
    count = counts.pop()
    numbers = sorted({i % count + 1 for i in missing})
    shards = ", ".join(f"{number}/{count}" for number in numbers[:_NAMED])
    more = ", ..." if numbers[_NAMED:] else ""
    return f"they are those of --shard {shards}{more}: wait for them, or run them again"


def _plan_digest(folder: Path) -> str:
    try:
        plan = read_plan(folder)
    except MalformedInputError:
        return ""  # of an older version: nobody's plan
    return plan.digest if plan is not None else ""


def in_use(output: Path, what: str) -> CannotWriteError:
    """The error to raise when another process holds an output or its parts."""
    return CannotWriteError(f"{output}: {what}", "wait for it, or give the output another name")
