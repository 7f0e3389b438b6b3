"""Streams: data to stdout, everything for people to stderr. The only module that prints."""

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

_state = {"verbosity": 0}


def reset() -> None:
    """Forget the -q and -v of an earlier run in this process."""
    _state["verbosity"] = 0


def set_quiet(value: bool) -> bool:
    """Callback of --quiet."""
    if value:
        _state["verbosity"] = -1
    return value


def set_verbose(value: bool) -> bool:
    """Callback of --verbose."""
    if value:
        _state["verbosity"] = 1
    return value


def check_finite(value: float | None) -> float | None:
    """Callback of numbers that "nan" and "inf" are not."""
    from math import isfinite

    from fr3d.errors import UsageError

    if value is not None and not isfinite(value):
        raise UsageError(f"{value} is not a number to go by", "give one such as 0.4")
    return value


def _colour(stream: TextIO, code: str, text: str) -> str:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain or not stream.isatty() else f"\033[{code}m{text}\033[0m"


def _to_stderr(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _one_line(text: str) -> str:
    """Names of files may hold line breaks and control characters; a terminal must not obey them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def error(message: str, hint: str) -> None:
    """Say what went wrong, and what to do about it."""
    _to_stderr(f"{_colour(sys.stderr, '31', 'fr3d: error:')} {_one_line(message)}")
    if hint:
        _to_stderr(f"\n{_colour(sys.stderr, '36', 'hint:')} {_one_line(hint)}")


def traceback_if_verbose(problem: BaseException) -> None:
    """Show where an error comes from, to those who asked with -v."""
    if _state["verbosity"] > 0:
        import traceback

        _to_stderr("".join(traceback.format_exception(problem)).rstrip())


def warn(text: str) -> None:
    """Say something that should not be missed, unless -q."""
    if _state["verbosity"] >= 0:
        _to_stderr(f"{_colour(sys.stderr, '33', 'fr3d: warning:')} {_one_line(text)}")


def say(text: str) -> None:
    """Say what was done, unless -q."""
    if _state["verbosity"] >= 0:
        _to_stderr(_one_line(text))


def detail(text: str) -> None:
    """Say more, to those who asked with -v."""
    if _state["verbosity"] > 0:
        _to_stderr(_one_line(text))


class Progress:
    """A bar on stderr, on terminals only."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar, self._task = bar, task

    def advance(self, n: float = 1, text: str = "") -> None:
        """Move on by `n`, and show a short text beside the bar."""
        if self._bar is not None:
            self._bar.update(self._task, advance=n, note=text)


@contextmanager
def progress(total: float | None, label: str) -> Iterator[Progress]:
    """Show how far a loop has come.

    Args:
        total: how much there is to do; None when unknown.
        label: what is being done.
    """
    if not sys.stderr.isatty() or _state["verbosity"] < 0:
        yield Progress(None, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    note = TextColumn("{task.fields[note]}", markup=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    bar = RichProgress(*columns, TimeRemainingColumn(), note, console=Console(stderr=True))
    with bar:
        yield Progress(bar, bar.add_task(label, total=total, note=""))


def emit_text(text: str) -> None:
    """Write data that is text already to stdout."""
    sys.stdout.write(text)


def emit_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Write rows to stdout: JSON lines when asked, a table on a terminal, else CSV.

    Args:
        rows: one mapping a row; missing values are left empty.
        columns: their order.
        as_json: JSON lines.
    """
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps({c: _plain(row.get(c)) for c in columns}) + "\n")
    elif sys.stdout.isatty():
        _emit_rich(rows, columns)
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([format_value(row.get(c)) for c in columns] for row in rows)


def format_value(value: Any) -> str:
    """One CSV cell: empty for missing, `true`/`false`, nine significant digits."""
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """A NumPy scalar as Python's own; not-a-number as missing."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124


def _emit_rich(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_one_line(_short(row.get(c)))) for c in columns))
    Console(markup=False, highlight=False).print(table)


def _short(value: Any) -> str:
    value = _plain(value)
    return f"{value:.4g}" if isinstance(value, float) else format_value(value)
