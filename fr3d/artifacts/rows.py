"""Rows on their way into an artifact: text, digests, rejects."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.schema import FORMATS, check_axes, find_spec
from fr3d.errors import MalformedInputError

Array = npt.NDArray[Any]
Values = Array | Sequence[str] | Sequence[Array]
"""A column: an array, text, or an array a row that need not be copied together."""


@dataclass(frozen=True, order=True)
class Reject:
    """A capture that was left out, and why."""

    subject_id: str
    session_id: str
    reason: str


@dataclass(frozen=True)
class Block:
    """The values of one dataset as they lie in memory, in one piece or in a piece a row.

    Attributes:
        pieces: contiguous arrays; one after the other they are the dataset.
        shape: of the dataset.
        dtype: of the dataset.
    """

    pieces: tuple[Array, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def rows(self) -> Iterator[Any]:
        """The value of each row."""
        for piece in self.pieces:
            if piece.shape == self.shape[1:]:
                yield piece
            else:
                yield from piece


def as_block(name: str, values: Values) -> Block:
    """Take a column as it is; only text is copied.

    Args:
        name: of the dataset, for messages.
        values: the column.

    Raises:
        MalformedInputError: rows of different shapes or types.
    """
    first = values[0] if len(values) else None
    if isinstance(values, np.ndarray) or not isinstance(first, np.ndarray) or not first.ndim:
        array = encode(values)
        return Block((array,), array.shape, array.dtype)
    pieces = tuple(np.ascontiguousarray(value) for value in values)
    for piece in pieces:
        if (piece.shape, piece.dtype) != (first.shape, first.dtype):
            raise MalformedInputError(
                f"{name}: found a row of {piece.dtype} {piece.shape}, expected {first.dtype} "
                f"{first.shape}"
            )
    return Block(pieces, (len(pieces), *first.shape), first.dtype)


def encode(values: Values) -> Array:
    """Text becomes fixed-length UTF-8, which can be streamed; numbers stay as they are."""
    array = np.asarray(values)
    if array.dtype.kind == "U" or (array.size == 0 and not isinstance(values, np.ndarray)):
        encoded = [str(v).encode() for v in values]
        width = max((len(v) for v in encoded), default=1)
        return np.array(encoded, dtype=f"S{max(width, 1)}")
    return np.ascontiguousarray(array)


def check_columns(kind: str, columns: Mapping[str, Values]) -> dict[str, Block]:
    """Encode columns and hold them to the schema, before anything is written.

    Args:
        kind: of artifact.
        columns: values by dataset name.

    Returns:
        Blocks by name, in the order given.

    Raises:
        MalformedInputError: unknown name, wrong type or shape.
    """
    blocks = {name: as_block(name, values) for name, values in columns.items()}
    sizes: dict[str, int] = {}
    for name, block in blocks.items():
        spec = find_spec(kind, name)
        if spec is None:
            raise MalformedInputError(f"{kind} defines no dataset '{name}'")
        if block.dtype.kind not in spec.kinds:
            raise MalformedInputError(f"{name}: found dtype {block.dtype}, expected {spec.kinds}")
        check_axes(name, spec, block.shape, sizes)
    return blocks


def part_blocks(
    kind: str, columns: Mapping[str, Values], rejected: Sequence["Reject"] = ()
) -> dict[str, Block]:
    """All datasets of an artifact: its rows with their digests, and its rejects.

    Args:
        kind: of artifact.
        columns: its rows by dataset; may be empty when all captures were rejected.
        rejected: captures that were left out.

    Raises:
        MalformedInputError: the columns do not fit the kind.
    """
    blocks = check_columns(kind, {k: v for k, v in columns.items() if k != "digest"})
    if blocks:
        blocks["digest"] = as_block("digest", digest_rows(blocks))
    else:
        blocks = {name: as_block(name, array) for name, array in no_rows(kind).items()}
    rejects = reject_columns(rejected)
    return blocks | {name: as_block(name, array) for name, array in rejects.items()}


def digest_rows(blocks: Mapping[str, Block]) -> list[str]:
    """SHA-256 of each row over all its datasets, names included.

    Text is hashed without its padding, so that the digest does not depend on other rows.
    """
    names = sorted(blocks)
    heads = [name.encode() + b"\0" for name in names]
    digests = []
    for values in zip(*(blocks[name].rows() for name in names), strict=True):
        total = hashlib.sha256()
        for head, value in zip(heads, values, strict=True):
            total.update(head)
            total.update(value if isinstance(value, bytes) else _buffer(value))
            total.update(b"\0")
        digests.append(total.hexdigest())
    return digests


def _buffer(value: Any) -> Any:
    """The bytes of a row, without copying where it is an array."""
    return value.view(np.uint8) if value.ndim else value.tobytes()


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
