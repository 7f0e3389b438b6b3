"""Capture sessions: drawn, shaped, placed, lit and photographed."""

from collections.abc import Sequence

from fr3d.synthesis.engine import Engine, engine_for
from fr3d.synthesis.figure import build
from fr3d.synthesis.identity import Identity
from fr3d.synthesis.session import Session
from fr3d.synthesis.studio import Shot, Studio, draw
from fr3d.synthesis.take import Take

# Up to this size two subdivisions leave triangles of about a sample.
COARSE_SIZE = 300


def photograph(engine: Engine, shots: Sequence[Shot], studio: Studio) -> list[Session]:
    """Take the photographs of a batch of sessions.

    Args:
        engine: where they are computed.
        shots: what was drawn; a session does not depend on the others.
        studio: how they are taken.
    """
    levels = 2 if studio.size <= COARSE_SIZE else 3
    people = [(shot.identity.complexion, shot.appearance) for shot in shots]
    return Take(engine, shots, studio, build(engine, people, levels), levels).sessions()


def capture(identity: Identity, seed: int, person: int, number: int, studio: Studio) -> Session:
    """Photograph a person once, on the CPU.

    Args:
        identity: who.
        seed: of the whole data set.
        person: number of the person, from 0.
        number: number of the session, from 0.
        studio: how it is taken.
    """
    shot = draw(identity, seed, person, number, studio)
    return photograph(engine_for("cpu"), [shot], studio)[0]
