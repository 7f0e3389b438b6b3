"""The table of sessions that a split starts from, and the attributes that come beside it."""

from typing import TYPE_CHECKING

import pandas as pd

from fr3d.errors import MalformedInputError

if TYPE_CHECKING:
    from fr3d.artifacts.store import Artifact


def session_table(artifact: "Artifact") -> pd.DataFrame:
    """Ids and attributes of the rows of an artifact, all text.

    Args:
        artifact: maps, faces or embeddings; augmented views are left out.
    """
    columns = {
        "subject_id": artifact.subject_id,
        "session_id": artifact.session_id,
        **artifact.attributes,
    }
    table = pd.DataFrame(columns, dtype=str)
    if "view" in artifact:
        table = table[[not view for view in artifact.text("view")]].reset_index(drop=True)
    return table


def join_attributes(sessions: pd.DataFrame, attributes: pd.DataFrame, where: str) -> pd.DataFrame:
    """Add attribute columns by subject and session, or by subject alone.

    A value from the table replaces one that the sessions had, an empty one does not.

    Args:
        sessions: one row a session.
        attributes: subject_id, perhaps session_id, and attribute columns.
        where: name of the attribute file, for messages.

    Raises:
        MalformedInputError: a person or session has two rows.
    """
    keys = [k for k in ("subject_id", "session_id") if k in attributes.columns]
    twice = attributes.duplicated(keys)
    if twice.any():
        first = "/".join(attributes.loc[twice, keys].iloc[0])
        raise MalformedInputError(
            f"{where}: {first} has more than one row",
            "" if len(keys) == 2 else "add a column session_id for attributes of a session",
        )
    matched = sessions[keys].merge(attributes, on=keys, how="left").fillna("")
    joined = sessions.copy()
    for name in attributes.columns.difference(keys, sort=False):
        values = matched[name].to_numpy()
        before = joined[name].to_numpy() if name in joined.columns else values
        joined[name] = [new or old for new, old in zip(values, before, strict=True)]
    return joined
