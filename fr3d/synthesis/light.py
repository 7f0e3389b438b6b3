"""How surfaces reflect flashes: Lambert's cosine, a glossy lobe, shadow.

References:
    B. Walter et al., "Microfacet models for refraction through rough surfaces", EGSR 2007: the
    distribution of Trowbridge and Reitz (GGX) and its masking. C. Schlick, "An inexpensive BRDF
    model for physically-based rendering", Computer Graphics Forum 13(3), 1994: Fresnel's term.
"""

from dataclasses import dataclass
from typing import Any

from fr3d.photometric.solvers.arrays import Array, namespace


@dataclass(frozen=True)
class Flashes:
    """The flashes of a batch of sessions.

    Args:
        directions: (B, L, 3), unit vectors towards the lights from the picture's centre at depth 0.
        positions: (B, L, 3), where near lights stand, in pixels from the centre of the picture
            (y up, depth as the map's); None for distant ones.
        intensity: (B, L), irradiance that each gives a surface there that faces it.
        radius: of each light as seen from there, radians.
    """

    directions: Array
    positions: Array | None
    intensity: Array
    radius: float

    def of(self, sessions: Any) -> "Flashes":
        """The flashes of some sessions, an index into B."""
        positions = None if self.positions is None else self.positions[sessions]
        return Flashes(self.directions[sessions], positions, self.intensity[sessions], self.radius)


def arrivals(flashes: Flashes, where: Array) -> tuple[Array, Array]:
    """From where, and how brightly, each flash lights each point.

    Args:
        flashes: of the batch.
        where: (B, 3, P), points in pixels from the centre, y up.

    Returns:
        Unit vectors (B, L, 3, P or 1) and irradiance (B, L, P or 1).
    """
    if flashes.positions is None:
        return flashes.directions[..., None], flashes.intensity[..., None]
    xp = namespace(where)
    path = flashes.positions[..., None] - where[:, None]
    square = (path * path).sum(2)
    reference = (flashes.positions * flashes.positions).sum(-1)[..., None]
    # Irradiance falls with the square of the distance; it is given at the origin.
    return path / xp.sqrt(square)[:, :, None], flashes.intensity[..., None] * reference / square


def cosines(normal: Array, towards: Array) -> Array:
    """Cosine of the angle between normals (B, 3, P) and directions (B, L, 3, P or 1): (B, L, P)."""
    # Three products, in one order on every device.
    total = normal[:, None, 0] * towards[:, :, 0]
    for axis in (1, 2):
        total = total + normal[:, None, axis] * towards[:, :, axis]
    return total


def glossy(normal: Array, towards: Array, cosine: Array, gloss: Array, rough: Array) -> Array:
    """What a rough surface mirrors towards the camera, of light of unit irradiance.

    In the unit of Lambert's term (albedo times cosine): pi times the lobe, times the cosine.

    Args:
        normal: (B, 3, P).
        towards: (B, L, 3, P or 1), unit vectors to the lights.
        cosine: (B, L, P), of the angle between them, 0 or more.
        gloss: (B, P), reflectance straight on.
        rough: (B, P), the roughness alpha.

    Returns:
        (B, L, P).
    """
    xp = namespace(normal)
    half = towards + _ahead(towards)
    half = half / xp.sqrt((half * half).sum(2))[:, :, None]
    facing = xp.clip(cosines(normal, half), 0.0, 1.0)
    square = (rough * rough)[:, None]
    spread = facing * facing * (square - 1) + 1
    distribution = square / (spread * spread)
    fresnel = gloss[:, None] + (1 - gloss[:, None]) * (1 - half[:, :, 2]) ** 5
    view = xp.clip(normal[:, None, 2], 0.05, 1.0)
    k = square / 2
    masking = 1 / ((cosine * (1 - k) + k) * (view * (1 - k) + k))
    return 0.25 * distribution * fresnel * masking * cosine


def _ahead(like: Array) -> Array:
    """The direction to the camera, shaped to be added."""
    ahead = namespace(like).zeros_like(like[:1, :1, :, :1])
    ahead[:, :, 2] = 1.0
    return ahead
