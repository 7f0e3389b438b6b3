"""How far a network's points lie from those of held-out faces."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch

from fr3d.alignment.looks import Compute, locate, look
from fr3d.alignment.window import Picture, window_of_picture
from fr3d.models.hourglass import HeatmapNet
from fr3d.training.landmarks.pictures import Pictures

FloatArray = npt.NDArray[np.float64]
BATCH = 32


def normalised_errors(found: FloatArray, truth: FloatArray) -> FloatArray:
    """Mean distance of the five points over the distance of the true eyes, of each face.

    Args:
        found: (N, 5, 2).
        truth: (N, 5, 2), in the same pixels.

    Returns:
        (N,), shares of the eye distance; their mean is the normalised mean error, NME.
    """
    apart = np.linalg.norm(found - truth, axis=2).mean(axis=1)
    return np.asarray(apart / np.linalg.norm(truth[:, 1] - truth[:, 0], axis=1))


def in_grey(picture: Picture) -> Picture:
    """A copy of a picture (H, W, 3) without colour."""
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)


class LandmarkValidation:
    """Figures of a network on held-out faces, in colour and in grey.

    Each picture as a whole is the first window: tables hold crops around one face.

    Args:
        pictures: of the whole table.
        rows: held out.
        size: side of the network's input, pixels.
    """

    def __init__(self, pictures: Pictures, rows: Sequence[int], size: int) -> None:
        self.pictures = pictures
        self.rows = [int(row) for row in rows]
        self.size = size

    def quick(self, compute: Compute) -> dict[str, float]:
        """One look at each picture, which an epoch is judged by; empty without held-out faces."""
        return self._figures(
            lambda pictures: look(
                pictures, [window_of_picture(p) for p in pictures], compute, self.size, mirror=False
            )[0]
        )

    def whole(self, compute: Compute) -> dict[str, float]:
        """Both looks with mirror images, as the detector does; empty without held-out faces."""
        return self._figures(
            lambda pictures: locate(
                pictures, [window_of_picture(p) for p in pictures], compute, self.size
            )[0]
        )

    def _figures(self, find: Callable[[list[Picture]], FloatArray]) -> dict[str, float]:
        if not self.rows:
            return {}
        return {"val_nme": self._nme(find, None), "val_nme_grey": self._nme(find, in_grey)}

    def _nme(
        self,
        find: Callable[[list[Picture]], FloatArray],
        change: Callable[[Picture], Picture] | None,
    ) -> float:
        errors = []
        for start in range(0, len(self.rows), BATCH):
            rows = self.rows[start : start + BATCH]
            pictures = [self.pictures[row] for row in rows]
            if change:
                pictures = [change(picture) for picture in pictures]
            errors.append(normalised_errors(find(pictures), self.pictures.table.points[rows]))
        return float(np.concatenate(errors).mean())


def torch_compute(network: HeatmapNet) -> Compute:
    """A network as a function from images to heatmaps, in float32 and evaluation mode."""
    network.eval()
    device = next(network.parameters()).device

    @torch.no_grad()
    def compute(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        batch = torch.from_numpy(images).to(device, memory_format=torch.channels_last)
        return network(batch).cpu().numpy()

    return compute
