"""Figures that a benchmark must reach: `tpir@fpir=0.1>=0.8`."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fr3d.errors import RequirementNotMetError, UsageError

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_NUMBER = r"[0-9.]+(?:[eE][-+]?[0-9]+)?"
_PATTERN = re.compile(
    r"\s*(?:(?P<plain>auc_macro|auc|eer|d_prime|fta|rank-[0-9]+)"
    rf"|(?P<what>tpr|tpir|calibrated-tpir|calibrated-fpir)@(?P<rate>fmr|fpr|fpir)=(?P<target>{_NUMBER}))"
    rf"\s*(?P<compare>>=|<=|>|<)\s*(?P<value>{_NUMBER})\s*"
)


@dataclass(frozen=True)
class Requirement:
    """One figure and what it must be.

    Attributes:
        text: as the user wrote it.
        name: of the figure, as in the headline table.
        target: false-positive rate of an operating point; NaN for other figures.
        compare: `>=`, `<=`, `>` or `<`.
        value: what to compare with.
    """

    text: str
    name: str
    target: float
    compare: str
    value: float


def parse_requirement(text: str) -> Requirement:
    """Read one requirement.

    Args:
        text: such as `auc>=0.9`, `eer<0.1`, `rank-1>=0.8`, `tpr@fmr=0.01>=0.7`.

    Raises:
        UsageError: not a requirement.
    """
    match = _PATTERN.fullmatch(text)
    if not match or (match["what"] and (match["what"] == "tpr") == (match["rate"] == "fpir")):
        raise UsageError(
            f"--require '{text}': not a requirement",
            "e.g. 'tpir@fpir=0.1>=0.8', 'tpr@fmr=0.01>=0.9', 'rank-1>=0.9' or 'eer<=0.1'",
        )
    target = _number(match["target"], text) if match["what"] else math.nan
    name = match["plain"] or point_name(match["what"], target)
    return Requirement(text, name, target, match["compare"], _number(match["value"], text))


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"--require '{where}': '{text}' is not a number") from error


def point_name(what: str, target: float) -> str:
    """Name of an operating point: `tpr@fmr=0.01`, `tpir@fpir=0.1`."""
    return f"{what}@{'fmr' if what == 'tpr' else 'fpir'}={target:g}"


def check_requirements(
    requirements: Sequence[Requirement], headline: Sequence[Mapping[str, Any]]
) -> None:
    """Hold the headline figures to what is required.

    Args:
        requirements: what is required.
        headline: rows with `metric`, `value` and `note`.

    Raises:
        RequirementNotMetError: naming every figure that is not as required.
    """
    rows = {row["metric"]: row for row in headline}
    failed = []
    for wish in requirements:
        row = rows.get(wish.name, {"value": None, "note": "not measured"})
        value = row["value"]
        if value is None:
            failed.append(f"{wish.text} ({row['note'] or 'not measured'})")
        elif not _COMPARE[wish.compare](value, wish.value):
            failed.append(f"{wish.text} (it is {value:.4g})")
    if failed:
        raise RequirementNotMetError(f"requirement not met: {'; '.join(failed)}")
