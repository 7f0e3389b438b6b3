"""Which charts a report shows, made from the JSON document alone."""

from collections.abc import Mapping
from typing import Any

from fr3d.evaluation.report.plots import Axis, Chart, Series

MATED, STRANGER = "#1f6fb2", "#d0662a"
Report = Mapping[str, Any]


def score_chart(report: Report) -> Chart:
    """Mated and non-mated scores."""
    part = report["verification"]
    bins = part["histogram"]
    edges = bins["edges"]
    highest = max(*bins["mated"], *bins["nonmated"])
    return Chart(
        title="Histogram of mated and non-mated scores",
        x=Axis("cosine similarity", edges[0], edges[-1]),
        y=Axis("share of pairs", 0.0, highest * 1.25 or 1.0),
        bars=(
            Series("two people", STRANGER, edges, bins["nonmated"]),
            Series("one person", MATED, edges, bins["mated"]),
        ),
        marks=_marks([(part["eer_threshold"], "equal error")]),
        legend_top=True,
    )


def roc_chart(report: Report) -> Chart:
    """True matches against false matches, in a logarithmic scale."""
    part = report["verification"]
    curve, smallest = part["curve"], _smallest(part["points"])
    accepted = [1 - rate for rate in curve["false_negative"]]
    return Chart(
        title="ROC curve",
        x=Axis("false-match rate (FMR)", _low(smallest), 1.0, log=True),
        y=Axis("true-match rate (TPR)", 0.0, 1.0),
        lines=(Series("", MATED, curve["false_positive"], accepted),),
        unresolved=smallest,
    )


def det_chart(report: Report) -> Chart:
    """False non-matches against false matches, both logarithmic."""
    part = report["verification"]
    curve, smallest = part["curve"], _smallest(part["points"])
    return Chart(
        title="DET curve",
        x=Axis("false-match rate (FMR)", _low(smallest), 1.0, log=True),
        y=Axis("false-non-match rate (FNMR)", 0.001, 1.0, log=True),
        lines=(Series("", MATED, curve["false_positive"], curve["false_negative"]),),
        unresolved=smallest,
    )


def cmc_chart(report: Report) -> Chart:
    """Found by rank."""
    rates = report["closed_set"]["cmc"]
    chance = [rank / len(rates) for rank in range(1, len(rates) + 1)]
    ranks = list(range(1, len(rates) + 1))
    whole = len(rates) == report["closed_set"]["gallery_people"]
    lines = [Series("measured", MATED, ranks, rates)]
    if whole:
        lines.append(Series("chance", "#8b929c", ranks, chance, dashed=True))
    return Chart(
        title="Cumulative match characteristic",
        x=Axis("rank", 1.0, max(float(len(rates)), 2.0)),
        y=Axis("share of probes found", 0.0, 1.0),
        lines=tuple(lines),
    )


def open_set_chart(report: Report) -> Chart:
    """Identified against false alarms."""
    part = report["open_set"]
    curve, smallest = part["curve"], _smallest(part["points"])
    identified = [1 - rate for rate in curve["false_negative"]]
    return Chart(
        title="Open-set identification",
        x=Axis("false-positive identification rate (FPIR)", _low(smallest), 1.0, log=True),
        y=Axis("true-positive identification rate (TPIR)", 0.0, 1.0),
        lines=(Series("", MATED, curve["false_positive"], identified),),
        unresolved=smallest,
    )


def _smallest(points: list[Mapping[str, Any]]) -> float:
    return float(points[0]["smallest"]) if points and points[0]["smallest"] else 1.0


def _low(smallest: float) -> float:
    """Where a logarithmic axis starts: one decade below what the data can show."""
    exponent = -1
    while 10.0**exponent > smallest * 0.3 and exponent > -8:
        exponent -= 1
    return 10.0**exponent


def _marks(marks: list[tuple[float | None, str]]) -> list[tuple[float, str]]:
    return [(value, word) for value, word in marks if value is not None]
