"""Who a synthetic person is: the shape of the head and all that belongs to the skin.

Everything comes from the seed and the person's number, so the same person looks the same in each
session and however many others there are.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fr3d.synthesis.assets import HeadModel
from fr3d.synthesis.beard import sample_habit
from fr3d.synthesis.complexion import Complexion, sample_complexion
from fr3d.synthesis.hair import HairStyle, sample_hair
from fr3d.synthesis.spectacles import Spectacles, sample_spectacles

# Spread of the weights of targets: 0.45 gives caricatures, 0.2 gives siblings.
SIGMA = 0.26
CROOKED = 0.12
LEFT_RIGHT = 0.07
RACES = ("african", "asian", "caucasian")
OPPOSITES = {
    "incr": "decr", "up": "down", "out": "in", "forward": "backward", "convex": "concave",
    "uncompress": "compress", "l": "r",
}  # fmt: skip
# These move the head as a whole, which is the camera's business, shape what no camera sees, or
# push nose and mouth out of the middle.
IGNORED = re.compile(
    r"head/head-(trans|age|back)|neck/.*(trans|back|height|vert)|asym/asymm"
    r"|(nose|mouth)-trans-(in|out)"
)


@dataclass(frozen=True)
class Identity:
    """A synthetic person.

    Args:
        gender: "male" or "female".
        age: years.
        race: share of each of `RACES`; they sum to one.
        maleness: share of male features, 0..1.
        weight: -1 (thin) to 1 (heavy).
        features: weight by name of target, for what never changes.
        complexion: what skin, eyes and hair reflect.
        hair: how it is worn.
        habit: the usual facial hair, one of `fr3d.synthesis.beard.KINDS`.
        spectacles: the person's pair.
        wears: whether the person is used to wearing it.
    """

    gender: str
    age: float
    race: Mapping[str, float]
    maleness: float
    weight: float
    features: Mapping[str, float]
    complexion: Complexion
    hair: HairStyle
    habit: str
    spectacles: Spectacles
    wears: bool

    @property
    def shape(self) -> dict[str, float]:
        """Weights of targets of the neutral head."""
        return dict(self.features) | self.build_on(0.0, 0.0)

    def build_on(self, older: float, heavier: float) -> dict[str, float]:
        """Weights of the targets of sex, age, race and weight, on another day.

        They add to those of the features.

        Args:
            older: years.
            heavier: on the scale of `weight`.
        """
        weight = float(np.clip(self.weight + heavier, -1.0, 1.0))
        weights = _macro(self.maleness, self.age + older, self.race, weight)
        # Those of the body hardly reach the cheeks.
        if heavier:
            weights[f"head/head-fat-{'incr' if heavier > 0 else 'decr'}"] = abs(heavier)
        return weights


@dataclass(frozen=True)
class Habits:
    """How often people wear what is not their face; None for shares like Photoface's.

    Args:
        spectacles: share of sessions with spectacles.
        beards: share of men with hair on the face.
    """

    spectacles: float | None = None
    beards: float | None = None


# Of people who own spectacles, the share of sessions that show them.
WEARING = 0.8
SPECTACLES_SHARE = 0.28


def sample_identity(seed: int, person: int, head: HeadModel, habits: Habits = Habits()) -> Identity:
    """Draw a person.

    Args:
        seed: of the whole data set.
        person: number of the person, from 0.
        head: the parametric head.
        habits: how often spectacles and beards occur; they change nothing else of the person.
    """
    rng = np.random.default_rng([seed, person, 0])
    gender = "male" if rng.random() < 0.5 else "female"
    age = float(rng.uniform(18, 65))
    share = rng.dirichlet(np.full(len(RACES), 0.5))
    race = {name: float(value) for name, value in zip(RACES, share, strict=True)}
    maleness = float(rng.uniform(0.75, 1.0) if gender == "male" else rng.uniform(0.0, 0.25))
    weight = float(np.clip(rng.normal(0.0, 0.35), -0.8, 0.8))
    features = _features(rng, head)
    skin, worn = (np.random.default_rng([seed, person, 3, k]) for k in (0, 1))
    spectacles = SPECTACLES_SHARE if habits.spectacles is None else habits.spectacles
    return Identity(
        gender=gender,
        age=age,
        race=race,
        maleness=maleness,
        weight=weight,
        features=features,
        complexion=sample_complexion(skin, gender, age, race),
        hair=sample_hair(worn, gender, age),
        spectacles=sample_spectacles(worn),
        wears=bool(worn.random() < spectacles / max(WEARING, spectacles)),
        habit=sample_habit(worn, gender, habits.beards),
    )


def _macro(male: float, age: float, race: Mapping[str, float], weight: float) -> dict[str, float]:
    """Mix sex, age, race and weight as MakeHuman does: products of shares that sum to one."""
    old = (age - 25.0) / 65.0 if age > 25 else 0.0
    weights = {}
    for sex, by_sex in (("male", male), ("female", 1 - male)):
        for stage, by_age in (("old", old), ("young", 1 - old)):
            for name, by_race in race.items():
                weights[f"macrodetails/{name}-{sex}-{stage}"] = by_sex * by_age * by_race
            extreme = "maxweight" if weight > 0 else "minweight"
            name = f"macrodetails/universal-{sex}-{stage}-averagemuscle-{extreme}"
            weights[name] = by_sex * by_age * abs(weight)
    return weights


def _features(rng: np.random.Generator, head: HeadModel) -> dict[str, float]:
    """Draw a weight for each pair of opposite targets; both sides of the face nearly agree."""
    weights: dict[str, float] = {}
    for name, family in _families(head).items():
        common = rng.normal(0.0, CROOKED if name.startswith("asym/") else SIGMA)
        for more, less in family:
            value = float(np.clip(common + rng.normal(0.0, LEFT_RIGHT), -0.9, 0.9))
            if less is None:
                # Outlines such as "oval" and "square" have no opposite: many small ones mix.
                weights[more] = 0.4 * abs(value)
            else:
                weights[more if value > 0 else less] = abs(value)
    return weights


def _families(head: HeadModel) -> dict[str, list[tuple[str, str | None]]]:
    """Group targets: the same feature of both sides, each with its opposite."""
    known = set(head.targets)
    families: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    negative = set(OPPOSITES.values())
    for name in sorted(known):
        if name.startswith(("macrodetails", "expression")) or IGNORED.search(name):
            continue
        stem, _, ending = name.rpartition("-")
        if ending in negative and _opposite(stem, ending) in known:
            continue
        less = f"{stem}-{OPPOSITES[ending]}" if ending in OPPOSITES else None
        family = re.sub(r"/[lr]-", "/", name)
        families[family].append((name, less if less in known else None))
    return families


def _opposite(stem: str, ending: str) -> str:
    positive = next(more for more, less in OPPOSITES.items() if less == ending)
    return f"{stem}-{positive}"
