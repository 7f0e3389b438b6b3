"""Hundreds of alignments on one picture: where the face was found, and what was cut out."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.alignment.sources.maps import read_maps
from fr3d.alignment.sources.pictures import read_picture
from fr3d.artifacts.store import Artifact, index_rows
from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError
from fr3d.evaluation.report.naming import Key
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.pictures import (
    Picture,
    drawable,
    grey_picture,
    mask_picture,
    normal_picture,
    with_points,
)
from fr3d.geometry.similarity import compose, inverse, transform_points
from fr3d.photometric.sources import SourceFiles

Points = npt.NDArray[np.float64]

MOST = 240
_BOX, _CROP, _POINT = (255, 200, 0), (0, 200, 255), (255, 60, 60)
_SURE, _UNSURE, _SEVERAL = (60, 160, 60), (220, 60, 30), (200, 60, 200)
_LEAST_SCORE = 0.75
_CAPTION = 13
_GAP = 4
_PAPER = 255
_SIDES = ("left", "top", "right", "bottom")


def least_sure_first(faces: Artifact, keys: Sequence[Key], limit: int) -> list[Key]:
    """The sessions whose detector was least sure, the least sure first.

    Args:
        faces: aligned faces.
        keys: sessions of it.
        limit: at most so many.
    """
    rows = index_rows(faces)
    score = faces.quality.get("landmark_score", np.full(len(faces), np.nan))
    known = [key for key in keys if key in rows]
    value = {key: float(np.nan_to_num(score[rows[key]], nan=1.0)) for key in known}
    return sorted(known, key=lambda key: value[key])[:limit]


def alignment_sheet(
    artifacts: Sequence[Artifact], keys: Sequence[Key], tile: int, photographs: Path | None
) -> Picture:
    """Draw each face beside the picture that it was found in.

    The picture shows the detector's box (yellow), the five points (red) and the outline of what
    was cut out (blue). The caption is green; red where the detector's score is below 0.75, violet
    where there are several faces.

    Args:
        artifacts: aligned faces, and where they come from maps, these as well.
        keys: subject and session of each.
        tile: longest side of a picture, pixels.
        photographs: the folder in which the photographs lie, or None.

    Returns:
        (H, W, 3) RGB.

    Raises:
        MalformedInputError: no aligned faces among the files.
        MissingInputError: not one of the photographs is in that folder.
    """
    faces = aligned_of(artifacts)
    rows = index_rows(faces)
    if photographs is not None:
        _check_folder(faces, [rows[key] for key in keys], photographs)
    cells = [_cell(faces, rows[key], artifacts, tile, photographs) for key in keys]
    across = max(1, int(np.ceil(np.sqrt(len(cells) * 0.6))))
    height, width = tile + _CAPTION + _GAP, 2 * tile + 3 * _GAP
    down = -(-len(cells) // across)
    sheet = np.full((down * height + _GAP, across * width + _GAP, 3), _PAPER, np.uint8)
    for n, cell in enumerate(cells):
        y, x = n // across * height + _GAP, n % across * width + _GAP
        sheet[y : y + cell.shape[0], x : x + cell.shape[1]] = cell
    return sheet


def aligned_of(artifacts: Sequence[Artifact]) -> Artifact:
    """The aligned faces among files.

    Raises:
        MalformedInputError: there are none.
    """
    for artifact in artifacts:
        if artifact.frame.startswith("face:"):
            return artifact
    raise MalformedInputError(
        f"{artifacts[0].paths[0].name}: not aligned, its frame is '{artifacts[0].frame}'",
        "give the file that 'fr3d align' wrote, and the maps before it",
    )


def _check_folder(faces: Artifact, rows: Sequence[int], photographs: Path) -> None:
    """Refuse a folder in which none of the photographs lies."""
    if "attribute/file" not in faces:
        raise MissingInputError(
            f"{faces.name}: does not say which photographs its faces come from",
            "give the maps that they come from instead of --photographs",
        )
    names = [faces.text_at("attribute/file", row) for row in rows]
    if not any((photographs / name).exists() for name in names):
        raise MissingInputError(
            f"{photographs}: no {names[0]} in it, nor any other of these photographs",
            "name the folder that 'fr3d align' was given",
        )


def _cell(
    faces: Artifact, row: int, artifacts: Sequence[Artifact], tile: int, photographs: Path | None
) -> Picture:
    """One session: caption, the picture that it was found in, and the aligned face."""
    key = faces.text_at("subject_id", row), faces.text_at("session_id", row)
    maps = read_maps(faces, row)
    cell = np.full((tile + _CAPTION, 2 * tile + _GAP, 3), _PAPER, np.uint8)
    found = _original(faces, row, key, artifacts, photographs)
    if found is not None:
        picture = _outlined(*found, faces, row, tile)
        cell[_CAPTION : _CAPTION + picture.shape[0], : picture.shape[1]] = picture
    face = _fitted(_aligned(maps), tile)
    left = tile + _GAP
    cell[_CAPTION : _CAPTION + face.shape[0], left : left + face.shape[1]] = face
    text, ink = _caption(faces, row, key)
    cv2.putText(cell, text, (0, 10), cv2.FONT_HERSHEY_SIMPLEX, 0.36, ink, 1, cv2.LINE_AA)
    return cell


def _caption(faces: Artifact, row: int, key: Key) -> tuple[str, tuple[int, int, int]]:
    quality = {name: float(values[row]) for name, values in faces.quality.items()}
    score, count = quality.get("landmark_score", np.nan), quality.get("face_count", 1.0)
    name = drawable("/".join(key))
    ink = _SEVERAL if count > 1 else _UNSURE if score < _LEAST_SCORE else _SURE
    return (f"{score:.2f} {name}" if np.isfinite(score) else name)[:42], ink


def _aligned(maps: FaceMaps) -> Picture:
    if maps.image is not None:
        picture = grey_picture(maps.image)
    elif maps.normal is not None:
        picture = normal_picture(maps.normal, maps.mask)
    else:
        picture = mask_picture(maps.mask)
    known = maps.landmarks is not None and np.isfinite(maps.landmarks).any()
    return with_points(picture, maps.landmarks) if known and maps.landmarks is not None else picture


def _original(
    faces: Artifact, row: int, key: Key, artifacts: Sequence[Artifact], photographs: Path | None
) -> tuple[Picture, Points] | None:
    """The picture that a face was found in, and the matrix from the aligned face to it."""
    back = faces["warp"][row].astype(np.float64) if "warp" in faces else None
    if back is None:
        return None
    for artifact in artifacts:
        if artifact.frame.startswith("face:") or "image" not in artifact:
            continue
        place = index_rows(artifact).get(key)
        if place is not None:
            maps = read_maps(artifact, place)
            if "warp" in artifact:
                back = compose(inverse(artifact["warp"][place]), back)
            return (grey_picture(maps.image), back) if maps.image is not None else None
    if photographs is None or "attribute/file" not in faces:
        return None
    try:
        path = photographs / faces.text_at("attribute/file", row)
        shown = read_picture(path, SourceFiles()).shown()
    except Fr3dError:
        return None  # the sheet shows the others
    return np.ascontiguousarray(shown[..., ::-1]), back


def _outlined(picture: Picture, back: Points, faces: Artifact, row: int, tile: int) -> Picture:
    """A picture shrunk to a tile, with box, points and outline of the crop."""
    scale = tile / max(picture.shape[:2])
    drawn = _fitted(picture, tile)
    size = faces["mask"].shape[1]
    edge = np.array(
        [[-0.5, -0.5], [size - 0.5, -0.5], [size - 0.5, size - 0.5], [-0.5, size - 0.5]]
    )
    _polygon(drawn, transform_points(back, edge) * scale, _CROP)
    quality = faces.quality
    if all(f"box_{side}" in quality for side in _SIDES):
        left, top, right, bottom = (float(quality[f"box_{side}"][row]) for side in _SIDES)
        box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        if np.isfinite(box).all():
            _polygon(drawn, box * scale, _BOX)
    if "landmarks" in faces:
        for x, y in transform_points(back, faces["landmarks"][row]) * scale:
            if np.isfinite([x, y]).all():
                cv2.circle(drawn, (round(x), round(y)), 1, _POINT, -1, cv2.LINE_AA)
    return drawn


def _polygon(drawn: Picture, corners: Points, colour: tuple[int, int, int]) -> None:
    cv2.polylines(drawn, [np.rint(corners).astype(np.int32)], True, colour, 1, cv2.LINE_AA)


def _fitted(picture: Picture, tile: int) -> Picture:
    scale = tile / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(picture, size, interpolation=method), np.uint8)
