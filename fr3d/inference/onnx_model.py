"""An ONNX file as a function from network inputs to embeddings; needs no torch."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.onnx_file import (
    open_session,
    parse_onnx,
    properties_of,
    read_onnx,
    runtime_errors,
)
from fr3d.errors import MalformedInputError
from fr3d.inference.contract import ModelContract

CONTRACT_KEY = "fr3d.contract"
DIGEST_KEY = "fr3d.contract_sha256"
SUBJECTS_KEY = "fr3d.training_subjects"
EXTRACTOR_KEY = "fr3d.extractor"
OUTPUTS = ("embedding", "magnitude")
NO_CONTRACT = (
    "make it with 'fr3d export'; the network of somebody else needs NAME.toml beside NAME.onnx, "
    "or --extractor"
)
Inputs = Mapping[str, npt.NDArray[np.float32]]
Embeddings = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def contract_properties(contract: ModelContract, subjects: Sequence[str]) -> dict[str, str]:
    """What the metadata of a file must hold for `OnnxModel` to open it.

    Args:
        contract: what a face passes through before the network.
        subjects: hashes of the people that it was trained on.
    """
    return {
        CONTRACT_KEY: contract.to_json(),
        DIGEST_KEY: contract.sha256,
        SUBJECTS_KEY: json.dumps(sorted(subjects)),
    }


class OnnxModel:
    """A network in ONNX form with the contract that it carries.

    Attributes:
        name: name of the file, for messages.
        device: where it runs, always the CPU.
        data: the bytes of the file; a gallery keeps them.
        contract: what a face must pass through before this network.
        training_subjects: hashes of the people that the network was trained on.
        description: JSON of how the network of somebody else is fed; empty for one of ours.
    """

    device = "cpu"

    def __init__(self, source: Path | bytes, name: str = "", threads: int = 0) -> None:
        """Open a model.

        Args:
            source: the file, or its bytes.
            name: how to call it in messages; the file's name by default.
            threads: threads within one operator; 0 lets the runtime choose.

        Raises:
            MissingInputError: no such file.
            MalformedInputError: not ONNX, not one of ours, or it reads other files.
        """
        self.name = name or (source.name if isinstance(source, Path) else "model")
        self.data = read_onnx(source) if isinstance(source, Path) else source
        properties = properties_of(parse_onnx(self.data, self.name))
        if CONTRACT_KEY not in properties:
            raise MalformedInputError(f"{self.name}: carries no model contract", NO_CONTRACT)
        self._session = open_session(self.data, self.name, threads)
        self.contract = ModelContract.from_json(properties[CONTRACT_KEY], self.name)
        self.training_subjects = _subjects(properties.get(SUBJECTS_KEY, "[]"), self.name)
        self.description = properties.get(EXTRACTOR_KEY, "")
        if properties.get(DIGEST_KEY) != self.contract.sha256:
            raise MalformedInputError(
                f"{self.name}: its contract does not match its digest", "export the model again"
            )
        self._check_signature()

    def embed(self, inputs: Inputs) -> Embeddings:
        """Embed a batch.

        Args:
            inputs: per modality an array (B, C, H, W), as the contract says.

        Returns:
            Embeddings (B, D), not normalised, and their magnitudes (B,).

        Raises:
            MalformedInputError: the inputs do not fit the network.
        """
        feed = {modality: inputs[modality] for modality in self.contract.modalities}
        with runtime_errors(self.name):
            embedding, magnitude = self._session.run(list(OUTPUTS), feed)
        return embedding, magnitude

    def _check_signature(self) -> None:
        found = tuple(one.name for one in self._session.get_inputs())
        outputs = {one.name for one in self._session.get_outputs()}
        if found != self.contract.modalities or not outputs.issuperset(OUTPUTS):
            raise MalformedInputError(
                f"{self.name}: inputs {', '.join(found)} and outputs {', '.join(sorted(outputs))}, "
                f"expected {', '.join(self.contract.modalities)} and {', '.join(OUTPUTS)}",
                "export the model again",
            )


def _subjects(text: str, name: str) -> tuple[str, ...]:
    try:
        return tuple(str(one) for one in json.loads(text))
    except (TypeError, ValueError) as error:
        raise MalformedInputError(f"{name}: damaged list of training subjects") from error
