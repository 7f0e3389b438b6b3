"""Facial expressions, under Photoface's names."""

from collections.abc import Mapping

import numpy as np

# Photoface's emotions and how often a session shows each.
EMOTIONS = {"blankstare": 0.7, "positive": 0.16, "emoOther": 0.08, "negative": 0.06}
UNITS: dict[str, list[dict[str, float]]] = {
    "positive": [
        {"mouth-corner-puller": 0.9, "eye-left-slit": 0.25, "eye-right-slit": 0.25},
        {"mouth-corner-puller": 0.7, "mouth-retraction": 0.3, "mouth-elevation": 0.1},
    ],
    "negative": [
        {"eyebrows-left-down": 0.8, "eyebrows-right-down": 0.8, "mouth-depression": 0.6},
        {"mouth-depression": 0.5, "nose-compression": 0.5, "eyebrows-left-inner-up": 0.5,
         "eyebrows-right-inner-up": 0.5},
    ],
    "emoOther": [
        {"eyebrows-left-up": 0.9, "eyebrows-right-up": 0.9, "eye-left-opened-up": 0.5,
         "eye-right-opened-up": 0.5, "mouth-open": 0.25},
        {"mouth-pursing": 0.7, "mouth-protusion": 0.4},
        {"eyebrows-left-up": 0.8, "mouth-compression": 0.6},
    ],
}  # fmt: skip
# Muscles that are never quite still.
RESTLESS = ("mouth-compression", "mouth-corner-puller", "eyebrows-left-up", "eyebrows-right-up")


def sample_emotion(
    rng: np.random.Generator, expressive: float | None = None
) -> tuple[str, dict[str, float]]:
    """Draw an emotion and the weights of its action units.

    Args:
        rng: the session's generator.
        expressive: share of sessions that are not neutral; None for that of `EMOTIONS`.
    """
    shares = np.array(list(EMOTIONS.values()))
    if expressive is not None:
        shares = np.array([1 - expressive, *(expressive * shares[1:] / shares[1:].sum())])
    name = str(rng.choice(list(EMOTIONS), p=shares))
    units = {unit: float(abs(rng.normal(0.0, 0.06))) for unit in RESTLESS}
    lids = float(rng.uniform(0.0, 0.12))
    units |= {"eye-left-closure": lids, "eye-right-closure": lids}
    if name in UNITS:
        chosen = UNITS[name][int(rng.integers(len(UNITS[name])))]
        for unit, weight in chosen.items():
            units[unit] = units.get(unit, 0.0) + weight * float(rng.uniform(0.5, 0.9))
    return name, units


def expression_weights(units: Mapping[str, float], race: Mapping[str, float]) -> dict[str, float]:
    """Spread the weights of action units over the targets made for each race.

    Args:
        units: weight by action unit.
        race: share of each race, summing to one.
    """
    return {
        f"expression/units/{name}/{unit}": share * weight
        for unit, weight in units.items()
        for name, share in race.items()
    }
