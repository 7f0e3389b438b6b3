"""Which model is meant, and how to open it; loads torch only for a run folder."""

import json
from pathlib import Path
from typing import Any, Protocol

from fr3d.artifacts.onnx_file import parse_onnx, properties_of, read_onnx
from fr3d.errors import MalformedInputError, MissingInputError, UnavailableError, UsageError
from fr3d.inference.contract import ModelContract, Traced
from fr3d.inference.onnx_model import CONTRACT_KEY, NO_CONTRACT, Embeddings, Inputs, OnnxModel
from fr3d.runtime import resolve_device


class Embedder(Protocol):
    """A function from network inputs to embeddings, with its contract."""

    name: str
    device: str
    contract: ModelContract
    training_subjects: tuple[str, ...]

    def embed(self, inputs: Inputs) -> Embeddings:
        """Embed a batch: per modality (B, C, H, W) to (B, D) and magnitudes (B,)."""
        ...


def find_model(model: Path | None, runs: Path = Path("runs")) -> Path:
    """Say which model is meant.

    A file or a run folder is taken as it is; any other folder stands for the newest finished run
    in it. Without a name it is the newest of `model.onnx` and the finished runs.

    Args:
        model: what the user named, or None.
        runs: folder of training runs; `model.onnx` lies beside it.

    Returns:
        An ONNX file or a run folder.

    Raises:
        MissingInputError: there is none.
        MalformedInputError: the run that was named is of another task.
    """
    if model is None:
        beside = runs.parent / "model.onnx"
        return _newest([beside, *_runs(runs)], f"no {beside} and no finished run in {runs}")
    if model.is_dir() and not (model / "config.json").exists():
        return _newest(_runs(model), f"{model}: no finished run in it")
    if not model.exists():
        raise MissingInputError(f"{model}: no such file or folder", "make it with 'fr3d train'")
    if model.is_dir() and not _recognises(model):
        task = _json(model / "config.json")["task"]
        raise MalformedInputError(
            f"{model}: a run of task '{task}', expected one that recognises people",
            "train one with 'fr3d train', or name another with --model",
        )
    return model


def find_run(run: Path | None, runs: Path = Path("runs")) -> Path:
    """Say which run is meant: as `find_model`, but never an ONNX file.

    Args:
        run: a run folder, a folder of runs, or None for the newest finished run.
        runs: folder of training runs.
    """
    if run is None:
        return _newest(_runs(runs), f"no finished run in {runs}")
    found = find_model(run, runs)
    if not found.is_dir():
        raise MissingInputError(f"{found}: not a run folder", "name a folder under runs/")
    return found


def open_model(
    path: Path,
    device: str = "auto",
    threads: int = 0,
    *,
    faces: Traced | None = None,
    extractor: str | None = None,
) -> Embedder:
    """Open a model.

    Args:
        path: an ONNX file (always on the CPU) or a run folder (torch, on any device).
        device: `auto`, `cpu` or `cuda[:N]`.
        threads: threads of the ONNX runtime; 0 lets it choose.
        faces: what it is to embed; needed for the network of somebody else.
        extractor: its description, as `find_description` takes it.

    Raises:
        UnavailableError: the device is not there, or ONNX was asked to use one.
    """
    if path.is_dir():
        from fr3d.inference.torch_model import TorchModel

        _refuse_extractor(path, extractor)
        return TorchModel(path, resolve_device(device))
    if device.startswith("cuda"):
        raise UnavailableError(
            f"{path}: an ONNX file runs on the CPU, not on {device}",
            "give the run folder with --model to use the device",
        )
    return _open_onnx(path, threads, faces, extractor)


def onnx_form(
    path: Path,
    threads: int = 0,
    *,
    faces: Traced | None = None,
    extractor: str | None = None,
) -> OnnxModel:
    """Open a model as ONNX: the file as it is, a run exported first.

    Args:
        path: an ONNX file or a run folder.
        threads: threads of the ONNX runtime; 0 lets it choose.
        faces: what it is to embed, or its embeddings; needed for the network of somebody else.
        extractor: its description, as `find_description` takes it.
    """
    if not path.is_dir():
        return _open_onnx(path, threads, faces, extractor)
    from fr3d.inference.export import export_onnx
    from fr3d.inference.torch_model import TorchModel

    _refuse_extractor(path, extractor)
    run = TorchModel(path)
    data, _ = export_onnx(run.network, run.contract, run.training_subjects)
    return OnnxModel(data, name=path.name, threads=threads)


def _open_onnx(path: Path, threads: int, faces: Traced | None, extractor: str | None) -> OnnxModel:
    """Open one of our own files, or adopt the network of somebody else."""
    data = read_onnx(path)
    if CONTRACT_KEY in properties_of(parse_onnx(data, path.name)):
        _refuse_extractor(path, extractor)
        return OnnxModel(data, name=path.name, threads=threads)
    from fr3d.inference.description import find_description, read_description

    described = find_description(path, extractor)
    if described is None or faces is None:
        raise MalformedInputError(f"{path.name}: carries no model contract", NO_CONTRACT)
    from fr3d.inference.extractor import adopt

    return adopt(data, read_description(described), faces, path.name, threads)


def _refuse_extractor(path: Path, extractor: str | None) -> None:
    if extractor is not None:
        raise UsageError(
            f"--extractor {extractor}: {path} is a model of fr3d, which needs no description",
            "leave --extractor away",
        )


def _runs(folder: Path) -> list[Path]:
    """Finished runs of recognisers in a folder."""
    return [
        status.parent
        for status in sorted(folder.glob("*/status.json"))
        if _json(status).get("finished") is True and _recognises(status.parent)
    ]


def _recognises(run: Path) -> bool:
    """Tell a recogniser from a network of another task; a run that says nothing is the former."""
    return _json(run / "config.json").get("task", "identity") == "identity"


def _json(path: Path) -> dict[str, Any]:
    """A JSON object, empty where there is none: a run that is being written is not finished."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _newest(candidates: list[Path], message: str) -> Path:
    found = [path for path in candidates if path.exists()]
    if not found:
        raise MissingInputError(message, "train one with 'fr3d train', or name one with --model")
    return max(found, key=_written)


def _written(path: Path) -> tuple[int, str]:
    file = path / "status.json" if path.is_dir() else path
    return file.stat().st_mtime_ns, path.name
