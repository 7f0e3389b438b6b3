"""Export: the file computes what torch computes, at any batch size, and carries no foreign text."""

import json
import os
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import save_file
from small_models import EMBEDDING, contract_of_faces, write_faces
from torch import nn

from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import MalformedInputError, MissingInputError, UnavailableError
from fr3d.inference import export, model
from fr3d.inference.contract import ModelContract
from fr3d.inference.export import ParityError, check_parity, example_inputs, export_onnx
from fr3d.inference.onnx_model import OnnxModel
from fr3d.inference.torch_model import TorchModel
from fr3d.models.build import build_network


class _TwoBranches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.normal = self._branch(3)
        self.albedo = self._branch(1)
        self.last = nn.Sequential(nn.Linear(8, EMBEDDING), nn.BatchNorm1d(EMBEDDING))

    @staticmethod
    def _branch(channels: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(channels, 4, 3, stride=2),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )

    def forward(self, normal: torch.Tensor, albedo: torch.Tensor) -> torch.Tensor:
        return self.last(torch.cat([self.normal(normal), self.albedo(albedo)], dim=1))


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> ModelContract:
    return contract_of_faces(write_faces(tmp_path_factory.mktemp("faces") / "faces.h5", ["a"]))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return _TwoBranches()


@pytest.fixture(scope="module")
def exported(contract: ModelContract, network: nn.Module) -> bytes:
    return export_onnx(network, contract, ["one", "two"])[0]


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 33])
def test_computes_what_torch_computes(
    exported: bytes, contract: ModelContract, network: nn.Module, batch: int
) -> None:
    inputs = example_inputs(contract, batch)
    with torch.inference_mode():
        expected = network.eval()(*(torch.from_numpy(one) for one in inputs.values())).numpy()
    embedding, magnitude = OnnxModel(exported).embed(inputs)
    np.testing.assert_allclose(embedding, expected, atol=1e-5)
    np.testing.assert_allclose(magnitude, np.linalg.norm(expected, axis=1), rtol=1e-5)


def test_carries_contract_and_subjects_but_no_paths(
    exported: bytes, contract: ModelContract
) -> None:
    opened = OnnxModel(exported)
    assert opened.contract == contract
    assert opened.training_subjects == ("one", "two")
    onnx.checker.check_model(onnx.load_model_from_string(exported))
    assert b"site-packages" not in exported
    assert os.fsencode(Path(__file__).parent) not in exported


def test_is_quiet(
    contract: ModelContract, network: nn.Module, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        export_onnx(network, contract, [])
    assert caught == []
    assert capfd.readouterr() == ("", "")


def test_another_network_is_noticed(exported: bytes) -> None:
    torch.manual_seed(1)
    with pytest.raises(ParityError, match="differs from the trained one"):
        check_parity(export._WithMagnitude(_TwoBranches().eval()), OnnxModel(exported))


def test_wrong_embedding_size_is_noticed(contract: ModelContract) -> None:
    class Short(_TwoBranches):
        def forward(self, normal: torch.Tensor, albedo: torch.Tensor) -> torch.Tensor:
            return super().forward(normal, albedo)[:, :5]

    with pytest.raises(ParityError, match=r"shape \(1, 5\)"):
        export_onnx(Short(), contract, [])


def _write_run(folder: Path, contract: ModelContract, *, seed: int = 0) -> Path:
    """A finished run of the default small network."""
    folder.mkdir(parents=True)
    config = {
        "model": {
            "modalities": ["albedo"],
            "channels": 1,
            "backbone": "small",
            "embedding_size": EMBEDDING,
            "dropout": 0.1,
        }
    }
    torch.manual_seed(seed)
    save_file(build_network(config["model"]).state_dict(), folder / "best.safetensors")
    text = ModelContract(
        sha256_file(folder / "best.safetensors"),
        ("albedo",),
        {"albedo": contract.inputs["albedo"]},
        (32, 32),
        contract.frame,
        EMBEDDING,
    ).to_json()
    (folder / "contract.json").write_text(text)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "training_subjects.json").write_text('["aa"]')
    (folder / "status.json").write_text('{"finished": true}')
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, contract: ModelContract) -> Path:
    return _write_run(tmp_path_factory.mktemp("work") / "runs" / "albedo", contract)


def test_run_and_its_onnx_form_agree(run: Path) -> None:
    torch_model, onnx_model = TorchModel(run), model.onnx_form(run)
    assert onnx_model.contract == torch_model.contract
    assert onnx_model.training_subjects == ("aa",)
    inputs = example_inputs(torch_model.contract, 5)
    for found, expected in zip(onnx_model.embed(inputs), torch_model.embed(inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_weights_of_another_run_are_refused(
    run: Path, tmp_path: Path, contract: ModelContract
) -> None:
    other = _write_run(tmp_path / "other", contract, seed=1)
    (other / "contract.json").write_text((run / "contract.json").read_text())
    with pytest.raises(MalformedInputError, match="not the weights"):
        TorchModel(other)


def test_an_onnx_file_does_not_run_on_a_gpu(tmp_path: Path, exported: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(exported)
    with pytest.raises(UnavailableError, match="runs on the CPU"):
        model.open_model(path, "cuda")


def test_newest_of_file_and_finished_runs_is_meant(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with pytest.raises(MissingInputError, match="no finished run"):
        model.find_model(None, runs)
    for age, name in enumerate(["new", "old", "unfinished"]):
        (runs / name).mkdir(parents=True)
        (runs / name / "config.json").write_text("{}")
        status = runs / name / "status.json"
        status.write_text(json.dumps({"finished": name != "unfinished"}))
        os.utime(status, (0, 1000 - age))
    os.utime(runs / "unfinished" / "status.json", (0, 5000))
    assert model.find_model(None, runs) == runs / "new"
    assert model.find_model(runs) == runs / "new"
    assert model.find_run(None, runs) == runs / "new"
    assert model.find_model(runs / "old") == runs / "old"
    file = tmp_path / "model.onnx"
    file.write_text("")
    os.utime(file, (0, 500))
    assert model.find_model(None, runs) == runs / "new"
    os.utime(file, (0, 2000))
    assert model.find_model(None, runs) == file
    assert model.find_run(None, runs) == runs / "new"
    with pytest.raises(MissingInputError, match="not a run folder"):
        model.find_run(file, runs)
