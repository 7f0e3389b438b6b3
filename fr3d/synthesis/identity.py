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
from fr3d.synthesis.complexion import Complexion, sample_complexion

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
        shape: weight by name of target.
        complexion: what the skin reflects.
    """

    gender: str
    age: float
    race: Mapping[str, float]
    shape: Mapping[str, float]
    complexion: Complexion


def sample_identity(seed: int, person: int, head: HeadModel) -> Identity:
    """Draw a person.

    Args:
        seed: of the whole data set.
        person: number of the person, from 0.
        head: the parametric head.
    """
    rng = np.random.default_rng([seed, person, 0])
    gender = "male" if rng.random() < 0.5 else "female"
    age = float(rng.uniform(18, 65))
    share = rng.dirichlet(np.full(len(RACES), 0.5))
    race = {name: float(value) for name, value in zip(RACES, share, strict=True)}
    shape = _macro(rng, gender, age, race) | _features(rng, head)
    return Identity(gender, age, race, shape, sample_complexion(rng, gender, age, race))


def _macro(
    rng: np.random.Generator, gender: str, age: float, race: Mapping[str, float]
) -> dict[str, float]:
    """Mix sex, age, race and weight as MakeHuman does: products of shares that sum to one."""
    male = rng.uniform(0.75, 1.0) if gender == "male" else rng.uniform(0.0, 0.25)
    old = (age - 25.0) / 65.0 if age > 25 else 0.0
    weight = float(np.clip(rng.normal(0.0, 0.35), -0.8, 0.8))
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
