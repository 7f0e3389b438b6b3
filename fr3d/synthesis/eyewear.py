"""Spectacles before a face: the shadow of the frame, and what the lenses do to the picture."""

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.light import Flashes, arrivals, cosines, glossy
from fr3d.synthesis.render import SAMPLES, Canvas
from fr3d.synthesis.spectacles import frame_triangles, lens_triangles

# What a lens without coating mirrors straight on, and how sharply.
LENS_GLOSS, LENS_ROUGH = 0.04, 0.05
# The frame shades what lies deeper than this behind it, samples.
CLEARANCE = 1.0
# Flashes lower than this over the picture's plane throw no shadow of the frame on the face.
LOWEST = 0.1


class Eyewear:
    """The spectacles of a batch of sessions.

    Args:
        canvas: what the camera sees of the heads, frames included.
        frame: (B, F, 3), vertices in pixels from the centre, y up.
        lenses: (B, G, 3).
        clear: (B,), share of light that one passage leaves.
    """

    def __init__(self, canvas: Canvas, frame: Array, lenses: Array, clear: Array) -> None:
        self.canvas, self.frame, self.clear = canvas, frame, clear
        engine = canvas.engine
        self.triangles = engine.whole(frame_triangles())
        panes = engine.whole(lens_triangles())
        self.lenses = lenses
        self.seen = engine.see(canvas.samples_of(lenses), panes, canvas.fine, both_sides=True)
        self.normal = self._unit(engine.at(engine.corner_normals(lenses, panes), self.seen))
        xp = namespace(lenses)
        nearer = ~(self.seen.depth <= canvas.seen.depth) & self.seen.covered
        self.before = xp.where(nearer, 1.0, 0.0)

    def passed(self, flashes: Flashes, where: Array) -> Array:
        """Share of each flash (B, L, P) that the frame lets through to points.

        Frame and points are thrown along the light onto the picture's plane; what is then covered
        by a part of the frame that lies before it is in shadow.

        Args:
            flashes: of the batch.
            where: (B, 3, P), the visible points, pixels from the centre.
        """
        xp = namespace(where)
        return xp.stack(
            [self._passed(flashes, light, where) for light in range(flashes.directions.shape[1])], 1
        )

    def _passed(self, flashes: Flashes, light: int, where: Array) -> Array:
        engine, canvas = self.canvas.engine, self.canvas
        thrown = canvas.samples_of(_throw(flashes, light, self.frame))
        found = engine.see(thrown, self.triangles, canvas.fine, both_sides=True)
        xp = namespace(where)
        at = canvas.samples_of(_throw(flashes, light, xp.moveaxis(where, 1, -1)))
        left, top = xp.floor(at[..., 0]), xp.floor(at[..., 1])
        right, down = at[..., 0] - left, at[..., 1] - top
        hidden = 0 * right
        for below in (0, 1):
            for beside in (0, 1):
                share = (right if beside else 1 - right) * (down if below else 1 - down)
                depth = engine.lookup(found.depth, top + below, left + beside)
                nearer = depth > SAMPLES * where[:, 2] + CLEARANCE
                hidden = hidden + share * xp.where(nearer, 1.0, 0.0)
        high = flashes.directions[:, light, 2] > LOWEST
        return 1 - hidden * xp.where(high, 1.0, 0.0)[:, None]

    def look_through(self, laid: Array, flashes: Flashes) -> Array:
        """Dim what lies behind lenses, and add the flashes that they mirror.

        Args:
            laid: (B, L, C, H, W), samples without lenses.
            flashes: of the batch.
        """
        engine = self.canvas.engine
        xp = namespace(laid)
        # In through the lens and out again.
        dimmed = 1 - self.before * (1 - (self.clear * self.clear)[:, None, None])
        where = engine.at(self.lenses, self.seen)
        towards, strength = arrivals(flashes, where)
        cosine = xp.clip(cosines(self.normal, towards), 0.0, None)
        gloss = LENS_GLOSS + 0 * where[:, 0]
        shine = glossy(self.normal, towards, cosine, gloss, LENS_ROUGH + 0 * gloss) * strength
        glint = engine.picture(shine, self.seen) * self.before[:, None]
        return laid * dimmed[:, None, None] + glint[:, :, None]

    def _unit(self, vectors: Array) -> Array:
        xp = namespace(vectors)
        length = xp.sqrt((vectors * vectors).sum(1))[:, None]
        # Both sides of a lens mirror: its normal is the one that faces the camera.
        facing = xp.where(vectors[:, 2:] < 0, -1.0, 1.0)
        return vectors * facing / (length + (length == 0))


def _throw(flashes: Flashes, light: int, points: Array) -> Array:
    """Move points (B, N, 3) along a light's rays onto the plane z = 0, keeping their depth."""
    xp = namespace(points)
    if flashes.positions is None:
        towards = flashes.directions[:, light]
        slope = towards[:, None, :2] / xp.clip(towards[:, None, 2:], LOWEST, None)
        flat = points[..., :2] - points[..., 2:] * slope
    else:
        source = flashes.positions[:, light]
        share = source[:, None, 2:] / xp.clip(source[:, None, 2:] - points[..., 2:], 1.0, None)
        flat = source[:, None, :2] + (points[..., :2] - source[:, None, :2]) * share
    return xp.concatenate([flat, points[..., 2:]], -1)

