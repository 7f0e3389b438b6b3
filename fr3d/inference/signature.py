"""What the network of somebody else takes and gives, held against its description."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from fr3d.errors import MalformedInputError
from fr3d.inference.description import Description

_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
_OLDEST = 7


@dataclass(frozen=True)
class Signature:
    """How to call a network.

    Args:
        input: name of its input.
        output: name of the output that is the embedding.
        element: ONNX type of the input's elements, one of the real ones.
        opset: version of the default operators.
        single: whether it declares that it takes one face at a time.
    """

    input: str
    output: str
    element: int
    opset: int
    single: bool


def read_signature(model: Any, description: Description, name: str) -> Signature:
    """Find input and output, and refuse a network that does not fit its description.

    Args:
        model: an ONNX ModelProto.
        description: what it is said to take.
        name: the file's name, for messages.

    Raises:
        MalformedInputError: several inputs or outputs and none is named, another shape or type.
    """
    graph = model.graph
    # Files of ONNX IR 3 and older list their weights among the inputs.
    weights = {one.name for one in graph.initializer}
    inputs = {one.name: one for one in graph.input if one.name not in weights}
    source = _only("input", list(inputs), description.input, name)
    if len(inputs) > 1:
        raise MalformedInputError(
            f"{name}: {len(inputs)} inputs ({_names(list(inputs))}), expected one image",
            "export the network without the others",
        )
    output = _only("output", [one.name for one in graph.output], description.output, name)
    tensor = inputs[source].type.tensor_type
    if tensor.elem_type not in _FLOATS:
        kinds = {number: kind.lower() for kind, number in onnx.TensorProto.DataType.items()}
        kind = kinds.get(tensor.elem_type, f"of type {tensor.elem_type}")
        raise MalformedInputError(f"{name}: input '{source}' is {kind}, expected real numbers")
    shape = [one.dim_value for one in tensor.shape.dim]
    _check_shape(shape, description, f"{name}: input '{source}'")
    return Signature(source, output, tensor.elem_type, _opset(model, name), shape[0] == 1)


def drop_unread_inputs(model: Any) -> None:
    """Take away inputs that no node reads, which a run would have to be fed nevertheless.

    Quantisers leave the names of the weights that they replaced there.

    Args:
        model: an ONNX ModelProto; it is changed.
    """
    read = set(_read_by(model.graph))
    kept = [one for one in model.graph.input if one.name in read]
    if len(kept) < len(model.graph.input):
        copies = [onnx.ValueInfoProto.FromString(one.SerializeToString()) for one in kept]
        del model.graph.input[:]
        model.graph.input.extend(copies)


def _read_by(graph: Any) -> Iterator[str]:
    """Names that the nodes of a graph and its subgraphs read, and its outputs."""
    yield from (one.name for one in graph.output)
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            for subgraph in (attribute.g, *attribute.graphs):
                if subgraph.node or subgraph.output:
                    yield from _read_by(subgraph)


def _only(role: str, found: Sequence[str], asked: str, name: str) -> str:
    if asked:
        if asked not in found:
            raise MalformedInputError(f"{name}: no {role} '{asked}', found {_names(found)}")
        return asked
    if len(found) != 1:
        raise MalformedInputError(
            f"{name}: {len(found)} {role}s ({_names(found)}), expected one",
            f'name one in the description: {role} = "..."',
        )
    return found[0]


def _check_shape(shape: Sequence[int], description: Description, where: str) -> None:
    """Hold a declared shape, whose free axes are 0, to the described one."""
    height, width = description.size
    wanted = (
        (description.channels, height, width)
        if description.layout == "NCHW"
        else (height, width, description.channels)
    )
    fits = len(shape) == 4 and all(
        one in {0, other} for one, other in zip(shape[1:], wanted, strict=True)
    )
    if not fits or shape[0] not in {0, 1}:
        text = " x ".join(str(one or "?") for one in shape) or "a single number"
        raise MalformedInputError(
            f"{where} is {text}, expected ? x {' x '.join(map(str, wanted))}",
            "size, color and layout of the description decide it; a fixed batch must be 1",
        )


def _opset(model: Any, name: str) -> int:
    versions = [one.version for one in model.opset_import if one.domain in {"", "ai.onnx"}]
    if not versions or versions[0] < _OLDEST:
        found = versions[0] if versions else "none"
        raise MalformedInputError(f"{name}: ONNX operators {found}, expected {_OLDEST} or newer")
    return int(versions[0])


def _names(names: Sequence[str]) -> str:
    """The first few names, none of them long."""
    shown = ", ".join(one[:40] for one in names[:4])
    return f"{shown}, ..." if len(names) > 4 else shown or "none"
