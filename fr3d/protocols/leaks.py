"""Evidence that is none: one person, session or photograph on both sides of a split.

In: a split table, content digests, hashes of training subjects. Out: a list of leaks, or an error
that names the first offenders. Any command that tests or calibrates calls `check_leaks`.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from fr3d.errors import MalformedInputError, UsageError

if TYPE_CHECKING:
    from fr3d.artifacts.store import Artifact

CONTENT = ("embedding", "image", "albedo", "depth", "normal")
"""Datasets that tell two captures apart, cheapest first."""

NAMED = 3
"""So many offenders are named in a message."""


@dataclass(frozen=True)
class Leak:
    """One kind of leak and who is in it.

    Attributes:
        kind: `person`, `session`, `gallery-probe`, `content` or `training-subjects`.
        sentence: what is wrong, to follow a count.
        offenders: subjects, or subject/session, in the order of the table.
    """

    kind: str
    sentence: str
    offenders: tuple[str, ...]

    @property
    def message(self) -> str:
        """The leak in words, with the count and the first offenders."""
        names = ", ".join(self.offenders[:NAMED])
        more = ", ..." if len(self.offenders) > NAMED else ""
        return f"{len(self.offenders)} {self.sentence}: {names}{more}"


def subject_hash(dataset: str, subject: str) -> str:
    """SHA-256 of `dataset/subject`, by which a model remembers whom it was trained on.

    Args:
        dataset: name of the data set; empty when it has none.
        subject: subject id, as text.
    """
    return hashlib.sha256(f"{dataset}/{subject}".encode()).hexdigest()


def subject_hashes(artifact: "Artifact") -> list[str]:
    """The hash of every row's subject; the data set's name is the file's attribute `dataset`.

    Args:
        artifact: maps, faces or embeddings.
    """
    dataset = str(artifact.attrs.get("dataset", ""))
    return [subject_hash(dataset, subject) for subject in artifact.subject_id]


def content_digests(artifact: "Artifact") -> dict[tuple[str, str], str]:
    """SHA-256 of what a capture shows, without its names, by (subject, session).

    Args:
        artifact: maps, faces or embeddings; augmented views are left out.
    """
    name = next((n for n in CONTENT if n in artifact), None)
    if name is None:
        return {}
    views = artifact.text("view") if "view" in artifact else [""] * len(artifact)
    keys = zip(artifact.subject_id, artifact.session_id, strict=True)
    return {
        key: hashlib.sha256(artifact[name][row].tobytes()).hexdigest()
        for row, (key, view) in enumerate(zip(keys, views, strict=True))
        if not view
    }


def find_leaks(
    split: pd.DataFrame,
    *,
    digests: Mapping[tuple[str, str], str] | None = None,
    training: Collection[str] = (),
    hashes: Mapping[str, str] | None = None,
    tested: Collection[str] = ("test", "calibration"),
) -> list[Leak]:
    """All leaks of a split.

    Args:
        split: table with subject_id, session_id, partition and role.
        digests: content digest by (subject, session); no content is compared without it.
        training: hashes of the subjects that the model was trained on.
        hashes: hash by subject of the subjects at hand.
        tested: partitions in which a training subject is a leak.

    Returns:
        One entry per kind that occurs.
    """
    used = split[split["partition"] != "dirty"]
    found = [
        Leak("person", "people in more than one partition", _people(used)),
        Leak("gallery-probe", "sessions both in the gallery and among the probes", _both(used)),
        Leak("session", "sessions listed more than once", _twice(used)),
        Leak(
            "content", "sessions that show the same capture as another", _same(used, digests or {})
        ),
        Leak(
            "training-subjects",
            f"subjects of {'/'.join(tested)} that the model was trained on",
            _trained(used[used["partition"].isin(list(tested))], set(training), hashes or {}),
        ),
    ]
    return [leak for leak in found if leak.offenders]


def check_leaks(leaks: Iterable[Leak], where: str, allowed: Collection[str] = ()) -> list[Leak]:
    """Raise at the first leak that is not allowed in so many words.

    Args:
        leaks: what `find_leaks` found.
        where: the file to blame, first in the message.
        allowed: kinds that the user accepts.

    Returns:
        The leaks that were allowed, to be printed beside every figure made with them.

    Raises:
        UsageError: a kind that there is not.
        MalformedInputError: a leak, with count, first offenders and how to mend it.
    """
    if strange := sorted(set(allowed) - set(_MENDING)):
        raise UsageError(f"no leak is called '{strange[0]}'", f"leaks: {', '.join(_MENDING)}")
    leaks = list(leaks)
    for leak in leaks:
        if leak.kind not in allowed:
            raise MalformedInputError(
                f"{where}: leak: {leak.message}",
                f"{_MENDING[leak.kind]}; or accept it in so many words: --allow-leak {leak.kind}",
            )
    return leaks


_MENDING = {
    "person": "give each person one partition, as 'fr3d split' does",
    "gallery-probe": "give each session one role",
    "session": "list each session once",
    "content": "put the copies into partition 'dirty'",
    "training-subjects": "test on people whom the model has never seen",
}


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _keys(rows: pd.DataFrame) -> "pd.Series[str]":
    return rows["subject_id"] + "/" + rows["session_id"]


def _people(split: pd.DataFrame) -> tuple[str, ...]:
    partitions = split.groupby("subject_id", sort=False)["partition"].nunique()
    return tuple(partitions.index[partitions > 1])


def _both(split: pd.DataFrame) -> tuple[str, ...]:
    keys = _keys(split)
    gallery = set(keys[split["role"] == "gallery"])
    return _unique(key for key in keys[split["role"] == "probe"] if key in gallery)


def _twice(split: pd.DataFrame) -> tuple[str, ...]:
    keys = _keys(split)
    return _unique(keys[keys.duplicated()])


def _same(split: pd.DataFrame, digests: Mapping[tuple[str, str], str]) -> tuple[str, ...]:
    """Copies across partitions, across roles, or under two names."""
    columns = (split[c] for c in ("partition", "role", "subject_id"))
    place = dict(zip(_keys(split), zip(*columns, strict=True), strict=True))
    groups: dict[str, list[str]] = {}
    for who, session in zip(split["subject_id"], split["session_id"], strict=True):
        if (who, session) in digests:
            groups.setdefault(digests[who, session], []).append(f"{who}/{session}")
    offenders: list[str] = []
    for keys in map(_unique, groups.values()):
        if len({place[key] for key in keys}) > 1:
            offenders += keys[1:]
    return _unique(offenders)


def _trained(
    split: pd.DataFrame, training: Collection[str], hashes: Mapping[str, str]
) -> tuple[str, ...]:
    return _unique(s for s in split["subject_id"] if hashes.get(s) in training)
