"""The three networks of MTCNN as ONNX graphs around the weights that are shipped; no torch."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from safetensors import SafetensorError
from safetensors.numpy import load

from fr3d.artifacts.onnx_file import open_session
from fr3d.errors import MalformedInputError, UnavailableError

FloatArray = npt.NDArray[np.float32]
Weights = dict[str, FloatArray]

NAMES = ("pnet", "rnet", "onet")
# Understood by every runtime that pyproject.toml admits.
_OPSET = 17
_IR_VERSION = 8
_BATCH = 256


@dataclass(frozen=True)
class _Layers:
    """What a network is made of; the sizes of kernels are those of the weights.

    Args:
        pools: side of the max pooling (stride 2) after each convolution, 0 for none.
        dense: name of the dense layer after the convolutions, empty for none.
        heads: names of the last layers by output, `score` first.
        side: of the input, pixels; 0 for any.
    """

    pools: tuple[int, ...]
    dense: str
    heads: dict[str, str]
    side: int


_LAYERS = {
    "pnet": _Layers((2, 0, 0), "", {"score": "conv4_1", "shift": "conv4_2"}, 0),
    "rnet": _Layers((3, 3, 0), "dense4", {"score": "dense5_1", "shift": "dense5_2"}, 24),
    "onet": _Layers(
        (3, 3, 2, 0), "dense5", {"score": "dense6_1", "shift": "dense6_2", "points": "dense6_3"}, 48
    ),
}


def weights_sha256() -> str:
    """Digest of the three files of weights, one after the other in the order of `NAMES`."""
    digest = hashlib.sha256()
    for name in NAMES:
        digest.update(_weights_file(name).read_bytes())
    return digest.hexdigest()


def run(name: str, pictures: FloatArray) -> list[FloatArray]:
    """Look at a batch of pictures with one of the networks.

    Args:
        name: "pnet", "rnet" or "onet".
        pictures: (B, 3, H, W), red first, (value - 127.5) / 128. Sides are 24 for rnet and 48
            for onet, any from 12 for pnet.

    Returns:
        `score` (B, 2, ...), shares of no face and face; `shift` (B, 4, ...), by which the left,
        top, right and bottom of the box move, in sides of it; and from onet `points` (B, 10), five
        x then five y from the left top corner, in sides of the box. `...` are the rows and columns
        of pnet's positions, which look at 12 pixels each and lie 2 pixels apart.

    Raises:
        UnavailableError: the weights or the runtime are damaged.
    """
    session = _session(name)
    parts = [
        session.run(None, {"picture": pictures[start : start + _BATCH]})
        for start in range(0, len(pictures), _BATCH)
    ]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def build(name: str, weights: Weights) -> onnx.ModelProto:
    """Build the graph of one network (Zhang et al. 2016, figure 2).

    Args:
        name: one of `NAMES`.
        weights: tensors by the names that facenet-pytorch gives them.

    Returns:
        A model with input `picture` and the outputs that `run` returns.

    Raises:
        KeyError: a tensor is missing.
    """
    layers = _LAYERS[name]
    nodes, last = _trunk(layers)
    outputs = []
    for output, layer in layers.heads.items():
        raw = f"{output}_raw" if output == "score" else output
        kind = "Gemm" if layers.dense else "Conv"
        nodes.append(_affine(kind, layer, last, raw))
        if output == "score":
            nodes.append(helper.make_node("Softmax", [raw], [output], axis=1))
        size = len(weights[f"{layer}.bias"])
        outputs.append(_value(output, size, () if layers.dense else ("rows", "columns")))
    side = layers.side
    picture = _value("picture", 3, (side, side) if side else ("height", "width"))
    stored = [
        numpy_helper.from_array(_shaped(key, value, layers), key) for key, value in weights.items()
    ]
    graph = helper.make_graph(nodes, name, [picture], outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = _IR_VERSION
    return model


def load_weights(name: str) -> Weights:
    """Read the weights of one network.

    Raises:
        UnavailableError: the file is missing or damaged.
    """
    path = _weights_file(name)
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError, ValueError) as error:
        raise _broken(name) from error


def _trunk(layers: _Layers) -> tuple[list[Any], str]:
    """Convolutions and the dense layer; the nodes and the name of what they yield."""
    nodes, last = [], "picture"
    for number, pool in enumerate(layers.pools, 1):
        nodes += _activated("Conv", f"conv{number}", f"prelu{number}", last)
        last = f"prelu{number}_out"
        if pool:
            nodes.append(_pooling(last, f"pool{number}_out", pool))
            last = f"pool{number}_out"
    if layers.dense:
        # The dense weights were trained in Caffe for MATLAB, whose pictures run column by column.
        nodes.append(helper.make_node("Transpose", [last], ["columns_first"], perm=[0, 3, 2, 1]))
        nodes.append(helper.make_node("Flatten", ["columns_first"], ["flat"], axis=1))
        slope = f"prelu{len(layers.pools) + 1}"
        nodes += _activated("Gemm", layers.dense, slope, "flat")
        last = f"{slope}_out"
    return nodes, last


def _activated(kind: str, layer: str, slope: str, source: str) -> list[Any]:
    raw = f"{layer}_out"
    activation = helper.make_node("PRelu", [raw, f"{slope}.weight"], [f"{slope}_out"])
    return [_affine(kind, layer, source, raw), activation]


def _affine(kind: str, layer: str, source: str, target: str) -> Any:
    options: dict[str, Any] = {"transB": 1} if kind == "Gemm" else {}
    inputs = [source, f"{layer}.weight", f"{layer}.bias"]
    return helper.make_node(kind, inputs, [target], **options)


def _pooling(source: str, target: str, side: int) -> Any:
    # Caffe rounds the size up: the last window may hang over the edge.
    return helper.make_node(
        "MaxPool", [source], [target], kernel_shape=[side, side], strides=[2, 2], ceil_mode=1
    )


def _shaped(key: str, value: FloatArray, layers: _Layers) -> FloatArray:
    """Slopes of convolutions are spread over rows and columns."""
    convolutions = {f"prelu{n}.weight" for n in range(1, len(layers.pools) + 1)}
    return value.reshape(-1, 1, 1) if key in convolutions else value


def _value(name: str, channels: int, tail: Sequence[int | str]) -> Any:
    shape = ["batch", channels, *tail]
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


@cache
def _session(name: str) -> Any:
    """One session of each network a process, made when it is first needed."""
    try:
        data = build(name, load_weights(name)).SerializeToString()
        return open_session(data, name, threads=1)  # worker processes share the cores
    except (KeyError, MalformedInputError) as error:
        raise _broken(name) from error


def _broken(name: str) -> UnavailableError:
    return UnavailableError(
        f"{_weights_file(name).name}: ONNX runtime {onnxruntime.__version__} cannot load it",
        "install fr3d again",
    )


def _weights_file(name: str) -> Any:
    return files("fr3d.alignment") / "weights" / f"mtcnn_{name}.safetensors"
