"""One head, matte and bare of spectacles, placed before the camera as the caller wants it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array
from fr3d.synthesis.appearance import Appearance
from fr3d.synthesis.beard import Beard
from fr3d.synthesis.complexion import GREY, Complexion
from fr3d.synthesis.engine import Engine, Seen, engine_for
from fr3d.synthesis.figure import Figures, build, turn
from fr3d.synthesis.hair import NOWHERE, HairStyle
from fr3d.synthesis.identity import Identity
from fr3d.synthesis.paint import paint
from fr3d.synthesis.pose import Pose
from fr3d.synthesis.render import Mesh, View, render
from fr3d.synthesis.topology import Topology, points_of, topology

FloatArray = npt.NDArray[np.float64]

LEVELS = 2
SHAVED = Beard("none", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def at_rest(identity: Identity) -> Appearance:
    """A person without expression, turned to the camera, hair lying flat."""
    return Appearance(
        features=identity.features,
        changing=identity.build_on(0.0, 0.0),
        emotion="blankstare",
        pose=Pose(0.0, 0.0, 0.0),
        hair=flat(identity.hair),
        beard=SHAVED,
        spectacles=None,
        gaze=np.array([0.0, 0.0, 1.0]),
    )


def flat(hair: HairStyle) -> HairStyle:
    """Hair so short that it has no height."""
    return replace(hair, cut="cropped", top=0.0, side=0.0, fringe=0.0, length=0.0, bare=NOWHERE)


def portray(
    complexion: Complexion,
    seen: Appearance,
    place: Callable[[FloatArray], FloatArray],
    lights: FloatArray,
    size: tuple[int, int],
    margin: int = 0,
) -> tuple[View, FloatArray]:
    """Render a head under distant point lights.

    Args:
        complexion: what skin and hair reflect.
        seen: the appearance; its pose is applied, its spectacles are not.
        place: from points (N, 3) in decimetres, the origin between the eyes, to pixels from the
            centre of the picture, y up.
        lights: (L, 3), unit vectors towards the lights.
        size: height and width in pixels.
        margin: pixels around the picture in which a surface still casts shadows into it.

    Returns:
        What the camera sees, and Photoface's landmarks (11, 3), placed.
    """
    engine = engine_for("cpu")
    common = topology(engine, LEVELS)
    figures = build(engine, [(complexion, replace(seen, spectacles=None))], LEVELS)
    rotation = seen.pose.matrix()[None]
    points = place(turn(figures.vertices, common.follow, rotation)[0])
    landmarks = place(turn(figures.landmarks, np.ones(1), rotation)[0])
    shade = _Shade(engine, common, figures)
    return render(Mesh(points, common.triangles), shade, lights, size, margin), landmarks


class _Shade:
    """Grey reflectance of visible points."""

    def __init__(self, engine: Engine, common: Topology, figures: Figures) -> None:
        self.engine, self.common, self.figures = engine, common, figures

    def __call__(self, seen: Seen) -> Array:
        columns = self.engine.at(self.common.table, seen)
        points = points_of(columns, self.engine.at(self.figures.mottling, seen))
        albedo = paint(self.figures.looks, points).albedo
        return albedo[:, 0] * GREY[0] + albedo[:, 1] * GREY[1] + albedo[:, 2] * GREY[2]
