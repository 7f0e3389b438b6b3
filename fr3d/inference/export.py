"""A trained network as an ONNX file that carries its contract, checked against torch."""

import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fr3d import __version__
from fr3d.data.inputs import CHANNELS
from fr3d.errors import Fr3dError
from fr3d.inference.contract import ModelContract
from fr3d.inference.onnx_model import OUTPUTS, Inputs, OnnxModel, contract_properties

PARITY_BATCHES = (1, 2, 7)
RELATIVE_TOLERANCE = 1e-4
COSINE_TOLERANCE = 1e-5
_EXAMPLE_BATCH = 2  # the exporter takes sizes 0 and 1 for constants


class ParityError(Fr3dError):
    """The exported network does not compute what the trained one does."""


@dataclass(frozen=True)
class Parity:
    """How far an ONNX model is from its network.

    Attributes:
        difference: largest difference of a component, relative to the embedding's length.
        cosine_loss: largest value of 1 - cosine between the two embeddings.
        magnitude: largest relative difference of the magnitudes.
    """

    difference: float
    cosine_loss: float
    magnitude: float


class _WithMagnitude(nn.Module):
    """The two outputs of the file: the embedding and its length."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.network(*inputs)
        return embedding, torch.linalg.vector_norm(embedding, dim=1)


def export_onnx(
    network: nn.Module, contract: ModelContract, training_subjects: Sequence[str]
) -> tuple[bytes, Parity]:
    """Turn a network into the bytes of an ONNX file.

    The batch axis is free. Nothing is returned unless the file computes what the network does.

    Args:
        network: takes one float32 tensor (B, C, H, W) per modality in the contract's order and
            returns embeddings (B, D). It is put on the CPU, in evaluation mode.
        contract: what a face passes through before it.
        training_subjects: hashes of the people that it was trained on.

    Returns:
        The file's bytes, and how far the file is from the network.

    Raises:
        ParityError: the exported network computes something else.
    """
    wrapped = _WithMagnitude(network.cpu().float().eval())
    properties = contract_properties(contract, training_subjects)
    data = with_properties(_convert(wrapped, contract), properties)
    return data, check_parity(wrapped, OnnxModel(data))


def check_parity(wrapped: nn.Module, model: OnnxModel) -> Parity:
    """Compare a network and its ONNX form on random inputs of several batch sizes.

    Args:
        wrapped: returns embedding and magnitude.
        model: its ONNX form.

    Raises:
        ParityError: they differ by more than rounding.
    """
    pairs = [_compare(wrapped, model, batch) for batch in PARITY_BATCHES]
    worst = Parity(*(max(values) for values in zip(*pairs, strict=True)))
    size = max(worst.difference, worst.magnitude)
    # Written so that NaN fails.
    if not (size <= RELATIVE_TOLERANCE and worst.cosine_loss <= COSINE_TOLERANCE):
        raise ParityError(
            f"{model.name}: the exported network differs from the trained one: relative "
            f"difference {size:.2g} (expected at most {RELATIVE_TOLERANCE:g}), 1 - cosine "
            f"{worst.cosine_loss:.2g} (expected at most {COSINE_TOLERANCE:g})",
            "another backbone, or another version of torch, may export well",
        )
    return worst


def _compare(wrapped: nn.Module, model: OnnxModel, batch: int) -> tuple[float, float, float]:
    inputs = example_inputs(model.contract, batch)
    with torch.inference_mode():
        outputs = wrapped(*(torch.from_numpy(one) for one in inputs.values()))
    embedding, magnitude = (one.double().numpy() for one in outputs)
    found, found_magnitude = (one.astype(np.float64) for one in model.embed(inputs))
    if embedding.shape != (batch, model.contract.embedding_size) or found.shape != embedding.shape:
        raise ParityError(
            f"{model.name}: embeddings of shape {found.shape}, torch's have {embedding.shape}, "
            f"the contract says {(batch, model.contract.embedding_size)}"
        )
    length = np.linalg.norm(embedding, axis=1)
    cosine = (embedding * found).sum(axis=1) / (length * np.linalg.norm(found, axis=1))
    difference = np.abs(found - embedding).max(axis=1) / length
    return (
        float(difference.max()),
        float((1 - cosine).max()),
        float((np.abs(found_magnitude - magnitude) / magnitude).max()),
    )


def example_inputs(contract: ModelContract, batch: int) -> Inputs:
    """Draw inputs of the right shapes: unit normal noise, the same for the same batch size.

    Args:
        contract: names the modalities and their size.
        batch: number of faces.
    """
    generator = np.random.default_rng(batch)
    return {
        modality: generator.standard_normal(
            (batch, CHANNELS[modality], *contract.size), dtype=np.float32
        )
        for modality in contract.modalities
    }


def _convert(wrapped: nn.Module, contract: ModelContract) -> Any:
    return convert(wrapped, example_inputs(contract, _EXAMPLE_BATCH), OUTPUTS)


def convert(module: nn.Module, example: Inputs, outputs: Sequence[str]) -> Any:
    """Run the dynamo exporter.

    Args:
        module: on the CPU, in evaluation mode.
        example: inputs by name in the module's order, two or more of a batch.
        outputs: names of what the module returns.

    Returns:
        An ONNX ModelProto whose batch axis is free.

    Raises:
        ParityError: the exporter made nothing.
    """
    batch = torch.export.Dim("batch")
    with _quiet():
        program = torch.onnx.export(
            module,
            tuple(torch.from_numpy(one) for one in example.values()),
            dynamo=True,
            verbose=False,
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=(tuple({0: batch} for _ in example),),
        )
    if program is None:
        raise ParityError("the ONNX exporter returned nothing")
    return program.model_proto


def with_properties(model: Any, properties: Mapping[str, str]) -> bytes:
    """Add what the file must carry, take out what it must not (paths in stack traces).

    Args:
        model: an ONNX ModelProto.
        properties: its metadata.

    Returns:
        The file's bytes.
    """
    for function in (model.graph, *model.functions):
        for item in (function, *function.node, *function.value_info):
            del item.metadata_props[:]
            item.doc_string = ""
    for item in (*model.graph.initializer, *model.graph.input, *model.graph.output):
        del item.metadata_props[:]
    del model.metadata_props[:]
    model.producer_name, model.producer_version = "fr3d", __version__
    for key, value in properties.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    return model.SerializeToString(deterministic=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter prints its progress and warns about its own insides."""
    previous = logging.root.manager.disable
    with (
        warnings.catch_warnings(),
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(previous)
