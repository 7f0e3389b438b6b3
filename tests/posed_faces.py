"""Analytic faces whose pose in the frame is known."""

from pathlib import Path

import numpy as np
from surfaces import disc, height_and_normals

from fr3d.alignment.templates import template_points
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.writer import Reject, write_artifact
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.similarity import similarity, transform_points
from fr3d.geometry.warp import warp_maps

HEIGHT, WIDTH = 150, 130


def upright() -> FaceMaps:
    """An analytic face in the frame of the template, 112 x 112."""
    rows, columns = np.mgrid[0:112, 0:112].astype(float)
    z, normal = height_and_normals(columns, rows, middle=(55.5, 65))
    mask = disc((112, 112), middle=(55.5, 62), radius=48)
    albedo = 0.5 + 0.3 * np.sin(columns / 10.0) * np.cos(rows / 13.0)
    return FaceMaps(
        mask=mask,
        normal=np.where(mask[..., None], normal, 0).astype(np.float32),
        albedo=np.where(mask, albedo, 0).astype(np.float32),
        depth=np.where(mask, z, np.nan).astype(np.float32),
        image=(albedo * normal[..., 2]).astype(np.float32),
        confidence=mask.astype(np.float32),
        landmarks=template_points("arcface112", 112).astype(np.float32),
    )


def poses(count: int, seed: int = 0) -> list[np.ndarray]:
    """Similarities from the template's frame to photographs of 150 x 130."""
    rng = np.random.default_rng(seed)
    return [
        similarity(rng.uniform(-20, 20), rng.uniform(0.75, 1.0), tuple(rng.uniform(0, 12, 2)))
        for _ in range(count)
    ]


def posed(matrix: np.ndarray) -> FaceMaps:
    """The face as a camera sees it after a similarity; landmarks moved exactly."""
    maps = warp_maps(upright(), matrix, (HEIGHT, WIDTH))
    points = transform_points(matrix, upright().landmarks).astype(np.float32)
    return FaceMaps(mask=maps.mask, landmarks=points, **maps.present)


def write_maps(path: Path, faces: list[FaceMaps], drop: tuple[str, ...] = (), **extra) -> Path:
    """A maps file of such faces, with what ps-reconstruct adds."""
    count = len(faces)
    columns = {
        "subject_id": [f"{k // 2 + 1:03d}" for k in range(count)],
        "session_id": [f"s{k}" for k in range(count)],
        "mask": np.stack([f.mask for f in faces]).astype(np.uint8),
        "landmarks": np.stack([f.landmarks for f in faces]),
        "lights": np.tile(np.float32([[0.6, 0, 0.8], [0, 0.6, 0.8]]), (count, 1, 1)),
        "scale_mm": np.full(count, 0.8, np.float32),
        "attribute/gender": ["female" if k % 2 else "" for k in range(count)],
        "quality/residual": np.linspace(0, 1, count, dtype=np.float32),
        **{n: np.stack([f.present[n] for f in faces]) for n in faces[0].present},
        **extra,
    }
    columns = {k: v for k, v in columns.items() if k not in drop}
    step = Step("ps-reconstruct", {"solver": "ls"}, {})
    rejected = [Reject("009", "s99", "three of four images")]
    write_artifact(path, "fr3d.maps", columns, step, frame="camera", rejected=rejected)
    return path
