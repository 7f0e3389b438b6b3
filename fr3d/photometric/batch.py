"""Many captures, in order, by worker processes, into an artifact part by part."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np

from fr3d.artifacts.drafts import Draft
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.photometric.capture import Capture
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.row import raw_type
from fr3d.photometric.survey import Canvas
from fr3d.photometric.worker import Job, prepare_worker, work
from fr3d.processes import in_order

_PART_BYTES = 16 << 20
_MOST_ROWS = 64
_LEAST_PARTS = 32


def rows_per_part(canvas: Canvas, recipe: Recipe, captures: int) -> int:
    """How many rows make a part: of moderate size, and enough parts to share among processes.

    It must not depend on the machine, so that all shards cut alike.

    Args:
        canvas: size of every row.
        recipe: how they are made.
        captures: how many there are in all.
    """
    exact, colours = 4 if canvas.exact else 2, 3 if recipe.reading.colour else 1
    pixel = 2 * 3 + 2 * exact * colours + 4 + 2 + 1  # normal, albedo and image, depth, ...
    if recipe.keep_raw:
        pixel += raw_type(canvas)().itemsize * canvas.lights
    by_size = _PART_BYTES // (pixel * canvas.height * canvas.width)
    return int(np.clip(by_size, 1, max(1, min(_MOST_ROWS, captures // _LEAST_PARTS))))


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
    for _ in range(writer.share(len(captures)) - sum(len(group) for _, group in parts)):
        advance()  # what an earlier run has done
    jobs = ((writer.drafter, index, group, recipe, canvas) for index, group in parts)
    with _results(jobs, min(workers, len(parts))) as drafts:
        for (_, group), draft in zip(parts, drafts, strict=True):
            writer.seal_draft(draft)  # the disk is waited for here while the workers go on
            for _ in group:
                advance()


@contextmanager
def _results(jobs: Iterable[Job], workers: int) -> Iterator[Iterator[Draft]]:
    """Outcomes in the order of the jobs, at most a few ahead of what is taken."""
    if workers <= 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            yield map(work, jobs)
        finally:
            cv2.setNumThreads(threads)
        return
    with in_order(work, jobs, workers, _first_of, prepare_worker) as results:
        yield results


def _first_of(job: Job) -> str:
    capture = job[2][0]
    return f"{capture.subject_id}/{capture.session_id}"
