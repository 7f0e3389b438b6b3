from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.data.sampler import PeopleSampler
from fr3d.errors import UsageError

SESSIONS = st.lists(st.integers(1, 30), min_size=2, max_size=20)


def labels_of(counts):
    return np.repeat(np.arange(len(counts)), counts)


@settings(max_examples=80, deadline=None)
@given(SESSIONS, st.integers(2, 6), st.integers(1, 5), st.integers(0, 9))
def test_every_batch_is_p_people_with_k_sessions(counts, people, per_person, seed):
    labels = labels_of(counts)
    sampler = PeopleSampler(labels, people, per_person, seed)
    batches = list(sampler.epoch(3))
    assert len(batches) == len(sampler)
    for batch in batches:
        shown = Counter(labels[batch])
        assert len(shown) == min(people, len(counts))
        assert set(shown.values()) == {per_person}
        for person in shown:
            distinct = len({i for i in batch if labels[i] == person})
            assert distinct == min(per_person, counts[person])


@settings(max_examples=80, deadline=None)
@given(SESSIONS, st.integers(2, 6), st.integers(1, 5))
def test_an_epoch_shows_everybody(counts, people, per_person):
    labels = labels_of(counts)
    sampler = PeopleSampler(labels, people, per_person, 0)
    seen = Counter(i for batch in sampler.epoch(0) for i in batch)
    assert set(labels[list(seen)]) == set(range(len(counts)))
    for person, count in enumerate(counts):
        if -(-count // per_person) <= len(sampler):
            assert sum(labels[i] == person for i in seen) == count


def test_one_person_with_many_sessions_does_not_fill_the_batches():
    counts = [274] + [4] * 11
    sampler = PeopleSampler(labels_of(counts), 4, 4, 0)
    shown = Counter(i for batch in sampler.epoch(0) for i in batch)
    assert sum(n for i, n in shown.items() if i < 274) <= len(sampler) * 4
    later = {i for epoch in range(40) for batch in sampler.epoch(epoch) for i in batch}
    assert later == set(range(sum(counts)))


def test_epochs_depend_on_seed_and_number_alone():
    labels = labels_of([6] * 9)
    first = list(PeopleSampler(labels, 4, 3, 5).epoch(2))
    sampler = PeopleSampler(labels, 4, 3, 5)
    list(sampler.epoch(0))
    np.random.default_rng(0)
    assert list(sampler.epoch(2)) == first
    assert list(sampler.epoch(3)) != first
    assert list(PeopleSampler(labels, 4, 3, 6).epoch(2)) != first


def test_nonsense_is_refused():
    with pytest.raises(UsageError, match="one person"):
        PeopleSampler([0, 0], 2, 2, 0)
    with pytest.raises(UsageError, match="1 x 4"):
        PeopleSampler([0, 1], 1, 4, 0)
