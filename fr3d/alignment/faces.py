"""Faces of any source in, a faces file out; memory does not grow with the number of faces."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.rows import align_rows, first_datasets
from fr3d.alignment.sources.source import Source
from fr3d.artifacts.drafts import Draft, Drafter
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.rows import Reject
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.processes import in_order

Job = tuple[Drafter, int, list[int]]
Datasets = tuple[str, ...] | None


@dataclass(frozen=True)
class AlignmentSummary:
    """What became of a source.

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


def align_source(
    source: Source,
    output: Path,
    recipe: AlignmentRecipe,
    *,
    workers: int = 1,
    force: bool = False,
    advance: Callable[[int], object] = lambda _: None,
) -> AlignmentSummary:
    """Align all rows of a source and write the faces.

    Args:
        source: of faces.
        output: the faces file; sealed parts lie beside it until it is whole.
        recipe: how.
        workers: processes; they do not change the result.
        force: replace an output that exists.
        advance: called with the number of sessions done.

    Raises:
        MalformedInputError: no session could be aligned.
        CannotWriteError: the output exists or cannot be written.
        UnavailableError: a worker process died.
    """
    step = Step("align", recipe.parameters(), {source.name: source.digest})
    with ArtifactWriter(
        output,
        "fr3d.maps",
        step,
        frame=recipe.frame,
        history=source.history,
        attrs=source.attrs,
        part_rows=source.part_rows,
        items=len(source),
        contents=source.contents,
        plan=[step.record(), source.moment],
        force=force,
    ) as writer:
        groups = list(writer.todo(range(len(source))))
        if writer.resumed:
            advance(len(source) - sum(len(rows) for _, rows in groups))
        # what a part holds must not depend on where the parts are cut
        datasets = first_datasets(source, recipe) if groups and source.varies else None
        jobs = ((writer.drafter, index, rows) for index, rows in groups)
        with _results(jobs, source, recipe, datasets, min(workers, len(groups))) as drafts:
            for (_, rows), draft in zip(groups, drafts, strict=True):
                writer.seal_draft(draft)
                advance(len(rows))
    before = set(source.rejected)
    now = [reject for reject in writer.rejected if reject not in before]
    return AlignmentSummary(writer.rows, tuple(now), tuple(source.rejected), writer.resumed)


@contextmanager
def _results(
    jobs: Iterable[Job],
    source: Source,
    recipe: AlignmentRecipe,
    datasets: Datasets,
    workers: int,
) -> Iterator[Iterator[Draft]]:
    """Parts in the order of the jobs, at most a few ahead of what is taken."""
    if workers <= 1:
        yield (_draft(job, source, recipe, datasets) for job in jobs)
        return
    first_of = partial(_first_of, source=source)
    begin = partial(_begin, source, recipe, datasets)
    with in_order(_work, jobs, workers, first_of, begin) as results:
        yield results


def _draft(job: Job, source: Source, recipe: AlignmentRecipe, datasets: Datasets) -> Draft:
    drafter, index, rows = job
    done = align_rows(source, rows, recipe, datasets)
    earlier = source.rejected if index == 0 else ()
    return drafter.draft(index, done.columns, [*earlier, *done.rejected])


_given: dict[str, tuple[Source, AlignmentRecipe, Datasets]] = {}


def _begin(source: Source, recipe: AlignmentRecipe, datasets: Datasets) -> None:
    """Set up a worker process: one thread each, as there is one process a core."""
    cv2.setNumThreads(1)
    _given["job"] = source, recipe, datasets


def _work(job: Job) -> Draft:
    return _draft(job, *_given["job"])


def _first_of(job: Job, source: Source) -> str:
    return "/".join(source.key(job[2][0]))
