"""The true maps of synthetic sessions, as rows of an artifact."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.synthesis.scene import Session

Columns = dict[str, npt.NDArray[Any] | list[str]]
MM_PER_UNIT = 100.0


def five_points(landmarks: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Reduce Photoface's eleven landmarks to eyes, nose tip and mouth corners, image left first.

    Args:
        landmarks: (11, 2); an eye is the middle of its two corners.

    Returns:
        (5, 2).
    """
    eyes = [landmarks[[0, 1]].mean(axis=0), landmarks[[3, 4]].mean(axis=0)]
    return np.stack([*eyes, landmarks[6], landmarks[8], landmarks[9]]).astype(np.float32)


def true_row(
    subject: str, name: str, session: Session, fields: Mapping[str, str]
) -> dict[str, Any]:
    """Collect what is true about one session, by dataset of the artifact.

    Args:
        subject: id of the person.
        name: id of the session.
        session: what was captured.
        fields: attributes by name.
    """
    view = session.view
    return {
        "subject_id": subject,
        "session_id": name,
        "normal": view.normal.astype(np.float32),
        "albedo": view.albedo.astype(np.float32),
        "depth": view.depth.astype(np.float32),
        "mask": view.mask.astype(np.uint8),
        "lights": session.lights.directions.astype(np.float32),
        "landmarks": five_points(session.landmarks),
        "scale_mm": np.float32(MM_PER_UNIT / session.scale),
        **{f"attribute/{name}": value for name, value in fields.items()},
    }


def stack_truth(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Turn rows into columns: arrays, and lists of text."""
    if not rows:
        return {}
    return {
        name: [row[name] for row in rows]
        if isinstance(first, str)
        else np.stack([row[name] for row in rows])
        for name, first in rows[0].items()
    }
