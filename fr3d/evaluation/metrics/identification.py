"""Figures of one-to-many search: CMC in a closed set, TPIR at FPIR with people who are unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.metrics.curve import ErrorCurve, ScoreTable, error_curve, score_table

Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Searches:
    """How each probe fared against the gallery.

    Attributes:
        best: highest score over all people in the gallery, shape (P,).
        mate: score of the probe's own person; -inf where that person has no template.
        better: people with a higher score than the mate.
        tied: other people with the mate's very score.
    """

    best: Reals
    mate: Reals
    better: Codes
    tied: Codes

    @property
    def mated(self) -> npt.NDArray[np.bool_]:
        """Which probes have a mate in the gallery."""
        return np.isfinite(self.mate)

    @property
    def first(self) -> Reals:
        """Chance that the mate comes first, ties broken by lot."""
        return hit_rates(self, 1)


def search(scores: npt.NDArray[np.floating], probe: Codes, gallery: Codes) -> Searches:
    """Rank the people of a gallery for each probe; a person scores as the best of their templates.

    Args:
        scores: similarity of probe and template, shape (P, T).
        probe: person of each probe, shape (P,); any number that is not in `gallery` is unknown.
        gallery: person of each template, shape (T,).
    """
    people, column = np.unique(gallery, return_inverse=True)
    order = np.argsort(column, kind="stable")
    starts = np.searchsorted(column[order], np.arange(len(people)))
    by_person = np.maximum.reduceat(np.asarray(scores, np.float64)[:, order], starts, axis=1)
    place = np.minimum(np.searchsorted(people, probe), len(people) - 1)
    mated = people[place] == probe
    mate = np.where(mated, by_person[np.arange(len(probe)), place], -np.inf)
    better = (by_person > mate[:, None]).sum(axis=1)
    tied = np.maximum((by_person == mate[:, None]).sum(axis=1) - 1, 0)
    return Searches(by_person.max(axis=1), mate, better, tied)


def join_searches(parts: Sequence[Searches]) -> Searches:
    """Put searches that were done block by block together."""
    fields = ("best", "mate", "better", "tied")
    return Searches(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def hit_rates(searches: Searches, rank: int) -> Reals:
    """Chance that the mate is among the first `rank` people, ties broken by lot, shape (P,)."""
    chance = (rank - searches.better) / (searches.tied + 1)
    return np.where(searches.mated, np.clip(chance, 0.0, 1.0), 0.0)


def cmc(
    searches: Searches, ranks: int, weight: Reals | None = None, total: float | None = None
) -> Reals:
    """Cumulative match characteristic: share of mated probes found by each rank.

    Args:
        searches: outcome of each probe; those without a mate do not count.
        ranks: highest rank.
        weight: of each probe, one by default.
        total: weight of all mated probes, those that could not be acquired included.

    Returns:
        Rates at rank 1 to `ranks`; NaN without mated probes.
    """
    own = searches.mated * (np.ones(len(searches.best)) if weight is None else weight)
    total = float(own.sum()) if total is None else total
    if not total:
        return np.full(ranks, np.nan)
    return np.array([float(hit_rates(searches, k) @ own) / total for k in range(1, ranks + 1)])


def open_set_table(searches: Searches) -> ScoreTable:
    """Scores of an open-set curve: mates of known probes, best candidates of unknown ones."""
    return score_table(searches.mate[searches.mated], searches.best[~searches.mated])


def open_set_curve(
    searches: Searches,
    table: ScoreTable | None = None,
    weight: Reals | None = None,
    mated_total: float | None = None,
) -> ErrorCurve:
    """FPIR and FNIR over all thresholds.

    A known probe is identified when its mate comes first and scores the threshold or more; an
    unknown one raises a false alarm when any candidate does.

    Args:
        searches: outcome of each probe.
        table: `open_set_table` of the same searches, to save sorting.
        weight: of each probe, one by default.
        mated_total: weight of all mated probes, those that could not be acquired included.

    Reference:
        ISO/IEC 19795-1:2021, false-positive and false-negative identification rate.
    """
    known = searches.mated
    weight = np.ones(len(known)) if weight is None else weight
    total = float(weight[known].sum()) if mated_total is None else mated_total
    return error_curve(
        table or open_set_table(searches),
        weight[known] * searches.first[known],
        weight[~known],
        mated_total=total,
    )
