"""Rows of maps that photometric stereo finds in synthetic photographs."""

import tempfile
from pathlib import Path
from typing import Any

from fr3d.photometric.capture import find_captures
from fr3d.photometric.exposure import ReadOptions
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.reconstruct import reconstruct
from fr3d.photometric.survey import Canvas
from fr3d.photometric.transfer import Transfer
from fr3d.synthesis.photoface import write_session
from fr3d.synthesis.sensor import Sensor
from fr3d.synthesis.session import Session
from fr3d.synthesis.studio import MM_PER_UNIT
from fr3d.synthesis.truth import attributes, facts


def recipe_for(sensor: Sensor, mm_per_pixel: float | None = None) -> Recipe:
    """The recipe by which `ps-reconstruct` treats photographs of this camera.

    Args:
        sensor: the camera.
        mm_per_pixel: for near flashes, the length that a pixel covers.
    """
    transfer = "linear" if sensor.gamma == 1.0 else f"gamma:{sensor.gamma:g}"
    return Recipe(
        transfer=Transfer(transfer),
        reading=ReadOptions(colour=sensor.colour),
        mm_per_pixel=mm_per_pixel,
    )


def reconstructed_row(subject: str, name: str, session: Session, picture: str) -> dict[str, Any]:
    """Reconstruct one session from its photographs, as `ps-reconstruct` would from its folder.

    Args:
        subject: id of the person.
        name: id of the session.
        session: what was captured.
        picture: format of the photographs.

    Raises:
        MalformedInputError: the capture cannot be used.
    """
    scale = MM_PER_UNIT / session.shot.scale
    near = session.lights.distance_mm is not None
    recipe = recipe_for(session.sensor, scale if near else None)
    height, width = session.mask.shape
    canvas = Canvas(height, width, len(session.images), deep=session.sensor.bits > 8)
    with tempfile.TemporaryDirectory(prefix="fr3d-") as folder:
        # Through files, so that nothing is known here that is not known there.
        write_session(Path(folder) / subject / name, session, attributes(session), picture)
        (capture,) = find_captures([Path(folder)])
        row = reconstruct(capture, recipe, canvas)
    return row | facts(session)
