"""Pictures of drawn faces whose five points are known, and tables of them."""

from pathlib import Path

import cv2
import numpy as np

from fr3d.training.landmarks.table import COLUMNS

FACE = np.array([[-1.0, -1.0], [1.0, -1.0], [0.0, 0.1], [-0.8, 1.1], [0.8, 1.1]])


def drawn_face(seed: int, size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """A picture (size, size, 3) uint8 and its points (5, 2)."""
    rng = np.random.default_rng(seed)
    points = size / 2 + rng.normal(0, 3, 2) + FACE * size * rng.uniform(0.14, 0.18)
    picture = np.full((size, size, 3), rng.integers(40, 90, 3), np.uint8)
    middle = tuple(int(v) for v in points.mean(axis=0))
    cv2.ellipse(picture, middle, (size // 3, int(size / 2.3)), 0, 0, 360, (150, 170, 200), -1)
    for (x, y), tone in zip(points, (20, 20, 250, 90, 90), strict=True):
        place = (round(16 * float(x)), round(16 * float(y)))
        cv2.circle(picture, place, 16 * 4, (tone,) * 3, -1, shift=4)
    return picture, points


def write_face_table(
    folder: Path, count: int, change: dict[int, dict[str, str]] | None = None
) -> Path:
    """Write `count` pictures, their table `faces.csv` with a column `clip`; change cells by row."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    lines = [",".join(["image", "clip", *COLUMNS])]
    for number in range(count):
        picture, points = drawn_face(number)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), picture)
        row = {"image": f"{number}.png", "clip": f"clip{number // 2}"}
        row |= {c: f"{v:.2f}" for c, v in zip(COLUMNS, points.ravel(), strict=True)}
        row |= (change or {}).get(number, {})
        lines.append(",".join(row.values()))
    path = folder / "faces.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
