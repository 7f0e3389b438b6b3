"""A trained landmark network as an ONNX file that says how it wants to be asked."""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from fr3d.alignment.hourglass import INPUT, OUTPUT, Hourglass, landmark_properties
from fr3d.inference.export import ParityError, convert, with_properties
from fr3d.models.hourglass import HeatmapNet

TOLERANCE = 1e-4
_EXAMPLE_BATCH = 2  # the exporter takes sizes 0 and 1 for constants


class _OfMany(nn.Module):
    """The exporter is told of inputs by their number."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        (images,) = inputs
        return self.network(images)


def export_landmarks(network: HeatmapNet, size: int, weights_sha256: str) -> bytes:
    """Turn a network into the bytes of an ONNX file that `Hourglass` opens.

    The batch axis is free. Nothing is returned unless the file computes what the network does.

    Args:
        network: on any device; a copy is exported.
        size: side of its input, pixels.
        weights_sha256: digest of the weights, kept in the metadata.

    Raises:
        ParityError: the exported network computes something else.
    """
    network = copy.deepcopy(network).cpu().float().eval()
    example = {INPUT: example_images(_EXAMPLE_BATCH, size)}
    properties = landmark_properties(size, weights_sha256)
    data = with_properties(convert(_OfMany(network).eval(), example, [OUTPUT]), properties)
    model = Hourglass(data)
    for batch in (1, 3):
        images = example_images(batch, size)
        with torch.inference_mode():
            wanted = network(torch.from_numpy(images)).numpy()
        apart = float(np.abs(model.heatmaps(images) - wanted).max())
        # Written so that NaN fails.
        if not apart <= TOLERANCE:
            raise ParityError(
                f"landmarks.onnx: its heatmaps differ by {apart:.2g} from the trained network's, "
                f"expected at most {TOLERANCE:g}",
                "another version of torch may export well",
            )
    return data


def example_images(batch: int, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Draw images (batch, 3, size, size), 0 to 255, the same for the same arguments."""
    draws = np.random.default_rng(batch).random((batch, 3, size, size), dtype=np.float32)
    return np.float32(255.0) * draws
