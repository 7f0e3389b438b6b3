"""How far the head moved between the flashes of one session."""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.photometric.registration.consensus import IntArray, Surfaces, agree, peaks, refine
from fr3d.photometric.registration.correlation import Pairs, correlation_surfaces

FloatArray = npt.NDArray[np.float32]

REST = 0.5  # px of the reduced photographs; a session that moved less is left alone
LEAST_SIDE = 64  # px; smaller photographs hold too little texture and are left alone
_WORKING_SIDE = 256  # larger photographs are reduced to about this before they are compared
_ALL_PAIRS = 8  # photographs; of more than these each is compared with a few
_LEAST_REACH = 20.0  # px; heads move by this much between flashes
_REACH_SHARE = 1 / 16
_FAR = 3.0  # px
_CREEP = 3.5  # px
_STILL_FAR = 0.3
_STILL = 0.65


@dataclass(frozen=True)
class Registration:
    """Movements of the photographs of a session and how far they can be trusted.

    Attributes:
        shift: (L, 2), movement of each photograph relative to the common frame, px, x to the
            right and y down: a point of the frame at (x, y) is at (x, y) + shift in the photograph.
            The median photograph is at rest: the median over the photographs is 0 in x and in y.
        loop_residual: px; by how much the best fit of each pair for itself misses `shift`, median
            over the pairs of a photograph, of the worst photograph.
        score: height of the correlation at `shift` in standard deviations, mean over the pairs of
            a photograph, of the worst photograph; 0 when nothing was compared.
        pairs: (P, 2), the photographs that were compared; a black one is compared with none.
        pair_residual: (P,), px; as `loop_residual`, of each pair.
    """

    shift: FloatArray
    loop_residual: float
    score: float
    pairs: IntArray
    pair_residual: FloatArray


def estimate_shifts(
    images: FloatArray, *, max_shift: float | None = None, rest: float = REST
) -> Registration:
    """Find how far the head moved between the flashes of a session.

    All pairs are compared by phase correlation of their texture, and the movements under which all
    of them fit best together are sought, so that a pair with lights from opposite sides, which
    have little in common, is carried by the others. Only translation is found. A smooth object
    whose shadows move with the light is told from one that moves by how well it fits at rest.

    Args:
        images: (L, H, W), linear light of any scale, L >= 2.
        max_shift: the largest movement looked for between the common frame and a photograph, px;
            by default 20, or a sixteenth of the shorter side where that is more.
        rest: when no photograph moved by more than this all movements are 0, px of the reduced
            photographs; 0 takes all movement as it is found, however little it gains.
    """
    side = min(images.shape[1:])
    if side < LEAST_SIDE or len(images) < 2:
        return _unmoved(len(images))
    limit = max(_LEAST_REACH, _REACH_SHARE * side) if max_shift is None else max_shift
    reduced, factor = _reduced(images)
    reach = max(2, min(int(np.ceil(2 * limit / factor)) + 1, (min(reduced.shape[1:]) - 1) // 2))
    surfaces = _compared(reduced, reach)
    if not surfaces.pairs:
        return _unmoved(len(images))
    whole = agree(surfaces, len(images))
    if rest > 0 and _is_still(surfaces, whole):
        whole[:] = 0
        shift = np.zeros(whole.shape)
    else:
        shift = _settled(surfaces, whole, rest)
    return _judged(surfaces, whole, shift, factor)


def _unmoved(count: int) -> Registration:
    none = np.zeros((0, 2), np.intp)
    return Registration(np.zeros((count, 2), np.float32), 0.0, 0.0, none, np.zeros(0, np.float32))


def _reduced(images: FloatArray) -> tuple[FloatArray, float]:
    """The photographs at a whole fraction of their size, and the pixels that became one."""
    factor = max(1, round(min(images.shape[1:]) / _WORKING_SIDE))
    if factor == 1:
        return images, 1.0
    height, width = (side // factor for side in images.shape[1:])
    cut = images[:, : height * factor, : width * factor]
    size = (width, height)
    return np.stack([cv2.resize(i, size, interpolation=cv2.INTER_AREA) for i in cut]), float(factor)


def _compared(images: FloatArray, reach: int) -> Surfaces:
    pairs = _pairs(len(images))
    values = correlation_surfaces(images, pairs, reach)
    seen = values.max(axis=(1, 2)) > 0
    kept = [p for p, s in zip(pairs, seen, strict=True) if s]
    return Surfaces(values[seen], kept, reach)


def _pairs(count: int) -> Pairs:
    """All pairs of few photographs; of many each with the three before and the three after it."""
    if count <= _ALL_PAIRS:
        return list(combinations(range(count), 2))
    steps = [(i, (i + d) % count) for i in range(count) for d in (1, 2, 3)]
    return sorted({(min(p), max(p)) for p in steps})


def _is_still(surfaces: Surfaces, shift: IntArray) -> bool:
    """Tell an object that fits about as well where it was photographed as where it moved.

    Of heads that moved far, what remains at rest is below a quarter of the peak; the rims of
    shadows on a smooth ball, which creep with the light, leave a third of it and more. Sheen on a
    glossy body creeps by up to three pixels and leaves two thirds of all correlation at rest; heads
    that moved by two pixels leave less.
    """
    first, second = np.array(surfaces.pairs).T
    step = np.hypot(*(shift[second] - shift[first]).T)
    far, creep = step >= _FAR, step.max() <= _CREEP
    at_rest, moved = surfaces.at(np.zeros_like(shift)), surfaces.at(shift)
    return bool(
        at_rest[far].sum() > _STILL_FAR * moved[far].sum()
        or (creep and at_rest.sum() > _STILL * moved.sum())
    )


def _settled(surfaces: Surfaces, whole: IntArray, rest: float) -> npt.NDArray[np.float64]:
    shift = refine(surfaces, whole)
    seen = np.unique(surfaces.pairs)
    found = shift[seen] - np.median(shift[seen], axis=0)
    shift = np.zeros_like(shift)
    if np.hypot(*found.T).max() > rest:
        shift[seen] = found
    return shift


def _judged(
    surfaces: Surfaces, whole: IntArray, shift: npt.NDArray[np.float64], factor: float
) -> Registration:
    pairs = np.array(surfaces.pairs)
    own = peaks(surfaces.values, surfaces.reach)
    residual = np.hypot(*(shift[pairs[:, 1]] - shift[pairs[:, 0]] - own).T) * factor
    fit = surfaces.at(whole)
    of_one = [(pairs == k).any(axis=1) for k in np.unique(pairs)]
    return Registration(
        shift=(shift * factor).astype(np.float32),
        loop_residual=float(max(np.median(residual[p]) for p in of_one)),
        score=float(min(fit[p].mean() for p in of_one)),
        pairs=pairs,
        pair_residual=residual.astype(np.float32),
    )
