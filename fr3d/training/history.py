"""One row an epoch, for people (`metrics.csv`) and for TensorBoard."""

import csv
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from fr3d.errors import MalformedInputError

METRICS = "metrics.csv"


class History:
    """The log of a run; going on after an interruption drops the rows that will come again.

    Args:
        folder: the run.
        epoch: first epoch that will be logged.
    """

    def __init__(self, folder: Path, epoch: int) -> None:
        self._path = folder / METRICS
        kept = [row for row in read_metrics(folder) if int(row["epoch"]) < epoch]
        self._columns: list[str] = list(kept[0]) if kept else []
        self._file = self._path.open("w", newline="", encoding="utf-8")
        if kept:
            self._write([self._columns, *(list(row.values()) for row in kept)])
        self._board = SummaryWriter(str(folder), purge_step=epoch)

    def add(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Log an epoch, at once on the disk.

        Args:
            epoch: from 0.
            figures: by name, the same names every time.
        """
        if not self._columns:
            self._columns = ["epoch", *figures]
            self._write([self._columns])
        values = {"epoch": str(epoch)} | {k: f"{v:.9g}" for k, v in figures.items()}
        self._write([[values.get(column, "") for column in self._columns]])
        for name, value in figures.items():
            self._board.add_scalar(name, value, epoch)
        self._board.flush()

    def close(self) -> None:
        """Close both files."""
        self._file.close()
        self._board.close()

    def _write(self, rows: list[list[str]]) -> None:
        csv.writer(self._file, lineterminator="\n").writerows(rows)
        self._file.flush()


def read_metrics(folder: Path) -> list[dict[str, str]]:
    """Read the rows of a run's `metrics.csv`; a line cut short by a kill is left out.

    Args:
        folder: the run.
    """
    path = folder / METRICS
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1].splitlines()
    rows = list(csv.DictReader(whole))
    if rows and "epoch" not in rows[0]:
        raise MalformedInputError(f"{path}: no column 'epoch'", "start the run again with --force")
    return rows
