"""Solvers that let samples which contradict the others lose weight, by reweighting again and again.

A Lambertian surface that no shadow falls on predicts I_k = g . l_k. Cast shadows lie below it,
highlights above it, and lights behind the surface (g . l_k < 0) say nothing at all. With three
lights nothing can be contradicted, and every solver here is plain least squares.
"""

from dataclasses import dataclass

from fr3d.photometric.solvers.arrays import (
    Array,
    ascending,
    at_least,
    brightest,
    indicator,
    length,
    namespace,
)
from fr3d.photometric.solvers.problem import Problem

_TINY = 1e-9


@dataclass(frozen=True)
class Doubt:
    """How weights fall with the residual r = (I - max(0, g . l)) / unit of brightness.

    The weight is 1 / (1 + (r / tolerance)^2). Tolerances are given for the brightest sample of a
    pixel and for a black one; those between go with the brightness.

    Attributes:
        above: tolerance of samples brighter than predicted: brightest, black.
        below: tolerance of samples darker than predicted: brightest, black.
        behind: most weight of a light behind the surface.
        dark: samples darker than this share of the pixel's brightest are doubted beforehand.
        dark_weight: what a black sample weighs beforehand.
        rounds: how often weights are renewed.
    """

    above: tuple[float, float]
    below: tuple[float, float]
    behind: float
    dark: float
    dark_weight: float
    rounds: int


# Chosen on bear and cat of DiLiGenT, all 24 lights and random quadruples.
CAUCHY = Doubt((0.04, 0.04), (0.04, 0.04), 1e-3, 0.0, 1.0, 12)
CONSISTENCY = Doubt((0.3, 1.0), (1.0, 0.12), 0.2, 0.1, 0.4, 2)
_START_DARK, _START_BRIGHT = 0.3, 0.2
_RANKS_NEED = 8
_MOST_SLACK = 1e5
_TINY = 1e-9


def cauchy(problem: Problem) -> Array:
    """Reweight by Cauchy's function, from a start without the darkest and brightest samples.

    For eight lights or more; with fewer the start is plain least squares. Residuals are relative
    to the albedo of the start.

    Returns:
        (..., 3, P), albedo times normal.
    """
    slack = None
    if problem.planes.shape[-2] >= _RANKS_NEED:
        slack = _all_but_middle_ranks(problem.planes)
    slack = _start(problem, slack)
    return _reweighted(problem, slack, length(problem.fit(slack)), CAUCHY)


def consistency(problem: Problem) -> Array:
    """Let the sample that contradicts the others yield, a dark one sooner than a bright one.

    With four lights there is one contradiction a . I a pixel, a being orthogonal to the lights, and
    any of the four samples may be at fault. Shadows make dark samples darker and highlights bright
    ones brighter; a mistake would cost most where the other three see the surface badly, and there
    the residual needed to explain the contradiction is large and the sample keeps its weight.
    Residuals are relative to the pixel's brightest sample.

    Reference:
        Barsky and Petrou 2003, "The 4-source photometric stereo technique for three-dimensional
        surfaces in the presence of highlights and shadows", for the contradiction; the weights are
        this module's own.
    """
    return _reweighted(problem, _start(problem, None), brightest(problem.planes), CONSISTENCY)


def _start(problem: Problem, slack: Array | None) -> Array | None:
    """Slack of the first fit; None where all samples weigh alike."""
    if problem.saturated is None:
        return slack
    xp = namespace(problem.planes)
    return problem.distrust(xp.ones_like(problem.planes) if slack is None else slack)


def _reweighted(problem: Problem, slack: Array | None, unit: Array, doubt: Doubt) -> Array:
    planes = problem.planes
    xp = namespace(planes)
    if planes.shape[-2] == 3 and problem.pull is None:
        return problem.fit(None)
    above, below, first = _tolerances(planes, at_least(unit, _TINY), doubt)
    for _ in range(doubt.rounds):
        shading = problem.predict(slack)
        residual = planes - at_least(shading, 0)
        brighter = at_least(residual, 0)
        # by sums: choosing sample by sample costs NumPy as much as the whole round
        residual -= brighter
        residual *= below
        residual += brighter * above
        slack = residual * residual + 1
        slack = xp.maximum(slack, indicator(shading < 0) * (1 / doubt.behind))
        slack = xp.clip(slack if first is None else slack * first, None, _MOST_SLACK)
        slack = problem.distrust(slack)
    return problem.fit(slack)


def _tolerances(planes: Array, unit: Array, doubt: Doubt) -> tuple[Array, Array, Array | None]:
    """Factors from residuals to multiples of the tolerance, above and below; slack beforehand."""
    lit = at_least(planes, 0)
    above, below = (
        1 / (black * unit + (bright - black) * lit if bright != black else black * unit)
        for bright, black in (doubt.above, doubt.below)
    )
    if doubt.dark == 0:
        return above, below, None
    lost = at_least(1 - lit * (1 / (doubt.dark * unit)), 0)
    return above, below, 1 + (1 / doubt.dark_weight - 1) * lost


def _all_but_middle_ranks(planes: Array) -> Array:
    """Slack that leaves out the darkest and brightest samples of each pixel."""
    count = planes.shape[-2]
    ordered = ascending(planes)
    low = ordered[..., int(_START_DARK * count), None, :]
    high = ordered[..., count - 1 - int(_START_BRIGHT * count), None, :]
    return 1 + 1e4 * indicator((planes < low) | (planes > high))
