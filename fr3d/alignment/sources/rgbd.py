"""RGB-D pairs: a photograph, and the depth of each of its pixels beside it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.sources.cameras import Cameras, Pinhole
from fr3d.alignment.sources.depth_files import (
    DEPTH_SUFFIXES,
    MILLIMETRES,
    RAW_SUFFIXES,
    DepthCode,
    read_depth,
)
from fr3d.alignment.sources.files import Reader
from fr3d.alignment.sources.listing import Item, Listing, folders_first, list_items, walk
from fr3d.alignment.sources.map_pictures import look_at_maps
from fr3d.alignment.sources.perspective import orthographic
from fr3d.alignment.sources.photographs import PHOTOGRAPH_SUFFIXES
from fr3d.alignment.sources.pictures import ColourPicture, read_picture
from fr3d.alignment.sources.source import Picture, Placed, Points, Unaligned
from fr3d.alignment.sources.surface import (
    EYES_MM,
    SMOOTHING_MM,
    face_mask,
    height_of_face,
    smoothed_surface,
)
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.resample import moved_origin, needed_window
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import SRGB, Transfer

_ROOM = 0.15
COLOUR, DEPTH = "photograph", "depth"
_WORDS = re.compile(r"(?i)(?<![a-z])(rgb|bgr|colou?r|image|photo|depth|dep|xyz|xy|z|d|c)(?![a-z])")


class RgbdFace(Unaligned):
    """A face in a photograph with depth.

    Args:
        picture: the photograph.
        height: (H, W) towards the camera, mm, NaN where nothing was measured.
        record: columns of its row.
        reader: how it is read.
    """

    landmarks = None
    warp = None

    def __init__(
        self,
        picture: ColourPicture,
        height: npt.NDArray[np.float32],
        record: Mapping[str, Any],
        reader: "RgbdReader",
    ) -> None:
        self._picture, self._height, self.record, self._reader = picture, height, record, reader
        self.height, self.width = picture.shape

    def picture(self, look_at: str) -> Picture:
        """The photograph, or the depth drawn as a shaded surface."""
        if look_at in ("auto", "image"):
            return self._picture.shown()
        if look_at != "depth":
            raise NoFaceError(f"no {look_at} map to look for a face in")
        known = np.isfinite(self._height)
        return look_at_maps(FaceMaps(known, depth=self._height), look_at)

    def placed(self, landmarks: Points, matrix: Points, size: tuple[int, int]) -> Placed:
        """Colour and depth of the part that the new frame shows, depth in its pixels."""
        if not np.isfinite(landmarks[:2]).all():
            raise NoFaceError("where the eyes are decides the scale, and they are not known")
        height = self._height
        middle = height_of_face(height, landmarks)
        scale, assumed = self._scale(landmarks, middle)
        rows, columns = self._window(matrix, size)
        mask = face_mask(height, middle, landmarks)[rows, columns]
        relief = (height[rows, columns] - np.float32(middle)) / np.float32(scale)
        points = (landmarks - [columns.start, rows.start]).astype(np.float32)
        maps = FaceMaps(
            mask=mask,
            depth=np.where(mask, relief, np.float32(np.nan)),
            image=self._picture.light(rows, columns, self._reader.transfer),
            landmarks=points,
        )
        camera = None if assumed else self._camera(rows.start, columns.start)
        if camera is not None:
            maps = orthographic(maps, camera)
        moved = moved_origin(matrix, rows.start, columns.start)
        quality = {"scale_assumed": float(assumed), "nose_mm": self._nose(landmarks)}
        smooth = partial(smoothed_surface, smoothing_mm=self._reader.smoothing_mm)
        return Placed(maps, moved, scale, quality, camera is not None, smooth)

    def _window(self, matrix: Points, size: tuple[int, int]) -> tuple[slice, slice]:
        """What the new frame shows, with room for what perspective moves into it."""
        needed = needed_window(matrix, size, (self.height, self.width))
        if self._reader.cameras is None:
            return needed
        room = [round(_ROOM * (part.stop - part.start)) for part in needed]
        rows, columns = (
            slice(max(part.start - more, 0), min(part.stop + more, length))
            for part, more, length in zip(needed, room, (self.height, self.width), strict=True)
        )
        return rows, columns

    def _camera(self, row: int, column: int) -> Pinhole | None:
        """The colour camera in pixels of a window that begins there."""
        if self._reader.cameras is None:
            return None
        whole = self._reader.cameras.color
        return replace(whole, cx=whole.cx - column, cy=whole.cy - row)

    def _scale(self, landmarks: Points, middle: float) -> tuple[float, bool]:
        """Mm a pixel where the face is, and whether it had to be assumed."""
        if self._reader.cameras is not None and middle < 0:
            return -middle / self._reader.cameras.color.fx, False
        return EYES_MM / float(np.hypot(*(landmarks[1] - landmarks[0]))), True

    def _nose(self, landmarks: Points) -> float:
        """How far the nose stands before eyes and mouth, mm; NaN where unknown."""
        around = [height_or_nan(self._height, landmarks, k) for k in range(5)]
        return around[2] - float(np.mean([*around[:2], *around[3:]]))


@dataclass(frozen=True)
class RgbdReader(Reader):
    """Reads RGB-D pairs.

    Attributes:
        code: how depth files mean depth.
        cameras: of the device; None where depth is registered and the scale is assumed.
        transfer: how levels of the photograph become light.
        smoothing_mm: of the surface.
    """

    code: DepthCode = MILLIMETRES
    cameras: Cameras | None = None
    transfer: Transfer = SRGB
    smoothing_mm: float = SMOOTHING_MM
    kind = "rgbd"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What changes the maps and is not undone: smoothing, transfer, an assumed scale."""
        usual = {} if self.transfer.name == "srgb" else {"transfer": self.transfer.name}
        return {"smoothing_mm": self.smoothing_mm, "scaled": self.cameras is not None, **usual}

    def read(self, item: Item, record: Mapping[str, Any], files: SourceFiles) -> RgbdFace:
        """Read one pair.

        Raises:
            MalformedInputError: depth of another size, and no cameras to tell how it lies.
        """
        missing = {COLOUR, DEPTH} - set(item.files)
        if missing:
            raise MalformedInputError(f"{item.file}: no {min(missing)} beside it")
        picture = read_picture(item.files[COLOUR], files)
        path = item.files[DEPTH]
        own = self.cameras is not None and self.cameras.depth is not None
        stored = read_depth(path, files, None if own else picture.shape)
        height = self.code.towards_camera(stored, path.name)
        if self.cameras is not None and own:
            height = self.cameras.register(height, picture.shape)
        if height.shape != picture.shape:
            raise MalformedInputError(
                f"{path.name}: found depth of {height.shape[1]}x{height.shape[0]} pixels, expected "
                f"{picture.shape[1]}x{picture.shape[0]} as {picture.name}",
                "--intrinsics tells how depth and colour lie to one another",
            )
        return RgbdFace(picture, height, record, self)


def height_or_nan(height: npt.NDArray[np.float32], landmarks: Points, which: int) -> float:
    """Median height around one landmark, NaN where nothing was measured."""
    reach = max(1, round(0.06 * float(np.hypot(*(landmarks[1] - landmarks[0])))))
    x, y = np.rint(landmarks[which]).astype(int)
    patch = height[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
    values = patch[np.isfinite(patch)]
    return float(np.median(values)) if values.size else float("nan")


def list_pairs(root: Path, pattern: re.Pattern[str] | None = None) -> Listing:
    """Find the RGB-D pairs of a folder.

    Photograph and depth lie in one folder and have one name but for words such as `rgb`, `color`,
    `depth`, `xy` and `xyz`.

    Args:
        root: with a folder a person, or with files that are named by people.
        pattern: what tells subject and session from a path instead.

    Raises:
        MissingInputError: there are none.
    """
    paths = walk(root, PHOTOGRAPH_SUFFIXES | DEPTH_SUFFIXES)
    groups = [pair for _, names in folders_first(paths) for pair in _pairs(names)]
    if not any(DEPTH in group for group in groups):
        raise MissingInputError(
            f"{root}: no RGB-D pairs in it", "expected such as 0001_03.png beside 0001_03.npy"
        )
    return list_items(root, groups, pattern)


def _pairs(names: Sequence[Path]) -> list[dict[str, Path]]:
    """Pairs of one folder."""
    by_stem: dict[str, list[Path]] = {}
    for path in names:
        by_stem.setdefault(_bare(path.stem), []).append(path)
    pairs = []
    for paths in by_stem.values():
        depth = [path for path in paths if _is_depth(path)]
        colour = [path for path in paths if path not in depth]
        if len(depth) == 1 and len(colour) == 1:
            pairs.append({COLOUR: colour[0], DEPTH: depth[0]})
        else:  # left out with its reason, not forgotten
            pairs += [{COLOUR: path} for path in colour]
    return pairs


def _bare(stem: str) -> str:
    """A name without the words that tell colour from depth, and without what joined them."""
    return re.sub(r"[_\-. ]+", "_", _WORDS.sub("", stem)).strip("_").lower()


def _is_depth(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix in RAW_SUFFIXES | {".npy", ".exr"}:
        return True
    words = {word.lower() for word in _WORDS.findall(path.stem)}
    return suffix in DEPTH_SUFFIXES and bool(words & {"depth", "dep", "z", "d", "xyz"})
