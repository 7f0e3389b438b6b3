"""Search against a brute-force oracle; calibrated thresholds against simulated strangers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.errors import MalformedInputError, UsageError
from fr3d.gallery.calibration import people_needed, smallest_rate, threshold_at
from fr3d.gallery.index import build_index, load_index
from fr3d.gallery.search import decide, search
from fr3d.gallery.templates import STRATEGIES, Sessions, check_sessions, make_templates


def _sessions(rng: np.random.Generator, people: int, most: int = 4, size: int = 8) -> Sessions:
    who = [f"p{i:03d}" for i in range(people) for _ in range(rng.integers(1, most + 1))]
    embedding = rng.normal(size=(len(who), size)).astype(np.float32) * rng.uniform(1, 9)
    which = [str(i) for i in range(len(who))]
    return Sessions(tuple(who), tuple(which), embedding, np.linalg.norm(embedding, axis=1))


def _oracle(sessions: Sessions, strategy: str, probe: np.ndarray) -> list[tuple[str, float]]:
    """People and scores, sorted, by loops over single vectors."""
    scores = {}
    for who in sessions.people:
        rows = [i for i, s in enumerate(sessions.subject_id) if s == who]
        vectors = [sessions.embedding[i].astype(float) for i in rows]
        if strategy == "mean":
            vectors = [sum(v / math.hypot(*v) for v in vectors)]
        if strategy == "weighted":
            vectors = [sum(vectors)]
        cosines = [float(v @ probe) / math.hypot(*v) / math.hypot(*probe) for v in vectors]
        scores[who] = max(cosines)
    return sorted(scores.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), people=st.integers(1, 12), top_k=st.integers(1, 15))
def test_search_is_brute_force(strategy: str, seed: int, people: int, top_k: int) -> None:
    rng = np.random.default_rng(seed)
    sessions = _sessions(rng, people)
    templates = make_templates(sessions, strategy)
    probes = rng.normal(size=(3, 8)).astype(np.float32)
    found = search(templates, load_index(build_index(templates)), probes, top_k)
    for probe, candidates in zip(probes, found, strict=True):
        expected = _oracle(sessions, strategy, probe.astype(float))
        assert [c.subject_id for c in candidates] == [who for who, _ in expected[:top_k]]
        assert [c.rank for c in candidates] == list(range(1, min(top_k, people) + 1))
        scores = [score for _, score in expected]
        np.testing.assert_allclose([c.score for c in candidates], scores[:top_k], atol=2e-7)
        for place, candidate in enumerate(candidates):
            if place + 1 < people:
                assert candidate.margin == pytest.approx(
                    scores[place] - scores[place + 1], abs=5e-7
                )
            else:
                assert candidate.margin is None


def test_one_person_with_very_many_sessions_hides_nobody() -> None:
    rng = np.random.default_rng(0)
    probe = rng.normal(size=(1, 8)).astype(np.float32)
    crowd = probe + 0.01 * rng.normal(size=(500, 8)).astype(np.float32)
    embedding = np.concatenate([crowd, -probe]).astype(np.float32)
    who = ("crowd",) * 500 + ("far",)
    sessions = Sessions(who, tuple(map(str, range(501))), embedding, np.ones(501, np.float32))
    templates = make_templates(sessions, "each")
    (candidates,) = search(templates, load_index(build_index(templates)), probe, 2)
    assert [c.subject_id for c in candidates] == ["crowd", "far"]
    assert candidates[0].margin == pytest.approx(2, abs=1e-3)


def test_scores_do_not_depend_on_how_many_probes_are_searched() -> None:
    rng = np.random.default_rng(1)
    templates = make_templates(_sessions(rng, 40, size=64), "mean")
    index = load_index(build_index(templates))
    probes = rng.normal(size=(50, 64)).astype(np.float32)
    together = search(templates, index, probes, 3)
    alone = [search(templates, index, probe[None], 3)[0] for probe in probes]
    assert together == alone


def test_scale_of_a_probe_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    templates = make_templates(_sessions(rng, 5), "mean")
    index = load_index(build_index(templates))
    probe = rng.normal(size=(1, 8)).astype(np.float32)
    (one,), (other,) = (search(templates, index, probe * s, 5) for s in (1, 1024))
    assert one == other


def test_decision_at_and_below_the_threshold() -> None:
    templates = make_templates(_sessions(np.random.default_rng(3), 3), "mean")
    (candidates,) = search(
        templates, load_index(build_index(templates)), templates.vector[:1].copy(), 1
    )
    score = candidates[0].score
    assert decide(candidates, score) == "p000"
    assert decide(candidates, np.nextafter(score, 2)) == "unknown"


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_probes_that_are_no_embeddings_are_refused(value: float) -> None:
    templates = make_templates(_sessions(np.random.default_rng(4), 3), "mean")
    probe = np.full((1, 8), value, np.float32)
    with pytest.raises(MalformedInputError, match="not finite, or is zero"):
        search(templates, load_index(build_index(templates)), probe)


def test_probes_of_another_length_are_refused() -> None:
    templates = make_templates(_sessions(np.random.default_rng(4), 3), "mean")
    with pytest.raises(MalformedInputError, match="length 5"):
        search(templates, load_index(build_index(templates)), np.ones((1, 5), np.float32))


@pytest.mark.parametrize(
    ("people", "sessions", "message"),
    [
        (("a", "b"), ("1", "1"), None),
        (("a", "a"), ("1", "1"), "a/1 stands there twice"),
        (("a", "unknown"), ("1", "2"), "'unknown'"),
        (("a", ""), ("1", "2"), "no name"),
    ],
)
def test_who_may_be_enrolled(people: tuple, sessions: tuple, message: str | None) -> None:
    given = Sessions(people, sessions, np.eye(2, dtype=np.float32), np.ones(2, np.float32))
    if message is None:
        check_sessions(given, "gallery")
        return
    with pytest.raises(MalformedInputError, match=message):
        check_sessions(given, "gallery")


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_sessions_that_are_no_embeddings_are_refused(value: float) -> None:
    embedding = np.eye(2, dtype=np.float32)
    embedding[1] = value
    given = Sessions(("a", "b"), ("1", "1"), embedding, np.ones(2, np.float32))
    with pytest.raises(MalformedInputError, match="embedding 1 is not finite"):
        check_sessions(given, "gallery")


# --- calibration -------------------------------------------------------------------------------


def test_threshold_by_hand() -> None:
    scores = np.array([0.1, 0.5, 0.3, 0.9])
    people = ["a", "b", "c", "d"]
    # 4 people resolve 1/5; for 0.4 the third smallest of them is enough: 3/5 >= 0.6
    assert threshold_at(scores, people, 0.2) == pytest.approx(0.9, abs=1e-6)
    assert threshold_at(scores, people, 0.2) > 0.9
    assert threshold_at(scores, people, 0.4) == pytest.approx(0.5, abs=1e-6)
    assert threshold_at(scores, people, 0.6) == pytest.approx(0.3, abs=1e-6)


def test_a_person_counts_once_however_many_sessions() -> None:
    people = ["a", "b", "c", "d"]
    scores = np.array([0.1, 0.5, 0.3, 0.9])
    many = [*people, *(["a"] * 99)]
    repeated = np.concatenate([scores, np.full(99, 0.1)])
    for fpir in (0.2, 0.4, 0.6):
        assert threshold_at(repeated, many, fpir) == threshold_at(scores, people, fpir)


@settings(max_examples=50, deadline=None)
@given(people=st.integers(1, 300))
def test_smallest_rate_is_resolved_and_below_it_is_not(people: int) -> None:
    rate = smallest_rate(people)
    assert people_needed(rate) == people
    names = [str(i) for i in range(people)]
    scores = np.linspace(0, 1, people)
    assert threshold_at(scores, names, rate) > scores.max()
    with pytest.raises(MalformedInputError, match="cannot resolve"):
        threshold_at(scores, names, rate * 0.99)


def test_unresolvable_rate_names_the_smallest_that_is() -> None:
    with pytest.raises(MalformedInputError) as caught:
        threshold_at(np.linspace(0, 1, 9), list("abcdefghi"), 0.01)
    assert caught.value.message.startswith(
        "gallery: 9 calibration people cannot resolve an FPIR of 0.01"
    )
    assert "takes 99" in caught.value.message
    assert "--fpir 0.1;" in caught.value.hint


@pytest.mark.parametrize("fpir", [0.0, 1.0, -0.1, math.nan])
def test_rates_that_are_none(fpir: float) -> None:
    with pytest.raises(UsageError):
        threshold_at(np.linspace(0, 1, 9), list("abcdefghi"), fpir)


@pytest.mark.parametrize(
    ("people", "fpir", "sessions"), [(9, 0.1, 1), (19, 0.1, 6), (40, 0.05, 4), (12, 0.25, 8)]
)
def test_strangers_are_named_no_more_often_than_promised(
    people: int, fpir: float, sessions: int
) -> None:
    """Mean over many calibrations; strong differences between people, uneven session counts."""
    rng = np.random.default_rng(people)
    trials, named = 4000, 0
    for _ in range(trials):
        counts = rng.integers(1, sessions + 1, people)
        who = np.repeat(np.arange(people), counts).astype(str)
        person = rng.normal(size=people)
        scores = np.repeat(person, counts) + 0.7 * rng.normal(size=len(who))
        stranger = rng.normal() + 0.7 * rng.normal()
        named += stranger >= threshold_at(scores, list(who), fpir)
    error = math.sqrt(fpir * (1 - fpir) / trials)
    assert named / trials <= fpir + 3 * error
    assert named / trials >= fpir - 1 / (people + 1) - 3 * error  # not merely refusing everybody


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_promise_holds_through_the_search(strategy: str) -> None:
    """The same with embeddings, templates and the index, over new galleries and strangers."""
    rng = np.random.default_rng(5)
    named, searched = 0, 0
    for _ in range(150):
        templates = make_templates(_sessions(rng, 15), strategy)
        index = load_index(build_index(templates))
        strangers = _sessions(rng, 19)
        found = search(templates, index, strangers.embedding)
        scores = np.array([candidates[0].score for candidates in found])
        limit = threshold_at(scores, strangers.subject_id, 0.1)
        new = rng.normal(size=(20, 8)).astype(np.float32)
        named += sum(decide(c, limit) != "unknown" for c in search(templates, index, new))
        searched += 20
    assert 0.06 < named / searched < 0.115
