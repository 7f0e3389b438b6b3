"""Thresholds that a benchmark measured, as a table that other commands take."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from fr3d.errors import MalformedInputError, UsageError, cannot_read

KINDS = ("fmr", "fpir")
"""A threshold for two faces, and one for a face against a gallery: neither stands for the other."""
_LARGEST_FILE = 1 << 20
_SAME = 1e-9


@dataclass(frozen=True)
class Threshold:
    """One operating point.

    Attributes:
        kind: "fmr" or "fpir".
        target: the rate that it was set for.
        threshold: lowest cosine that is a match.
        measured: the rate that was found with it.
        people: independent people behind the rate; for "fpir" those who were not enrolled.
        gallery_people: people who were enrolled; None for "fmr".
        model_contract: SHA-256 of the contract of the model.
    """

    kind: str
    target: float
    threshold: float
    measured: float
    people: int
    gallery_people: int | None
    model_contract: str


COLUMNS = tuple(one.name for one in fields(Threshold))


def thresholds_bytes(rows: Sequence[Threshold]) -> bytes:
    """Write thresholds as CSV.

    Args:
        rows: in their order.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    # repr: the threshold that is read must be the one that was measured, to the last bit.
    writer.writerows(["" if v is None else v for v in astuple(row)] for row in rows)
    return text.getvalue().encode()


def read_thresholds(path: Path) -> tuple[Threshold, ...]:
    """Read what `thresholds_bytes` wrote; further columns are passed over.

    Args:
        path: the table.

    Raises:
        MissingInputError: it cannot be read.
        MalformedInputError: not such a table.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise MalformedInputError(f"{path}: larger than {_LARGEST_FILE} bytes", _HINT)
        text = path.read_text(encoding="utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise MalformedInputError(f"{path}: no column '{missing[0]}'", _HINT)
        return tuple(_row(record, f"{path}: line {table.line_num}") for record in table)
    except OSError as error:
        raise cannot_read(path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedInputError(f"{path}: not a CSV table: {error}", _HINT) from error


def choose_threshold(
    rows: Sequence[Threshold], kind: str, target: float | None, name: str = "thresholds"
) -> Threshold:
    """The threshold for a rate.

    Args:
        rows: of a table.
        kind: "fmr" or "fpir".
        target: the rate; None where the table has only one of that kind.
        name: of the table, for messages.

    Raises:
        UsageError: several rates and none is named.
        MalformedInputError: no threshold for this rate, or several.
    """
    flag, of_kind = f"--{kind}", [row for row in rows if row.kind == kind]
    known = ", ".join(f"{row.target:g}" for row in of_kind)
    if not of_kind:
        raise MalformedInputError(f"{name}: no threshold of kind {kind}", _NEEDS[kind])
    if target is None and len(of_kind) > 1:
        raise UsageError(f"{name}: thresholds for {kind.upper()} {known}", f"say which by {flag}")
    found = [
        row
        for row in of_kind
        if target is None or math.isclose(row.target, target, rel_tol=_SAME, abs_tol=0.0)
    ]
    if len(found) != 1:
        what = "no threshold" if not found else f"{len(found)} thresholds"
        raise MalformedInputError(
            f"{name}: {what} for {kind.upper()} {target:g}, it has {known}",
            f"choose one of these with {flag}, or measure that rate with 'fr3d benchmark'",
        )
    return found[0]


def check_contract(row: Threshold, contract_sha256: str, name: str, owner: str) -> None:
    """Refuse a threshold that was measured with another model.

    Args:
        row: of a table.
        contract_sha256: of the model at hand.
        name: of the table.
        owner: whose model it is, e.g. "model.onnx".

    Raises:
        MalformedInputError: they differ.
    """
    if row.model_contract != contract_sha256:
        raise MalformedInputError(
            f"{name}: measured with model {row.model_contract[:12] or 'unknown'}, "
            f"{owner} is {contract_sha256[:12]}",
            "scores across models mean nothing: measure the thresholds with this very model, "
            "alignment included",
        )


def check_gallery(row: Threshold, people: int, name: str) -> None:
    """Refuse a threshold for a gallery that is larger than the one that it was measured with.

    The more people are enrolled, the nearer is the nearest of them to a stranger: a threshold
    from a smaller gallery let 19.7 % of strangers in where 1 % were promised.

    Args:
        row: of a table, of kind "fpir".
        people: to be enrolled.
        name: of the table.

    Raises:
        MalformedInputError: too many people, or the table does not say how many there were.
    """
    if row.gallery_people is None or people > row.gallery_people:
        known = "an unknown number of" if row.gallery_people is None else row.gallery_people
        raise MalformedInputError(
            f"{name}: measured with {known} enrolled people, and {people} are to be enrolled",
            "more people draw more strangers in: put strangers into partition 'calibration' "
            "instead, or measure again with a gallery of this size",
        )


_HINT = f"'fr3d benchmark' writes it; expected a header with {','.join(COLUMNS)}"
_NEEDS = {
    "fmr": "'fr3d benchmark' measures it where enough people are compared",
    "fpir": "'fr3d benchmark' measures it where the split has people who are not enrolled",
}


def _row(record: dict[str, str | None], where: str) -> Threshold:
    values = {name: (record[name] or "").strip() for name in COLUMNS}
    if values["kind"] not in KINDS:
        raise MalformedInputError(
            f"{where}: kind '{values['kind'][:40]}', expected {' or '.join(KINDS)}", _HINT
        )
    gallery = values["gallery_people"]
    return Threshold(
        values["kind"],
        _number(values, "target", where, (0.0, 1.0)),
        _number(values, "threshold", where, (-2.0, 2.0)),
        _number(values, "measured", where, (0.0, 1.0)),
        _count(values, "people", where),
        _count(values, "gallery_people", where) if gallery else None,
        values["model_contract"],
    )


def _number(values: dict[str, str], name: str, where: str, limits: tuple[float, float]) -> float:
    try:
        number = float(values[name])
    except ValueError:
        number = math.nan
    if not limits[0] <= number <= limits[1]:
        raise MalformedInputError(
            f"{where}: {name} '{values[name][:40]}', expected {limits[0]:g} to {limits[1]:g}", _HINT
        )
    return number


def _count(values: dict[str, str], name: str, where: str) -> int:
    text = values[name]
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise MalformedInputError(f"{where}: {name} '{text[:40]}', expected a whole number", _HINT)
    return int(text)
