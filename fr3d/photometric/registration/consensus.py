"""Movements of all photographs of a session from what its pairs say."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.photometric.registration.correlation import Pairs

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.intp]
Shifts = npt.NDArray[np.float64]

_FEW = 8  # photographs
_ROUNDS = 8
_SCALE = 0.5  # px; pairs that disagree by more hardly count
_REWEIGHTINGS = 10


@dataclass(frozen=True)
class Surfaces:
    """The correlation of each pair, seen from either side.

    Attributes:
        values: (P, 2 reach + 1, 2 reach + 1), as `correlation_surfaces` gives them.
        pairs: the photographs of each.
        reach: px.
    """

    values: FloatArray
    pairs: Pairs
    reach: int

    def neighbours(self, k: int) -> list[tuple[int, FloatArray]]:
        """The others that k is compared with, and how k fits when it moves relative to them."""
        seen = zip(self.pairs, self.values, strict=True)
        return [(i, s) if j == k else (j, s[::-1, ::-1]) for (i, j), s in seen if k in (i, j)]

    def at(self, shift: IntArray) -> FloatArray:
        """(P,) correlation of the pairs under whole movements (L, 2); lowest beyond reach."""
        steps = np.array([shift[j] - shift[i] for i, j in self.pairs]) + self.reach
        inside = ((steps >= 0) & (steps <= 2 * self.reach)).all(axis=1)
        x, y = np.clip(steps, 0, 2 * self.reach).T
        found = self.values[np.arange(len(steps)), y, x]
        return np.where(inside, found, self.values.min(axis=(1, 2))).astype(np.float32)


def agree(surfaces: Surfaces, count: int) -> IntArray:
    """Find the whole movements under which the sum of all correlations is largest.

    Climbs one photograph at a time from several starts: no movement at all; what the pairs that fit
    best say, as far as they connect all photographs; and, of few photographs, each in turn as the
    one at rest with the others where they fit it best.

    Args:
        surfaces: of the pairs.
        count: number of photographs.

    Returns:
        (L, 2), x to the right and y down, px; up to a common offset.
    """
    starts = [np.zeros((count, 2), np.intp), _chained(surfaces, count)]
    if count <= _FEW:
        starts += [_seen_from(surfaces, k, count) for k in range(count)]
    climbed: list[IntArray] = []
    for start in starts:
        if not any(np.ptp(start - c, axis=0).max() == 0 for c in climbed):  # it is at a top
            climbed.append(_climb(surfaces, start))
    totals = [float(surfaces.at(s).sum()) for s in climbed]
    return climbed[int(np.argmax(totals))]


def peaks(values: FloatArray, reach: int) -> IntArray:
    """(P, 2) movement at the highest point of each surface."""
    y, x = np.divmod(values.reshape(len(values), -1).argmax(axis=1), 2 * reach + 1)
    return np.stack([x, y], axis=1) - reach


def _seen_from(surfaces: Surfaces, rest: int, count: int) -> IntArray:
    shift = np.zeros((count, 2), np.intp)
    for other, surface in surfaces.neighbours(rest):
        shift[other] = -peaks(surface[None], surfaces.reach)[0]
    return shift


def _chained(surfaces: Surfaces, count: int) -> IntArray:
    """Follow the pairs with the highest peaks from one photograph to the next."""
    shift = np.zeros((count, 2), np.intp)
    height = surfaces.values.max(axis=(1, 2))
    steps = peaks(surfaces.values, surfaces.reach)
    order = [int(k) for k in np.argsort(-height, kind="stable")]
    placed = set(surfaces.pairs[order[0]][:1])
    while True:
        edge = next((k for k in order if len(placed & set(surfaces.pairs[k])) == 1), None)
        if edge is None:
            return shift
        i, j = surfaces.pairs[edge]
        if i in placed:
            shift[j] = shift[i] + steps[edge]
        else:
            shift[i] = shift[j] - steps[edge]
        placed |= {i, j}


def _climb(surfaces: Surfaces, start: IntArray) -> IntArray:
    shift, best = start.copy(), -np.inf
    neighbours = [surfaces.neighbours(k) for k in range(len(start))]
    for _ in range(_ROUNDS):
        for k, seen in enumerate(neighbours):
            _move_one(shift, k, seen, surfaces.reach)
        total = float(surfaces.at(shift).sum())
        if total <= best:
            break
        best = total
    return shift


def _move_one(shift: IntArray, k: int, seen: list[tuple[int, FloatArray]], reach: int) -> None:
    """Put photograph k where it fits the others best, all of them within reach."""
    if not seen:
        return
    others = np.stack([shift[i] for i, _ in seen])
    low, high = others.max(axis=0) - reach, others.min(axis=0) + reach
    if (high < low).any():
        return
    width, height = high - low + 1
    total = np.zeros((height, width), np.float32)
    for (_, surface), other in zip(seen, others, strict=True):
        x, y = low - other + reach
        total += surface[y : y + height, x : x + width]
    y, x = divmod(int(total.argmax()), int(width))
    if total[y, x] > 0:
        shift[k] = low[0] + x, low[1] + y


def refine(surfaces: Surfaces, shift: IntArray) -> Shifts:
    """Solve movements from the sub-pixel peaks of the pairs near a consensus, robustly.

    Args:
        surfaces: of the pairs.
        shift: (L, 2), whole movements.

    Returns:
        (L, 2), mean 0.
    """
    first, second = np.array(surfaces.pairs).T
    steps = shift[second] - shift[first]
    found = np.stack(
        [_peak_near(s, d + surfaces.reach) for s, d in zip(surfaces.values, steps, strict=True)]
    )
    found -= surfaces.reach
    rows = np.zeros((len(found), len(shift)))
    rows[np.arange(len(found)), first], rows[np.arange(len(found)), second] = -1, 1
    solved = shift - shift.mean(axis=0, dtype=np.float64)
    for _ in range(_REWEIGHTINGS):
        residual = np.hypot(*(rows @ solved - found).T)
        weight = 1 / (1 + (residual / _SCALE) ** 2)
        # the mean is fixed, and so is a photograph that nothing could be compared with
        normal = rows.T @ (rows * weight[:, None]) + 1 / len(shift) + 1e-9 * np.eye(len(shift))
        solved = np.linalg.solve(normal, rows.T @ (found * weight[:, None]))
    return np.asarray(solved)


def _peak_near(surface: FloatArray, place: IntArray) -> Shifts:
    """Sub-pixel top of the parabolas through the highest point next to a place (x, y)."""
    last = len(surface) - 2
    x, y = np.clip(place, 2, last - 1)
    part = surface[y - 1 : y + 2, x - 1 : x + 2]
    dy, dx = divmod(int(part.argmax()), 3)
    x, y = x + dx - 1, y + dy - 1
    return np.array(
        [x + _vertex(*surface[y, x - 1 : x + 2]), y + _vertex(*surface[y - 1 : y + 2, x])]
    )


def _vertex(before: float, top: float, after: float) -> float:
    bend = before - 2 * top + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
