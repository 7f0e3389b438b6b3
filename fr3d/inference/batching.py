"""Whether the network of somebody else embeds several faces at once as it embeds each alone.

Many published files have a batch of one written into them, in the shape of their input and often
in the constants of a Reshape. These are freed, and what comes out is tried: only a network that
gives the same numbers in a batch is run in batches.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from fr3d.artifacts.onnx_file import SILENT, open_session, runtime_errors
from fr3d.errors import MalformedInputError
from fr3d.inference.description import Description
from fr3d.inference.signature import Signature

Array = npt.NDArray[Any]

TOLERANCE = 1e-3
"""Largest difference, relative to the largest component, that is rounding."""
_BATCHES = (2, 3)  # two sizes, so that none agrees by chance with a constant in the network
_TRIALS = max(_BATCHES)
_HINT = "does its description fit it?"


@dataclass(frozen=True)
class Tried:
    """A network that was run.

    Args:
        model: the ModelProto to use.
        batched: whether it takes several faces at once.
        embedding_size: length of an embedding.
    """

    model: Any
    batched: bool
    embedding_size: int


def try_network(model: Any, signature: Signature, description: Description, name: str) -> Tried:
    """Run a network on noise, one picture at a time and all at once.

    Args:
        model: an ONNX ModelProto; it is not changed.
        signature: how to call it.
        description: what it takes.
        name: the file's name, for messages.

    Raises:
        MalformedInputError: the runtime refuses it, or its output is no embedding.
    """
    pictures = _noise(signature, description)
    session = open_session(model.SerializeToString(), name, hint=_HINT)
    with runtime_errors(name, _HINT):
        alone = [_run(session, signature, pictures[i : i + 1]) for i in range(_TRIALS)]
    shape = alone[0].shape
    if len(shape) != 2 or shape[0] != 1 or any(one.shape != shape for one in alone):
        raise MalformedInputError(
            f"{name}: output '{signature.output}' of one face has shape {shape}, "
            "expected (1, length of the embedding)",
            "name the output that is the embedding in the description",
        )
    freed = freed_batch(model, signature)
    candidate = freed.SerializeToString() if signature.single else None
    batched = _same(np.concatenate(alone), candidate, session, pictures, signature, name)
    return Tried(freed if batched else model, batched, shape[1])


def freed_batch(model: Any, signature: Signature) -> Any:
    """Copy a network, its batch freed where a one is written into shapes.

    Args:
        model: an ONNX ModelProto.
        signature: names its input and output.
    """
    freed = onnx.ModelProto()
    freed.CopyFrom(model)
    graph = freed.graph
    for value in (*graph.input, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if value.name in {signature.input, signature.output} and dims:
            dims[0].dim_param = "batch"
    del graph.value_info[:]
    constants = _constants(graph)
    for place, node in enumerate(graph.node):
        # What is made of constants alone has no batch axis.
        if node.op_type != "Reshape" or len(node.input) < 2 or node.input[0] in constants:
            continue
        shape = constants.get(node.input[1])
        zero_means_zero = any(one.name == "allowzero" and one.i for one in node.attribute)
        if shape is None or shape.ndim != 1 or not len(shape) or shape[0] != 1 or zero_means_zero:
            continue
        name = f"{node.input[1]}/batch/{place}"
        graph.initializer.append(numpy_helper.from_array(np.array([0, *shape[1:]], "i8"), name))
        node.input[1] = name
    return freed


def _same(
    alone: Array,
    candidate: bytes | None,
    session: Any,
    pictures: Array,
    signature: Signature,
    name: str,
) -> bool:
    """Whether the pictures at once give what they give one by one."""
    try:
        trial = session if candidate is None else open_session(candidate, name)
        with runtime_errors(name):
            found = [_run(trial, signature, pictures[:size]) for size in _BATCHES]
    except MalformedInputError:
        return False
    limit = TOLERANCE * float(np.abs(alone).max(initial=0.0))
    return all(
        one.shape == (size, *alone.shape[1:])
        and np.allclose(one, alone[:size], rtol=0.0, atol=limit, equal_nan=True)
        for one, size in zip(found, _BATCHES, strict=True)
    )


def _run(session: Any, signature: Signature, pictures: Array) -> Array:
    """Embeddings of some pictures; a failure is raised and not logged, for it is expected."""
    options = onnxruntime.RunOptions()
    options.log_severity_level = SILENT
    (found,) = session.run([signature.output], {signature.input: pictures}, options)
    return np.asarray(found)


def _noise(signature: Signature, description: Description) -> Array:
    """Pictures of noise, as the network takes them."""
    shape = (_TRIALS, description.channels, *description.size)
    picture = np.random.default_rng(0).random(shape, dtype=np.float32)
    mean, std = (np.reshape(one, (-1, 1, 1)) for one in (description.mean, description.std))
    values = (picture * description.scale - mean) / std
    if description.layout == "NHWC":
        values = values.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(values, helper.tensor_dtype_to_np_dtype(signature.element))


def _constants(graph: Any) -> dict[str, Array]:
    """Small constants by name, and names of the large ones with an empty array."""
    tensors = {one.name: one for one in graph.initializer}
    tensors |= {
        node.output[0]: one.t
        for node in graph.node
        if node.op_type == "Constant"
        for one in node.attribute
        if one.name == "value"
    }
    return {
        name: numpy_helper.to_array(one) if np.prod(one.dims) <= 8 else np.empty(0)
        for name, one in tensors.items()
    }
