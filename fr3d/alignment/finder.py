"""Landmarks for steps that come before alignment and must not slow down the decoding of a batch."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.alignment.landmarks import NoFaceError, ordered
from fr3d.alignment.yunet import detect


@dataclass(frozen=True)
class YunetFinder:
    """A quick look for the face in a photograph, by YuNet.

    Two small views, one of them mirrored, are averaged; only where they show no face the thorough
    search of `detect` follows. On 180 Yale B sessions the quick points lie 0.057 eye distances
    (median; 95 %: 0.09) from those of a well lit photograph, the thorough ones 0.030 (0.07).

    Carries no state: worker processes take copies and load the model at their first face.

    Attributes:
        side: longer side of the small views, pixels.
    """

    side: int = 144

    def __call__(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        """Find five landmarks.

        Args:
            image: (H, W), linear, any range; the mean of a session's photographs does well.

        Returns:
            (5, 2) in pixels of the image, in the order of `FaceMaps.landmarks`; None without a
            face, or where the points found are no face's.
        """
        height, width = image.shape
        shrink = min(1.0, self.side / max(height, width))
        size = max(1, round(shrink * width)), max(1, round(shrink * height))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if shrink < 1 else image
        found = detect(np.asarray(small), ((self.side,),))
        stretch = np.array(size) / (width, height)
        if found is None:
            found, stretch = detect(image), np.ones(2)
        if found is None:
            return None
        try:
            points = ordered((found.landmarks + 0.5) / stretch - 0.5)
        except NoFaceError:
            return None
        return points.astype(np.float32)
