"""Five points of a face by a trained stacked hourglass; needs NumPy and the ONNX runtime only."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.found import FoundFace
from fr3d.alignment.heatmaps import Heatmaps
from fr3d.alignment.looks import Images, locate
from fr3d.alignment.window import Picture, window_of_box
from fr3d.artifacts.onnx_file import open_session, read_properties, runtime_errors
from fr3d.errors import MalformedInputError, cannot_read

KEY = "fr3d.landmarks"
INPUT, OUTPUT = "image", "heatmap"
POINTS = 5
_HINT = "make it with 'fr3d train --task landmarks'"
_LARGEST = 4096
_FAR = 1e6
_NORMALISATION = "none: BGR, 0 to 255; the network brings level and contrast to 0 and 1"


class Hourglass:
    """A landmark network in ONNX form.

    Attributes:
        name: name of the file, for messages.
        sha256: digest of the file.
        size: side of the network's input, pixels.
        facts: what the file says of its size, order of points and normalisation.
    """

    def __init__(self, model: Path | bytes) -> None:
        """Open a network that `fr3d train --task landmarks` made.

        Args:
            model: the file `landmarks.onnx`, or its bytes.

        Raises:
            MissingInputError: the file cannot be read.
            MalformedInputError: not ONNX, not a landmark network, or it reads other files.
        """
        self.name = model.name if isinstance(model, Path) else "landmarks.onnx"
        data = _read(model) if isinstance(model, Path) else model
        self.sha256 = sha256(data).hexdigest()
        self.facts = _facts(read_properties(data, self.name, _HINT), self.name)
        self.size: int = self.facts["size"]
        # One thread: faces come one at a time, from worker processes.
        self._session: Any = open_session(data, self.name, threads=1)
        self._check_signature()

    def find(self, picture: Picture, box: npt.NDArray[np.floating]) -> FoundFace:
        """Find the points of a face.

        The network first sees a square around the middle of the box, `AROUND_BOX` times its longer
        side, then an upright one around what it found; both also mirrored. Training covers windows
        from 2.5 to 4.8 times the size of the face, so a tight box (YuNet, MTCNN) serves as well as
        a square drawn by hand around the head.

        Args:
            picture: (H, W, 3) uint8, BGR; grey pictures and maps drawn as grey have three equal
                channels.
            box: (4,), left, top, right, bottom in pixels, tight around the face from hairline to
                chin; it may reach beyond the picture.

        Returns:
            The box as given, the points in pixels of the picture, and as score the mean height of
            the points' peaks, 0 to 1.

        Raises:
            MalformedInputError: the box is empty or not finite, or the picture of another kind.
        """
        edges = np.asarray(box, dtype=np.float64)
        _check(picture, edges)
        points, heights = locate([picture], [window_of_box(edges)], self.heatmaps, self.size)
        return FoundFace(edges, points[0], float(np.clip(heights[0], 0.0, 1.0).mean()))

    def heatmaps(self, images: Images) -> Heatmaps:
        """Run the network.

        Args:
            images: (B, 3, size, size), BGR, 0 to 255.

        Returns:
            (B, 5, H, W): for each point a Gaussian of height 1 where the network is sure.
        """
        with runtime_errors(self.name):
            (maps,) = self._session.run([OUTPUT], {INPUT: images})
        return np.asarray(maps, dtype=np.float32)

    def _check_signature(self) -> None:
        """Try the network once: what a file claims of its shapes need not be so."""
        inputs = [one.name for one in self._session.get_inputs()]
        outputs = [one.name for one in self._session.get_outputs()]
        if inputs == [INPUT] and OUTPUT in outputs:
            maps = self.heatmaps(np.zeros((1, 3, self.size, self.size), np.float32))
            if maps.ndim == 4 and maps.shape[:2] == (1, POINTS) and maps.shape[2] == maps.shape[3]:
                return
        raise MalformedInputError(
            f"{self.name}: expected one input '{INPUT}' and an output '{OUTPUT}' of {POINTS} maps",
            _HINT,
        )


def landmark_properties(size: int, weights_sha256: str) -> Mapping[str, str]:
    """Write the metadata of a landmark network.

    Args:
        size: side of its input, pixels.
        weights_sha256: digest of the weights it was made from.
    """
    facts = {
        "size": size,
        "order": "eye, eye, nose tip, mouth, mouth; image left before image right",
        "normalisation": _NORMALISATION,
        "weights_sha256": weights_sha256,
    }
    return {KEY: json.dumps(facts, sort_keys=True)}


def _facts(properties: Mapping[str, str], name: str) -> dict[str, Any]:
    if KEY not in properties:
        raise MalformedInputError(f"{name}: not a landmark network", _HINT)
    try:
        facts = json.loads(properties[KEY])
        size = int(facts["size"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise MalformedInputError(f"{name}: damaged metadata '{KEY}'", _HINT) from error
    if not 8 <= size <= _LARGEST:
        raise MalformedInputError(f"{name}: an input of {size} pixels, expected 8 to {_LARGEST}")
    return {**facts, "size": size}


def _check(picture: Picture, box: npt.NDArray[np.float64]) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise MalformedInputError(
            f"a picture of {picture.dtype} {picture.shape}, expected uint8 (H, W, 3)"
        )
    # Written so that NaN fails.
    whole = box.shape == (4,) and bool((np.abs(box) < _FAR).all() and (box[2:] > box[:2]).all())
    if not whole:
        raise MalformedInputError(
            f"a box {box.tolist()}, expected left, top, right, bottom with left before right"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error) from error
