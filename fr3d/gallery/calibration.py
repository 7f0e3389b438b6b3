"""The threshold of a gallery, from searches of people who are not in it.

A person counts once, however many sessions he brings. The threshold is the quantile of hierarchical
conformal prediction: a new stranger is named with probability at most the target rate, for
any number of calibration people and whatever the scores look like.

Reference: Lee, Barber and Willett, Distribution-free inference with hierarchical data, 2023, eq. 5.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, UsageError

_ROUNDING = 1e-9  # so that 9 people resolve 0.1, though 9/10 < 1 - 0.1 in binary


def smallest_rate(people: int) -> float:
    """The smallest false-positive identification rate that so many strangers resolve.

    Args:
        people: calibration people.
    """
    return 1.0 / (people + 1)


def people_needed(fpir: float) -> int:
    """How many calibration people a rate needs."""
    return math.ceil(1.0 / fpir - 1.0 - _ROUNDING)


def check_rate(fpir: float) -> float:
    """Refuse a rate that is none.

    Args:
        fpir: false-positive identification rate.

    Returns:
        The rate.

    Raises:
        UsageError: not between 0 and 1.
    """
    if not 0.0 < fpir < 1.0:
        raise UsageError(f"--fpir {fpir:g}: expected a rate above 0 and below 1", "e.g. 0.1")
    return fpir


def check_people(people: int, fpir: float, where: str = "gallery") -> None:
    """Refuse a rate that so few people cannot resolve.

    Args:
        people: calibration people.
        fpir: false-positive identification rate.
        where: the file to blame.

    Raises:
        MalformedInputError: it takes more people.
    """
    if people < people_needed(fpir):
        raise MalformedInputError(
            f"{where}: {people} calibration people cannot resolve an FPIR of {fpir:g}, "
            f"which takes {people_needed(fpir)}",
            f"the smallest rate they resolve is --fpir {_rounded_up(smallest_rate(people))}; "
            "or put more people into partition 'calibration'",
        )


def threshold_at(scores: npt.NDArray[np.float64], people: Sequence[str], fpir: float) -> float:
    """The lowest threshold that keeps strangers out at a rate.

    A probe is named when its best score is at or above the threshold.

    Args:
        scores: (C,) best score of each calibration session against the gallery.
        people: who each session is of.
        fpir: false-positive identification rate to keep, e.g. 0.1.

    Raises:
        UsageError: the rate is not between 0 and 1.
        MalformedInputError: so few people cannot resolve the rate.
    """
    check_rate(fpir)
    counts = Counter(people)
    check_people(len(counts), fpir)
    # The stranger to come is one more person, whose score may be anything: weight 1 / (K + 1) at
    # infinity. The others share their person's weight.
    weight = np.array([1.0 / ((len(counts) + 1) * counts[who]) for who in people])
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order]) >= 1.0 - fpir - _ROUNDING
    highest = np.float32(scores[order][int(reached.argmax())])
    # One step above in float32: scores that differ by rounding do not get in.
    return float(np.nextafter(highest, np.float32(np.inf)))


def _rounded_up(rate: float) -> str:
    """Spell a rate so that it is not below itself."""
    return f"{math.ceil(rate * 1e4 - _ROUNDING) / 1e4:g}"
