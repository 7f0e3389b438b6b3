"""Populations of known truth for interval_coverage.py: people, their sessions, and all scores."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
_CHUNK = 100_000


@dataclass(frozen=True)
class Population:
    """What people and sessions are drawn from.

    Attributes:
        name: for the table.
        shift: effects: how far mated scores lie above others; embeddings: noise of a session.
        embeddings: cosines of person centres plus session noise, or else sums of effects.
    """

    name: str
    shift: float
    embeddings: bool = False

    def scores(self, person: Codes, generator: np.random.Generator) -> Reals:
        """Scores of all sessions against all, shape (N, N); only those above the diagonal count."""
        if self.embeddings:
            unit = self._embed(person, generator)
            return unit @ unit.T
        count, people = len(person), int(person.max()) + 1
        normal = generator.standard_normal
        own = 0.08 * normal(people)
        alike = 0.05 * normal((people, people))
        lamb = 0.03 * normal(people)[person] + 0.02 * normal(count)
        alike = np.triu(alike) + np.triu(alike, 1).T
        noise = 0.06 * normal((count, count))
        nonmated = lamb[:, None] + lamb + alike[np.ix_(person, person)] + noise
        mated = self.shift + own[person][:, None] + noise
        return np.where(person[:, None] == person, mated, nonmated)

    def _embed(self, person: Codes, generator: np.random.Generator) -> Reals:
        people, width = int(person.max()) + 1, 48
        centre = generator.standard_normal((people, width))
        centre[:, 0] *= 2  # some resemble each other more than chance has it
        spread = self.shift * np.exp(0.25 * generator.standard_normal(people))
        noise = generator.standard_normal((len(person), width)) * spread[person, None]
        raw = centre[person] + noise
        return raw / np.linalg.norm(raw, axis=1, keepdims=True)

    def independent(self, chunks: int, seed: int) -> Iterator[tuple[Reals, Reals]]:
        """A mated score of ever new people, and a non-mated one of each against a new one."""
        generator = np.random.default_rng(seed)
        for _ in range(chunks):
            yield self._independent(generator)

    def _independent(self, generator: np.random.Generator) -> tuple[Reals, Reals]:
        if self.embeddings:
            one = self._embed(np.repeat(np.arange(_CHUNK), 2), generator)
            other = self._embed(np.arange(_CHUNK), generator)
            mated = np.einsum("ij,ij->i", one[::2], one[1::2])
            return mated, np.einsum("ij,ij->i", one[::2], other)
        draws = generator.standard_normal((2, _CHUNK))
        total = np.sqrt(2 * 0.03**2 + 2 * 0.02**2 + 0.05**2 + 0.06**2)
        return self.shift + 0.1 * draws[0], total * draws[1]


POPULATIONS = {
    "effects-poor": Population("effects-poor", 0.170),
    "effects-good": Population("effects-good", 0.35),
    "effects-perfect": Population("effects-perfect", 0.487),
    "embeddings-poor": Population("embeddings-poor", 1.7, embeddings=True),
    "embeddings-good": Population("embeddings-good", 1.0, embeddings=True),
    "embeddings-perfect": Population("embeddings-perfect", 0.55, embeddings=True),
}


def sessions(people: int, *, equal: bool) -> Codes:
    """Person of each session: five each, or most with one or two and one with a tenth of all."""
    if equal:
        return np.repeat(np.arange(people), 5)
    pattern = np.array([2, 1, 2, 1, 3, 2, 4, 1, 2, 6])
    counts = np.resize(pattern, people)
    counts[0] = 0
    counts[0] = round(counts.sum() / 9)
    return np.repeat(np.arange(people), counts)
