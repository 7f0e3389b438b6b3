"""Photographs of a ball, one a light, in a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np

from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.photometric.calibration.ball import Ball, ball_of_mask, find_ball
from fr3d.photometric.calibration.outline import better_outline
from fr3d.photometric.capture import numeric_order
from fr3d.photometric.image_header import SUFFIXES
from fr3d.photometric.photograph import Photograph, decode
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import LINEAR, Transfer


@dataclass(frozen=True)
class BallFolder:
    """What lies in a folder of photographs of a ball.

    Attributes:
        path: the folder.
        photographs: one a light, in numeric order.
        mask: white on the ball; None where there is none.
    """

    path: Path
    photographs: tuple[Path, ...]
    mask: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that is read."""
        return self.photographs + ((self.mask,) if self.mask else ())


def list_folder(folder: Path, mask: Path | None = None) -> BallFolder:
    """List the photographs of a ball in numeric order, `im2` before `im10`.

    A picture with `mask` in its name is the ball's mask, unless another is given.

    Args:
        folder: where the photographs lie.
        mask: the mask, when it is named otherwise or lies elsewhere.
    """
    if not folder.is_dir():
        raise MissingInputError(
            f"{folder}: {'not a folder' if folder.exists() else 'no such folder'}",
            "give the folder that holds the photographs of the ball",
        )
    if mask is not None and not mask.is_file():
        raise MissingInputError(f"{mask}: no such file", "give the picture of the mask")
    pictures = sorted(
        (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != "."),
        key=numeric_order,
    )
    masks = [p for p in pictures if "mask" in p.stem.lower()]
    if len(masks) > 1 and mask is None:
        raise MalformedInputError(
            f"{folder}: {masks[0].name} and {masks[1].name}: found both, expected one mask",
            "say which with --mask",
        )
    same = mask.resolve() if mask is not None else None
    photographs = tuple(p for p in pictures if p not in masks and p.resolve() != same)
    if not photographs:
        raise MalformedInputError(
            f"{folder}: found no photographs", "a folder of session folders needs --rig"
        )
    return BallFolder(folder, photographs, mask or (masks[0] if masks else None))


def read_photographs(folder: BallFolder) -> Iterator[Photograph]:
    """Decode a folder's photographs one by one; all must have one size.

    Args:
        folder: what lies in it.
    """
    size = None
    for path in folder.photographs:
        photograph = read(path)
        size = size or photograph.levels.shape[:2]
        if photograph.levels.shape[:2] != size:
            raise MalformedInputError(
                f"{path.name}: found {_size(photograph.levels.shape)} pixels, expected "
                f"{_size(size)} as {folder.photographs[0].name}"
            )
        yield photograph


def locate_ball(folder: BallFolder, transfer: Transfer) -> Ball:
    """Tell where the ball is: from its mask, else from the photographs.

    Args:
        folder: what lies in it.
        transfer: how stored values become light.
    """
    if folder.mask is None:
        lights = (photograph.light(transfer) for photograph in read_photographs(folder))
        return find_ball(reduce(np.maximum, lights), str(folder.path))
    mask = read(folder.mask)
    first = read(folder.photographs[0])
    if mask.levels.shape[:2] != first.levels.shape[:2]:
        raise MalformedInputError(
            f"{folder.mask.name}: found {_size(mask.levels.shape)} pixels, expected "
            f"{_size(first.levels.shape)} as {folder.photographs[0].name}"
        )
    return ball_of_mask(mask.light(LINEAR) > 0.5, folder.mask.name)


def misfit(folder: BallFolder, ball: Ball, transfer: Transfer) -> str:
    """Why the mask may not be that of this ball, in words; empty where nothing speaks against it.

    Args:
        folder: what lies in it.
        ball: the mask's disc.
        transfer: how stored values become light.
    """
    if folder.mask is None:
        return ""
    lights = (photograph.light(transfer) for photograph in read_photographs(folder))
    mean = reduce(np.add, lights) / np.float32(len(folder.photographs))
    better = better_outline(mean, ball)
    if better is None:
        return ""
    return (
        f"{folder.mask.name}: its disc ({_circle(ball)}) does not lie on the ball's outline, which "
        f"is about {_circle(better)}: directions would be wrong"
    )


def _circle(ball: Ball) -> str:
    return f"radius {ball.radius:.0f} around {ball.x:.0f},{ball.y:.0f}"


def read(path: Path) -> Photograph:
    """Read and decode one picture."""
    return decode(SourceFiles().read(path), path)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
