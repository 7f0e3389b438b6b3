"""ONNX graph surgery: the network of somebody else, wrapped to take pictures and give embeddings.

The operators that are added are those that mean the same in every version since 7, so that the
network inside keeps the version that it was written in.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from fr3d.errors import MalformedInputError
from fr3d.inference.batching import Tried
from fr3d.inference.description import COLORS, Description
from fr3d.inference.signature import Signature

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey picture (ITU-R BT.601), on encoded values."""
_PREFIX = "net/"
_OLDEST_IR = 7  # weights need not be inputs
_OLDEST_SCAN = 9


class _Chain:
    """Nodes one after the other, each reading what the one before wrote."""

    def __init__(self, start: str) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.last = start

    def then(self, operator: str, *others: str, name: str = "", **attributes: Any) -> str:
        """Add a node that reads the last value, then `others`."""
        output = name or f"fr3d/{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.last, *others], [output], **attributes))
        self.last = output
        return output

    def weight(self, values: Any, kind: str = "f4") -> str:
        """Add a constant; return its name."""
        name = f"fr3d/w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name


def adopted_graph(
    tried: Tried, signature: Signature, description: Description, name: str
) -> onnx.ModelProto:
    """Wrap a network.

    Args:
        tried: the network.
        signature: how to call it.
        description: what it expects of a face.
        name: the file's name, for messages.

    Returns:
        A ModelProto with input `image` (B, 3, H, W), RGB, sRGB from 0 to 1, and outputs `embedding`
        (B, D) and `magnitude` (B,), all float32.
    """
    inner = compose.add_prefix(tried.model, _PREFIX)
    chain = _Chain("image")
    _prepare(chain, description)
    if signature.element != TensorProto.FLOAT:
        chain.then("Cast", to=signature.element)
    if tried.batched:
        chain.then("Identity", name=_PREFIX + signature.input)
        chain.nodes += inner.graph.node
        chain.weights += inner.graph.initializer
        sparse = inner.graph.sparse_initializer
        chain.last = _PREFIX + signature.output
    else:
        _one_by_one(chain, inner.graph, tried, signature, description, name)
        sparse = []
    chain.then("Cast", to=TensorProto.FLOAT)
    _finish(chain, description, tried.embedding_size)
    graph = helper.make_graph(
        chain.nodes,
        "extractor",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["b", 3, *description.size])],
        [
            helper.make_tensor_value_info(
                "embedding", TensorProto.FLOAT, ["b", tried.embedding_size]
            ),
            helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, ["b"]),
        ],
        chain.weights,
        sparse_initializer=sparse,
    )
    return helper.make_model(
        graph,
        opset_imports=inner.opset_import,
        functions=inner.functions,
        ir_version=max(inner.ir_version, _OLDEST_IR),
    )


def _prepare(chain: _Chain, description: Description) -> None:
    """From a picture to what the network takes, the mirror images after the others."""
    if description.color == "grey":
        chain.then("Conv", chain.weight(np.reshape(GREY, (1, 3, 1, 1))))
    elif description.color != "RGB":
        chain.then("Gather", chain.weight(COLORS[description.color], "i8"), axis=1)
    column = (1, -1, 1, 1)
    chain.then("Mul", chain.weight([description.scale]))
    chain.then("Sub", chain.weight(np.reshape(description.mean, column)))
    chain.then("Div", chain.weight(np.reshape(description.std, column)))
    if description.flip != "none":
        straight = chain.last
        backwards = np.arange(description.size[1])[::-1]
        mirrored = chain.then("Gather", chain.weight(backwards, "i8"), axis=3)
        chain.last = straight
        chain.then("Concat", mirrored, axis=0)
    if description.layout == "NHWC":
        chain.then("Transpose", perm=[0, 2, 3, 1])


def _one_by_one(
    chain: _Chain,
    inner: Any,
    tried: Tried,
    signature: Signature,
    description: Description,
    name: str,
) -> None:
    """Put a network that takes one face at a time into a Scan over the faces."""
    if signature.opset < _OLDEST_SCAN:
        raise MalformedInputError(
            f"{name}: takes one face at a time with ONNX operators {signature.opset}, which "
            f"cannot be repeated, expected {_OLDEST_SCAN} or newer",
            "export it with a free batch, or newer operators",
        )
    channels, (height, width) = description.channels, description.size
    face = [channels, height, width] if description.layout == "NCHW" else [height, width, channels]
    body = helper.make_graph(
        [
            helper.make_node("Reshape", ["fr3d/face", "fr3d/one"], [_PREFIX + signature.input]),
            *inner.node,
            helper.make_node(
                "Cast", [_PREFIX + signature.output], ["fr3d/row"], to=TensorProto.FLOAT
            ),
            helper.make_node("Reshape", ["fr3d/row", "fr3d/length"], ["fr3d/vector"]),
        ],
        "one",
        [helper.make_tensor_value_info("fr3d/face", signature.element, face)],
        [helper.make_tensor_value_info("fr3d/vector", TensorProto.FLOAT, [tried.embedding_size])],
        [
            numpy_helper.from_array(np.array([1, *face], "i8"), "fr3d/one"),
            numpy_helper.from_array(np.array([tried.embedding_size], "i8"), "fr3d/length"),
            *inner.initializer,
        ],
        sparse_initializer=inner.sparse_initializer,
    )
    chain.then("Scan", body=body, num_scan_inputs=1)


def _finish(chain: _Chain, description: Description, size: int) -> None:
    """From the vectors of faces, and of their mirror images, to embedding and magnitude."""
    ones = chain.weight(np.ones((size, 1)))
    if description.flip == "unit":
        vectors = chain.last
        length = _length(chain, ones)
        chain.last = vectors
        chain.then("Div", length)
    if description.flip != "none":
        both = chain.then("Reshape", chain.weight([2, -1, size], "i8"))
        mirrored = chain.then("Gather", chain.weight(1, "i8"), axis=0)
        chain.last = both
        chain.then("Gather", chain.weight(0, "i8"), axis=0)
        chain.then("Add", mirrored)
        chain.then("Mul", chain.weight([0.5]))
    chain.then("Identity", name="embedding")
    _length(chain, ones)
    chain.then("Reshape", chain.weight([-1], "i8"), name="magnitude")


def _length(chain: _Chain, ones: str) -> str:
    """Length of the last value's rows, (N, 1)."""
    rows = chain.last
    chain.then("Mul", rows)
    chain.then("MatMul", ones)
    return chain.then("Sqrt")
