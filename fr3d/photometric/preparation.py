"""From a capture's files to what the solvers need: read, registered, cut, masked, checked."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.capture import Capture
from fr3d.photometric.evidence import Evidence, frame_evidence
from fr3d.photometric.exposure import Exposure, read_exposure
from fr3d.photometric.face_prior import expected_face, landmark_problem
from fr3d.photometric.framing import frame_movement, frame_whole
from fr3d.photometric.light_estimate import estimate_lights
from fr3d.photometric.lights import Lights, check_lights
from fr3d.photometric.mask import lit_mask
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.registration.estimate import Registration, estimate_shifts
from fr3d.photometric.usable import Flashes, usable_flashes

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

Number = TypeVar("Number", bound=np.generic)

_LEAST_MASK = 0.01
_ASIDE_Z = 0.5  # mean z of the lights; from further aside they leave much of a face dark
_FACE_WEIGHT = 0.05


@dataclass(frozen=True)
class Prepared:
    """A capture ready to be solved.

    Attributes:
        evidence: what it holds, cut to its framing.
        registration: how the photographs moved; None when that was not asked.
        photograph_size: height and width before it was cut.
        mask: (h, w), where the object is.
        flashes: which photographs can be used.
        prior: expected normals times albedo (3, h, w) and their weight (h, w); None without.
        light_uncertainty: expected error of estimated lights, degrees; None when they are known.
    """

    evidence: Evidence
    registration: Registration | None
    photograph_size: tuple[int, int]
    mask: Mask
    flashes: Flashes
    prior: tuple[FloatArray, FloatArray] | None
    light_uncertainty: float | None = None

    @cached_property
    def images(self) -> FloatArray:
        """(K, h, w): linear light of the usable photographs over their flashes' intensity."""
        images = self.usable(self.evidence.images)
        intensity = self.usable(self.evidence.lights.grey_intensity).astype(np.float32)
        return images if (intensity == 1).all() else images / intensity[:, None, None]

    @property
    def directions(self) -> npt.NDArray[np.float64]:
        """(K, 3): of the usable flashes."""
        return self.usable(self.evidence.lights.directions)

    @property
    def saturated(self) -> Mask:
        """(K, h, w): of the usable photographs."""
        return self.usable(self.evidence.saturated)

    def usable(self, of_all: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """Those (K, ...) of the usable flashes among those (L, ...) of all."""
        keep = self.flashes.keep
        return of_all if keep.all() else of_all[keep]


def prepare(capture: Capture, recipe: Recipe) -> Prepared:
    """Read a capture and do all that comes before its normals.

    Args:
        capture: its files.
        recipe: how.

    Raises:
        MalformedInputError: the capture cannot be used; the message names the file.
        MissingInputError: a file is gone.
    """
    if capture.problem:
        raise MalformedInputError(capture.problem)
    exposure = read_exposure(capture, recipe.transfer, recipe.reading)
    registration = _register(exposure, recipe) if recipe.register else None
    shifts = None
    if registration is not None and registration.shift.any():
        shifts = registration.shift
    points = _landmarks(exposure, recipe, shifts)
    evidence = frame_evidence(replace(exposure, landmarks=points), recipe.size, shifts)
    evidence, doubt = _with_lights(evidence)
    height, width = exposure.images.shape[1:]
    drawn = _is_drawn(exposure, recipe)
    face = _face(evidence) if drawn or _fills(evidence.lights, recipe) else None
    fill = face if _fills(evidence.lights, recipe) else None
    mask = _mask(evidence, evidence.images, fill, shifts, (height, width))
    names = [path.name for path in capture.images]
    flashes = usable_flashes(
        evidence.images,
        evidence.saturated,
        evidence.lights.directions,
        mask,
        names,
        dead=evidence.noise / 5,  # half a step of 8 bit values
    )
    if flashes.overexposed:  # it may show the background as bright as the face
        mask = _mask(evidence, evidence.images[flashes.keep], fill, shifts, (height, width))
    prior = face if drawn else None
    given = replace(evidence, landmarks=evidence.framing.points(exposure.landmarks))
    return Prepared(given, registration, (height, width), mask, flashes, prior, doubt)


def _register(exposure: Exposure, recipe: Recipe) -> Registration:
    height, width = exposure.images.shape[1:]
    window = frame_movement(exposure.landmarks, height, width)
    found = estimate_shifts(np.stack([window.cut(image) for image in exposure.images]))
    if recipe.max_residual is not None and found.loop_residual > recipe.max_residual:
        raise MalformedInputError(
            f"the photographs do not register: they miss each other by "
            f"{found.loop_residual:.1f} px, expected at most {recipe.max_residual:g}"
        )
    return found


def _landmarks(
    exposure: Exposure, recipe: Recipe, shifts: npt.NDArray[np.float32] | None
) -> FloatArray:
    """Those of the capture, or else those found; only what needs a face looks for one."""
    known = np.isfinite(exposure.landmarks).all()
    wanted = (
        recipe.size is not None
        or recipe.reading.estimate_lights
        or recipe.prior == "face"
        or _fills(exposure.lights, recipe)
    )
    if known or not wanted or recipe.find_landmarks is None:
        return exposure.landmarks
    images = exposure.images
    if shifts is not None:
        whole = frame_whole(*images.shape[1:])
        images = np.stack([whole.cut(i, s) for i, s in zip(images, shifts.tolist(), strict=True)])
    found = recipe.find_landmarks(images.mean(axis=0, dtype=np.float32))
    return exposure.landmarks if found is None else found


def _with_lights(evidence: Evidence) -> tuple[Evidence, float | None]:
    """The evidence with lights estimated from the face where none were given."""
    if evidence.lights.known:
        return evidence, None
    found = estimate_lights(evidence.images, evidence.landmarks)
    check_lights(found.lights, len(evidence.images), "estimated lights")
    return replace(evidence, lights=found.lights), float(found.uncertainty_deg.mean())


def _is_drawn(exposure: Exposure, recipe: Recipe) -> bool:
    """Whether a mean face helps: in good light it only blurs what the photographs tell."""
    if recipe.prior != "auto":
        return recipe.prior == "face"
    unsure = recipe.reading.estimate_lights or _fills(exposure.lights, recipe)
    return recipe.solver == "auto" and unsure


def _fills(lights: Lights, recipe: Recipe) -> bool:
    """Whether a mean face tells what of the face the lights may leave dark."""
    aside = lights.known and float(lights.directions[:, 2].mean()) < _ASIDE_Z
    return aside and recipe.prior != "none"


def _face(evidence: Evidence) -> tuple[FloatArray, FloatArray] | None:
    """The mean face, where there is a face to lay it over."""
    height, width = evidence.images.shape[1:]
    if landmark_problem(evidence.landmarks, height, width):
        return None
    return expected_face(evidence.landmarks, height, width)


def _mask(
    evidence: Evidence,
    images: FloatArray,
    face: tuple[FloatArray, FloatArray] | None,
    shifts: npt.NDArray[np.float32] | None,
    size: tuple[int, int],
) -> Mask:
    mask = evidence.given_mask
    if mask is None:
        mask = lit_mask(images, evidence.noise)
        if mask.mean() < _LEAST_MASK:
            raise MalformedInputError("the photographs are dark: nothing is lit")
        if face is not None:
            mask = mask | (face[1] > _FACE_WEIGHT)  # the dark side belongs to the face too
    return mask if shifts is None else mask & evidence.framing.valid(shifts, size[0], size[1])
