"""Tiny networks of "other people" whose embeddings are known, and faces in colour for them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.writer import write_artifact

SIDE = 16
TOML = """
size = [16, 16]
template = "arcface112"
color = "RGB"
scale = 255.0
mean = [10.0, 20.0, 30.0]
std = [2.0, 4.0, 8.0]
flip = "none"
"""
RAMP = np.linspace(0.5, 1.5, SIDE, dtype=np.float32)
"""Weight of each column, so that a face and its mirror image differ."""
ALIGN = {"template": "arcface112", "size": SIDE, "detector": "yunet", "detector_sha256": "ab" * 32}


def network(
    *,
    layout: str = "NCHW",
    channels: int = 3,
    batch: int | str = "n",
    reshape: Sequence[Sequence[int]] = (),
    element: int = TensorProto.FLOAT,
    opset: int = 13,
    ir: int = 8,
    outputs: Sequence[str] = ("out",),
    prefix: str = "",
) -> bytes:
    """Mean of each channel over the pixels, weighted by column: (B, C).

    Args:
        layout: of the input.
        channels: of the input.
        batch: what the input's shape says.
        reshape: constants of Reshape nodes at the end.
        element: type of all numbers.
        opset: version of the operators.
        ir: version of the file; 3 lists weights among the inputs, and one that nobody reads.
        outputs: names; all are the same value.
        prefix: of the name of the input.
    """
    kind = helper.tensor_dtype_to_np_dtype(element)
    column = (1, 1, 1, SIDE) if layout == "NCHW" else (1, 1, SIDE, 1)
    weights = {"ramp": RAMP.reshape(column).astype(kind)}
    image = f"{prefix}image"
    nodes = [helper.make_node("Mul", [image, "ramp"], ["weighted"])]
    last = "weighted"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [last], ["turned"], perm=[0, 3, 1, 2]))
        last = "turned"
    nodes += [
        helper.make_node("ReduceMean", [last], ["pooled"], axes=[2, 3]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
    ]
    last = "flat"
    for place, shape in enumerate(reshape):
        weights[f"shape{place}"] = np.array(shape, np.int64)
        nodes.append(helper.make_node("Reshape", [last, f"shape{place}"], [f"shaped{place}"]))
        last = f"shaped{place}"
    nodes += [helper.make_node("Identity", [last], [name]) for name in outputs]
    pixels = [channels, SIDE, SIDE] if layout == "NCHW" else [SIDE, SIDE, channels]
    initializers = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    inputs = [helper.make_tensor_value_info(image, element, [batch, *pixels])]
    if ir < 4:
        inputs += [
            helper.make_tensor_value_info(one.name, one.data_type, list(one.dims))
            for one in initializers
        ]
        inputs.append(helper.make_tensor_value_info("left_over", element, [1]))
    rank = len(reshape[-1]) if reshape else 2
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs,
        [
            helper.make_tensor_value_info(name, element, [batch, *["d"] * (rank - 1)])
            for name in outputs
        ],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return model.SerializeToString()


def weighted_mean(pictures: np.ndarray) -> np.ndarray:
    """What `network` gives: (B, C) of (B, C, H, W)."""
    return (pictures.astype(np.float64) * RAMP).mean(axis=(2, 3))


def with_external_weights(data: bytes) -> bytes:
    """The same network, its first weights said to lie in another file."""
    model = onnx.load_model_from_string(data)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return model.SerializeToString()


def write_photographs(
    path: Path,
    people: Sequence[str],
    sessions: int = 2,
    *,
    grey: bool = False,
    reconstructed: bool = False,
    brightness: float = 1.0,
    align: dict | None = None,
) -> Path:
    """Write aligned photographs, a colour a person with a little noise, linear light."""
    rows = [(who, f"s{number}") for who in people for number in range(sessions)]
    image = np.array([_photograph(who, session) for who, session in rows]) * brightness
    mask = np.zeros((len(rows), SIDE, SIDE), np.uint8)
    mask[:, 2:-2, 2:-2] = 1
    history = [Step("ps-reconstruct", {"solver": "ls"}).record()] if reconstructed else []
    write_artifact(
        path,
        "fr3d.maps",
        {
            "subject_id": [who for who, _ in rows],
            "session_id": [session for _, session in rows],
            "image": (image.mean(axis=-1) if grey else image).astype(np.float16),
            "mask": mask,
        },
        Step("align", ALIGN | (align or {})),
        frame="face:arcface112",
        history=history,
        force=True,
    )
    return path


def _photograph(who: str, session: str) -> np.ndarray:
    colour = np.random.default_rng([*who.encode()]).uniform(0.05, 0.9, 3)
    visit = np.random.default_rng([*who.encode(), *session.encode()])
    return np.clip(colour + 0.03 * visit.normal(size=(SIDE, SIDE, 3)), 0.0, 1.0)
