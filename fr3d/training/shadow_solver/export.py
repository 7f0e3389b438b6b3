"""Write the trained network as the ONNX file that the solver ships."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from fr3d.photometric.solvers.shadow_evidence import CHANNELS
from fr3d.training.shadow_solver.network import ShadowNetwork

OPSET = 17


class _OneSession(nn.Module):
    """The network on one session: the number of lights is free, the number of sessions is not."""

    def __init__(self, network: ShadowNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, evidence: Tensor) -> tuple[Tensor, Tensor]:
        each, shared = self.network(evidence[None])
        return each[0], shared


def export(network: ShadowNetwork, path: Path, notes: Mapping[str, object]) -> None:
    """Write a network, its notes in the file's metadata.

    Args:
        network: trained.
        path: to write.
        notes: how it was made.
    """
    sample = torch.zeros(4, CHANNELS, 48, 48)
    free = {0: "lights", 2: "height", 3: "width"}
    torch.onnx.export(
        _OneSession(network).eval().to(memory_format=torch.contiguous_format),
        (sample,),
        str(path),
        input_names=["evidence"],
        output_names=["each", "shared"],
        dynamic_axes={"evidence": free, "each": free, "shared": {2: "height", 3: "width"}},
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(path)
    _halve(model)
    onnx.helper.set_model_props(model, {key: json.dumps(notes[key]) for key in sorted(notes)})
    onnx.save(model, path)


def _halve(model: onnx.ModelProto) -> None:
    """Keep large weights in half precision, to be widened when the file is loaded."""
    graph = model.graph
    for weight in list(graph.initializer):
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 1000:
            continue
        kept = f"{weight.name}.half"
        graph.initializer.append(onnx.numpy_helper.from_array(values.astype(np.float16), kept))
        graph.initializer.remove(weight)
        widen = onnx.helper.make_node("Cast", [kept], [weight.name], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, widen)
