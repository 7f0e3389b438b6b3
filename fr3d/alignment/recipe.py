"""How faces are aligned: the options that a model contract repeats."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fr3d.alignment.templates import BOX, Template, checked_points, find_template
from fr3d.errors import MalformedInputError, UsageError

DETECTORS = ("auto", "capture", "yunet", "mtcnn", "hourglass", "none")
FACES = ("central", "largest")
WARPS = ("similarity", "affine")
MAPS = ("auto", "image", "albedo", "normal", "depth")
REGISTERED = "crop"
"""Template of faces that were cut out in register already and are only resized."""


@dataclass(frozen=True)
class AlignmentRecipe:
    """What decides how a face is aligned.

    Args:
        size: side of the aligned square, pixels.
        template: name of a template, "box", or "crop" with detector "none".
        detector: "capture" takes the landmarks of the session; "yunet" and "mtcnn" detect them in
            a picture, "hourglass" does so by a trained network; "auto" takes the capture's where
            they are there and YuNet's elsewhere; "none" fits the whole frame into the square.
        margin: pixels of the square around the template's frame, half on each side.
        warp: "similarity", or "affine", which also stretches and shears.
        face: which of several faces: the largest weighed against its distance from the middle
            ("central"), or the largest.
        look_at: the map in which faces are looked for; "auto" takes the first that is there.
        frontal: turn faces with depth to the front, out of the image plane.
        source: what kind of input the faces come from, and what about it matters.
        points: of the template, in a frame of 112 x 112; looked up by its name when empty.
        network_sha256: of the landmark network, for "hourglass".
        network: its bytes; not part of the contract.
    """

    size: int = 112
    template: str = "arcface112"
    detector: str = "auto"
    margin: int = 0
    warp: str = "similarity"
    face: str = "central"
    look_at: str = "auto"
    frontal: bool = False
    source: Mapping[str, Any] = field(default_factory=dict)
    points: tuple[tuple[float, float], ...] = ()
    network_sha256: str = ""
    network: bytes | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, value, known in (
            ("detector", self.detector, DETECTORS),
            ("face", self.face, FACES),
            ("warp", self.warp, WARPS),
            ("map to look at", self.look_at, MAPS),
        ):
            if value not in known:
                raise UsageError(f"no {name} '{value}', expected one of {', '.join(known)}")
        if not 0 <= self.margin < self.size:
            raise UsageError(
                f"a margin of {self.margin} leaves nothing of {self.size} pixels",
                "make --size larger",
            )
        if self.detector == "none":
            object.__setattr__(self, "template", REGISTERED)
        elif self.template != BOX and not self.points:
            found = find_template(self.template)
            object.__setattr__(self, "template", found.name)
            object.__setattr__(self, "points", found.points)
        self._refuse_what_does_not_fit()

    def _refuse_what_does_not_fit(self) -> None:
        if self.template == BOX and self.detector in ("capture", "none"):
            raise UsageError(
                f"detector '{self.detector}' finds no box", "use --detector yunet or mtcnn"
            )
        if self.template in (BOX, REGISTERED) and self.warp == "affine":
            raise UsageError("an affine warp needs a template of points", "drop --warp affine")
        if self.detector == "hourglass" and not self.network_sha256:
            raise UsageError(
                "the detector 'hourglass' needs a trained network",
                "name it with --landmarks; 'fr3d train --task landmarks' makes it",
            )

    @property
    def frame(self) -> str:
        """Name of the frame that the aligned maps are in."""
        around = f"+{self.margin}" if self.margin else ""
        return f"face:{self.template}{around}"

    @property
    def places(self) -> Template:
        """Where the points go."""
        return Template(self.template, self.points)

    @property
    def detects(self) -> bool:
        """Whether a picture may be looked at."""
        return self.detector not in ("capture", "none")

    @property
    def detector_sha256(self) -> str:
        """Digest of the weights that decide where a face is; empty where there are none."""
        from fr3d.alignment.detectors import weights_sha256

        return weights_sha256(self) if self.detects else ""

    def parameters(self) -> dict[str, Any]:
        """The resolved options, as history and model contract hold them.

        What stands at its default is left out, so that a new option changes no old contract.
        """
        optional = {
            name: getattr(self, name)
            for name, standard in _DEFAULTS.items()
            if getattr(self, name) != standard
        }
        if self.points and self.template != "arcface112":
            optional["points"] = [list(point) for point in self.points]
        return {
            "size": self.size,
            "template": self.template,
            "detector": self.detector,
            "detector_sha256": self.detector_sha256,
            **optional,
        }

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, Any], name: str = "model contract"
    ) -> "AlignmentRecipe":
        """Read what `parameters` wrote; refuse a detector that is not the one shipped.

        Args:
            parameters: the options of an alignment step.
            name: the file they stand in, for the error message.

        Raises:
            MalformedInputError: something is missing, unknown or made by other weights.
        """
        if parameters.get("detector") == "hourglass":
            raise MalformedInputError(
                f"{name}: the faces were found by a landmark network of your own, which is not "
                "kept with the model",
                "align the maps first: fr3d align --detector hourglass --landmarks NETWORK",
            )
        try:
            size, template, detector = (parameters[k] for k in ("size", "template", "detector"))
            points = parameters.get("points", ())
            recipe = cls(
                int(size),
                str(template),
                str(detector),
                points=checked_points(points, name) if points else (),
                **{key: parameters[key] for key in _DEFAULTS if key in parameters},
            )
            found = recipe.detector_sha256
        except (KeyError, TypeError, ValueError, UsageError, MalformedInputError) as error:
            raise MalformedInputError(
                f"{name}: holds no alignment that this version knows: {error}",
                "align the maps with 'fr3d align' first",
            ) from error
        if parameters.get("detector_sha256", "") != found:
            raise MalformedInputError(
                f"{name}: aligned with another face detector than the one shipped with this fr3d",
                "use the version of fr3d that made the model, or align and train again",
            )
        return recipe


_DEFAULTS: dict[str, Any] = {
    "margin": 0,
    "warp": "similarity",
    "face": "central",
    "look_at": "auto",
    "frontal": False,
    "source": {},
}
