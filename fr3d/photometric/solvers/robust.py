"""Solvers that let samples which contradict the others lose weight, by reweighting again and again.

A Lambertian surface that no shadow falls on predicts I_k = g . l_k. Cast shadows lie below it,
highlights above it, and lights behind the surface (g . l_k < 0) say nothing at all. With three
lights nothing can be contradicted, and every solver here is plain least squares.
"""

from dataclasses import dataclass

from fr3d.photometric.solvers.arrays import Array, ascending, brightest, combine, length, namespace
from fr3d.photometric.solvers.problem import Problem

_TINY = 1e-9


@dataclass(frozen=True)
class Doubt:
    """How weights fall with the residual r = (I - max(0, g . l)) / albedo.

    Attributes:
        above: half-weight residual of samples brighter than predicted.
        below: the same of black samples darker than predicted; brighter ones are believed more,
            up to `below_bright` for the brightest of the pixel.
        below_bright: see there.
        behind: most weight of a light behind the surface.
        dark: samples darker than this share of the pixel's brightest are doubted beforehand.
        dark_weight: what a black sample weighs beforehand.
        rounds: how often weights are renewed.
    """

    above: float
    below: float
    below_bright: float
    behind: float
    dark: float
    dark_weight: float
    rounds: int


# Both chosen on bear and cat of DiLiGenT, quarter sets and random quadruples.
CAUCHY = Doubt(0.04, 0.04, 0.04, 1e-3, 0.0, 1.0, 12)
CONSISTENCY = Doubt(0.3, 0.12, 1.0, 0.2, 0.1, 0.4, 3)
_START_DARK, _START_BRIGHT = 0.3, 0.2
_RANKS_NEED = 8


def cauchy(problem: Problem) -> Array:
    """Reweight by Cauchy's function, from a start without the darkest and brightest samples.

    For eight lights or more; with fewer a start without some of them would be arbitrary, and plain
    least squares it is.

    Returns:
        (..., 3, P), albedo times normal.
    """
    count = problem.planes.shape[-2]
    start = None if count < _RANKS_NEED else _middle_ranks(problem.planes)
    return _reweighted(problem, start, CAUCHY)


def consistency(problem: Problem) -> Array:
    """Let the sample that contradicts the others yield, a dark one sooner than a bright one.

    With four lights there is one contradiction a . I a pixel, a being orthogonal to the lights, and
    any of the four samples may be at fault. Shadows make dark samples darker and highlights bright
    ones brighter; a mistake would cost most where the other three see the surface badly, and there
    the residual needed to explain the contradiction is large and the sample keeps its weight.

    Reference:
        Barsky and Petrou 2003, "The 4-source photometric stereo technique for three-dimensional
        surfaces in the presence of highlights and shadows", for the contradiction; the weights are
        this module's own.
    """
    return _reweighted(problem, None, CONSISTENCY)


def _reweighted(problem: Problem, start: Array | None, doubt: Doubt) -> Array:
    planes = problem.planes
    xp = namespace(planes)
    if planes.shape[-2] == 3 and problem.pull is None:
        return problem.fit(None)
    relative = planes / xp.clip(brightest(planes), _TINY, None)
    below = doubt.below + (doubt.below_bright - doubt.below) * relative
    first = None
    if doubt.dark > 0:
        lost = xp.clip(1 - relative / doubt.dark, 0, None)
        first = 1 + (1 / doubt.dark_weight - 1) * lost
    weights = xp.ones_like(planes) if start is None else start
    g = problem.fit(problem.trusted(weights))
    for _ in range(doubt.rounds):
        shading = combine(problem.rig.lights, g)
        residual = (planes - xp.clip(shading, 0, None)) / xp.clip(length(g), _TINY, None)
        scaled = residual / xp.where(residual > 0, doubt.above, below)
        slack = 1 + scaled * scaled
        slack = xp.where(shading < 0, xp.clip(slack, 1 / doubt.behind, None), slack)
        weights = 1 / (slack if first is None else slack * first)
        weights = xp.clip(weights, 1e-5, None)
        g = problem.fit(problem.trusted(weights))
    return g


def _middle_ranks(planes: Array) -> Array:
    """Weights that leave out the darkest and brightest samples of each pixel."""
    count = planes.shape[-2]
    ordered = ascending(planes)
    low = ordered[..., int(_START_DARK * count), None, :]
    high = ordered[..., count - 1 - int(_START_BRIGHT * count), None, :]
    xp = namespace(planes)
    return xp.where((planes >= low) & (planes <= high), xp.ones_like(planes), 1e-4)
