"""Spectacles before a face: the shadow of the frame, and what the lenses do to the picture."""

from typing import Any

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.light import Flashes, arrivals, cosines, glossy
from fr3d.synthesis.render import SAMPLES, SCALE, Canvas
from fr3d.synthesis.spectacles import frame_triangles, lens_triangles

# How sharply a lens mirrors.
LENS_ROUGH = 0.025
# The frame shades what lies deeper than this behind it, samples.
CLEARANCE = 1.0
# Flashes lower than this over the picture's plane throw no shadow of the frame on the face.
LOWEST = 0.1


class Eyewear:
    """The spectacles of those sessions of a batch that have any.

    Args:
        canvas: what the camera sees of all heads, frames included.
        sessions: an index into the batch: which D of them wear spectacles.
        flashes: of all sessions.
        frame: (B, F, 3), vertices in pixels from the centre, y up.
        lenses: (B, G, 3).
        clear: (B,), share of light that one passage leaves.
        mirror: (B,), share that a lens mirrors straight on.
    """

    def __init__(
        self,
        canvas: Canvas,
        sessions: Any,
        flashes: Flashes,
        frame: Array,
        lenses: Array,
        clear: Array,
        mirror: Array,
    ) -> None:
        self.canvas, self.sessions, self.flashes = canvas, sessions, flashes.of(sessions)
        self.frame, self.lenses, self.clear = frame[sessions], lenses[sessions], clear[sessions]
        self.mirror, engine = mirror[sessions], canvas.engine
        panes, placed = engine.whole(lens_triangles()), canvas.samples_of(self.lenses)
        self.seen = engine.see(placed, panes, canvas.fine, both_sides=True)
        self.normal = self._unit(engine.at(engine.corner_normals(self.lenses, panes), self.seen))
        xp = namespace(lenses)
        nearer = ~(self.seen.depth <= canvas.seen.depth[sessions]) & self.seen.covered
        self.before = xp.where(nearer, 1.0, 0.0)

    def passed(self, where: Array) -> Array:
        """Share of each flash (D, L, P) that the frames let through to points.

        Frame and points are thrown along the light onto the picture's plane; what is then covered
        by a part of the frame that lies before it is in shadow.

        Args:
            where: (B, 3, P), the visible points of all sessions, pixels from the centre.
        """
        xp, canvas = namespace(where), self.canvas
        x, y, z = (where[self.sessions][:, k] for k in range(3))
        frame = xp.stack(_throw(self.flashes, *(self.frame[..., k] for k in range(3))), -1)
        places = xp.stack(_throw(self.flashes, x, y, z)[:2], 2)
        middle, scale = canvas.engine.array(canvas.middle[:2]), canvas.engine.array(SCALE[:2])
        hidden = canvas.engine.veiled(
            canvas.samples_of(frame),
            canvas.engine.whole(frame_triangles()),
            canvas.fine,
            places * scale[:, None] + middle[:, None],
            SAMPLES * z + CLEARANCE,
        )
        high = xp.where(self.flashes.directions[..., 2] > LOWEST, 1.0, 0.0)
        return 1 - hidden * high[..., None]

    def look_through(self, laid: Array) -> Array:
        """Dim what lies behind lenses, and add the flashes that they mirror.

        Args:
            laid: (D, L, C, H, W), samples without lenses.
        """
        engine, xp = self.canvas.engine, namespace(laid)
        # In through the lens and out again.
        dimmed = 1 - self.before * (1 - (self.clear * self.clear)[:, None, None])
        towards, strength = arrivals(self.flashes, engine.at(self.lenses, self.seen))
        cosine = xp.clip(cosines(self.normal, towards), 0.0, None)
        gloss = self.mirror[:, None] + 0 * self.normal[:, 0]
        shine = glossy(self.normal, towards, cosine, gloss, LENS_ROUGH + 0 * gloss) * strength
        glint = engine.picture(shine, self.seen) * self.before[:, None]
        return laid * dimmed[:, None, None] + glint[:, :, None]

    def _unit(self, vectors: Array) -> Array:
        xp = namespace(vectors)
        length = xp.sqrt((vectors * vectors).sum(1))[:, None]
        # Both sides of a lens mirror: its normal is the one that faces the camera.
        facing = xp.where(vectors[:, 2:] < 0, -1.0, 1.0)
        return vectors * facing / (length + (length == 0))


def _throw(flashes: Flashes, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    """Move points (D, N) along the rays of lights onto the plane z = 0, keeping their depth.

    Returns:
        (D, L, N) each.
    """
    xp = namespace(x)
    x, y, z = x[:, None], y[:, None], z[:, None]
    if flashes.positions is None:
        right, up, ahead = (flashes.directions[..., k, None] for k in range(3))
        ahead = xp.clip(ahead, LOWEST, None)
        x, y = x - z * (right / ahead), y - z * (up / ahead)
    else:
        right, up, ahead = (flashes.positions[..., k, None] for k in range(3))
        share = ahead / xp.clip(ahead - z, 1.0, None)
        x, y = right + (x - right) * share, up + (y - up) * share
    return x, y, z + 0 * x
