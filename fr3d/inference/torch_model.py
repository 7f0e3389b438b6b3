"""A run folder as a function from network inputs to embeddings, by torch."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.inference.contract import ModelContract
from fr3d.inference.onnx_model import Embeddings, Inputs
from fr3d.models.build import build_network

WEIGHTS = "best.safetensors"


class TorchModel:
    """The best weights of a run.

    Attributes:
        name: name of the run.
        network: the network, in evaluation mode.
        device: where it runs.
        contract: what a face must pass through before it.
        training_subjects: hashes of the people that it was trained on.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        """Load a run.

        Args:
            folder: the run folder.
            device: `cpu`, `cuda` or `cuda:N`.

        Raises:
            MissingInputError: a file of the run is not there.
            MalformedInputError: the files of the run do not belong together.
        """
        self.name = folder.name
        text = _text(folder / "contract.json")
        self.contract = ModelContract.from_json(text, f"{folder}/contract.json")
        subjects = _json(folder / "training_subjects.json")
        self.training_subjects = tuple(str(one) for one in subjects)
        self.network = load_network(folder, self.contract).to(device).eval()
        self.device = device

    def embed(self, inputs: Inputs) -> Embeddings:
        """Embed a batch; see `OnnxModel.embed`."""
        tensors = [
            torch.from_numpy(inputs[modality]).to(self.device)
            for modality in self.contract.modalities
        ]
        # TF32 would round the scores to three digits.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            embedding = self.network(*tensors).float()
            magnitude = torch.linalg.vector_norm(embedding, dim=1)
        return embedding.cpu().numpy(), magnitude.cpu().numpy()


def load_network(folder: Path, contract: ModelContract) -> nn.Module:
    """Build the network of a run and load its best weights.

    Args:
        folder: the run folder.
        contract: its contract; the weights must be those that it names.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise MissingInputError(f"{path}: no such file", "train the run to its end")
    if sha256_file(path) != contract.weights_sha256:
        raise MalformedInputError(
            f"{path}: not the weights that contract.json names", "train the run again"
        )
    network = build_network(_json(folder / "config.json")["model"])
    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        text = " ".join(str(error).split())[:200]
        raise MalformedInputError(f"{path}: does not fit config.json: {text}") from error
    return network


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MissingInputError(
            f"{path}: {(error.strerror or str(error)).lower()}",
            "name a run folder or an ONNX file with --model",
        ) from error


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except ValueError as error:
        raise MalformedInputError(f"{path}: not JSON: {error}") from error
