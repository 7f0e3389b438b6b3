"""fr3d export: a run folder becomes an ONNX file, or nothing does; the chain goes on from it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from small_models import EMBEDDING, SIZE, write_faces, write_split

from fr3d.artifacts.provenance import sha256_file
from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.data.inputs import CHANNELS, input_specs
from fr3d.gallery.storage import open_gallery
from fr3d.inference.contract import ModelContract, contract_for
from fr3d.inference.onnx_model import OnnxModel
from fr3d.models.build import build_network


def write_run(folder: Path, faces: Path, modality: str = "albedo", seed: int = 0) -> ModelContract:
    """A finished run with random weights."""
    folder.mkdir(parents=True)
    model = {
        "modalities": [modality],
        "channels": CHANNELS[modality],
        "backbone": "small",
        "embedding_size": EMBEDDING,
        "dropout": 0.0,
    }
    torch.manual_seed(seed)
    save_file(build_network(model).state_dict(), folder / "best.safetensors")
    contract = contract_for(
        open_artifact(faces),
        weights_sha256=sha256_file(folder / "best.safetensors"),
        modalities=[modality],
        inputs={spec.modality: spec.to_json() for spec in input_specs([modality])},
        embedding_size=EMBEDDING,
    )
    (folder / "contract.json").write_text(contract.to_json())
    (folder / "config.json").write_text(json.dumps({"model": model, "modalities": [modality]}))
    (folder / "training_subjects.json").write_text('["aa", "bb"]')
    (folder / "status.json").write_text('{"finished": true}')
    return contract


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    people = [f"p{i:02d}" for i in range(20)]
    write_faces(Path("faces.h5"), people, sessions=2)
    write_split(
        Path("split.csv"),
        Path("faces.h5"),
        enrolled=people[:4],
        strangers=people[4:8],
        calibration=people[8:],
    )
    return tmp_path


def test_the_newest_finished_run_becomes_model_onnx(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = write_run(Path("runs/albedo"), Path("faces.h5"))
    write_run(Path("runs/normal"), Path("faces.h5"), "normal")
    os.utime("runs/normal/status.json", (0, 0))
    assert main(["export"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "exported runs/albedo (albedo to 16 numbers) -> model.onnx" in err
    assert "at batch 1, 2, 7" in err
    assert len(err.splitlines()) == 1
    model = OnnxModel(Path("model.onnx"))
    assert model.contract == contract
    assert model.training_subjects == ("aa", "bb")
    assert model.contract.size == (SIZE, SIZE)


def test_a_run_and_its_file_are_one_model(work: Path) -> None:
    """Embeddings by torch are accepted with the ONNX file, and give the same gallery."""
    write_run(Path("runs/albedo"), Path("faces.h5"))
    assert main(["embed", "-m", "runs/albedo", "--device", "cpu"]) == 0
    assert main(["export", "runs/albedo"]) == 0
    assert main(["enroll", "embeddings.h5", "-m", "model.onnx", "-o", "torch.faiss"]) == 0
    assert main(["enroll", "faces.h5", "-m", "runs/albedo", "-o", "onnx.faiss"]) == 0
    one, two = (open_gallery(Path(f"{name}.faiss")).records for name in ("torch", "onnx"))
    np.testing.assert_allclose(one.templates.vector, two.templates.vector, atol=1e-5)
    assert one.contract.sha256 == two.contract.sha256
    assert main(["identify", "embeddings.h5", "--gallery", "onnx.faiss"]) == 0


def test_export_refuses(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export"]) == 66
    assert "no finished run in runs" in capsys.readouterr().err
    write_run(Path("runs/albedo"), Path("faces.h5"))
    Path("model.onnx").write_text("mine")
    assert main(["export"]) == 73
    assert main(["export", "--force", "--dry-run"]) == 0
    assert Path("model.onnx").read_text() == "mine"
    Path("runs/albedo/best.safetensors").write_bytes(b"\0" * 99)
    assert main(["export", "--force"]) == 65
    assert "not the weights" in capsys.readouterr().err
    Path("runs/albedo/best.safetensors").unlink()
    assert main(["export", "--force"]) == 66
    assert Path("model.onnx").read_text() == "mine"


def test_a_file_that_computes_something_else_is_not_written(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fr3d.inference import export

    write_run(Path("runs/albedo"), Path("faces.h5"))
    true_model = export.OnnxModel

    class Wrong(true_model):
        def embed(self, inputs: dict) -> tuple[np.ndarray, np.ndarray]:
            embedding, magnitude = super().embed(inputs)
            embedding[-1] = embedding[-1][::-1].copy()
            return embedding, magnitude

    monkeypatch.setattr(export, "OnnxModel", Wrong)
    assert main(["export"]) != 0
    assert "differs from the trained one" in capsys.readouterr().err
    assert not Path("model.onnx").exists()
