"""Open artifacts: one file, several, or a folder of parts, validated before anything is read."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from fr3d.artifacts.columns import Column, Segment
from fr3d.artifacts.files import artifact_kind, list_files, read_rejected, read_segments
from fr3d.artifacts.lineage import unite_histories
from fr3d.artifacts.plan import PLAN_ATTRIBUTE, ContentsDigest, read_plan
from fr3d.artifacts.provenance import parse_history, sha256_file
from fr3d.errors import MalformedInputError

__all__ = ["Artifact", "artifact_kind", "index_rows", "open_artifact", "row_keys"]

_OWN_ATTRIBUTES = {
    "format",
    "format_version",
    "generated_by",
    "frame",
    "parameters",
    "history",
    PLAN_ATTRIBUTE,
}

_ALIKE = "give files that one command made with the same options"


class Artifact:
    """A validated artifact: its rows, its attributes and where it comes from.

    Attributes:
        kind: such as `fr3d.maps`.
        paths: the files behind it.
        name: of the first file, or of the file that a folder of parts will be.
        frame: `camera`, or `face:<template>` once aligned.
        parameters: resolved options of the step that wrote it.
        history: the steps so far, oldest first.
        attrs: further root attributes.
        rejected: captures that were left out, with the reason.
    """

    def __init__(self, kind: str, files: "Files") -> None:
        self.kind = kind
        self.paths = [path for path, _, _ in files]
        self.name = self.paths[0].name
        self.frame, self.attrs = _common_attributes(files)
        self.history = _common_history(files)
        self.parameters: dict[str, Any] = self.history[-1]["arguments"] if self.history else {}
        self._columns = _join_columns(files)
        self.rejected = [r for _, _, segments in files for r in read_rejected(segments)]
        self._keep_row_columns()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the row-aligned datasets."""
        return tuple(self._columns)

    def __len__(self) -> int:
        return len(self._columns["subject_id"])

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Column:
        if name not in self._columns:
            raise self.lacks(name)
        return self._columns[name]

    def lacks(self, name: str) -> MalformedInputError:
        """The error to raise when a dataset that is needed is not there."""
        return MalformedInputError(
            f"{self.paths[0]}: no dataset '{name}'", f"it has {', '.join(sorted(self.names))}"
        )

    def text(self, name: str) -> list[str]:
        """A text dataset, decoded."""
        return [bytes(v).decode() for v in self[name][:]]

    def text_at(self, name: str, row: int) -> str:
        """One row of a text dataset, decoded, without the zeros that fill its fixed length."""
        return bytes(self[name][row].item()).decode()

    @property
    def subject_id(self) -> list[str]:
        """Who each row is."""
        return self.text("subject_id")

    @property
    def session_id(self) -> list[str]:
        """Which capture of that subject each row is."""
        return self.text("session_id")

    @property
    def attributes(self) -> dict[str, list[str]]:
        """Attribute values of all rows by attribute; an empty string means unknown."""
        return {n.removeprefix("attribute/"): self.text(n) for n in self._group("attribute/")}

    @property
    def quality(self) -> dict[str, npt.NDArray[Any]]:
        """Quality figures of all rows by name."""
        return {n.removeprefix("quality/"): self[n][:] for n in self._group("quality/")}

    @property
    def sha256(self) -> str:
        """SHA-256 over the row digests; over the file where it carries none."""
        if "digest" not in self:
            return sha256_file(self.paths[0])
        total = hashlib.sha256()
        for digest in self.text("digest"):
            total.update(digest.encode())
        for reject in self.rejected:
            total.update(repr(reject).encode())
        return total.hexdigest()

    def _group(self, prefix: str) -> list[str]:
        return [n for n in self._columns if n.startswith(prefix)]

    def _keep_row_columns(self) -> None:
        for name in self._group("rejected/"):
            del self._columns[name]
        keys = list(zip(self.subject_id, self.session_id, self._views(), strict=True))
        if len(set(keys)) != len(keys):
            twice = next(k for k in keys if keys.count(k) > 1)
            raise MalformedInputError(
                f"{self.paths[0]}: session {'/'.join(twice[:2])} stands there twice",
                "give each file once; two captures cannot have one name",
            )

    def _views(self) -> list[str]:
        return self.text("view") if "view" in self else [""] * len(self)


def open_artifact(
    source: Path | Sequence[Path], kind: str = "fr3d.maps", require: Sequence[str] = ()
) -> Artifact:
    """Open and validate an artifact.

    Args:
        source: a file, several files, or a folder of part files.
        kind: what it must be.
        require: datasets that it must have beyond those that its kind requires.

    Returns:
        The artifact; its data is read lazily.

    Raises:
        MissingInputError: no such file.
        MalformedInputError: cut short, unsafe, or not what its kind asks.
    """
    files = [(path, *read_segments(path, kind)) for path in list_files(source)]
    try:
        artifact = Artifact(kind, files)
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedInputError(f"{files[0][0]}: damaged: {error}", "make it again") from error
    for name in require:
        if name not in artifact:
            raise artifact.lacks(name)
    folders = [source] if isinstance(source, Path) else list(source)
    if len(folders) == 1 and folders[0].is_dir():
        _cite_contents(artifact, folders[0])
    return artifact


Files = Sequence[tuple[Path, dict[str, Any], list[Segment]]]


def _common_attributes(files: Files) -> tuple[str, dict[str, Any]]:
    """Frame and further root attributes, which all files must share."""
    frame, attrs = str(files[0][1].get("frame", "")), _further(files[0][1])
    for path, its, _ in files[1:]:
        other = str(its.get("frame", ""))
        if other != frame:
            what = f"their frame: {frame or 'none'} and {other or 'none'}"
        elif _further(its) != attrs:
            what = "their attributes"
        else:
            continue
        raise MalformedInputError(f"{files[0][0]} and {path} differ in {what}", _ALIKE)
    return frame, attrs


def _further(attrs: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in attrs.items() if k not in _OWN_ATTRIBUTES}


def _common_history(files: Files) -> list[dict[str, Any]]:
    texts = {str(attrs.get("history", "")): path for path, attrs, _ in reversed(files)}
    return unite_histories([(str(path), parse_history(t)) for t, path in reversed(texts.items())])


def _cite_contents(artifact: Artifact, folder: Path) -> None:
    """A complete folder of parts is read as the file that it will be."""
    artifact.name = folder.name.removesuffix(".parts")
    plan = read_plan(folder)
    if plan is not None and plan.contents is not None and len(artifact):
        digest = ContentsDigest(plan)
        digest.add(bytes(v.item()).decode() for v in artifact[plan.contents.dataset])
        artifact.history[-1] = plan.citing(digest.hexdigest()).step.record()


def _join_columns(files: Files) -> dict[str, Column]:
    """Columns over all files; empty parts may lack datasets that others have."""
    grouped: dict[str, list[Segment]] = {}
    for _, _, segments in files:
        for segment in segments:
            grouped.setdefault(segment.name, []).append(segment)
    rows = sum(len_of(segments) for _, _, segments in files)
    for name, segments in grouped.items():
        if not name.startswith("rejected/") and sum(s.shape[0] for s in segments) != rows:
            raise MalformedInputError(
                f"{files[0][0]}: dataset '{name}' is not in every file", _ALIKE
            )
        trailing = {s.shape[1:] for s in segments if s.shape[0]}
        if len(trailing) > 1:
            raise MalformedInputError(
                f"{files[0][0]}: files differ in the shape of '{name}'", _ALIKE
            )
    return {n: Column([s for s in g if s.shape[0]] or g[:1]) for n, g in grouped.items()}


def len_of(segments: Sequence[Segment]) -> int:
    """Number of rows of one file."""
    return next(s.shape[0] for s in segments if s.name == "subject_id")


def row_keys(artifact: Artifact) -> list[tuple[str, str]]:
    """(subject, session) of every row."""
    return list(zip(artifact.subject_id, artifact.session_id, strict=True))


def index_rows(artifact: Artifact) -> dict[tuple[str, str], int]:
    """Row number by (subject, session)."""
    return {key: row for row, key in enumerate(row_keys(artifact))}
