"""Embeddings of people, without faces or a network."""

import numpy as np

from fr3d.gallery.templates import Sessions

D = 16


def people(names: str, seed: int = 0, sessions: int = 2) -> Sessions:
    """Each person around a direction of its own."""
    who = tuple(name for name in names for _ in range(sessions))
    which = tuple(str(number) for _ in names for number in range(sessions))
    centre = np.array([np.random.default_rng(ord(name)).normal(size=D) for name in who])
    noise = np.random.default_rng(seed).normal(size=(len(who), D))
    embedding = (centre + 0.2 * noise).astype(np.float32)
    return Sessions(who, which, embedding, np.linalg.norm(embedding, axis=1))
