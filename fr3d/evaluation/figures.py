"""The results of a benchmark as plain frozen dataclasses."""

from dataclasses import dataclass, field

from fr3d.evaluation.metrics.curve import ErrorCurve


@dataclass(frozen=True)
class Figure:
    """A number and, where they were asked for, the limits of its interval."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class RatePoint:
    """What is recognised at a false-positive rate.

    Attributes:
        target: the highest false-positive rate allowed (FMR or FPIR).
        resolvable: whether so few people can show such a rate at all.
        smallest: the lowest rate that they can show.
        threshold: scores equal to it or above are accepted.
        false_positive: the rate measured at that threshold.
        true_positive: TPR or TPIR there.
    """

    target: float
    resolvable: bool
    smallest: float
    threshold: float
    false_positive: Figure
    true_positive: Figure


@dataclass(frozen=True)
class ScorePair:
    """Two sessions and their similarity."""

    one: str
    other: str
    score: float


@dataclass(frozen=True)
class Histogram:
    """Shares of mated and non-mated scores in equal bins; one edge more than bins."""

    edges: tuple[float, ...]
    mated: tuple[float, ...]
    nonmated: tuple[float, ...]


@dataclass(frozen=True)
class Verification:
    """One-to-one comparison of all sessions of a partition."""

    people: int
    mated: int
    nonmated: int
    sampled: bool
    auc: Figure
    auc_macro: Figure
    eer: Figure
    eer_threshold: float
    d_prime: Figure
    points: tuple[RatePoint, ...]
    curve: ErrorCurve
    histogram: Histogram
    closest_strangers: tuple[ScorePair, ...]
    farthest_mates: tuple[ScorePair, ...]


@dataclass(frozen=True)
class ClosedSet:
    """Search of people who are enrolled, captures that failed counted as misses."""

    probes: int
    failed: int
    gallery_people: int
    rank: dict[int, Figure]
    cmc: tuple[float, ...]


@dataclass(frozen=True)
class OpenSet:
    """Search of people of whom some are not enrolled.

    Attributes:
        known: searches of enrolled people, failures included.
        unknown: searches of people who are not enrolled.
        unknown_people: how many people these are.
        points: threshold chosen on the tested strangers themselves, as TPIR at FPIR is defined.
        calibrated: threshold set with other strangers beforehand, as a deployed gallery does.
        calibration_people: how many those were.
    """

    known: int
    failed: int
    unknown: int
    unknown_people: int
    gallery_people: int
    points: tuple[RatePoint, ...]
    calibrated: tuple[RatePoint, ...]
    calibration_people: int
    curve: ErrorCurve


@dataclass(frozen=True)
class Results:
    """All that a benchmark measured; a part that the split does not allow is None."""

    verification: Verification
    closed_set: ClosedSet | None = None
    open_set: OpenSet | None = None
    notes: tuple[str, ...] = field(default=())
