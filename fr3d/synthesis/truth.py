"""The true maps of synthetic sessions, as rows of an artifact."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.storage import stored
from fr3d.synthesis.identity import Identity
from fr3d.synthesis.sensor import EXPOSURE
from fr3d.synthesis.session import Session
from fr3d.synthesis.studio import MM_PER_UNIT

Columns = dict[str, Any]


def attributes(session: Session) -> dict[str, str]:
    """What is known of a session, by name: Photoface's fields, and what it has none for."""
    shot = session.shot
    seen = shot.appearance
    return {
        "gender": shot.identity.gender,
        "spectacles": "no" if seen.spectacles is None else "yes",
        "facial_hair": seen.beard.kind,
        "pose": seen.pose.photoface,
        "quality": "ok",
        "occlusion": "",
        "emotion": seen.emotion,
        "age": f"{shot.identity.age:.0f}",
        "ancestry": ancestry(shot.identity),
        "hair": seen.hair.cut,
    }


def ancestry(identity: Identity) -> str:
    """The largest share."""
    return max(identity.race, key=lambda name: identity.race[name])


def five_points(landmarks: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Reduce Photoface's eleven landmarks to eyes, nose tip and mouth corners, image left first.

    Args:
        landmarks: (11, 2); an eye is the middle of its two corners.

    Returns:
        (5, 2).
    """
    eyes = [landmarks[[0, 1]].mean(axis=0), landmarks[[3, 4]].mean(axis=0)]
    return np.stack([*eyes, landmarks[6], landmarks[8], landmarks[9]]).astype(np.float32)


def true_row(subject: str, name: str, session: Session, *, exact: bool = True) -> dict[str, Any]:
    """Collect what is true about one session, by dataset of the artifact.

    Args:
        subject: id of the person.
        name: id of the session.
        session: what was captured.
        exact: in single precision, without the mean photograph; otherwise as `ps-reconstruct`
            stores maps.
    """
    maps = {
        "normal": session.normal,
        "albedo": session.albedo,
        "depth": session.depth,
    }
    if not exact:
        maps["image"] = mean_photograph(session)
    kept = {key: value.astype(np.float32) for key, value in maps.items()}
    if not exact:
        kept = {key: stored(value, key, exact=False) for key, value in kept.items()}
    return {
        "subject_id": subject,
        "session_id": name,
        **kept,
        "mask": session.mask.astype(np.uint8),
        "lights": session.lights.directions.astype(np.float32),
        "light_intensity": session.lights.intensity.astype(np.float32),
        "shift": session.shift.astype(np.float32),
        "landmarks": five_points(session.landmarks),
        "scale_mm": np.float32(MM_PER_UNIT / session.shot.scale),
        **facts(session),
    }


def facts(session: Session) -> dict[str, Any]:
    """What is known of a session beside its maps: attributes, pose in degrees, exposure."""
    pose = session.shot.appearance.pose
    exposure = session.shot.exposure
    figures = {
        "yaw": pose.yaw,
        "pitch": pose.pitch,
        "roll": pose.roll,
        # Stored share of full scale, linear, of a white surface that faces a flash.
        "exposure": exposure.gain * EXPOSURE / 255.0,
        "room_light": exposure.ambient,
    }
    return {
        **{f"attribute/{key}": value for key, value in attributes(session).items()},
        **{f"quality/{key}": np.float32(value) for key, value in figures.items()},
    }


def mean_photograph(session: Session) -> npt.NDArray[np.float64]:
    """The mean of the photographs over their full scale, linear; (H, W), or (H, W, 3) in colour."""
    images = session.images.astype(np.float64) / np.iinfo(session.images.dtype).max
    return np.asarray((images**session.sensor.gamma).mean(axis=0))


def stack_rows(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Turn rows into columns: arrays, and lists of text."""
    if not rows:
        return {}
    return {
        name: [row[name] for row in rows]
        if isinstance(first, str)
        else np.stack([row[name] for row in rows])
        for name, first in rows[0].items()
    }
