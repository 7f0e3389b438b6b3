"""What `show` writes of one session: a kind of picture in, the files of it out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.sources.maps import read_maps
from fr3d.artifacts.store import Artifact, index_rows
from fr3d.errors import MalformedInputError
from fr3d.evaluation.report.naming import Key, companions
from fr3d.geometry.coding import encode_depth, encode_light, encode_normal, white_of
from fr3d.geometry.maps import FaceMaps, FloatArray
from fr3d.geometry.mesh import JUMP, Mesh, albedo_colours, build_mesh
from fr3d.geometry.mesh_files import mtl_text, obj_text, ply_bytes
from fr3d.geometry.normals import normals_from_depth
from fr3d.geometry.picture_files import encode_png
from fr3d.geometry.relight import cast_shadow, relight, shade_depth

Array = npt.NDArray[Any]
Files = dict[Path, bytes]

_CLAY = 0.6


@dataclass(frozen=True)
class Session:
    """One row of a maps file.

    Args:
        subject: who.
        session: which capture.
        maps: its maps.
        scale_mm: millimetres a pixel; NaN where unknown.
        lights: (L, 3) unit vectors to the lights of the capture, or None.
    """

    subject: str
    session: str
    maps: FaceMaps
    scale_mm: float = float("nan")
    lights: FloatArray | None = None


@dataclass(frozen=True)
class Look:
    """How to draw.

    Args:
        lights: (K, 3) unit vectors from the face to the light of each view.
        bits: 8 or 16 a value; depth always takes 16.
        y_down: normal maps with -y in green.
        cast_shadows: views in which the surface hides its own parts from the light.
        jump: slope above which a mesh is torn, pixels a pixel.
    """

    lights: Array
    bits: int = 8
    y_down: bool = False
    cast_shadows: bool = False
    jump: float = JUMP


def read_session(artifact: Artifact, row: int) -> Session:
    """Read what can be drawn of one row.

    Args:
        artifact: a maps file.
        row: which row.
    """
    subject, session = (artifact.text_at(n, row) for n in ("subject_id", "session_id"))
    scale = float(artifact["scale_mm"][row]) if "scale_mm" in artifact else float("nan")
    lights = artifact["lights"][row] if "lights" in artifact else None
    return Session(subject, session, read_maps(artifact, row), scale, lights)


def read_sessions(artifacts: Sequence[Artifact], keys: Sequence[Key]) -> Iterator[Session]:
    """Read sessions one by one, each from the first file that has it.

    Args:
        artifacts: maps and faces files.
        keys: subject and session of each.
    """
    indices = [index_rows(artifact) for artifact in artifacts]
    for key in keys:
        artifact, rows = next((a, i) for a, i in zip(artifacts, indices, strict=True) if key in i)
        yield read_session(artifact, rows[key])


def draw(kind: str, session: Session, look: Look, path: Path) -> Files:
    """Draw one session into files.

    Args:
        kind: one of `DRAW`.
        session: what to draw.
        look: how.
        path: name of the main file; what belongs to it is named alike.

    Returns:
        Contents by name, the main file last.

    Raises:
        MalformedInputError: the file lacks a map that this takes.
    """
    return DRAW[kind](session, look, path)


def _normal(session: Session, look: Look, path: Path) -> Files:
    levels = encode_normal(_need(session, "normal"), session.maps.mask, look.bits, look.y_down)
    frame = f"x right, y {'down' if look.y_down else 'up'}, z towards the camera"
    about = {"value": "(n + 1) / 2 of the full range; 0 0 0 outside the mask", "frame": frame}
    return {path: _png(levels, "normal", session, **about)}


def _albedo(session: Session, look: Look, path: Path) -> Files:
    albedo, mask = _need(session, "albedo"), session.maps.mask
    white = white_of(albedo, mask)
    levels = encode_light(albedo, mask, white, look.bits)
    return {path: _png(levels, "albedo", session, value="sRGB", white=white)}


def _depth(session: Session, _: Look, path: Path) -> Files:
    code = encode_depth(_need(session, "depth"), session.maps.mask)
    about = {
        "value": "depth = (level - 32768) * step; level 0 is unknown",
        "step": code.step,
        "units": "pixel",
        "scale_mm": session.scale_mm if np.isfinite(session.scale_mm) else None,
    }
    return {path: _png(code.levels, "depth", session, **about)}


def _relit(session: Session, look: Look, path: Path) -> Files:
    maps = session.maps
    normal = _normals(session)
    white = 1.0 if maps.albedo is None else white_of(maps.albedo, maps.mask)

    def view(light: Array) -> Array:
        lit = relight(normal, light, maps.albedo)
        if look.cast_shadows:
            lit[cast_shadow(_need(session, "depth"), maps.mask, light)] = 0.0
        return encode_light(lit, maps.mask, white, look.bits)

    return _views(session, look, path, "relit", view)


def _shaded(session: Session, look: Look, path: Path) -> Files:
    depth, mask = _need(session, "depth"), session.maps.mask

    def view(light: Array) -> Array:
        lit = shade_depth(depth, mask, light)
        if look.cast_shadows:
            lit[cast_shadow(depth, mask, light)] *= 0.3
        return encode_light(_CLAY * lit, mask, 1.0, look.bits)

    return _views(session, look, path, "shaded", view)


def _ply(session: Session, look: Look, path: Path) -> Files:
    return {path: ply_bytes(_mesh(session, look), [_title(session)])}


def _obj(session: Session, look: Look, path: Path) -> Files:
    picture, material = companions("obj", path)
    text = obj_text(_mesh(session, look), material.name, [_title(session)])
    return {
        picture: encode_png(albedo_colours(session.maps)),
        material: mtl_text(picture.name).encode(),
        path: text.encode(),
    }


DRAW: Mapping[str, Callable[[Session, Look, Path], Files]] = {
    "normal": _normal,
    "albedo": _albedo,
    "depth": _depth,
    "relit": _relit,
    "shaded": _shaded,
    "ply": _ply,
    "obj": _obj,
}


def _mesh(session: Session, look: Look) -> Mesh:
    _need(session, "depth")
    try:
        return build_mesh(session.maps, session.scale_mm, look.jump)
    except MalformedInputError as error:
        raise MalformedInputError(f"session {_title(session)}: {error.message}") from error


def _views(
    session: Session, look: Look, path: Path, kind: str, view: Callable[[Array], Array]
) -> Files:
    """One file a light where the name says `{light}`; else all views side by side."""
    if "{light}" in path.name:
        return {
            path.with_name(path.name.replace("{light}", f"{k:03d}")): _png(
                view(light), kind, session, value="sRGB", lights=[_plain(light)]
            )
            for k, light in enumerate(look.lights)
        }
    strip = np.concatenate([view(light) for light in look.lights], axis=1)
    lights = [_plain(light) for light in look.lights]
    return {path: _png(strip, kind, session, value="sRGB", lights=lights)}


def _normals(session: Session) -> Array:
    if session.maps.normal is None and session.maps.depth is not None:
        return normals_from_depth(session.maps.depth, session.maps.mask)
    return _need(session, "normal")


def _need(session: Session, name: str) -> FloatArray:
    """A map that has to be there."""
    maps = session.maps.present
    if name not in maps:
        raise MalformedInputError(
            f"session {_title(session)}: no map '{name}'", f"it has {', '.join(maps)}"
        )
    return maps[name]


def _title(session: Session) -> str:
    return f"{session.subject}/{session.session}"


def _plain(light: Array) -> list[float]:
    return [round(float(v), 6) for v in light]


def _png(levels: Array, kind: str, session: Session, **about: Any) -> bytes:
    who = {"kind": kind, "subject_id": session.subject, "session_id": session.session}
    return encode_png(levels, who | json.loads(json.dumps(about)))
