"""How faces are aligned: the options that a model contract repeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fr3d.alignment import yunet
from fr3d.alignment.templates import template_points
from fr3d.errors import MalformedInputError, UsageError

DETECTORS = ("auto", "capture", "yunet", "none")
REGISTERED = "crop"
"""Template of faces that were cut out in register already and are only resized."""


@dataclass(frozen=True)
class AlignmentRecipe:
    """What decides how a face is aligned.

    Args:
        size: side of the aligned square, pixels.
        template: one of `TEMPLATES`, or "crop" with detector "none".
        detector: "capture" takes the landmarks of the session, "yunet" detects them on the mean
            photograph, "auto" does the first where they are there and the second elsewhere, "none"
            fits the whole frame into the square.
    """

    size: int = 112
    template: str = "arcface112"
    detector: str = "auto"

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise UsageError(
                f"no detector '{self.detector}', expected one of {', '.join(DETECTORS)}"
            )
        if self.detector == "none":
            object.__setattr__(self, "template", REGISTERED)
        else:
            template_points(self.template, self.size)

    @property
    def frame(self) -> str:
        """Name of the frame that the aligned maps are in."""
        return f"face:{self.template}"

    @property
    def detects(self) -> bool:
        """Whether a photograph may be looked at."""
        return self.detector in ("auto", "yunet")

    def parameters(self) -> dict[str, Any]:
        """The resolved options, as history and model contract hold them."""
        return {
            "size": self.size,
            "template": self.template,
            "detector": self.detector,
            "detector_sha256": yunet.weights_sha256() if self.detects else "",
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
        try:
            size, template, detector = (parameters[k] for k in ("size", "template", "detector"))
            recipe = cls(int(size), str(template), str(detector))
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise MalformedInputError(
                f"{name}: holds no alignment that this version knows: {error}",
                "align the maps with 'fr3d align' first",
            ) from error
        found = recipe.parameters()["detector_sha256"]
        if parameters.get("detector_sha256", "") != found:
            raise MalformedInputError(
                f"{name}: aligned with another face detector than the one shipped with this fr3d",
                "use the version of fr3d that made the model, or align and train again",
            )
        return recipe
