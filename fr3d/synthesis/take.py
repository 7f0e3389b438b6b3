"""A batch of sessions before the camera: placed, lit, exposed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.complexion import GREY
from fr3d.synthesis.engine import Engine, Seen
from fr3d.synthesis.exposing import expose
from fr3d.synthesis.eyewear import Eyewear
from fr3d.synthesis.figure import Figures, turn
from fr3d.synthesis.light import Flashes, arrivals, cosines, glossy
from fr3d.synthesis.paint import paint
from fr3d.synthesis.render import SAMPLES, Canvas
from fr3d.synthesis.rig import RADIUS
from fr3d.synthesis.session import Session, pixels_of
from fr3d.synthesis.studio import MM_PER_UNIT, Shot, Studio
from fr3d.synthesis.topology import points_of, topology


class Take:
    """A batch of sessions before the camera.

    Args:
        engine: where they are computed.
        shots: what was drawn.
        studio: how they are taken.
        figures: the heads, dressed.
        levels: of their subdivision.
    """

    def __init__(
        self,
        engine: Engine,
        shots: Sequence[Shot],
        studio: Studio,
        figures: Figures,
        levels: int,
    ) -> None:
        self.engine, self.shots, self.studio, self.levels = engine, shots, studio, levels
        self.rotation = engine.array([shot.appearance.pose.matrix() for shot in shots])
        common = topology(engine, levels)
        self.points = self._placed(figures.vertices, common.follow)
        self.landmarks = self._placed(figures.landmarks)
        self.canvas = Canvas(
            engine,
            self.points,
            common.triangles,
            (studio.size, studio.size),
            studio.margin,
            int(np.ceil(studio.reach)) + 1,
        )
        self.flashes = self._flashes()
        self.eyewear = None
        if figures.dressed.any():
            (dressed,) = np.nonzero(figures.dressed)
            self.eyewear = Eyewear(
                self.canvas,
                slice(None) if figures.dressed.all() else engine.whole(dressed),
                self.flashes,
                frame=self.points[:, common.head : common.head + common.frame],
                lenses=self._placed(figures.lenses),
                clear=engine.array(figures.clear),
                mirror=engine.array(figures.mirror),
            )
        seen = self.canvas.seen
        points = points_of(engine.at(common.table, seen), engine.at(figures.mottling, seen))
        self.paint = paint(figures.looks, points)
        self.albedo = self._grey(self.paint.albedo)

    def _placed(self, points: Array, follow: Array | None = None) -> Array:
        """Turn points of heads and lay them before the camera, in pixels."""
        follow = self.engine.array(1.0) if follow is None else follow
        turned = turn(points, follow, self.rotation)
        scale = self.engine.array([shot.scale for shot in self.shots])[:, None, None]
        middle = self.engine.array([[*shot.middle, 0.0] for shot in self.shots])[:, None]
        return turned * scale + middle

    def _flashes(self) -> Flashes:
        directions = np.stack([shot.lights.directions for shot in self.shots])
        positions, distance = None, self.studio.rig.distance_mm
        if distance is not None:
            # The rig stands before the camera, wherever the person stands.
            pixels = distance / MM_PER_UNIT * np.array([shot.scale for shot in self.shots])
            positions = directions * pixels[:, None, None]
        return Flashes(
            directions=self.engine.array(directions),
            positions=None if positions is None else self.engine.array(positions),
            intensity=self.engine.array([shot.lights.intensity for shot in self.shots]),
            radius=RADIUS,
        )

    def _where(self) -> Array | None:
        """The visible points (B, 3, P) in pixels from the centre, if anything asks for them."""
        if self.eyewear is None and self.flashes.positions is None:
            return None
        return self.engine.at(self.points, self.canvas.seen)

    def _reached(self, where: Array | None) -> Array:
        """Share of each flash that reaches the visible points, (B, L, P)."""
        if self.eyewear is None or where is None:
            return self._arrived(self.canvas.seen)
        # As part of the height field, a frame would reach down to the face and shade like a wall.
        engine, canvas, xp = self.engine, self.canvas, namespace(where)
        dressed, depth = self.eyewear.sessions, canvas.seen.depth + 0.0
        placed, border = canvas.samples_of(self.points[dressed]), max(canvas.fine)
        bare = topology(engine, self.levels).bare
        depth[dressed] = engine.see(placed, bare, canvas.fine, border=border).depth
        reached = self._arrived(replace(canvas.seen, depth=depth))
        beside = xp.isnan(engine.points_of(depth, canvas.seen))
        reached = xp.where(beside[:, None], 1.0, reached)
        reached[dressed] = reached[dressed] * self.eyewear.passed(where)
        return reached

    def _arrived(self, seen: Seen) -> Array:
        """Share of each flash that the heads let through to the visible points, (B, L, P)."""
        engine = self.engine
        if self.flashes.positions is None:
            return engine.distant_light(seen, self.flashes.directions, self.flashes.radius)
        places = self.canvas.samples_of(self.flashes.positions)
        distance = (self.studio.rig.distance_mm or 0.0) / MM_PER_UNIT * self.studio.scale
        return engine.near_light(seen, places, RADIUS * distance * SAMPLES)

    def _radiance(self, lit: Array, towards: Array, strength: Array, cosine: Array) -> Array:
        """Light of each flash from the visible points to the camera, (B, L, C, H, W) samples."""
        shine = glossy(self.canvas.normal, towards, cosine, self.paint.gloss, self.paint.rough)
        arriving, mirrored = strength * lit * cosine, strength * lit * shine
        radiance = arriving[:, :, None] * self.albedo[:, None] + mirrored[:, :, None]
        laid = self.engine.picture(radiance, self.canvas.seen)
        if self.eyewear is not None:
            dressed = self.eyewear.sessions
            laid[dressed] = self.eyewear.look_through(laid[dressed])
        return laid

    def _grey(self, albedo: Array) -> Array:
        """Reflectance of the visible points (B, C, P): red, green and blue, or grey."""
        if self.studio.sensor.colour:
            return albedo
        return (albedo[:, 0] * GREY[0] + albedo[:, 1] * GREY[1] + albedo[:, 2] * GREY[2])[:, None]

    def sessions(self) -> list[Session]:
        """Photographs and true maps of the batch."""
        canvas, xp = self.canvas, namespace(self.points)
        where = self._where()
        towards, strength = arrivals(self.flashes, canvas.normal if where is None else where)
        cosine = xp.clip(cosines(canvas.normal, towards), 0.0, None)
        lit = self._reached(where) * xp.where(cosine > 0, 1.0, 0.0)
        radiance = self._radiance(lit, towards, strength, cosine)
        images = expose(canvas, radiance, self.albedo, self.shots, self.studio)
        found = self._maps() | {"lit": canvas.picture(lit), "images": images}
        found["landmarks"] = self.landmarks
        arrays = {name: self.engine.numpy(values) for name, values in found.items()}
        return [self._session(number, arrays) for number in range(len(self.shots))]

    def _maps(self) -> dict[str, Array]:
        """Mask, normals, reflectance and depth; colours and axes come last."""
        canvas, xp = self.canvas, namespace(self.points)
        mask = canvas.mask()
        normal = canvas.picture(canvas.normal)
        normal = normal / (xp.sqrt((normal * normal).sum(1))[:, None] + 1e-12)
        return {
            "mask": mask,
            "normal": xp.moveaxis(normal * mask[:, None], 1, -1),
            "albedo": xp.moveaxis(canvas.picture(self.albedo) * mask[:, None], 1, -1),
            "depth": xp.where(mask, canvas.depth(), float("nan")),
        }

    def _session(self, number: int, arrays: dict[str, npt.NDArray[Any]]) -> Session:
        shot, studio = self.shots[number], self.studio
        images = np.moveaxis(arrays["images"][number], 1, -1).astype(studio.sensor.kind)
        albedo = arrays["albedo"][number]
        if not studio.sensor.colour:
            images, albedo = images[..., 0], albedo[..., 0]
        return Session(
            mask=arrays["mask"][number],
            normal=arrays["normal"][number],
            albedo=albedo,
            depth=arrays["depth"][number],
            lit=arrays["lit"][number],
            images=images,
            shift=shot.shift / SAMPLES,
            landmarks=pixels_of(arrays["landmarks"][number], (studio.size, studio.size)),
            shot=shot,
            sensor=studio.sensor,
        )
