import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import Reject, write_artifact
from fr3d.errors import MalformedInputError, RequirementNotMetError, UsageError
from fr3d.evaluation.benchmark import run_benchmark, with_required
from fr3d.evaluation.metrics.intervals import draw_people
from fr3d.evaluation.metrics.verification import auc
from fr3d.evaluation.report.document import curve_points, make_report, report_bytes
from fr3d.evaluation.report.page import render_page
from fr3d.evaluation.requirements import check_requirements, parse_requirement
from fr3d.evaluation.settings import Settings, parse_ranks, parse_rates
from fr3d.evaluation.trial import make_trial
from fr3d.gallery.calibration import threshold_at

QUICK = Settings(bootstrap=20)
ABOUT = {
    "partition": "test",
    "model_contract": "abc",
    "inputs": {"<i>embeddings.h5": "0" * 64},
    "seed": 0,
    "parameters": {},
    "leaks_allowed": ["<b>7 people</b>"],
    "history": [{"command": "embed", "arguments": {"a": 1}}],
}


class World:
    """People as directions; sessions scatter around them."""

    def __init__(self, tmp_path, noise=0.5, seed=0):
        self.path, self.generator, self.noise = tmp_path, np.random.default_rng(seed), noise
        self.rows, self.vectors, self.rejected, self.count = [], [], [], 0

    def add(self, person, sessions, partition, role=""):
        own = np.random.default_rng(sum(map(ord, person))).normal(size=16)
        for _ in range(sessions):
            self.count += 1
            self.rows.append((person, f"s{self.count}", partition, role))
            self.vectors.append(own + self.noise * self.generator.normal(size=16))
        return self

    def open(self, drop=()):
        kept = [i for i, row in enumerate(self.rows) if row[:2] not in drop]
        columns = {
            "subject_id": [self.rows[i][0] for i in kept],
            "session_id": [self.rows[i][1] for i in kept],
            "embedding": np.array([self.vectors[i] for i in kept], np.float32),
        }
        path = self.path / "embeddings.h5"
        step = Step("embed")
        rejected = self.rejected
        write_artifact(path, "fr3d.embeddings", columns, step, rejected=rejected, force=True)
        names = ["subject_id", "session_id", "partition", "role"]
        return open_artifact(path, "fr3d.embeddings"), pd.DataFrame(self.rows, columns=names)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    for p in range(12):
        made.add(f"known{p}", 2, "test", "gallery").add(f"known{p}", 3, "test", "probe")
        made.add(f"stranger{p}", 3, "test", "probe")
        made.add(f"calibrator{p}", 2, "calibration", "probe")
    return made


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def slow_search(world, lost=()):
    """Ranks and scores by loops over the people."""
    embeddings, split = world.open()
    place = {key: i for i, key in enumerate(zip(split.subject_id, split.session_id, strict=True))}
    vectors = unit(embeddings["embedding"][:].astype(float))
    gallery = {}
    for row in split[split.role == "gallery"].itertuples():
        gallery.setdefault(row.subject_id, []).append(
            vectors[place[row.subject_id, row.session_id]]
        )
    templates = {who: unit(np.mean(v, axis=0)[None])[0] for who, v in gallery.items()}
    known, unknown = [], []
    for row in split[(split.role == "probe") & (split.partition == "test")].itertuples():
        probe = vectors[place[row.subject_id, row.session_id]]
        score = {who: float(probe @ t) for who, t in templates.items()}
        first = max(score, key=score.get)
        if row.subject_id in templates:
            known.append((first == row.subject_id, score[row.subject_id]))
        else:
            unknown.append(score[first])
    return known, unknown


def test_identification_against_loops(world):
    known, unknown = slow_search(world)
    results = run_benchmark(make_trial(*world.open(), "test"), QUICK).results
    assert results.closed_set.probes == len(known) == 36
    assert results.closed_set.rank[1].value == pytest.approx(np.mean([hit for hit, _ in known]))
    point = results.open_set.points[0]
    assert point.target == 0.1
    assert point.resolvable  # twelve strangers
    alarms = np.mean(np.array(unknown) >= point.threshold)
    assert point.false_positive.value == pytest.approx(alarms)
    assert alarms <= 0.1
    hits = np.mean([hit and score >= point.threshold for hit, score in known])
    assert point.true_positive.value == pytest.approx(hits)
    assert not results.open_set.points[2].resolvable


def test_calibrated_thresholds_are_those_of_a_gallery(world):
    trial = make_trial(*world.open(), "test")
    point = run_benchmark(trial, QUICK).results.open_set.calibrated[0]
    templates = unit(trial.templates.vector.astype(float))
    best = (unit(trial.calibration.embedding.astype(float)) @ templates.T).max(axis=1)
    expected = threshold_at(best.astype(np.float32), trial.calibration.subject_id, 0.1)
    assert point.threshold == pytest.approx(expected, abs=1e-6)
    _, unknown = slow_search(world)
    assert point.false_positive.value == np.mean(np.array(unknown) >= point.threshold)


def test_captures_that_failed_are_misses_and_not_alarms(world):
    whole = run_benchmark(make_trial(*world.open(), "test"), QUICK)
    world.rejected = [Reject("known0", f"x{i}", "no face") for i in range(4)]
    world.rejected += [Reject("stranger0", "x", "no face"), Reject("elsewhere", "x", "no face")]
    less = run_benchmark(make_trial(*world.open(), "test"), QUICK)
    assert less.counts["failures_to_acquire"] == 5
    assert less.counts["failure_to_acquire_rate"] == pytest.approx(5 / (72 + 5))
    before, after = whole.results.closed_set.rank[1].value, less.results.closed_set.rank[1].value
    assert after == pytest.approx(before * 36 / 40)
    assert less.results.open_set.points[0].false_positive == replace(
        whole.results.open_set.points[0].false_positive
    )


def test_a_person_who_could_not_be_enrolled_is_missed_not_unknown(world):
    _, split = world.open()
    gallery = split[(split.subject_id == "known0") & (split.role == "gallery")]
    lost = [(r.subject_id, r.session_id) for r in gallery.itertuples()]
    world.rejected = [Reject(*key, "no face") for key in lost]
    benchmark = run_benchmark(make_trial(*world.open(drop=lost), "test"), QUICK)
    assert benchmark.counts["failures_to_enroll"] == 2
    assert benchmark.results.closed_set.probes == 36
    assert benchmark.results.closed_set.failed == 3
    assert benchmark.results.open_set.unknown_people == 12


def test_distractors_enlarge_the_gallery_only(world):
    before = make_trial(*world.open(), "test")
    for p in range(30):
        world.add(f"other{p}", 1, "distractor", "gallery")
    trial = make_trial(*world.open(), "test")
    assert trial.distractors == 30
    assert len(trial.templates) == len(before.templates) + 30
    results = run_benchmark(trial, QUICK).results
    assert results.verification == replace(
        results.verification, people=run_benchmark(before, QUICK).results.verification.people
    )
    assert results.closed_set.gallery_people == 42


def test_permuted_people_are_recognised_by_chance(tmp_path):
    world = World(tmp_path)
    for p in range(20):
        world.add(f"p{p}", 1, "test", "gallery").add(f"p{p}", 30, "test", "probe")
    vectors = np.array(world.vectors)
    world.vectors = list(vectors[np.random.default_rng(0).permutation(len(vectors))])
    results = run_benchmark(make_trial(*world.open(), "test"), QUICK).results
    assert results.closed_set.rank[1].value == pytest.approx(1 / 20, abs=0.03)
    assert results.verification.auc.value == pytest.approx(0.5, abs=0.02)
    assert results.verification.auc_macro.value == pytest.approx(0.5, abs=0.02)


def test_without_roles_there_is_verification_alone(tmp_path):
    world = World(tmp_path)
    for p in range(4):
        world.add(f"p{p}", 3, "test")
    results = run_benchmark(make_trial(*world.open(), "test"), QUICK).results
    assert results.closed_set is None
    assert results.open_set is None
    assert "no gallery rows" in results.notes[0]
    page = render_page(make_report(results, {"failure_to_acquire_rate": 0.0}, ABOUT))
    assert "Open set" not in page


def test_bad_embeddings_and_lonely_people_are_refused(world, tmp_path):
    world.vectors[3] = np.zeros(16)
    with pytest.raises(MalformedInputError, match="1 embeddings are zero or not finite, first"):
        make_trial(*world.open(), "test")
    alone = World(tmp_path).add("a", 3, "test")
    with pytest.raises(MalformedInputError, match="1 people in partition 'test'"):
        make_trial(*alone.open(), "test")
    once = World(tmp_path).add("a", 1, "test").add("b", 1, "test")
    with pytest.raises(MalformedInputError, match="nobody has two sessions"):
        make_trial(*once.open(), "test")


def test_the_report_is_deterministic_and_its_page_is_sound(world):
    def report():
        benchmark = run_benchmark(make_trial(*world.open(), "test"), QUICK)
        return make_report(benchmark.results, benchmark.counts, ABOUT)

    one = report()
    assert report_bytes(one) == report_bytes(report())
    assert json.loads(report_bytes(one)) == one
    assert one["schema_version"] == 1
    page = render_page(one)
    assert "&lt;b&gt;7 people&lt;/b&gt;" in page
    assert "&lt;i&gt;embeddings.h5" in page
    assert page.count("<svg") == 5
    for word in ("http", "<script", "NaN", "nan,", "None"):
        assert word not in page
    check_tags(page)


def check_tags(page):
    class Checker(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, _attrs):
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    checker = Checker()
    checker.feed(page)
    assert checker.open == []


def test_points_of_a_curve_are_few_and_keep_the_ends(world):
    curve = run_benchmark(make_trial(*world.open(), "test"), QUICK).results.verification.curve
    points = curve_points(curve)
    assert len(points["threshold"]) <= 240
    assert points["false_positive"][-1] == 1.0
    assert points["false_negative"][-1] == 0.0
    assert points["false_positive"][0] == curve.false_positive[1]


def test_the_interval_holds_the_figure_and_shrinks_with_people(tmp_path):
    widths = []
    for people in (10, 40):
        world = World(tmp_path, noise=1.2)
        for p in range(people):
            world.add(f"p{p}", 3, "test")
        trial = make_trial(*world.open(), "test")
        auc = run_benchmark(trial, Settings(bootstrap=200)).results.verification.auc
        assert auc.low < auc.value < auc.high
        widths.append(auc.high - auc.low)
    assert widths[1] < widths[0]


def test_the_interval_of_the_auc_against_people_drawn_by_hand(tmp_path):
    world = World(tmp_path, noise=1.2)
    for p in range(8):
        world.add(f"p{p}", 3, "test")
    trial = make_trial(*world.open(), "test")
    found = run_benchmark(trial, Settings(bootstrap=40, seed=3)).results.verification.auc
    person, score = trial.codes(trial.subject_id), trial.unit @ trial.unit.T
    generator, drawn = np.random.default_rng(3), []
    for _ in range(40):
        times = draw_people(np.zeros(8, int), generator).astype(int)
        mated, nonmated = [], []
        for i, j in zip(*np.triu_indices(24, 1), strict=True):
            a, b = person[i], person[j]
            side, count = (mated, times[a]) if a == b else (nonmated, times[a] * times[b])
            side += [score[i, j]] * count
        drawn.append(auc(mated, nonmated))
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "name", "value", "met"),
    [
        ("tpir@fpir=0.1>=0.8", "tpir@fpir=0.1", 0.8, True),
        ("tpir@fpir=0.10 >= 0.8", "tpir@fpir=0.1", 0.79, False),
        ("tpr@fpr=1e-2>0.5", "tpr@fmr=0.01", 0.5, False),
        ("calibrated-fpir@fpir=0.1<=0.15", "calibrated-fpir@fpir=0.1", 0.1, True),
        ("rank-5<1", "rank-5", 1.0, False),
        ("eer<=0.1", "eer", 0.05, True),
        ("auc>=0.9", "auc", None, False),
    ],
)
def test_requirements(text, name, value, met):
    wish = parse_requirement(text)
    assert wish.name == name
    rows = [{"metric": name, "value": value, "note": "not resolvable"}]
    if met:
        check_requirements([wish], rows)
        return
    with pytest.raises(RequirementNotMetError) as caught:
        check_requirements([wish], rows)
    assert caught.value.status == 3
    assert ("not resolvable" in caught.value.message) == (value is None)


@pytest.mark.parametrize(
    "text", ["auc", "tpr@fpir=0.1>=1", "tpir@fmr=0.1>=1", "auc=>0.9", "auc>=0..9", "x>=1", "1>=auc"]
)
def test_what_is_no_requirement(text):
    with pytest.raises(UsageError, match="--require"):
        parse_requirement(text)


def test_required_points_are_measured_too():
    wishes = [parse_requirement(t) for t in ("tpir@fpir=0.2>=0", "tpr@fmr=0.05>=0", "rank-3>=0")]
    settings = with_required(Settings(seed=4), wishes)
    assert 0.2 in settings.fpir
    assert 0.05 in settings.fmr
    assert settings.ranks == (1, 3, 5, 10)
    assert settings.seed == 4


def test_lists_of_rates_and_ranks():
    assert parse_rates("0.01, 0.1", "--fmr") == (0.1, 0.01)
    assert parse_ranks("5,1") == (1, 5)
    for text in ("0", "1", "x", ""):
        with pytest.raises(UsageError, match="--fmr"):
            parse_rates(text, "--fmr")
    with pytest.raises(UsageError, match="--ranks"):
        parse_ranks("0")
