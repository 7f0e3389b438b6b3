"""From light to photographs: heads move, rooms add light, corners darken, sensors add noise."""

from collections.abc import Sequence

import numpy as np

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.render import Canvas
from fr3d.synthesis.sensor import develop, falloff
from fr3d.synthesis.studio import Shot, Studio


def expose(
    canvas: Canvas, radiance: Array, albedo: Array, shots: Sequence[Shot], studio: Studio
) -> Array:
    """Take photographs.

    Args:
        canvas: what the camera sees.
        radiance: (B, L, C, H', W'), light of each flash, in samples.
        albedo: (B, C, P), reflectance of the visible points.
        shots: what was drawn.
        studio: how they are taken.

    Returns:
        (B, L, C, H, W), or (B, 1, C, H, W) of all flashes together; whole numbers.
    """
    engine = canvas.engine
    ambient, vignetting, background, gain = (
        engine.array([getattr(shot.exposure, name) for shot in shots])[:, None, None, None, None]
        for name in ("ambient", "vignetting", "background", "gain")
    )
    # Light from everywhere, a little more of it from above, and what the head fills.
    sky = 0.75 + 0.25 * canvas.normal[:, 1:2]
    laid = engine.picture(albedo * sky, canvas.seen)[:, None]
    filled = namespace(radiance).where(canvas.seen.covered, 1.0, 0.0)[:, None, None]
    shift = np.stack([shot.shift for shot in shots])
    light, soft, covered = (canvas.moved(samples, shift) for samples in (radiance, laid, filled))
    if studio.together:
        light, soft, covered = (v.mean(1)[:, None] for v in (light, soft, covered))
    corners = engine.array(falloff((studio.size, studio.size)))
    light = (light + ambient * soft) * (1 - vignetting * corners)
    light = light + background * (1 - covered)
    noise = engine.normal([shot.seed for shot in shots], light.shape[1:])
    return develop(light, noise, studio.sensor, gain)
