"""Random light rigs: where the flashes of one training session stand."""

import numpy as np

from fr3d.training.shadow_solver.surface import FloatArray

# Zenith angles in degrees, and how often a rig comes from each range.
_BANDS = (((5, 40), 0.2), ((25, 60), 0.25), ((45, 90), 0.25), ((60, 131), 0.2), ((5, 110), 0.1))
_LEAST_SPAN = 0.3


def random_rig(rng: np.random.Generator, lights: int) -> FloatArray:
    """Draw lights of one band that span space as well as the band allows.

    Args:
        rng: random source.
        lights: how many.

    Returns:
        (L, 3), unit vectors from the surface to the lights.
    """
    number = rng.choice(len(_BANDS), p=[share for _, share in _BANDS])
    low, high = _BANDS[number][0]
    draws = [_directions(rng, lights, low, high) for _ in range(20)]
    good = [draw for draw in draws if np.linalg.svd(draw)[1][-1] > _LEAST_SPAN]
    return (good or draws)[0]


def novel_lights(rng: np.random.Generator, lights: int) -> FloatArray:
    """Draw lights to judge a reconstruction by: within 60 degrees of the camera.

    Returns:
        (L, 3), unit vectors.
    """
    return _directions(rng, lights, 0, 60)


def _directions(rng: np.random.Generator, lights: int, low: float, high: float) -> FloatArray:
    zenith = np.deg2rad(rng.uniform(low, high, lights))
    azimuth = rng.uniform(0, 2 * np.pi, lights)
    # Photographers put lamps beside and above the sitter more often than below.
    below = (np.cos(azimuth) < -0.3) & (rng.random(lights) < 0.4)
    azimuth = np.where(below, np.pi - azimuth, azimuth)
    flat = np.sin(zenith)
    return np.stack(
        [flat * np.sin(azimuth), flat * np.cos(azimuth), np.cos(zenith)], axis=1
    ).astype(np.float32)
