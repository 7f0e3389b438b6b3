"""A maps file in, a faces file out; memory does not grow with the number of sessions."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import cv2

from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.rows import AlignedRows, align_rows, check_alignable
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import Artifact
from fr3d.artifacts.writer import ArtifactWriter

_PART_ROWS = 32

Group = tuple[int, list[int]]


@dataclass(frozen=True)
class AlignmentSummary:
    """What became of a maps file.

    Args:
        aligned: number of faces written.
        rejected: sessions that could not be aligned now.
        earlier: sessions that an earlier step rejected.
        resumed: parts that an interrupted run had finished.
    """

    aligned: int
    rejected: tuple[Reject, ...]
    earlier: tuple[Reject, ...]
    resumed: int


def align_file(
    artifact: Artifact,
    output: Path,
    recipe: AlignmentRecipe,
    *,
    workers: int = 1,
    force: bool = False,
    advance: Callable[[int], object] = lambda _: None,
) -> AlignmentSummary:
    """Align all rows of a maps file and write the faces.

    Args:
        artifact: the maps.
        output: the faces file; sealed parts lie beside it until it is whole.
        recipe: how.
        workers: processes; they do not change the result.
        force: replace an output that exists.
        advance: called with the number of sessions done.

    Raises:
        MalformedInputError: not alignable in this way, or no session could be aligned.
        CannotWriteError: the output exists or cannot be written.
    """
    check_alignable(artifact, recipe)
    step = Step("align", recipe.parameters(), {artifact.name: artifact.sha256})
    with ArtifactWriter(
        output,
        artifact.kind,
        step,
        frame=recipe.frame,
        history=artifact.history,
        attrs=artifact.attrs,
        part_rows=_PART_ROWS,
        items=len(artifact),
        force=force,
    ) as writer:
        if writer.resumed:
            advance(min(writer.resumed * _PART_ROWS, len(artifact)))
        for (index, rows), done in _aligned(artifact, recipe, workers, writer):
            earlier = artifact.rejected if index == 0 else []
            writer.seal(index, done.columns, [*earlier, *done.rejected])
            advance(len(rows))
    before = set(artifact.rejected)
    now = [reject for reject in writer.rejected if reject not in before]
    return AlignmentSummary(writer.rows, tuple(now), tuple(artifact.rejected), writer.resumed)


def _aligned(
    artifact: Artifact, recipe: AlignmentRecipe, workers: int, writer: ArtifactWriter
) -> Iterator[tuple[Group, AlignedRows]]:
    groups = writer.todo(iter(range(len(artifact))))
    workers = min(workers, -(-len(artifact) // _PART_ROWS))
    if workers <= 1:
        yield from ((group, align_rows(artifact, group[1], recipe)) for group in groups)
        return
    # A fresh interpreter each: forking a process that has threads is not safe.
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(artifact, recipe)
    ) as pool:
        try:
            yield from _in_order(pool, groups, 2 * workers)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _in_order(
    pool: ProcessPoolExecutor, groups: Iterator[Group], ahead: int
) -> Iterator[tuple[Group, AlignedRows]]:
    """Keep a bounded number of groups under way, so that results do not pile up."""

    def submit(count: int) -> list[tuple[Group, Future[AlignedRows]]]:
        return [(group, pool.submit(_work, group[1])) for group in islice(groups, count)]

    waiting = submit(ahead)
    while waiting:
        group, future = waiting.pop(0)
        yield group, future.result()
        waiting += submit(1)


_given: dict[str, tuple[Artifact, AlignmentRecipe]] = {}


def _begin(artifact: Artifact, recipe: AlignmentRecipe) -> None:
    """Set up a worker process: one thread each, as there is one process a core."""
    cv2.setNumThreads(1)
    _given["job"] = artifact, recipe


def _work(rows: list[int]) -> AlignedRows:
    artifact, recipe = _given["job"]
    return align_rows(artifact, rows, recipe)
