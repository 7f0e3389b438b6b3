"""How a person looks in one session: expression, pose, hair, beard, spectacles."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.synthesis.beard import Beard, sample_beard
from fr3d.synthesis.expression import expression_weights, sample_emotion
from fr3d.synthesis.hair import HairStyle, grow
from fr3d.synthesis.identity import WEARING, Habits, Identity
from fr3d.synthesis.pose import Pose, sample_pose
from fr3d.synthesis.spectacles import Spectacles, settle

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Variety:
    """How much sessions differ; None stands for shares like those of the Photoface database.

    Args:
        spectacles: share of sessions with spectacles.
        beards: share of men with hair on the face.
        turned: share of sessions in which the head is turned.
        expressive: share of sessions with an expression that is not neutral.
    """

    spectacles: float | None = None
    beards: float | None = None
    turned: float | None = None
    expressive: float | None = None

    @property
    def habits(self) -> Habits:
        """What of it belongs to people rather than sessions."""
        return Habits(self.spectacles, self.beards)


@dataclass(frozen=True)
class Appearance:
    """A person in one session.

    Args:
        features: weight by name of target, of what never changes.
        changing: weight by name of target, of age, weight and expression.
        emotion: in Photoface's words.
        pose: how the head is turned.
        hair: how it is worn that day.
        beard: the hair on the face.
        spectacles: the pair that is worn, or None.
        gaze: (3,), unit vector in which both eyes look, in the head's frame.
    """

    features: Mapping[str, float]
    changing: Mapping[str, float]
    emotion: str
    pose: Pose
    hair: HairStyle
    beard: Beard
    spectacles: Spectacles | None
    gaze: FloatArray


def sample_appearance(
    identity: Identity, seed: int, person: int, number: int, variety: Variety
) -> Appearance:
    """Draw how a person looks in a session.

    Args:
        identity: who.
        seed: of the whole data set.
        person: number of the person, from 0.
        number: number of the session, from 0.
        variety: how much sessions differ.
    """
    rng = np.random.default_rng([seed, person, 1, number])
    worn = np.random.default_rng([seed, person, 4, number])
    emotion, units = sample_emotion(rng, variety.expressive)
    pose = sample_pose(rng, variety.turned)
    gaze = np.array([*rng.normal(0.0, 0.05, 2), 1.0])
    build = identity.build_on(float(rng.normal(0.0, 0.6)), float(rng.normal(0.0, 0.06)))
    wearing = max(WEARING, variety.spectacles or 0.0)
    return Appearance(
        features=identity.features,
        changing=build | expression_weights(units, identity.race),
        emotion=emotion,
        pose=pose,
        hair=grow(identity.hair, worn),
        beard=sample_beard(worn, identity.habit, np.random.default_rng([seed, person, 3, 2])),
        spectacles=settle(identity.spectacles, worn)
        if worn.random() < wearing * identity.wears
        else None,
        gaze=gaze / np.linalg.norm(gaze),
    )
