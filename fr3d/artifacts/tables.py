"""CSV tables: RFC 4180, UTF-8, line feeds; every value is text, unknown columns are kept."""

import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from fr3d.artifacts import atomic
from fr3d.artifacts.rows import Reject
from fr3d.errors import MalformedInputError, UsageError, cannot_read

if TYPE_CHECKING:  # half a second, which commands without tables need not wait for
    import pandas as pd

_PANDAS = "Error tokenizing data. C error: "


def read_table(
    path: Path | str, require: Sequence[str] = ("subject_id", "session_id")
) -> "pd.DataFrame":
    """Read a table, all values as text ("007" stays "007"), an empty string for a missing one.

    Args:
        path: a CSV file, or `-` for standard input.
        require: columns that must be there.

    Raises:
        MissingInputError: no such file.
        MalformedInputError: not CSV in UTF-8, or a column is missing.
    """
    import pandas as pd

    text = _read_text(path)
    try:
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, na_filter=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        empty = isinstance(error, pd.errors.EmptyDataError)
        what = "it is empty" if empty else " ".join(str(error).removeprefix(_PANDAS).split())
        raise MalformedInputError(
            f"{path}: not a CSV table: {what}",
            f"expected a header with {', '.join(require)}",
        ) from error
    for name in require:
        if name not in frame.columns:
            found = ", ".join(map(str, frame.columns))
            raise MalformedInputError(
                f"{path}: no column '{name}', found {found[:120]}",
                f"expected a header with {', '.join(require)}",
            )
    return frame


def _read_text(path: Path | str) -> str:
    if str(path) == "-":
        if sys.stdin.isatty():
            raise UsageError("- means standard input, which is a terminal", "pipe a table in")
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInputError(f"{path}: not UTF-8 text", "save it as UTF-8 CSV") from error
    except OSError as error:
        raise cannot_read(path, error) from error


def table_bytes(frame: "pd.DataFrame") -> bytes:
    """A table as CSV bytes."""
    text = frame.to_csv(
        index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL, float_format="%.9g"
    )
    return text.encode()


def write_table(frame: "pd.DataFrame", path: Path, force: bool = False) -> None:
    """Write a table, whole or not at all.

    Raises:
        CannotWriteError: the output exists or cannot be written.
    """
    atomic.write_bytes(path, table_bytes(frame), force)


def write_rejects(output: Path, rejected: Sequence[Reject]) -> Path:
    """Keep `<output>.rejects.csv` in step with an output: written when there are rejects.

    Returns:
        Where the list lies.
    """
    path = output.with_name(output.name + ".rejects.csv")
    if not rejected:
        path.unlink(missing_ok=True)
        return path
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("subject_id", "session_id", "reason"))
    writer.writerows(map(astuple, rejected))
    atomic.write_bytes(path, text.getvalue().encode(), force=True)
    return path
