"""The split table: reading, checking, and who is unknown in it."""

from pathlib import Path

import pandas as pd

from fr3d.artifacts.tables import read_table
from fr3d.errors import MalformedInputError, MissingInputError

PARTITIONS = ("train", "val", "calibration", "test", "distractor", "dirty")
ROLES = ("gallery", "probe", "")
KEYS = ("subject_id", "session_id")


def read_split(path: Path) -> pd.DataFrame:
    """Read a split table; all values are text, unknown columns are kept.

    Args:
        path: CSV with subject_id, session_id, partition and, optionally, role.

    Raises:
        MissingInputError: no such file.
        MalformedInputError: a column is missing, or a partition or role has another name.
    """
    if not path.exists():
        raise MissingInputError(f"{path}: no such file", "make it with 'fr3d split', or name one")
    table = read_table(path, require=(*KEYS, "partition"))
    if "role" not in table.columns:
        table.insert(list(table.columns).index("partition") + 1, "role", "")
    check_values(table, str(path))
    return table


def check_values(table: pd.DataFrame, where: str) -> None:
    """Hold partitions and roles to the names that there are.

    Raises:
        MalformedInputError: naming file, line, found and expected.
    """
    for column, names in (("partition", PARTITIONS), ("role", ROLES)):
        wrong = ~table[column].isin(names)
        if wrong.any():
            line = int(wrong.to_numpy().argmax())
            raise MalformedInputError(
                f"{where}: line {line + 2}: {column} '{table[column].iloc[line]}'",
                f"expected one of {', '.join(n or '(empty)' for n in names)}",
            )


def enrolled_people(split: pd.DataFrame, partition: str) -> set[str]:
    """Subjects with a gallery row in a partition."""
    rows = (split["partition"] == partition) & (split["role"] == "gallery")
    return set(split.loc[rows, "subject_id"])


def unknown_people(split: pd.DataFrame, partition: str) -> list[str]:
    """Subjects with probes but without a gallery row in a partition, in the order of the table."""
    rows = (split["partition"] == partition) & (split["role"] == "probe")
    known = enrolled_people(split, partition)
    return [s for s in dict.fromkeys(split.loc[rows, "subject_id"]) if s not in known]
