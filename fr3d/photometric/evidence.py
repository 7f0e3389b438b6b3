"""What a capture holds, cut to its framing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fr3d.photometric.capture import Capture
from fr3d.photometric.exposure import AS_STORED, Exposure, ReadOptions, read_exposure, read_texts
from fr3d.photometric.framing import Framing, frame_face, frame_whole
from fr3d.photometric.light_files.model import Lights
from fr3d.photometric.transfer import Transfer

__all__ = ["Evidence", "ReadOptions", "frame_evidence", "load_evidence", "read_texts"]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """A capture in memory, cut to its framing.

    Attributes:
        stored: (L, h, w), values as the files hold them, 1 = full scale.
        images: (L, h, w), linear light of the flashes; divide it by `lights.grey_intensity`.
        saturated: (L, h, w), where a channel is at full scale.
        colour: (L, 3, h, w), linear red, green, blue; divide it by `channel_intensity`. None
            unless asked for.
        lights: the flashes.
        landmarks: (5, 2), pixels of the cut.
        framing: the cut.
        attributes: by name.
        given_mask: (h, w), where a mask beside the photographs says that the object is; or None.
        noise: brightness that noise may reach, linear light.
        ambient_level: mean of the subtracted light over that of the photographs, 0 without.
        source_sha256: of all files.
    """

    stored: FloatArray
    images: FloatArray
    saturated: Mask
    colour: FloatArray | None
    lights: Lights
    landmarks: FloatArray
    framing: Framing
    attributes: Mapping[str, str]
    given_mask: Mask | None
    noise: float
    ambient_level: float
    source_sha256: str

    @property
    def channel_intensity(self) -> npt.NDArray[np.float64]:
        """(L, 3): intensity of red, green and blue, equal where only one is known."""
        intensity = self.lights.intensity
        return intensity if intensity.ndim == 2 else np.repeat(intensity[:, None], 3, axis=1)


def load_evidence(
    capture: Capture,
    transfer: Transfer,
    size: int | None,
    options: ReadOptions = AS_STORED,
) -> Evidence:
    """Read a capture's photographs and all that lies beside them, and cut.

    Args:
        capture: its files.
        transfer: how stored values become light.
        size: crop the face to a square of this size; None keeps the whole photograph.
        options: how else they are read.

    Raises:
        MalformedInputError: the capture cannot be used; the message names the file.
        MissingInputError: a file is gone.
    """
    return frame_evidence(read_exposure(capture, transfer, options), size)


def frame_evidence(
    exposure: Exposure, size: int | None, shifts: npt.ArrayLike | None = None
) -> Evidence:
    """Cut photographs to the face, or keep them whole; each is resampled once.

    When pixels are merged their light is averaged, not its encoding. A pixel counts as saturated
    when any that it is made of is.

    Args:
        exposure: uncut.
        size: side of the square in the map; None keeps the whole photograph.
        shifts: (L, 2), movement of the head in each photograph, px, x right and y down; None when
            it stands still.
    """
    height, width = exposure.images.shape[1:]
    framing = frame_whole(height, width)
    if size is not None:
        framing = frame_face(exposure.landmarks, height, width, size)
    whole = Evidence(
        exposure.stored,
        exposure.images,
        exposure.saturated,
        exposure.colour,
        exposure.lights,
        framing.points(exposure.landmarks),
        framing,
        exposure.attributes,
        exposure.given_mask,
        exposure.noise,
        exposure.ambient_level,
        exposure.source_sha256,
    )
    if size is None and shifts is None:
        return whole
    moved = np.zeros((len(exposure.images), 2)) if shifts is None else np.asarray(shifts)
    stored = _cut(whole.stored, framing, moved)
    images = stored if whole.images is whole.stored else _cut(whole.images, framing, moved)
    saturated = np.zeros(stored.shape, np.bool_)
    if whole.saturated.any():
        saturated = _cut(whole.saturated.astype(np.float32), framing, moved) > 0
    colour, mask = whole.colour, whole.given_mask
    if colour is not None:
        colour = np.stack([_cut(colour[:, c], framing, moved) for c in range(3)], axis=1)
    if mask is not None:
        mask = framing.cut(mask.astype(np.float32)) >= 0.5
    return replace(
        whole, stored=stored, images=images, saturated=saturated, colour=colour, given_mask=mask
    )


def _cut(planes: FloatArray, framing: Framing, shifts: npt.NDArray[np.float64]) -> FloatArray:
    return np.stack([framing.cut(p, s) for p, s in zip(planes, shifts.tolist(), strict=True)])
