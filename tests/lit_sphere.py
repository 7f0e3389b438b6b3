"""A sphere under known lights, and captures of it on disk; everything in closed form."""

from pathlib import Path

import cv2
import numpy as np

from fr3d.geometry.lights import direction

ZENITH = np.array([36.0, 42, 40, 36])
AZIMUTH = np.array([134.0, 47, 313, 233])
LANDMARKS = [
    (14, 18), (20, 18), (24, 18), (28, 18), (34, 18),
    (20, 26), (24, 27), (28, 26), (18, 34), (30, 34), (24, 42),
]  # fmt: skip


def sphere_normals(size: int = 48, radius: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Normals (3, H, W) and mask of a sphere in the middle, y up while rows run down."""
    rows, columns = np.mgrid[:size, :size].astype(float)
    middle = (size - 1) / 2
    x, y = (columns - middle) / radius, (middle - rows) / radius
    mask = x**2 + y**2 < 0.98
    z = np.sqrt(np.where(mask, 1 - x**2 - y**2, 0))
    return np.where(mask, np.stack([x, y, z]), 0), mask


def photographs(
    zenith: np.ndarray = ZENITH, azimuth: np.ndarray = AZIMUTH, albedo: float = 0.7, size: int = 48
) -> np.ndarray:
    """The sphere under each light, (L, H, W) float32, attached shadows black."""
    normal, _ = sphere_normals(size, radius=size * 20 / 48)
    shading = np.einsum("lc,chw->lhw", direction(zenith, azimuth), normal)
    return (albedo * np.maximum(shading, 0)).astype(np.float32)


def light_source(zenith: np.ndarray = ZENITH, azimuth: np.ndarray = AZIMUTH) -> str:
    """The text of LightSource.m."""
    rows = ";\n".join(f"90-{z:g} 360-{a:g}" for z, a in zip(zenith, azimuth, strict=True))
    return f"LightAngle = [{rows}];\n"


def write_capture(
    folder: Path,
    *,
    suffix: str = "bmp",
    albedo: float = 0.7,
    size: int = 48,
    names: str = "im{}",
    colour: bool = True,
) -> Path:
    """A Photoface session of the sphere."""
    folder.mkdir(parents=True)
    for i, image in enumerate(photographs(albedo=albedo, size=size)):
        levels = np.rint(image * 255).astype(np.uint8)
        picture = cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR) if colour else levels
        assert cv2.imwrite(str(folder / f"{names.format(i)}.{suffix}"), picture)
    (folder / "LightSource.m").write_text(light_source())
    (folder / "metadata.txt").write_text("\n".join(f"{x},{y}" for x, y in LANDMARKS))
    (folder / "metadataII.txt").write_text("male , no , none , 1 , ok ,  , blankstare , \n")
    return folder


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between unit vectors along axis 0."""
    return np.rad2deg(np.arccos(np.clip((a * b).sum(axis=0), -1, 1)))
