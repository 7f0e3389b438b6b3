"""What `fr3d synth` does with its options."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fr3d.cli.console import progress, say
from fr3d.errors import UsageError
from fr3d.runtime import resolve_device, worker_count

if TYPE_CHECKING:
    from fr3d.synthesis.plan import Kind, Plan
    from fr3d.synthesis.rig import RigName


@dataclass(frozen=True)
class Wishes:
    """The options of the command, as they were given."""

    output: Path
    people: int
    sessions: int
    size: int
    kind: "Kind | None"
    picture: str
    truth: bool
    seed: int
    shares: tuple[float | None, float | None, float | None, float | None]
    rig: tuple["RigName", int, float | None, float]
    movement: float | None
    colour: bool
    bits: int
    gamma: float | None
    ambient: float | None
    vignetting: float
    noise: float
    device: str
    workers: int | None
    force: bool
    dry_run: bool


def run(wishes: Wishes) -> None:
    """Make the data set, or say what would be made."""
    device = resolve_device(wishes.device)
    plan = plan_of(wishes, "cpu" if device == "cpu" else "cuda")
    from fr3d.synthesis.dataset import Machine, synthesise
    from fr3d.synthesis.folder import prepare

    what = described(plan)
    if wishes.dry_run:
        prepare(plan, wishes.output, wishes.truth, wishes.force)
        say(f"would write {wishes.output}: {what}")
        return
    with progress(plan.people * plan.sessions, "rendering") as bar:
        rejected = synthesise(
            plan,
            wishes.output,
            truth=wishes.truth,
            machine=Machine(device, worker_count(wishes.workers)),
            force=wishes.force,
            advance=bar.advance,
        )
    say(f"wrote {wishes.output}: {what}")
    if rejected:
        say(f"{rejected} could not be reconstructed, see {wishes.output}.rejects.csv")


def plan_of(wishes: Wishes, device: str) -> "Plan":
    """The data set that is wished for.

    Raises:
        UsageError: wishes that contradict each other.
    """
    from fr3d.synthesis.appearance import Variety
    from fr3d.synthesis.plan import Plan
    from fr3d.synthesis.rig import Rig
    from fr3d.synthesis.sensor import Sensor
    from fr3d.synthesis.studio import Studio

    kind = kind_of(wishes)
    room = kind in ("photographs", "rgbd")
    if room and (wishes.rig != ("photoface", 4, None, 0.0) or wishes.movement):
        raise UsageError(f"--kind {kind} is one photograph in a room: it has no rig of flashes")
    sensor = Sensor(
        bits=wishes.bits,
        gamma=wishes.gamma if wishes.gamma is not None else (2.2 if room else 1.0),
        colour=wishes.colour or room,
        ambient=wishes.ambient if wishes.ambient is not None else (0.5 if room else 0.02),
        vignetting=wishes.vignetting,
        noise=wishes.noise,
    )
    studio = Studio(
        wishes.size,
        rig=Rig("random", 3, uneven=0.6) if room else Rig(*wishes.rig),
        sensor=sensor,
        variety=Variety(*wishes.shares),
        # The mean photograph of true maps shall fit them.
        movement=0.0 if room or (kind == "maps" and wishes.movement is None) else wishes.movement,
        together=room,
    )
    return Plan(wishes.people, wishes.sessions, wishes.seed, studio, kind, wishes.picture, device)


def kind_of(wishes: Wishes) -> "Kind":
    """The kind of data set, from --kind and the name of the output.

    Raises:
        UsageError: they do not fit.
    """
    ending = wishes.output.suffix.lower()
    if str(wishes.output) == "-" or ending in (".npz", ".zip", ".tar", ".hdf"):
        raise UsageError(
            f"{wishes.output}: captures go into a folder, and maps into a file",
            "give the name of a folder, or NAME.h5",
        )
    is_file = ending in (".h5", ".hdf5")
    kind: Kind = wishes.kind or ("maps" if is_file else "photoface")
    if is_file and not wishes.truth:
        raise UsageError("--no-truth is for captures: a file of maps has no other beside it")
    if (kind in ("maps", "reconstruction")) != is_file:
        what = "a folder, not" if is_file else "one file, such as maps.h5, not"
        raise UsageError(f"--kind {kind} writes {what} {wishes.output}", "change one of the two")
    return kind


def described(plan: "Plan") -> str:
    """The data set in a line."""
    studio = plan.studio
    shots = "" if studio.together else f" x {studio.rig.lights} flashes"
    who = f"{plan.people} {'person' if plan.people == 1 else 'people'}"
    times = f"{plan.sessions} session{'' if plan.sessions == 1 else 's'}"
    people = f"{who} x {times}{shots}"
    return f"{people}, {studio.size} px"
