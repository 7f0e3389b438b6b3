"""The results of a benchmark as a JSON document: deterministic, no absolute paths."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from fr3d import __version__
from fr3d.evaluation.figures import ClosedSet, Figure, OpenSet, RatePoint, Results, Verification
from fr3d.evaluation.metrics.curve import ErrorCurve
from fr3d.evaluation.metrics.intervals import METHOD
from fr3d.evaluation.requirements import point_name

SCHEMA_VERSION = 1
_CURVE_POINTS = 120


def make_report(
    results: Results, counts: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Put results and where they come from into one document.

    Args:
        results: what was measured.
        counts: how many people, sessions and failures.
        about: model, inputs by name with their SHA-256, parameters, seed, leaks that were allowed.
    """
    report = {
        "format": "fr3d.report",
        "schema_version": SCHEMA_VERSION,
        "generated_by": f"fr3d {__version__}",
        **about,
        "intervals": f"Intervals: 95 %, {METHOD}, gallery fixed",
        "counts": dict(counts),
        "notes": list(results.notes),
        "headline": headline(results, counts),
        "verification": _verification(results.verification),
        "closed_set": _closed_set(results.closed_set),
        "open_set": _open_set(results.open_set),
    }
    plain: dict[str, Any] = _plain(report)
    return plain


def report_bytes(report: Mapping[str, Any]) -> bytes:
    """The document as JSON text."""
    return (json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def headline(results: Results, counts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The figures that matter, one row each: metric, value, low, high, note.

    Args:
        results: what was measured.
        counts: with the rate of failures to acquire.
    """
    one = results.verification
    rows = [_row(name, getattr(one, name)) for name in ("auc", "auc_macro", "eer", "d_prime")]
    rows += [_point_row("tpr", point) for point in one.points]
    if results.closed_set:
        rows += [_row(f"rank-{k}", figure) for k, figure in results.closed_set.rank.items()]
    if results.open_set:
        rows += [_point_row("tpir", point) for point in results.open_set.points]
        for point in results.open_set.calibrated:
            if point.resolvable:
                note = f"threshold {point.threshold:.4f} from calibration people"
                rate = f"{point.target:g}"
                rows.append(_row(f"calibrated-tpir@fpir={rate}", point.true_positive, note))
                rows.append(_row(f"calibrated-fpir@fpir={rate}", point.false_positive, note))
    rows.append(_row("fta", Figure(counts["failure_to_acquire_rate"]), "failures to acquire"))
    plain: list[dict[str, Any]] = _plain(rows)
    return plain


def _row(metric: str, figure: Figure, note: str = "") -> dict[str, Any]:
    return {"metric": metric, **asdict(figure), "note": note}


def _point_row(what: str, point: RatePoint) -> dict[str, Any]:
    name = point_name(what, point.target)
    if point.resolvable:
        return _row(name, point.true_positive, f"threshold {point.threshold:.4f}")
    rate = "FMR" if what == "tpr" else "FPIR"
    note = f"not resolvable: these people show no {rate} below {point.smallest:.2g}"
    return _row(name, Figure(math.nan), note)


def _point(point: RatePoint) -> dict[str, Any]:
    """An operating point; what the data cannot show is not stated, not even with a warning."""
    fields = asdict(point)
    if not point.resolvable:
        fields |= {"threshold": None, "false_positive": None, "true_positive": None}
    return fields


def _verification(part: Verification) -> dict[str, Any]:
    fields = asdict(part)
    fields["points"] = [_point(point) for point in part.points]
    fields["curve"] = curve_points(part.curve)
    return fields


def _closed_set(part: ClosedSet | None) -> dict[str, Any] | None:
    if part is None:
        return None
    fields = asdict(part)
    fields["rank"] = {str(k): asdict(figure) for k, figure in part.rank.items()}
    return fields


def _open_set(part: OpenSet | None) -> dict[str, Any] | None:
    if part is None:
        return None
    fields = asdict(part)
    fields["points"] = [_point(point) for point in part.points]
    fields["calibrated"] = [_point(point) for point in part.calibrated]
    fields["curve"] = curve_points(part.curve)
    return fields


def curve_points(curve: ErrorCurve) -> dict[str, list[float]]:
    """Some points of a curve, dense where the false-positive rate is low.

    Args:
        curve: all its points; the first has no threshold and is left out.
    """
    last = len(curve.threshold) - 1
    even = np.linspace(1, last, _CURVE_POINTS).astype(int)
    low = np.searchsorted(curve.false_positive, np.geomspace(1e-6, 1, _CURVE_POINTS), side="right")
    chosen: Sequence[int] = np.unique(np.clip(np.concatenate([even, low - 1]), 1, last)).tolist()
    return {
        "threshold": [float(curve.threshold[i]) for i in chosen],
        "false_positive": [float(curve.false_positive[i]) for i in chosen],
        "false_negative": [float(curve.false_negative[i]) for i in chosen],
    }


def _plain(value: Any) -> Any:
    """Nine significant digits, and null for what is not a number: JSON has neither NaN nor inf."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    return value
