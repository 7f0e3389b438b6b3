"""Lights in the names of photographs, as the Yale face databases write them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fr3d.errors import MalformedInputError
from fr3d.photometric.light_files.model import Lights

_NAME = re.compile(
    r"(?P<person>.+?)_(?P<pose>P\d+)(?:A(?P<azimuth>[+-]\d+)E(?P<elevation>[+-]\d+)"
    r"|_(?P<ambient>Ambient))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class YaleName:
    """What `yaleB01_P00A+035E+40` says.

    Attributes:
        person: such as `yaleB01`.
        pose: such as `P00`.
        azimuth: degrees; positive where the light stands at the person's left, image left.
        elevation: degrees above the camera's axis.
        ambient: whether no flash was fired.
    """

    person: str
    pose: str
    azimuth: float
    elevation: float
    ambient: bool


def yale_name(stem: str) -> YaleName | None:
    """Take a photograph's name apart; None when it is not of this kind.

    Args:
        stem: without suffix.
    """
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    azimuth, elevation = float(match["azimuth"] or 0), float(match["elevation"] or 0)
    return YaleName(match["person"], match["pose"], azimuth, elevation, bool(match["ambient"]))


def lights_of_names(stems: Sequence[str]) -> Lights:
    """Lights of photographs by their names.

    Args:
        stems: names without suffix, none ambient.
    """
    named = [yale_name(s) for s in stems]
    wrong = next((s for s, n in zip(stems, named, strict=True) if n is None or n.ambient), None)
    if wrong is not None:
        raise MalformedInputError(f"{wrong}: no light in the name, expected ..._P00A+035E+40")
    found = [n for n in named if n is not None]
    azimuth = np.deg2rad([n.azimuth for n in found])
    elevation = np.deg2rad([n.elevation for n in found])
    across = np.cos(elevation)
    parts = (-across * np.sin(azimuth), np.sin(elevation), across * np.cos(azimuth))
    return Lights(np.stack(parts, axis=-1).reshape(-1, 3), np.ones(len(found)))
