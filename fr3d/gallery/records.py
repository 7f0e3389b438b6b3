"""What a gallery knows, and its file: everything else can be made again from it.

The file is HDF5 behind a block of 512 bytes that holds the SHA-256 of the rest. A damaged file is
refused before HDF5 sees it.
"""

import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fr3d.artifacts.attributes import read_attributes, root_attributes, write_attributes
from fr3d.artifacts.provenance import Step, parse_history
from fr3d.artifacts.rows import encode
from fr3d.artifacts.validation import check_storage, read_kind, walk
from fr3d.errors import MalformedInputError
from fr3d.gallery.templates import STRATEGIES, Sessions, Templates
from fr3d.inference.contract import ModelContract, check_same
from fr3d.inference.onnx_model import OnnxModel

KIND = "fr3d.gallery"
_BLOCK = 512
_MAGIC = b"fr3d.gallery sha256:"
MAGIC_BYTES = len(_MAGIC)
_DAMAGED = "restore it from a copy, or enroll the people again"


@dataclass(frozen=True)
class GalleryRecords:
    """The truth of a gallery.

    Attributes:
        contract: the model's contract; probes must have the same.
        model: the ONNX file.
        strategy: how sessions become templates, a name in `templates.STRATEGIES`.
        enrolled: the enrolled sessions.
        templates: what they became; probes are compared with these.
        calibration: sessions of people who are not enrolled.
        calibration_score: (C,) best score of each of them against the templates.
        fpir: the rate that the threshold was calibrated for; None for a threshold that was
            set by hand or comes from a table, which `step` then tells.
        threshold: lowest score at which a probe is named.
        steps: history of the enrolled embeddings, oldest first.
        step: the command that made these records.
        generation: counts the changes.
        index_sha256: digest of the index that belongs to these records.
    """

    contract: ModelContract
    model: bytes
    strategy: str
    enrolled: Sessions
    templates: Templates
    calibration: Sessions
    calibration_score: npt.NDArray[np.float64]
    fpir: float | None
    threshold: float
    steps: Sequence[Mapping[str, Any]]
    step: Step
    generation: int = 1
    index_sha256: str = ""


def to_bytes(records: GalleryRecords) -> bytes:
    """Write records as the bytes of `gallery.h5`."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", userblock_size=_BLOCK) as file:
        write_attributes(file, _attributes(records))
        for name, array in _datasets(records).items():
            data = encode(array)
            if data.dtype.kind == "S":
                data = data.astype(h5py.string_dtype("utf-8", data.dtype.itemsize))
            file.create_dataset(name, data=data)
    body = memory.getvalue()[_BLOCK:]
    header = _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n"
    return header.ljust(_BLOCK, b"\0") + body


def from_bytes(data: bytes, path: Path) -> GalleryRecords:
    """Read what `to_bytes` wrote.

    Args:
        data: the bytes of the file.
        path: its name, for messages.

    Raises:
        MalformedInputError: damaged by as little as one bit, or not a gallery.
    """
    check_magic(data, path)
    header = _MAGIC + hashlib.sha256(data[_BLOCK:]).hexdigest().encode() + b"\n"
    if data[:_BLOCK] != header.ljust(_BLOCK, b"\0"):
        raise MalformedInputError(f"{path}: damaged: its bytes do not match its digest", _DAMAGED)
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return _parse(path, file, len(data))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise MalformedInputError(f"{path}: damaged: {error}", _DAMAGED) from error


def check_magic(data: bytes, path: Path) -> None:
    """Refuse what does not begin as a gallery does.

    Args:
        data: its first `MAGIC_BYTES` bytes, or more.
        path: its name, for messages.

    Raises:
        MalformedInputError: it is something else.
    """
    if not data.startswith(_MAGIC):
        raise MalformedInputError(f"{path}: not a gallery", "make it with 'fr3d enroll'")


def model_of(records: GalleryRecords, name: str) -> OnnxModel:
    """Open the model that a gallery keeps.

    Args:
        records: the gallery.
        name: its name, for messages.

    Raises:
        MalformedInputError: it is not the model that the gallery names.
    """
    model = OnnxModel(records.model, name=name)
    check_same(records.contract, model.contract, f"the model inside {name}", "its records")
    return model


def _attributes(records: GalleryRecords) -> dict[str, Any]:
    """Root attributes, those of every artifact among them."""
    own = {
        "model_contract": records.contract.to_json(),
        "model_contract_sha256": records.contract.sha256,
        "strategy": records.strategy,
        "fpir": math.nan if records.fpir is None else records.fpir,
        "threshold": records.threshold,
        "generation": records.generation,
        "index_sha256": records.index_sha256,
    }
    return root_attributes(KIND, records.step, "", records.steps, own)


def _datasets(records: GalleryRecords) -> dict[str, Any]:
    templates = records.templates
    columns = {
        "model": np.frombuffer(records.model, dtype=np.uint8),
        "template/id": templates.id,
        "template/subject_id": templates.subject_id,
        "template/sessions": templates.sessions,
        "template/vector": templates.vector,
        "template/quality": templates.quality,
        "calibration/score": records.calibration_score,
    }
    for group, sessions in (("enrolled", records.enrolled), ("calibration", records.calibration)):
        columns |= {
            f"{group}/subject_id": sessions.subject_id,
            f"{group}/session_id": sessions.session_id,
            f"{group}/embedding": sessions.embedding,
            f"{group}/quality": sessions.quality,
        }
    return columns


def _parse(path: Path, file: h5py.File, size: int) -> GalleryRecords:
    attrs = read_attributes(path, file)
    kind = read_kind(path, attrs)
    if kind != KIND:
        raise MalformedInputError(f"{path}: found {kind}, expected {KIND}")
    datasets = {}
    for name, dataset in walk(path, file):
        check_storage(f"{path}: {name}", dataset, size)
        datasets[name] = dataset[()]
    *steps, step = parse_history(str(attrs["history"]))
    contract = ModelContract.from_json(str(attrs["model_contract"]), str(path))
    strategy, fpir = str(attrs["strategy"]), float(attrs["fpir"])
    if strategy not in STRATEGIES or attrs["model_contract_sha256"] != contract.sha256:
        raise MalformedInputError(f"{path}: damaged: strategy or contract", _DAMAGED)
    records = GalleryRecords(
        contract=contract,
        model=datasets["model"].tobytes(),
        strategy=strategy,
        enrolled=_sessions(datasets, "enrolled"),
        templates=_templates(datasets),
        calibration=_sessions(datasets, "calibration"),
        calibration_score=datasets["calibration/score"],
        fpir=None if math.isnan(fpir) else fpir,
        threshold=float(attrs["threshold"]),
        steps=steps,
        step=_step(step),
        generation=int(attrs["generation"]),
        index_sha256=str(attrs["index_sha256"]),
    )
    if not _consistent(records):
        raise MalformedInputError(f"{path}: damaged: its parts do not fit together", _DAMAGED)
    return records


def _consistent(records: GalleryRecords) -> bool:
    """Whether all columns have one length and all vectors one size."""
    size = records.contract.embedding_size
    templates = records.templates
    groups: list[tuple[npt.NDArray[Any], list[int]]] = [
        (
            templates.vector,
            [len(templates.id), len(templates), len(templates.sessions), len(templates.quality)],
        ),
        (records.calibration.embedding, [len(records.calibration_score)]),
    ]
    groups += [
        (sessions.embedding, [len(sessions), len(sessions.session_id), len(sessions.quality)])
        for sessions in (records.enrolled, records.calibration)
    ]
    return all(
        vectors.shape == (len(vectors), size) and {*lengths} == {len(vectors)}
        for vectors, lengths in groups
    )


def _step(record: Mapping[str, Any]) -> Step:
    return Step(
        record["command"],
        record["arguments"],
        record["inputs"],
        seed=record["seed"],
        device=record["device"],
    )


def _text(values: npt.NDArray[Any]) -> tuple[str, ...]:
    return tuple(bytes(value).decode() for value in values)


def _sessions(datasets: Mapping[str, npt.NDArray[Any]], group: str) -> Sessions:
    return Sessions(
        _text(datasets[f"{group}/subject_id"]),
        _text(datasets[f"{group}/session_id"]),
        datasets[f"{group}/embedding"],
        datasets[f"{group}/quality"],
    )


def _templates(datasets: Mapping[str, npt.NDArray[Any]]) -> Templates:
    return Templates(
        datasets["template/id"],
        _text(datasets["template/subject_id"]),
        datasets["template/sessions"],
        datasets["template/vector"],
        datasets["template/quality"],
    )
