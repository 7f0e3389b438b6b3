"""Smooth surfaces with normals known in closed form, to hold the transforms against."""

import numpy as np

from fr3d.geometry.maps import FaceMaps

SIZE = 96


def height_and_normals(x, y, middle=(47.5, 47.5), scale=1.0):
    """A hill with a ripple on a slope: depth and unit normals at pixel places x, y (rows down)."""
    u, v = (x - middle[0]) / scale, (y - middle[1]) / scale
    hill = 12.0 * np.exp(-(u**2 + 0.6 * v**2) / 500.0)
    z = hill + 1.5 * np.sin(u / 9.0) * np.cos(v / 11.0) + 0.15 * u - 0.1 * v
    z_u = hill * (-2 * u / 500.0) + 1.5 / 9.0 * np.cos(u / 9.0) * np.cos(v / 11.0) + 0.15
    z_v = hill * (-1.2 * v / 500.0) - 1.5 / 11.0 * np.sin(u / 9.0) * np.sin(v / 11.0) - 0.1
    normal = np.stack([-z_u, z_v, np.ones_like(z)], axis=-1)
    return scale * z, normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def disc(shape, middle=(47.5, 47.5), radius=40.0):
    """A round mask."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    return np.hypot(columns - middle[0], rows - middle[1]) <= radius


def face(radius=40.0):
    """All maps of the surface in a 96 x 96 frame, NaN and zero outside the mask."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    z, normal = height_and_normals(columns, rows)
    mask = disc(z.shape, radius=radius)
    albedo = 0.5 + 0.3 * np.sin(columns / 10.0) * np.cos(rows / 13.0)
    return FaceMaps(
        mask=mask,
        normal=np.where(mask[..., None], normal, 0).astype(np.float32),
        albedo=np.where(mask, albedo, 0).astype(np.float32),
        depth=np.where(mask, z, np.nan).astype(np.float32),
        image=(albedo * normal[..., 2]).astype(np.float32),
        confidence=np.where(mask, 0.8, 0).astype(np.float32),
        landmarks=np.array([[35, 40], [60, 40], [47, 52], [38, 66], [58, 66]], dtype=np.float32),
    )


def angular_error(a, b):
    """Angle between unit vectors, degrees."""
    return np.rad2deg(np.arccos(np.clip(np.sum(a.astype(float) * b, axis=-1), -1.0, 1.0)))
