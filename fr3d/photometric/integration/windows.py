"""Which rectangle of each map is solved: it depends on that map alone, whatever the batch."""

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.integration.cosine import Field, is_torch

Window = tuple[slice, slice]
Group = list[tuple[int, Window]]

# lengths of fast cosine transforms: eight times a product of 2, 3 and 5
_LENGTHS = [8 * n for n in (1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 25, 27, 30, 32)]


def group_windows(inside: npt.NDArray[np.bool_], *, exact: bool, alone: bool) -> list[Group]:
    """Group the images of a batch by the size of their windows.

    Args:
        inside: (B, H, W), masks; images without a pixel are left out.
        exact: the bounding rectangle itself, instead of one of the next fast size.
        alone: one image a group: best for a processor's caches.
    """
    groups: dict[Any, Group] = defaultdict(list)
    for i, mask in enumerate(inside):
        sides = [_side(mask.any(axis=axis), exact) for axis in (1, 0)]
        if None in sides:
            continue
        rows, columns = (side for side in sides if side is not None)
        size = (rows.stop - rows.start, columns.stop - columns.start)
        groups[i if alone else size].append((i, (rows, columns)))
    return list(groups.values())


def _side(filled: npt.NDArray[np.bool_], exact: bool) -> slice | None:
    places = np.flatnonzero(filled)
    if not len(places):
        return None
    start, stop = int(places[0]), int(places[-1]) + 1
    if exact:
        return slice(start, stop)
    length = next((n for n in _LENGTHS if n >= stop - start), stop - start)
    length = min(length, len(filled))
    start = min(start, len(filled) - length)
    return slice(start, start + length)


def cut(fields: Field, group: Group) -> Field:
    """The windows of a group, stacked: (G, ..., h, w)."""
    parts = [fields[i][..., rows, columns] for i, (rows, columns) in group]
    if is_torch(fields):
        import torch

        return torch.stack(parts)
    return np.stack(parts)
