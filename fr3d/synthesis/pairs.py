"""Plain photographs and RGB-D pairs: `<subject>/<subject>_<number>.png`, and depth beside it."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.atomic import write_bytes
from fr3d.synthesis.plan import ENCODERS
from fr3d.synthesis.session import Session
from fr3d.synthesis.studio import MM_PER_UNIT

FloatArray = npt.NDArray[np.float64]

# Of a structured-light sensor at this distance: steps and noise, mm. Surfaces that turn away more
# than this give nothing back.
DISTANCE_MM, NOISE_MM, LEAST_NZ = 900.0, 1.2, 0.25
LOST = 0.004
DEPTH_NOTE = "depth.json"
NOTE = {
    "format": "npy, uint16",
    "unit_mm": 1.0,
    "nothing": 0,
    "sign": "smaller is nearer",
    "registered": "to the colour picture, pixel by pixel",
}


def pair_name(subject: str, number: int) -> str:
    """The name of a session's files, without their ending."""
    return f"{subject}_{number + 1:02d}"


def write_photograph(folder: Path, name: str, session: Session, picture: str = "png") -> None:
    """Write the one photograph of a session.

    Args:
        folder: of the subject.
        name: of the session.
        session: taken with all flashes at once.
        picture: "png" or "bmp".
    """
    folder.mkdir(parents=True, exist_ok=True)
    (image,) = session.images
    write_bytes(folder / f"{name}.{picture}", ENCODERS[picture](image), force=True)


def write_pair(folder: Path, name: str, session: Session, picture: str = "png") -> None:
    """Write a photograph and the depth beside it; the photograph comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    np.save(packed, measured_depth(session), allow_pickle=False)
    write_bytes(folder / f"{name}.npy", packed.getvalue(), force=True)
    write_photograph(folder, name, session, picture)


def measured_depth(session: Session) -> npt.NDArray[np.uint16]:
    """What a depth camera measures: (H, W) distance in mm, 0 where it sees nothing.

    Args:
        session: what is true.
    """
    rng = np.random.default_rng([*session.shot.seed, 7])
    mm = MM_PER_UNIT / session.shot.scale
    facing = session.normal[..., 2]
    # Noise grows where the surface turns away.
    spread = NOISE_MM / np.maximum(facing, LEAST_NZ)
    distance = DISTANCE_MM - session.depth * mm + spread * rng.standard_normal(facing.shape)
    seen = session.mask & (facing > LEAST_NZ) & (rng.random(facing.shape) > LOST)
    return np.where(seen, np.rint(distance), 0).astype(np.uint16)


def depth_note() -> bytes:
    """The text that tells unit and sign of the depth files."""
    camera = "orthographic; scale_mm of truth.h5 is mm a pixel"
    note: dict[str, Any] = {**NOTE, "camera_mm": DISTANCE_MM, "camera": camera}
    return (json.dumps(note, indent=2) + "\n").encode()
