"""What a data set consists of: everything that determines its bytes."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from fr3d.errors import UsageError
from fr3d.synthesis.appearance import Variety
from fr3d.synthesis.bmp import encode_bmp
from fr3d.synthesis.png import encode_png
from fr3d.synthesis.rig import Rig
from fr3d.synthesis.sensor import Sensor
from fr3d.synthesis.studio import Studio

# Raise it when the same seed gives other pictures than before.
RECIPE = 2
Kind = Literal["photoface", "photographs", "rgbd", "maps", "reconstruction"]
ENCODERS = {"png": encode_png, "bmp": encode_bmp}


@dataclass(frozen=True)
class Plan:
    """What a data set consists of.

    Args:
        people: how many.
        sessions: of each person.
        seed: of everything drawn.
        studio: how all sessions are taken.
        kind: of data: folders of captures, plain photographs or RGB-D pairs; or rows of maps, the
            true ones or those that photometric stereo finds.
        picture: format of the photographs, one of `ENCODERS`.
        device: kind of device that renders: "cpu" or "cuda", whose pictures differ by rounding.
        recipe: version of the recipe; one data set never mixes two.
    """

    people: int
    sessions: int
    seed: int
    studio: Studio
    kind: Kind = "photoface"
    picture: str = "png"
    device: str = "cpu"
    recipe: int = RECIPE

    def __post_init__(self) -> None:
        if self.picture not in ENCODERS:
            raise UsageError(
                f"unknown picture format '{self.picture}'", f"use {' or '.join(ENCODERS)}"
            )
        if self.picture == "bmp" and self.studio.sensor.bits != 8:
            raise UsageError("a BMP file holds 8 bits a value", "use --format png for 16 bits")

    def manifest(self) -> str:
        """The text of the manifest beside the people's folders."""
        return json.dumps({"generator": "fr3d synth", **asdict(self)}, indent=2)

    @classmethod
    def from_manifest(cls, text: str) -> Self:
        """Read a manifest.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        found: dict[str, Any] = json.loads(text)
        if found.pop("generator") != "fr3d synth":
            raise ValueError("made by something else")
        studio = found.pop("studio")
        parts = {"rig": Rig, "sensor": Sensor, "variety": Variety}
        built = {name: kind(**studio.pop(name)) for name, kind in parts.items()}
        return cls(studio=Studio(**built, **studio), **found)

    @property
    def folders(self) -> bool:
        """Whether the data set is a folder of files rather than one file of maps."""
        return self.kind in ("photoface", "photographs", "rgbd")
