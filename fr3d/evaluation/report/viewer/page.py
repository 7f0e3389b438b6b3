"""The page: template, style, programs and faces put into one file that needs no other."""

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.evaluation.report.drawing import Session
from fr3d.evaluation.report.viewer.packing import pack_face
from fr3d.geometry.mesh import JUMP

# In the order in which they build on one another.
_PROGRAMS = (
    "unpack.js",
    "surface.js",
    "shading.js",
    "stage.js",
    "panel.js",
    "controls.js",
    "main.js",
)
_LIBRARY, _LICENCE = "three.min.js", "LICENSE-three"


def viewer_page(sessions: Sequence[Session], light: npt.NDArray[Any], jump: float = JUMP) -> str:
    """A page in which a visitor turns faces and moves the light.

    Args:
        sessions: the faces; each needs depth.
        light: (3,) unit vector to the light that is on at first.
        jump: slope above which the surface is torn, pixels a pixel.

    Raises:
        MalformedInputError: a face without depth.
        MissingInputError: no face at all.
    """
    if not sessions:
        raise MissingInputError("no session to show", "the file has no rows")
    faces = {
        "jump": jump,
        "light": np.round(light, 6).tolist(),
        "faces": [_pack(session) for session in sessions],
    }
    program = "\n".join(["(() => {", '"use strict";', *map(_asset, _PROGRAMS), "})();"])
    parts = {
        "title": escape(_title(sessions)),
        "style": _asset("viewer.css"),
        "licence": _asset(_LICENCE),  # asks to go wherever the library goes
        "library": _asset(_LIBRARY),
        "program": program,
        "faces": _inert_json(faces),
    }
    parts["policy"] = _policy(parts)
    return _fill(_asset("viewer.html"), parts)


def _pack(session: Session) -> dict[str, Any]:
    maps, where = session.maps, f"session {session.subject}/{session.session}"
    if maps.depth is None:
        raise MalformedInputError(
            f"{where}: no map 'depth', which a page needs", f"it has {', '.join(maps.present)}"
        )
    if not (maps.mask & np.isfinite(maps.depth)).any():
        raise MalformedInputError(f"{where}: its depth is nowhere known", "leave it out by --rows")
    return pack_face(session)


def _title(sessions: Sequence[Session]) -> str:
    first = f"{sessions[0].subject} \N{MIDDLE DOT} {sessions[0].session}"
    more = f" and {len(sessions) - 1} more" if len(sessions) > 1 else ""
    return f"{first}{more} \N{EN DASH} 3D face"


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text("utf-8").strip()


def _inert_json(value: Any) -> str:
    """JSON that no id can break out of: it holds neither a tag nor a line separator."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(parts: dict[str, str]) -> str:
    """Allow this page's own style and programs, by their digests, and nothing else at all."""
    scripts = " ".join(_digest(parts[name]) for name in ("library", "program"))
    return f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _fill(template: str, parts: dict[str, str]) -> str:
    """Put parts in their places at once, so that none is taken for a place itself."""
    pieces = template.split("%%")
    pieces[1::2] = [parts[name] for name in pieces[1::2]]
    return "".join(pieces) + "\n"
