"""A whole synthetic data set: many people, many sessions, resumable, the same with any workers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fr3d.artifacts.atomic import cannot_write, write_bytes
from fr3d.artifacts.drafts import Draft, Drafter
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.processes import in_order
from fr3d.synthesis.engine import engine_for
from fr3d.synthesis.folder import MANIFEST, TRUTH, clear, missing_people, prepare
from fr3d.synthesis.pairs import DEPTH_NOTE, depth_note
from fr3d.synthesis.people import make_people
from fr3d.synthesis.photoface import subject_name
from fr3d.synthesis.plan import Plan
from fr3d.synthesis.reconstruction import recipe_for

Advance = Callable[[int], object]


@dataclass(frozen=True)
class Machine:
    """What renders; the result depends on the kind of device alone.

    Args:
        device: "cpu", or a device of PyTorch.
        workers: processes, on a CPU.
    """

    device: str = "cpu"
    workers: int = 1


@dataclass(frozen=True)
class Job:
    """Some people to be made.

    Args:
        device: where.
        plan: of the data set.
        people: their numbers.
        root: folder of the captures; None when they are not wanted.
        drafter: writes their rows; None when they are not wanted.
    """

    device: str
    plan: Plan
    people: tuple[int, ...]
    root: Path | None
    drafter: Drafter | None


def work(job: Job) -> list[Draft]:
    """Make people, in this process or another."""
    return make_people(engine_for(job.device), job.plan, job.people, job.root, job.drafter)


def synthesise(
    plan: Plan,
    output: Path,
    *,
    truth: bool = True,
    machine: Machine = Machine(),
    force: bool = False,
    advance: Advance = lambda _: None,
) -> int:
    """Make a data set, or complete one that was interrupted.

    Args:
        plan: what to make.
        output: the folder of captures, or the file of maps.
        truth: keep the true maps in `truth.h5` beside captures.
        machine: what renders.
        force: replace a data set that is there.
        advance: told the number of sessions after each person.

    Returns:
        How many sessions could not be reconstructed; 0 for other kinds.

    Raises:
        CannotWriteError: the output holds something else, or cannot be written.
        UnavailableError: a worker process died.
    """
    prepare(plan, output, truth, force)
    if not plan.folders:
        return _make_maps(plan, output, machine, force, advance)
    if force:
        clear(output)
    try:
        output.mkdir(parents=True, exist_ok=True)
        if not (output / MANIFEST).exists():
            write_bytes(output / MANIFEST, (plan.manifest() + "\n").encode(), force=True)
        if plan.kind == "rgbd":
            write_bytes(output / DEPTH_NOTE, depth_note(), force=True)
        _make_folders(plan, output, truth and not (output / TRUTH).exists(), machine, advance)
    except OSError as error:
        raise cannot_write(output, error) from error
    return 0


def _make_maps(plan: Plan, path: Path, machine: Machine, force: bool, advance: Advance) -> int:
    with _writer(plan, path, force) as writer:
        people = _unsealed(writer, plan)
        advance(plan.sessions * (plan.people - len(people)))
        for drafts in _done(plan, people, None, writer.drafter, machine, advance):
            for draft in drafts:
                writer.seal_draft(draft)
    return len(writer.rejected)


def _make_folders(plan: Plan, root: Path, truth: bool, machine: Machine, advance: Advance) -> None:
    missing = set(missing_people(plan, root))
    with _truth_writer(plan, root, truth) as writer:
        unsealed = set(_unsealed(writer, plan)) if writer else set()
        advance(plan.sessions * (plan.people - len(missing | unsealed)))
        if writer:
            for drafts in _done(plan, sorted(unsealed), root, writer.drafter, machine, advance):
                for draft in drafts:
                    writer.seal_draft(draft)
        for _ in _done(plan, sorted(missing - unsealed), root, None, machine, advance):
            pass


def _done(
    plan: Plan,
    people: Sequence[int],
    root: Path | None,
    drafter: Drafter | None,
    machine: Machine,
    advance: Advance,
) -> Iterator[list[Draft]]:
    """Make people in order; progress is told after each group."""
    step = 1
    if machine.device != "cpu":
        step = max(1, engine_for(machine.device).batch // plan.sessions)
    groups = [tuple(people[k : k + step]) for k in range(0, len(people), step)]
    jobs = [Job(machine.device, plan, group, root, drafter) for group in groups]
    workers = min(machine.workers, len(jobs)) if machine.device == "cpu" else 1
    if workers <= 1:
        yield from _told(map(work, jobs), groups, plan, advance)
        return
    with in_order(work, jobs, workers, _first_of) as results:
        yield from _told(results, groups, plan, advance)


def _told(
    results: Iterator[list[Draft]],
    groups: Sequence[tuple[int, ...]],
    plan: Plan,
    advance: Advance,
) -> Iterator[list[Draft]]:
    for drafts, group in zip(results, groups, strict=True):
        yield drafts
        advance(plan.sessions * len(group))


def _first_of(job: Job) -> str:
    return f"person {subject_name(job.people[0])}"


@contextmanager
def _truth_writer(plan: Plan, root: Path, truth: bool) -> Iterator[ArtifactWriter | None]:
    if not truth:
        yield None
        return
    with _writer(plan, root / TRUTH, force=False) as writer:
        yield writer


def _writer(plan: Plan, path: Path, force: bool) -> ArtifactWriter:
    parameters = asdict(plan)
    seed = parameters.pop("seed")
    if plan.kind == "reconstruction":
        recipe = recipe_for(plan.studio.sensor).parameters
        if plan.studio.rig.distance_mm is not None:
            recipe["mm_per_pixel"] = "of each session"
        parameters["reconstruction"] = recipe
    step = Step("synth", parameters, {}, seed=seed)
    return ArtifactWriter(
        path,
        "fr3d.maps",
        step,
        frame="camera",
        part_rows=plan.sessions,
        items=plan.people * plan.sessions,
        force=force,
    )


def _unsealed(writer: ArtifactWriter, plan: Plan) -> list[int]:
    """Numbers of the people whose rows are missing: each person is a part."""
    rows = [(person, number) for person in range(plan.people) for number in range(plan.sessions)]
    return [index for index, _ in writer.todo(rows)]
