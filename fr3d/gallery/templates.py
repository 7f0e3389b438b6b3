"""Sessions of enrolled people in, the vectors that probes are compared with out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError

UNKNOWN = "unknown"
"""The decision for a stranger; nobody may be enrolled under this name."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sessions:
    """Embeddings of some sessions.

    Attributes:
        subject_id: who, M of them.
        session_id: which session of that subject.
        embedding: (M, D) float32, not normalised.
        quality: (M,) float32; the magnitude.
    """

    subject_id: tuple[str, ...]
    session_id: tuple[str, ...]
    embedding: Floats
    quality: Floats

    def __len__(self) -> int:
        return len(self.subject_id)

    @property
    def people(self) -> tuple[str, ...]:
        """Each subject once, in the order of appearance."""
        return tuple(dict.fromkeys(self.subject_id))

    def take(self, rows: Sequence[int]) -> "Sessions":
        """Some of the sessions, in the order asked for."""
        return Sessions(
            tuple(self.subject_id[row] for row in rows),
            tuple(self.session_id[row] for row in rows),
            self.embedding[list(rows)],
            self.quality[list(rows)],
        )

    def joined(self, other: "Sessions") -> "Sessions":
        """These sessions, then the others."""
        return Sessions(
            self.subject_id + other.subject_id,
            self.session_id + other.session_id,
            np.concatenate([self.embedding, other.embedding]),
            np.concatenate([self.quality, other.quality]),
        )


@dataclass(frozen=True)
class Templates:
    """What probes are compared with.

    Attributes:
        id: (T,) int64, the ids in the index.
        subject_id: who.
        sessions: (T,) how many sessions are in each.
        vector: (T, D) float32 of length one.
        quality: (T,) float32, mean magnitude of the sessions.
    """

    id: npt.NDArray[np.int64]
    subject_id: tuple[str, ...]
    sessions: npt.NDArray[np.int64]
    vector: Floats
    quality: Floats

    def __len__(self) -> int:
        return len(self.subject_id)


def unit(embedding: npt.NDArray[Any], what: str) -> Floats:
    """Scale embeddings to length one.

    Args:
        embedding: (N, D).
        what: whose they are, for the message.

    Raises:
        MalformedInputError: not finite, or of length zero.
    """
    values = np.asarray(embedding, dtype=np.float64)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    wrong = ~(np.isfinite(length) & (length > 0))[:, 0]
    if wrong.any():
        raise MalformedInputError(
            f"{what}: embedding {int(wrong.argmax())} is not finite, or is zero",
            "leave that session out",
        )
    return (values / length).astype(np.float32)


def check_sessions(sessions: Sessions, what: str) -> None:
    """Refuse sessions that cannot be enrolled.

    Raises:
        MalformedInputError: NaN, a session twice, or a subject called `unknown`.
    """
    unit(sessions.embedding, what)
    keys = list(zip(sessions.subject_id, sessions.session_id, strict=True))
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MalformedInputError(f"{what}: session {'/'.join(twice)} stands there twice")
    if {"", UNKNOWN} & set(sessions.subject_id):
        raise MalformedInputError(
            f"{what}: a subject is called '{UNKNOWN}' or has no name",
            f"'{UNKNOWN}' is the answer for strangers; give the subject another name",
        )


def make_templates(sessions: Sessions, strategy: str) -> Templates:
    """Turn sessions into templates.

    Args:
        sessions: the enrolled sessions.
        strategy: a name in `STRATEGIES`.
    """
    groups = _STRATEGIES_GROUPS[strategy](sessions)
    combine = STRATEGIES[strategy]
    normal = unit(sessions.embedding, "gallery")
    vectors = [combine(sessions.embedding[rows], normal[rows]) for rows in groups]
    return Templates(
        id=np.arange(len(groups), dtype=np.int64),
        subject_id=tuple(sessions.subject_id[rows[0]] for rows in groups),
        sessions=np.array([len(rows) for rows in groups], dtype=np.int64),
        vector=unit(np.array(vectors), "gallery templates"),
        quality=np.array([sessions.quality[rows].mean() for rows in groups], dtype=np.float32),
    )


def _by_subject(sessions: Sessions) -> list[list[int]]:
    groups: dict[str, list[int]] = {}
    for row, subject in enumerate(sessions.subject_id):
        groups.setdefault(subject, []).append(row)
    return list(groups.values())


def _by_session(sessions: Sessions) -> list[list[int]]:
    return [[row] for row in range(len(sessions))]


def _mean(_embedding: Floats, normal: Floats) -> npt.NDArray[Any]:
    """Every session counts the same."""
    return normal.mean(axis=0, dtype=np.float64)


def _weighted(embedding: Floats, _normal: Floats) -> npt.NDArray[Any]:
    """Sessions count by their magnitude, which MagFace trains to be a quality.

    Reference: Meng et al., MagFace, CVPR 2021, section 4.4.
    """
    return embedding.mean(axis=0, dtype=np.float64)


STRATEGIES: Mapping[str, Callable[[Floats, Floats], npt.NDArray[Any]]] = {
    "mean": _mean,
    "weighted": _weighted,
    "each": _mean,
}
_STRATEGIES_GROUPS: Mapping[str, Callable[[Sessions], list[list[int]]]] = {
    "mean": _by_subject,
    "weighted": _by_subject,
    "each": _by_session,
}
