"""The rows of an artifact that a split puts into a partition or role."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from fr3d.artifacts.rows import Reject
from fr3d.errors import MalformedInputError

if TYPE_CHECKING:
    from fr3d.artifacts.store import Artifact

Key = tuple[str, str]


def choose(
    split: pd.DataFrame, partition: Collection[str] = (), role: Collection[str] = ()
) -> pd.DataFrame:
    """The rows of a split table in given partitions and roles.

    Args:
        split: the table.
        partition: names; any when empty, but for `dirty`.
        role: names; any when empty.
    """
    rows = split["partition"].isin(list(partition)) if partition else split["partition"] != "dirty"
    if role:
        rows &= split["role"].isin(list(role))
    return split[rows]


def select_rows(artifact: "Artifact", chosen: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Row numbers of the artifact whose session the table holds, in the order of the artifact.

    Args:
        artifact: maps, faces or embeddings; all views of a session count as the session.
        chosen: rows of a split table.

    Raises:
        MalformedInputError: a session that is neither in the artifact nor among its rejects, or
            nothing chosen at all.
    """
    wanted = session_keys(chosen)
    name = artifact.paths[0]
    keys = list(zip(artifact.subject_id, artifact.session_id, strict=True))
    rejected = {(r.subject_id, r.session_id) for r in artifact.rejected}
    missing = sorted(wanted - set(keys) - rejected)
    if missing:
        raise MalformedInputError(
            f"{name}: {len(missing)} of {len(wanted)} sessions of the split are not in it, "
            f"first {'/'.join(missing[0])}",
            "make the split from this file, or from the one it was made of",
        )
    rows = np.array([row for row, key in enumerate(keys) if key in wanted], dtype=np.intp)
    if not len(rows):
        raise MalformedInputError(
            f"{name}: no row is in the chosen partition and role",
            "see the columns partition and role of the split",
        )
    return rows


def session_keys(table: pd.DataFrame) -> set[Key]:
    """(subject, session) of all rows of a table."""
    return set(zip(table["subject_id"], table["session_id"], strict=True))


def rejects_of(artifact: "Artifact", split: pd.DataFrame, chosen: pd.DataFrame) -> list[Reject]:
    """Captures that failed and would have been in a selection.

    A reject that the split lists goes where it is listed. One that it does not list goes to its
    subject's partition as a probe: a split made from faces cannot know captures without one.

    Args:
        artifact: with the list of rejects.
        split: the whole table.
        chosen: the selection made from it.
    """
    wanted, listed = session_keys(chosen), session_keys(split)
    probing = chosen[chosen["role"] != "gallery"]
    people = set(probing["subject_id"])
    return [
        reject
        for reject in artifact.rejected
        if (key := (reject.subject_id, reject.session_id)) in wanted
        or (key not in listed and reject.subject_id in people)
    ]
