"""What a file holds, in a few named fields: any artifact of any step."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fr3d.artifacts.schema import FORMATS, find_spec
from fr3d.artifacts.store import Artifact, artifact_kind, open_artifact
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.inference.contract import CONTRACT_ATTRIBUTE, ModelContract

Fields = dict[str, Any]

_SHOWN_VALUES = 8

_RUN = "the run is damaged: train it again"


def describe(path: Path) -> Fields:
    """Summarise an artifact: maps, faces, embeddings, gallery, run, split table or model.

    Args:
        path: a file, or the folder of a run or of parts.

    Returns:
        JSON-able fields by name; `file` and `kind` come first.

    Raises:
        MissingInputError: there is no such file.
        MalformedInputError: damaged, or nothing that fr3d writes.
    """
    if not path.exists():
        raise MissingInputError(f"{path}: no such file", "is the path right?")
    kind, fields = _describe(path)
    return {"file": path.name or str(path), "kind": kind, **fields}


def _describe(path: Path) -> tuple[str, Fields]:
    if path.is_dir():
        if (path / "config.json").exists():
            return "run", _run(path)
        parts = sorted(path.glob("part-*.h5"))
        if not parts:
            raise MalformedInputError(
                f"{path}: neither a run nor a folder of parts",
                "a run holds config.json, a folder of parts part-*.h5",
            )
        return _sessions(path, artifact_kind(parts[0]))
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return "split", _split(path)
    if suffix == ".onnx":
        return "model", _onnx(path)
    if suffix == ".faiss" or (suffix == ".h5" and artifact_kind(path) == "fr3d.gallery"):
        return "fr3d.gallery", _gallery(path)
    return _sessions(path, artifact_kind(path))


def _sessions(path: Path, kind: str) -> tuple[str, Fields]:
    if kind not in FORMATS:
        raise MalformedInputError(f"{path}: found {kind}, expected one of {', '.join(FORMATS)}")
    artifact = open_artifact(path, kind)
    fields: Fields = {
        "frame": artifact.frame,
        "rows": len(artifact),
        "people": len(set(artifact.subject_id)),
        "rejected": len(artifact.rejected),
        "bytes": sum(p.stat().st_size for p in artifact.paths),
        "sha256": artifact.sha256,
        "datasets": {name: _dataset(artifact, name) for name in artifact.names},
        "quality": {name: _range(values) for name, values in artifact.quality.items()},
        "attributes": {n: _counts(v) for n, v in artifact.attributes.items() if n != "file"},
        "rejected_because": _counts([reject.reason for reject in artifact.rejected]),
        "history": [_step(step) for step in artifact.history],
    }
    if CONTRACT_ATTRIBUTE in artifact.attrs:
        text = str(artifact.attrs[CONTRACT_ATTRIBUTE])
        fields |= _contract(ModelContract.from_json(text, path.name))
    return kind, fields


def _dataset(artifact: Artifact, name: str) -> str:
    """Such as `float32 (18, 144, 144, 3)`, with the unit where there is one."""
    column = artifact[name]
    spec = find_spec(artifact.kind, name)
    kind = "text" if column.dtype.kind == "S" else str(column.dtype)
    unit = f" {spec.units}" if spec is not None and spec.units != "1" else ""
    return f"{kind} {column.shape}{unit}"


def _range(values: np.ndarray[Any, Any]) -> str:
    """Least, middle and greatest known value."""
    known = values[np.isfinite(values.astype(np.float64))]
    if not known.size:
        return "unknown"
    low, middle, high = (float(v) for v in np.percentile(known.astype(np.float64), (0, 50, 100)))
    missing = f", {values.size - known.size} unknown" if known.size < values.size else ""
    return f"{low:.4g} .. {middle:.4g} .. {high:.4g}{missing}"


def _counts(values: Sequence[str]) -> dict[str, int]:
    """How often each value occurs, most frequent first; the rare ones together."""
    common = Counter(value or "(unknown)" for value in values).most_common()
    shown = dict(common[:_SHOWN_VALUES])
    rest = sum(count for _, count in common[_SHOWN_VALUES:])
    return {**shown, f"({len(common) - _SHOWN_VALUES} others)": rest} if rest else shown


def _step(step: Mapping[str, Any]) -> str:
    """One line of history as a command line would be written."""
    words = [f"{name}={_word(value)}" for name, value in step.get("arguments", {}).items()]
    seed = [f"seed={step['seed']}"] if step.get("seed") is not None else []
    inputs = [f"{name}@{str(digest)[:12]}" for name, digest in step.get("inputs", {}).items()]
    head = f"{step.get('command', '?')} ({step.get('version', '?')})"
    return " ".join([head, *words, *seed, *(["<-", *inputs] if inputs else [])])


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{text[:12]}..." if len(text) == 64 and text.isalnum() else text


def _contract(contract: ModelContract) -> Fields:
    return {
        "modalities": list(contract.modalities),
        "embedding_size": contract.embedding_size,
        "face": f"{contract.size[0]} x {contract.size[1]}, {contract.frame}",
        "alignment": dict(contract.alignment),
        "reconstruction": dict(contract.reconstruction),
        "weights_sha256": contract.weights_sha256,
        "contract_sha256": contract.sha256,
    }


def _gallery(path: Path) -> Fields:
    from fr3d.gallery.index import digest
    from fr3d.gallery.records import from_bytes
    from fr3d.gallery.storage import GalleryPaths

    paths = GalleryPaths.of(path)
    if not paths.records.exists():
        raise MissingInputError(
            f"{paths.records}: no such file, a gallery needs it",
            f"{paths.index.name} alone knows no names; both files belong together",
        )
    records = from_bytes(paths.records.read_bytes(), paths.records)
    index = "missing, is made again when the gallery is opened"
    if paths.index.exists():
        same = digest(paths.index.read_bytes()) == records.index_sha256
        index = "current" if same else "of other records, is made again when the gallery is opened"
    return {
        "people": len(set(records.templates.subject_id)),
        "templates": len(records.templates),
        "sessions": len(records.enrolled),
        "strategy": records.strategy,
        "threshold": records.threshold,
        "fpir": records.fpir,
        "calibration_people": len(records.calibration.people),
        "calibration_sessions": len(records.calibration),
        "generation": records.generation,
        "index": index,
        "model_bytes": len(records.model),
        **_contract(records.contract),
        "history": [_step(step) for step in [*records.steps, records.step.record()]],
    }


def _run(path: Path) -> Fields:
    config, status = _json(path / "config.json"), _json(path / "status.json")
    fields: Fields = {
        "finished": status.get("finished") is True,
        **{name: config[name] for name in ("task", "faces") if name in config},
        "modalities": config.get("modalities", []),
        "model": config.get("model", {}),
        "training": config.get("training", {}),
        "people": config.get("people"),
        "sessions": config.get("sessions"),
        "data": config.get("data", {}),
        **{name: status[name] for name in ("epochs", "best_epoch", "figures") if name in status},
    }
    if (path / "contract.json").exists():
        text = (path / "contract.json").read_text(encoding="utf-8")
        fields |= _contract(ModelContract.from_json(text, f"{path}/contract.json"))
    return fields


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MalformedInputError(f"{path}: not JSON: {error}", _RUN) from error
    if not isinstance(found, dict):
        raise MalformedInputError(
            f"{path}: found {type(found).__name__}, expected a JSON object", _RUN
        )
    return found


def _split(path: Path) -> Fields:
    from fr3d.protocols.table import read_split, unknown_people

    table = read_split(path)
    parts: dict[str, Any] = {}
    for name in dict.fromkeys(table["partition"]):
        rows = table[table["partition"] == name]
        roles = {role: int((rows["role"] == role).sum()) for role in ("gallery", "probe")}
        unknown = len(unknown_people(table, name)) if any(roles.values()) else 0
        parts[name] = {
            "people": int(rows["subject_id"].nunique()),
            "rows": len(rows),
            **{f"{role}_rows": count for role, count in roles.items() if count},
            **({"unknown_people": unknown} if unknown else {}),
        }
    return {
        "rows": len(table),
        "people": int(table["subject_id"].nunique()),
        "partitions": parts,
        "columns": list(table.columns),
    }


def _onnx(path: Path) -> Fields:
    from fr3d.alignment.hourglass import KEY, Hourglass
    from fr3d.artifacts.onnx_file import read_properties
    from fr3d.inference.onnx_model import OnnxModel

    data = path.read_bytes()
    if KEY in read_properties(data, path.name, "make it with 'fr3d export'"):
        network = Hourglass(path)
        return {
            "bytes": len(data),
            "task": "landmarks",
            "sha256": network.sha256,
            **network.facts,
        }
    model = OnnxModel(data, path.name)
    return {
        "bytes": len(model.data),
        "training_people": len(model.training_subjects),
        **_contract(model.contract),
    }
