"""Batches of P people with K sessions each, the same for a seed whatever ran before."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fr3d.errors import UsageError


class PeopleSampler:
    """P x K batches; every epoch shows every person and, as far as it fits, every session.

    A person's sessions are dealt out in groups of K without repetition; the last group is topped
    up with other sessions of the same person, and a session occurs twice in a batch only where a
    person has fewer than K. A person with very many sessions gets at most one group a batch, so
    one epoch may show a part of them, and the next one another. An epoch depends on seed and
    number alone: to resume, ask for the same epoch and skip the batches done.

    Args:
        labels: (N,) person of each session, 0-based.
        people: P, people a batch; fewer where there are fewer.
        per_person: K, sessions of each.
        seed: source of the shuffling.
    """

    def __init__(
        self, labels: Sequence[int] | NDArray[np.int64], people: int, per_person: int, seed: int
    ) -> None:
        self._sessions = _sessions_by_person(np.asarray(labels, dtype=np.int64))
        if people < 2 or per_person < 1:
            raise UsageError(f"batches of {people} x {per_person}, expected 2 x 1 or more")
        if len(self._sessions) < 2:
            raise UsageError("one person to train on, expected two or more")
        self.people = min(people, len(self._sessions))
        self.per_person = per_person
        self.seed = seed
        wanted = [-(-len(sessions) // per_person) for sessions in self._sessions]
        self._batches = -(-sum(wanted) // self.people)
        self._groups = [min(count, self._batches) for count in wanted]

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._batches

    def epoch(self, number: int) -> Iterator[list[int]]:
        """Deal the batches of an epoch.

        Args:
            number: the epoch, from 0.

        Returns:
            Lists of P x K indices; sessions of one person stand together.
        """
        rng = np.random.default_rng([self.seed, number])
        order = rng.permutation(len(self._sessions))
        counts = self._fill(rng)
        groups = [group for person in order for group in self._deal(person, counts[person], rng)]
        # A person has at most as many groups as there are batches, and they are consecutive here,
        # so dealing them out like cards never puts one person twice into a batch.
        batches = [groups[start :: self._batches] for start in range(self._batches)]
        for place in rng.permutation(self._batches):
            yield [session for group in batches[place] for session in group]

    def _fill(self, rng: np.random.Generator) -> list[int]:
        """Give the places that are left over to people who still fit."""
        counts = list(self._groups)
        spare = self._batches * self.people - sum(counts)
        while spare:
            fits = [p for p, count in enumerate(counts) if count < self._batches]
            least = min(counts[p] for p in fits)
            open_to = [p for p in fits if counts[p] == least]
            chosen = rng.permutation(open_to)[:spare]
            for person in chosen:
                counts[person] += 1
            spare -= len(chosen)
        return counts

    def _deal(self, person: int, count: int, rng: np.random.Generator) -> list[list[int]]:
        """Cut a person's shuffled sessions into groups of K."""
        sessions = self._sessions[person]
        size = self.per_person
        groups: list[list[int]] = []
        deck: list[int] = []
        for _ in range(count):
            group = deck[:size]
            deck = deck[size:]
            if len(group) < size:
                deck = [int(s) for s in rng.permutation(sessions)]
                fresh = [s for s in deck if s not in group][: size - len(group)]
                group, deck = group + fresh, [s for s in deck if s not in fresh]
            while len(group) < size:
                group += group[: size - len(group)]
            groups.append(group)
        return groups


def _sessions_by_person(labels: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """List the sessions of each person."""
    return [np.flatnonzero(labels == person) for person in range(int(labels.max(initial=-1)) + 1)]
