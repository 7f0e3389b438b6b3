"""Identification figures of a trial: probes searched against its gallery."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.comparison import figure
from fr3d.evaluation.figures import ClosedSet, Figure, OpenSet, RatePoint
from fr3d.evaluation.metrics.curve import at_rate
from fr3d.evaluation.metrics.identification import (
    Searches,
    cmc,
    join_searches,
    open_set_curve,
    open_set_table,
    search,
)
from fr3d.evaluation.metrics.intervals import Interval, bootstrap, resolvable, smallest_fpir
from fr3d.evaluation.metrics.pairs import cosine, normalise
from fr3d.evaluation.settings import Settings
from fr3d.evaluation.trial import Trial
from fr3d.gallery.calibration import people_needed, smallest_rate, threshold_at

Reals = npt.NDArray[np.float64]
_BLOCK = 256
_CMC_RANKS = 50


@dataclass(frozen=True)
class _Round:
    """All searches of a trial, known people first mistaken for nobody.

    Attributes:
        searches: outcome of each probe that has a template to find, or none to find.
        person: code of each probe's person.
        lost: codes of enrolled people's probes that cannot be found: not acquired, or no template.
        known: whether each person is enrolled by the split.
    """

    searches: Searches
    person: npt.NDArray[np.intp]
    lost: npt.NDArray[np.intp]
    known: npt.NDArray[np.bool_]

    def mated_total(self, weight: Reals) -> float:
        """Weight of all searches of enrolled people."""
        return float(weight[self.person[self.searches.mated]].sum() + weight[self.lost].sum())


def search_all(trial: Trial) -> tuple[_Round, Searches | None]:
    """Search the probes, and the people to calibrate with, against the gallery.

    Args:
        trial: with templates.
    """
    everyone = sorted({*trial.people, *trial.templates.subject_id}) if trial.templates else []
    place = {subject: code for code, subject in enumerate(everyone)}
    probes, person = trial.probes, trial.codes(trial.subject_id)
    outcome = _search(
        trial, trial.unit[probes], [place[trial.subject_id[i]] for i in probes], place
    )
    known = np.array([subject in trial.enrolled for subject in trial.people])
    codes = person[probes]
    findable = outcome.mated | ~known[codes]
    failed = trial.codes(trial.failed)
    lost = np.concatenate([codes[~findable], failed[known[failed]]])
    fields = (getattr(outcome, n)[findable] for n in ("best", "mate", "better", "tied"))
    strangers = None
    if trial.calibration is not None:
        unit = normalise(trial.calibration.embedding)
        strangers = _search(trial, unit, [-1] * len(unit), place)
    return _Round(Searches(*fields), codes[findable], lost, known), strangers


def _search(trial: Trial, unit: Reals, who: list[int], place: dict[str, int]) -> Searches:
    assert trial.templates is not None  # noqa: S101 - callers check
    gallery = np.array([place[s] for s in trial.templates.subject_id], dtype=np.intp)
    vectors = normalise(trial.templates.vector)
    codes = np.array(who, dtype=np.intp)
    return join_searches(
        [
            search(cosine(unit[i : i + _BLOCK], vectors), codes[i : i + _BLOCK], gallery)
            for i in range(0, len(unit), _BLOCK)
        ]
    )


def identify(trial: Trial, settings: Settings) -> tuple[ClosedSet | None, OpenSet | None]:
    """Search the probes in the gallery, closed-set and open-set.

    Args:
        trial: what is tested.
        settings: rates, ranks, number of resamplings, seed.

    Returns:
        Each None where there are no searches of that kind.
    """
    if trial.templates is None or not len(trial.probes):
        return None, None
    turn, strangers = search_all(trial)
    table = open_set_table(turn.searches)
    thresholds = _calibrated(trial, strangers, settings)

    def statistic(weight: Reals) -> dict[str, float]:
        total, own = turn.mated_total(weight), weight[turn.person]
        curve = open_set_curve(turn.searches, table, own, total)
        ranks = cmc(turn.searches, max(settings.ranks), own, total)
        figures = {f"rank-{k}": float(ranks[k - 1]) for k in settings.ranks}
        for rate in settings.fpir:
            figures[f"tpir@{rate}"] = 1 - at_rate(curve, rate).false_negative
        for rate, threshold in thresholds.items():
            found, alarms = _at_threshold(turn.searches, threshold, own, total)
            figures[f"calibrated tpir@{rate}"], figures[f"calibrated fpir@{rate}"] = found, alarms
        return figures

    people = len(trial.people)
    intervals = bootstrap(
        turn.known.astype(np.intp), statistic, repeats=settings.bootstrap, seed=settings.seed
    )
    every = statistic(np.ones(people))
    closed = _closed_set(trial, turn, settings, every, intervals)
    return closed, _open_set(trial, turn, settings, every, intervals, thresholds)


def _calibrated(trial: Trial, strangers: Searches | None, settings: Settings) -> dict[float, float]:
    """Thresholds that a gallery would get from the calibration people, where they resolve one."""
    if strangers is None or trial.calibration is None:
        return {}
    people = trial.calibration.subject_id
    return {
        rate: threshold_at(strangers.best.astype(np.float32), people, rate)
        for rate in settings.fpir
        if people_needed(rate) <= len(set(people))
    }


def _at_threshold(
    searches: Searches, threshold: float, weight: Reals, total: float
) -> tuple[float, float]:
    """TPIR and FPIR at a threshold that was fixed beforehand."""
    known = searches.mated
    hits = (searches.first * (searches.mate >= threshold) * weight)[known].sum()
    alarms = ((searches.best >= threshold) * weight)[~known].sum()
    unknown = weight[~known].sum()
    return (
        float(hits / total) if total else float("nan"),
        float(alarms / unknown) if unknown else float("nan"),
    )


def _closed_set(
    trial: Trial,
    turn: _Round,
    settings: Settings,
    every: dict[str, float],
    intervals: dict[str, Interval],
) -> ClosedSet | None:
    ones = np.ones(len(trial.people))
    total = turn.mated_total(ones)
    if not total or trial.templates is None:
        return None
    people = len(set(trial.templates.subject_id))
    rates = cmc(turn.searches, min(_CMC_RANKS, people), None, total)
    return ClosedSet(
        probes=int(total),
        failed=len(turn.lost),
        gallery_people=people,
        rank={
            k: figure(f"rank-{k}", every[f"rank-{k}"], intervals)
            for k in settings.ranks
            if k == 1 or k < people  # everybody is within the last rank
        },
        cmc=tuple(float(rate) for rate in rates),
    )


def _open_set(
    trial: Trial,
    turn: _Round,
    settings: Settings,
    every: dict[str, float],
    intervals: dict[str, Interval],
    thresholds: dict[float, float],
) -> OpenSet | None:
    ones = np.ones(len(trial.people))
    strangers = turn.person[~turn.searches.mated]
    total = turn.mated_total(ones)
    if not len(strangers) or not total or trial.templates is None:
        return None
    curve = open_set_curve(turn.searches, None, None, total)
    smallest = smallest_fpir(len(set(strangers.tolist())))
    points = []
    for rate in settings.fpir:
        point = at_rate(curve, rate)
        found = figure(f"tpir@{rate}", every[f"tpir@{rate}"], intervals)
        measured = Figure(point.false_positive)
        enough = resolvable(rate, smallest)
        points.append(RatePoint(rate, enough, smallest, point.threshold, measured, found))
    calibrators = set(trial.calibration.subject_id) if trial.calibration else set()
    return OpenSet(
        known=int(total),
        failed=len(turn.lost),
        unknown=len(strangers),
        unknown_people=len(set(strangers.tolist())),
        gallery_people=len(set(trial.templates.subject_id)),
        points=tuple(points),
        calibrated=tuple(
            RatePoint(
                target=rate,
                resolvable=rate in thresholds,
                smallest=smallest_rate(len(calibrators)),
                threshold=thresholds.get(rate, float("nan")),
                false_positive=_calibrated_figure("fpir", rate, every, intervals),
                true_positive=_calibrated_figure("tpir", rate, every, intervals),
            )
            for rate in (settings.fpir if calibrators else ())
        ),
        calibration_people=len(calibrators),
        curve=curve,
    )


def _calibrated_figure(
    kind: str, rate: float, every: dict[str, float], intervals: dict[str, Interval]
) -> Figure:
    name = f"calibrated {kind}@{rate}"
    return figure(name, every.get(name, float("nan")), intervals)
