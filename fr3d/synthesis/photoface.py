"""Sessions on disk as the Photoface database lays them out.

`<root>/<subject>/<session>/` holds `im0`..`im3` (one flash each), `LightSource.m` (a 4x2 matrix of
unevaluated arithmetic), `metadata.txt` (eleven landmarks, "x,y" a line) and `metadataII.txt` (seven
fields with blanks around and a trailing comma). Lights that such a matrix cannot tell, near or
uneven ones, stand in fr3d's own `lights.json` instead.
"""

import json
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from fr3d.synthesis.plan import ENCODERS
from fr3d.synthesis.rig import Lights
from fr3d.synthesis.session import Session

FIRST_SUBJECT = 1001
OPENING = datetime(2007, 12, 3, 9, 0)  # noqa: DTZ001 - session names carry no time zone
FIELDS = ("gender", "spectacles", "facial_hair", "pose", "quality", "occlusion", "emotion")


def subject_name(person: int) -> str:
    """Four digits from 1001 on, as in Photoface."""
    return f"{FIRST_SUBJECT + person:04d}"


def session_names(seed: int, person: int, count: int) -> list[str]:
    """When a person came: names of sessions, in order and all different.

    Args:
        seed: of the whole data set.
        person: number of the person, from 0.
        count: how many sessions; the first ones do not depend on it.
    """
    rng = np.random.default_rng([seed, person, 2])
    moment, names = OPENING, []
    for _ in range(count):
        day = moment.date() + timedelta(days=int(rng.integers(1, 60)))
        second = int(rng.integers(9 * 3600, 17 * 3600))
        moment = datetime(day.year, day.month, day.day) + timedelta(seconds=second)  # noqa: DTZ001
        names.append(moment.strftime("%Y-%m-%d_%H-%M-%S"))
    return names


def light_file(lights: Lights) -> tuple[str, str]:
    """Name and text of the light file.

    In `LightSource.m` the number after each minus is zenith or azimuth, degrees.
    """
    if lights.distance_mm is None and (lights.intensity == 1).all():
        rows = zip(lights.zenith, lights.azimuth, strict=True)
        lines = "\n".join(f"    90-{zenith:g} 360-{azimuth:g};" for zenith, azimuth in rows)
        return "LightSource.m", f"LightAngle = [\n{lines}\n];\n"
    entries = []
    for towards, intensity in zip(lights.directions, lights.intensity, strict=True):
        entry: dict[str, object] = {"direction": [round(v, 7) for v in towards.tolist()]}
        entry["intensity"] = float(intensity)
        if lights.distance_mm is not None:
            place = towards * lights.distance_mm
            entry["position_mm"] = [round(v, 3) for v in place.tolist()]
        entries.append(entry)
    document = {"format": "fr3d.lights", "version": 1, "lights": entries}
    return "lights.json", json.dumps(document, indent=1) + "\n"


def write_session(
    folder: Path, session: Session, fields: Mapping[str, str], picture: str = "png"
) -> None:
    """Write one session folder, whole or not at all.

    Args:
        folder: the session's folder; must not exist yet.
        session: what was captured.
        fields: by name of `FIELDS`; others are passed over.
        picture: "png" or "bmp".
    """
    unfinished = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for number, image in enumerate(session.images):
        (unfinished / f"im{number}.{picture}").write_bytes(ENCODERS[picture](image))
    name, text = light_file(session.lights)
    _text(unfinished / name, text)
    points = "".join(f"{x:.2f},{y:.2f}\n" for x, y in session.landmarks)
    _text(unfinished / "metadata.txt", points)
    line = ",".join(f" {fields[name]} " if fields[name] else " " for name in FIELDS)
    _text(unfinished / "metadataII.txt", line.lstrip() + ", \n")
    unfinished.rename(folder)


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
