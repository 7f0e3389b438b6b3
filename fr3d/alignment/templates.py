"""Where the five points of a face lie in an aligned picture."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, UsageError, cannot_read

Points = tuple[tuple[float, float], ...]

TEMPLATES: dict[str, Points] = {
    "arcface112": (
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ),
    # The same face at two thirds of the size, so that hair, ears and chin are in the frame: about
    # as much as a square of twice the height of a detector's box shows.
    "photoface": (
        (44.2, 45.8),
        (67.7, 45.7),
        (56.0, 59.2),
        (46.4, 72.9),
        (65.8, 72.8),
    ),
}
"""Points in a frame of 112 x 112: eyes, nose tip, mouth corners, image left before image right."""

BOX = "box"
"""Name of the template that cuts out the detector's box and moves no points."""

_SIDE = 112
_EXPECTED = 'expected {"size": 112, "points": [[x, y], ... five of them]}'


@dataclass(frozen=True)
class Template:
    """Where the points go.

    Args:
        name: as the frame is called.
        points: five x and y in a frame of 112 x 112.
    """

    name: str
    points: Points

    def scaled(self, size: int, margin: int = 0) -> npt.NDArray[np.float64]:
        """The points in a frame of another size.

        Args:
            size: side of the square frame, pixels.
            margin: how many of these lie around the template's own frame, half on each side.

        Returns:
            (5, 2) x and y in pixels.
        """
        return np.array(self.points) * ((size - margin) / _SIDE) + margin / 2


def find_template(name: str) -> Template:
    """Look up a template by name, or read it from a file.

    Args:
        name: one of `TEMPLATES`, or a JSON file with `size` and five `points`.

    Raises:
        UsageError: neither.
        MalformedInputError: the file holds no template.
    """
    if name in TEMPLATES:
        return Template(name, TEMPLATES[name])
    path = Path(name)
    if path.suffix != ".json":
        raise UsageError(
            f"no template '{name}', expected one of {', '.join((*TEMPLATES, BOX))} or a .json file",
            _EXPECTED,
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise cannot_read(path, error) from error
    except ValueError as error:
        raise MalformedInputError(f"{path}: not JSON: {error}", _EXPECTED) from error
    return Template(path.stem, _points(content, path))


def checked_points(points: Sequence[Sequence[float]], where: str) -> Points:
    """Five finite points with the eyes above the mouth, or an error.

    Args:
        points: x and y of each.
        where: the file they stand in, for messages.
    """
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MalformedInputError(f"{where}: points that are no numbers", _EXPECTED) from error
    if array.shape != (5, 2) or not np.isfinite(array).all():
        raise MalformedInputError(f"{where}: found points of shape {array.shape}", _EXPECTED)
    if not (array[0, 0] < array[1, 0] and array[:2, 1].max() < array[3:, 1].min()):
        raise MalformedInputError(
            f"{where}: its eyes do not lie side by side above its mouth",
            "the order is eye, eye, nose tip, mouth corner, mouth corner; image left first",
        )
    return tuple((float(x), float(y)) for x, y in array)


def template_points(name: str, size: int) -> npt.NDArray[np.float64]:
    """Look up a template and scale it to a frame.

    Args:
        name: one of `TEMPLATES`, or a file as `find_template` reads it.
        size: side of the square frame, pixels.

    Returns:
        (5, 2) x and y in pixels.

    >>> template_points("arcface112", 224)[2].tolist()
    [112.0504, 143.4732]
    """
    return find_template(name).scaled(size)


def _points(content: object, path: Path) -> Points:
    if not isinstance(content, dict) or not {"size", "points"} <= set(content):
        raise MalformedInputError(f"{path}: no template", _EXPECTED)
    size = content["size"]
    if not isinstance(size, int | float) or not 8 <= size <= 8192:
        raise MalformedInputError(f"{path}: found size {size!r}, expected 8 to 8192", _EXPECTED)
    points = checked_points(content["points"], str(path))
    return tuple((_SIDE * x / size, _SIDE * y / size) for x, y in points)
