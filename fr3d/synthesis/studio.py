"""How sessions are taken: the studio, and what is drawn for each session in it."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError
from fr3d.synthesis.appearance import Appearance, Variety, sample_appearance
from fr3d.synthesis.identity import Identity
from fr3d.synthesis.render import SAMPLES
from fr3d.synthesis.rig import Lights, Rig, sample_lights
from fr3d.synthesis.sensor import Exposure, Sensor, sample_exposure

FloatArray = npt.NDArray[np.float64]

# The camera: the mean person's eyes, 0.616 dm apart, lie 0.275 picture heights apart.
EYES_APART = 0.616
EYES_SHARE = 0.275
EYES_ROW = 0.47
MM_PER_UNIT = 100.0
# Photoface's heads move by up to 20 pixels between flashes, in photographs about 750 high.
MOVEMENT = 20.0 / 750.0


@dataclass(frozen=True)
class Studio:
    """How all sessions of a data set are taken.

    Args:
        size: height and width of the pictures, pixels.
        rig: the flashes.
        sensor: the camera.
        variety: how much sessions differ.
        movement: the most that a head moves between the flashes, pixels; None for Photoface's.
        together: one photograph with all flashes at once, before a background.
    """

    size: int
    rig: Rig = field(default_factory=Rig)
    sensor: Sensor = field(default_factory=Sensor)
    variety: Variety = field(default_factory=Variety)
    movement: float | None = None
    together: bool = False

    def __post_init__(self) -> None:
        if self.reach > self.size / 4:
            raise UsageError(
                f"a movement of {self.reach:g} pixels would push heads out of pictures of "
                f"{self.size}",
                f"give up to {self.size // 4}",
            )

    @property
    def reach(self) -> float:
        """The most that a head moves between the flashes, pixels."""
        return MOVEMENT * self.size if self.movement is None else self.movement

    @property
    def scale(self) -> float:
        """Pixels per decimetre of a person at the usual distance."""
        return EYES_SHARE * self.size / EYES_APART

    @property
    def margin(self) -> int:
        """Pixels around the picture that are rendered too: they cast shadows and move into it."""
        return max(self.size // 8, int(np.ceil(self.reach)) + 2)


@dataclass(frozen=True)
class Shot:
    """Everything that is drawn for a session.

    Args:
        identity: who.
        appearance: how the person looks.
        lights: where the flashes stand.
        exposure: of the camera.
        scale: pixels per decimetre.
        middle: (2,), where the point between the eyes lies, pixels from the centre, y up.
        shift: (L, 2), movement of each photograph in samples: x right, y down.
        seed: of the noise.
    """

    identity: Identity
    appearance: Appearance
    lights: Lights
    exposure: Exposure
    scale: float
    middle: FloatArray
    shift: FloatArray
    seed: tuple[int, ...]


def draw(identity: Identity, seed: int, person: int, number: int, studio: Studio) -> Shot:
    """Draw a session of a person.

    Args:
        identity: who.
        seed: of the whole data set.
        person: number of the person, from 0.
        number: number of the session, from 0.
        studio: how it is taken.
    """
    rng = np.random.default_rng([seed, person, 5, number])
    scale = studio.scale * float(np.exp(rng.normal(0.0, 0.03)))
    middle = rng.normal(0.0, 0.012 * studio.size, 2)
    middle[1] += (0.5 - EYES_ROW) * studio.size
    return Shot(
        identity=identity,
        appearance=sample_appearance(identity, seed, person, number, studio.variety),
        lights=sample_lights(rng, studio.rig),
        exposure=sample_exposure(rng, studio.sensor, studio.together),
        scale=scale,
        middle=middle,
        shift=_movement(rng, studio),
        seed=(seed, person, 6, number),
    )


def _movement(rng: np.random.Generator, studio: Studio) -> FloatArray:
    """A walk from flash to flash, in samples; the photographs' mean stays where it is."""
    count, reach = studio.rig.lights, SAMPLES * studio.reach
    # Most heads hardly move; a few do not keep still.
    restless = float(rng.choice([0.06, 0.4], p=[0.85, 0.15]))
    walk = np.cumsum(rng.normal(0.0, restless * reach, (count, 2)), axis=0)
    walk -= walk.mean(axis=0)
    # Shrunk rather than cut, which would move the mean: registration cannot know of it.
    farthest = np.abs(walk).max()
    return walk * (reach / farthest) if farthest > reach else walk
