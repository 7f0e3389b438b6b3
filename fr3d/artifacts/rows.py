"""Rows on their way into an artifact: text, digests, rejects."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.schema import FORMATS, check_axes, find_spec
from fr3d.errors import MalformedInputError

Values = npt.NDArray[Any] | Sequence[str]


@dataclass(frozen=True, order=True)
class Reject:
    """A capture that was left out, and why."""

    subject_id: str
    session_id: str
    reason: str


def encode(values: Values) -> npt.NDArray[Any]:
    """Text becomes fixed-length UTF-8, which can be streamed; numbers stay as they are."""
    array = np.asarray(values)
    if array.dtype.kind == "U" or (array.size == 0 and not isinstance(values, np.ndarray)):
        encoded = [str(v).encode() for v in values]
        width = max((len(v) for v in encoded), default=1)
        return np.array(encoded, dtype=f"S{max(width, 1)}")
    return np.ascontiguousarray(array)


def check_columns(kind: str, columns: Mapping[str, Values]) -> dict[str, npt.NDArray[Any]]:
    """Encode columns and hold them to the schema, before anything is written.

    Args:
        kind: of artifact.
        columns: values by dataset name.

    Returns:
        Arrays by name, in the order given.

    Raises:
        MalformedInputError: unknown name, wrong type or shape.
    """
    arrays = {name: encode(values) for name, values in columns.items()}
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        spec = find_spec(kind, name)
        if spec is None:
            raise MalformedInputError(f"{kind} defines no dataset '{name}'")
        if array.dtype.kind not in spec.kinds:
            raise MalformedInputError(f"{name}: found dtype {array.dtype}, expected {spec.kinds}")
        check_axes(name, spec, array.shape, sizes)
    return arrays


def digest_rows(columns: Mapping[str, npt.NDArray[Any]]) -> list[str]:
    """SHA-256 of each row over all its datasets, names included.

    Text is hashed without its padding, so that the digest does not depend on other rows.
    """
    rows = len(next(iter(columns.values()))) if columns else 0
    digests = []
    for i in range(rows):
        total = hashlib.sha256()
        for name in sorted(columns):
            value = columns[name][i]
            total.update(name.encode() + b"\0")
            total.update(bytes(value) if columns[name].dtype.kind == "S" else value.tobytes())
            total.update(b"\0")
        digests.append(total.hexdigest())
    return digests


def reject_columns(rejected: Sequence[Reject]) -> dict[str, npt.NDArray[Any]]:
    """Rejects as datasets; nothing when there are none."""
    if not rejected:
        return {}
    fields = ("subject_id", "session_id", "reason")
    return {f"rejected/{f}": encode([getattr(r, f) for r in rejected]) for f in fields}


def no_rows(kind: str) -> dict[str, npt.NDArray[Any]]:
    """The required datasets of a kind with no rows, for a part whose captures were all rejected."""
    required = {name: spec for name, spec in FORMATS[kind].items() if spec.required}
    return {
        name: np.empty((0,) + (1,) * (len(spec.axes) - 1), "S1" if "S" in spec.kinds else "f4")
        for name, spec in required.items()
    }
