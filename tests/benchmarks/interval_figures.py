"""Figures of one drawn sample for interval_coverage.py, with those left out or reweighted."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
BINS = 1500
RATES = (0.1, 0.01, 0.001)


@dataclass(frozen=True)
class Sample:
    """All pairs of a sample, counted in bins of the score.

    Attributes:
        person: of each session, shape (N,).
        score: all against all, shape (N, N).
        rows: both sessions of each pair, shape (2, K).
        mated: of each pair.
        cell: bin of each pair.
        edges: of the bins, ascending.
    """

    person: Codes
    score: Reals
    rows: Codes
    mated: npt.NDArray[np.bool_]
    cell: Codes
    edges: Reals

    @property
    def people(self) -> int:
        """How many people there are."""
        return int(self.person.max()) + 1


def sample(person: Codes, score: Reals) -> Sample:
    """List and count the pairs above the diagonal."""
    rows = np.stack(np.triu_indices(len(person), 1))
    values = score[rows[0], rows[1]]
    edges = np.linspace(values.min(), values.max(), BINS + 1)
    step = edges[1] - edges[0]
    cell = np.minimum(((values - edges[0]) / step).astype(np.intp), BINS - 1)
    return Sample(person, score, rows, person[rows[0]] == person[rows[1]], cell, edges)


def counts(drawn: Sample) -> tuple[Reals, Reals]:
    """Mated and non-mated pairs with everybody (row 0) and without each person (the others)."""
    one, other = drawn.person[drawn.rows]
    size = (drawn.people, BINS)
    found = []
    for kind in (drawn.mated, ~drawn.mated):
        flat = one[kind] * BINS + drawn.cell[kind]
        own = np.bincount(flat, minlength=size[0] * BINS)
        if kind is not drawn.mated:
            flat = other[kind] * BINS + drawn.cell[kind]
            own = own + np.bincount(flat, minlength=size[0] * BINS)
        total = np.bincount(drawn.cell[kind], minlength=BINS)
        found.append(np.vstack([total, total - own.reshape(size)]).astype(np.float64))
    return found[0], found[1]


def reweighted(drawn: Sample, weight: Reals) -> tuple[Reals, Reals]:
    """Mated and non-mated weight in each bin, a row a draw: a pair counts as both its people do."""
    one, other = drawn.person[drawn.rows]
    mated = np.empty((len(weight), BINS))
    nonmated = np.empty((len(weight), BINS))
    same, apart = drawn.mated, ~drawn.mated
    cells, one_same, one_apart, other_apart = (
        (drawn.cell[same], drawn.cell[apart]),
        one[same],
        one[apart],
        other[apart],
    )
    for k, own in enumerate(weight):
        mated[k] = np.bincount(cells[0], own[one_same], BINS)
        nonmated[k] = np.bincount(cells[1], own[one_apart] * own[other_apart], BINS)
    return mated, nonmated


def pair_figures(
    mated: Reals, nonmated: Reals, edges: Reals, thresholds: tuple[float, float]
) -> dict[str, Reals]:
    """Verification figures of each row of counts; the thresholds are of FNMR and FMR."""
    mated = mated / mated.sum(axis=1, keepdims=True)
    nonmated = nonmated / nonmated.sum(axis=1, keepdims=True)
    below = np.cumsum(mated, axis=1)
    miss = np.hstack([np.zeros((len(mated), 1)), below])  # rejected below each edge
    alarm = 1 - np.hstack([np.zeros((len(mated), 1)), np.cumsum(nonmated, axis=1)])
    alarm[np.abs(alarm) < 1e-12] = 0
    figures = {
        "fnmr": _at(miss, edges, thresholds[0]),
        "fmr": _at(alarm, edges, thresholds[1]),
        "auc": 1 - (nonmated * (below - mated / 2)).sum(axis=1),
        "eer": _equal(miss, alarm),
    }
    for rate in RATES:
        first = (alarm <= rate + 1e-12).argmax(axis=1)
        figures[f"tpr@{rate}"] = 1 - np.take_along_axis(miss, first[:, None], 1)[:, 0]
    return {
        name: np.where(np.abs(v) < 1e-12, 0, np.where(np.abs(v - 1) < 1e-12, 1, v))
        for name, v in figures.items()
    }


def _at(rates: Reals, edges: Reals, threshold: float) -> Reals:
    return rates[:, min(int(np.searchsorted(edges, threshold)), len(edges) - 1)]


def _equal(miss: Reals, alarm: Reals) -> Reals:
    gap = miss - alarm
    i = np.maximum((gap >= 0).argmax(axis=1), 1)[:, None]
    before, after = np.take_along_axis(gap, i - 1, 1), np.take_along_axis(gap, i, 1)
    low, high = np.take_along_axis(miss, i - 1, 1), np.take_along_axis(miss, i, 1)
    return (low + (high - low) * -before / (after - before))[:, 0]


def person_areas(drawn: Sample) -> Reals:
    """AUC of each person's own pairs, NaN without both kinds, shape (people,)."""
    one, other = drawn.person[drawn.rows]
    size = drawn.people * BINS
    same = drawn.mated
    own = np.bincount(one[same] * BINS + drawn.cell[same], minlength=size)
    others = sum(
        np.bincount(p[~same] * BINS + drawn.cell[~same], minlength=size) for p in (one, other)
    )
    own, others = own.reshape(-1, BINS), np.reshape(others, (-1, BINS))
    with np.errstate(invalid="ignore"):
        own, others = own / own.sum(1, keepdims=True), others / others.sum(1, keepdims=True)
    return 1 - (others * (np.cumsum(own, axis=1) - own / 2)).sum(axis=1)


def macro(areas: Reals) -> tuple[Reals, int]:
    """Mean area with everybody and without each person; people who have one."""
    known = np.isfinite(areas)
    filled = np.where(known, areas, 0)
    total, number = filled.sum(), int(known.sum())
    return np.append(total / number, (total - filled) / (number - known)), number


def search_figures(drawn: Sample, fpir: float = 0.1) -> dict[str, tuple[Reals, int]]:
    """Rank-1 rate of everybody, and TPIR at an FPIR where every third person is unknown.

    The first session of each person is the gallery, the others are probes.
    """
    person, people = drawn.person, drawn.people
    first = np.searchsorted(person, np.arange(people))
    probes = np.setdiff1d(np.arange(len(person)), first)
    upper = np.triu(drawn.score, 1)
    score = (upper + upper.T)[np.ix_(probes, first)]
    whose = person[probes]
    rank, tried = _rank_one(score, whose, np.arange(people))
    found = {"rank-1": (rank, tried)}
    unknown = np.arange(people) % 3 == 2
    found[f"tpir@{fpir}"] = _open_set(score, whose, unknown, fpir)
    return found


def _impostors(score: Reals, whose: Codes, enrolled: Codes) -> tuple[Reals, Reals]:
    """Mate of each probe, and its best other candidate with everybody and without each person."""
    place = np.arange(len(whose))
    mate = score[place, whose]
    masked = np.full_like(score, -np.inf)
    masked[:, enrolled] = score[:, enrolled]
    masked[place, whose] = -np.inf
    best = masked.argmax(axis=1)
    top = masked[place, best]
    masked[place, best] = -np.inf
    second = masked.max(axis=1)
    without = np.repeat(top[None], score.shape[1] + 1, axis=0)
    without[best + 1, place] = second
    return mate, without


def _without(whose: Codes, people: int) -> npt.NDArray[np.bool_]:
    """Which probes stay with everybody and without each person, shape (people + 1, P)."""
    return whose[None] != np.arange(-1, people)[:, None]


def _rank_one(score: Reals, whose: Codes, enrolled: Codes) -> tuple[Reals, int]:
    mate, other = _impostors(score, whose, enrolled)
    stay = _without(whose, score.shape[1])
    return ((mate > other) & stay).sum(1) / stay.sum(1), len(np.unique(whose))


def _open_set(
    score: Reals, whose: Codes, unknown: npt.NDArray[np.bool_], fpir: float
) -> tuple[Reals, int]:
    enrolled = np.flatnonzero(~unknown)
    mate, other = _impostors(score, whose, enrolled)
    stay = _without(whose, score.shape[1])
    foreign = unknown[whose]
    alarms = np.where(stay[:, foreign], other[:, foreign], -np.inf)
    alarms = -np.sort(-alarms, axis=1)
    allowed = np.floor(fpir * stay[:, foreign].sum(1) + 1e-9).astype(int)
    threshold = np.take_along_axis(alarms, allowed[:, None], 1)  # must be exceeded
    known = ~foreign
    hits = (mate[known] > other[:, known]) & (mate[known] > threshold) & stay[:, known]
    return hits.sum(1) / stay[:, known].sum(1), len(np.unique(whose[known]))
