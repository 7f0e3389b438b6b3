"""Many captures, in order, by worker processes, into an artifact part by part."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

import cv2
import numpy as np

from fr3d.artifacts.rows import Reject, Values
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.errors import UnavailableError
from fr3d.photometric.capture import Capture
from fr3d.photometric.reconstruct import Recipe
from fr3d.photometric.survey import Canvas
from fr3d.photometric.worker import Job, Row, prepare_worker, work

_PART_BYTES = 16 << 20
_MOST_ROWS = 64
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def rows_per_part(canvas: Canvas, recipe: Recipe) -> int:
    """How many rows make a part of moderate size; depends on their shape only."""
    pixel = 4 * (3 + 1 + 1 + 1 + 1) + 1 + (canvas.lights if recipe.keep_raw else 0)
    return int(np.clip(_PART_BYTES // (pixel * canvas.height * canvas.width), 1, _MOST_ROWS))


def reconstruct_all(
    captures: Sequence[Capture],
    recipe: Recipe,
    canvas: Canvas,
    writer: ArtifactWriter,
    workers: int,
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Reconstruct captures and seal their rows; rejects are listed with their reasons.

    Args:
        captures: all of them, in the order of the output.
        recipe: how.
        canvas: size of every row.
        writer: where the rows go, opened; parts that are sealed already are passed over.
        workers: processes; the result does not depend on it.
        advance: called after each capture.

    Raises:
        UnavailableError: a worker process died.
    """
    parts = list(writer.todo(captures))
    for _ in range(len(captures) - sum(len(group) for _, group in parts)):
        advance()  # what an earlier run has done
    jobs = ((capture, recipe, canvas) for _, group in parts for capture in group)
    with _results(jobs, min(workers, len(captures))) as results:
        for index, group in parts:
            rows: list[Row] = []
            rejected: list[Reject] = []
            for _ in group:
                outcome = next(results)
                if isinstance(outcome, Reject):
                    rejected.append(outcome)
                else:
                    rows.append(outcome)
                advance()
            writer.seal(index, _columns(rows), rejected)


def _columns(rows: list[Row]) -> dict[str, Values]:
    """Rows become columns; each row is let go as its values are copied."""
    if not rows:
        return {}
    columns: dict[str, Values] = {}
    for name, first in list(rows[0].items()):
        values = [row.pop(name) for row in rows]
        columns[name] = values if isinstance(first, str) else np.stack(values)
    return columns


@contextmanager
def _results(jobs: Iterable[Job], workers: int) -> Iterator[Iterator[Row | Reject]]:
    """Outcomes in the order of the jobs, at most a few ahead of what is taken."""
    if workers <= 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            yield map(work, jobs)
        finally:
            cv2.setNumThreads(threads)
        return
    with (
        _one_thread_each(),
        ProcessPoolExecutor(workers, get_context("spawn"), prepare_worker) as pool,
    ):
        try:
            yield _in_order(pool, jobs, 2 * workers)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, jobs: Iterable[Job], ahead: int) -> Iterator[Row | Reject]:
    waiting: deque[tuple[Job, Future[Row | Reject]]] = deque()
    for job in jobs:
        waiting.append((job, _submit(pool, job)))
        if len(waiting) > ahead:
            yield _outcome(*waiting.popleft())
    while waiting:
        yield _outcome(*waiting.popleft())


def _submit(pool: ProcessPoolExecutor, job: Job) -> Future[Row | Reject]:
    try:
        return pool.submit(work, job)
    except BrokenProcessPool as error:
        raise _worker_died(job[0]) from error


def _outcome(job: Job, future: Future[Row | Reject]) -> Row | Reject:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise _worker_died(job[0]) from error


def _worker_died(capture: Capture) -> UnavailableError:
    return UnavailableError(
        f"{capture.subject_id}/{capture.session_id}: a worker process died at or after it",
        "often memory ran out: repeat with fewer --workers, finished parts are kept",
    )


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes share the cores already; their libraries read this when they are loaded."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
