import numpy as np
import pytest
import sklearn.metrics as sk

from fr3d.evaluation.breakdown import break_down, pair_values
from fr3d.evaluation.metrics.leakage import person_folds, probe_leakage


def people(count=60, sessions=4, size=12, seed=0):
    generator = np.random.default_rng(seed)
    person = np.repeat(np.arange(count), sessions)
    embedding = generator.normal(size=(count, size))[person]
    return embedding + 0.5 * generator.normal(size=embedding.shape), person, generator


def auroc(embedding, truth, person):
    return sk.roc_auc_score(truth, probe_leakage(embedding, truth, person, seed=0).scores[:, 1])


def test_a_planted_attribute_is_read():
    embedding, person, generator = people()
    truth = generator.integers(2, size=len(person))
    embedding[:, 0] += 6 * truth
    assert auroc(embedding, truth, person) > 0.97


def test_what_is_not_there_is_not_read_not_even_through_identity():
    embedding, person, generator = people()
    coin = generator.integers(2, size=len(person))
    assert auroc(embedding, coin, person) == pytest.approx(0.5, abs=0.12)
    by_person = np.random.default_rng(3).permutation(np.arange(60) % 2)[person]
    assert auroc(embedding, by_person, person) == pytest.approx(0.5, abs=0.2)


def test_no_person_is_in_two_folds():
    _, person, generator = people()
    fold = person_folds(generator.integers(2, size=len(person)), person, 5, 0)
    assert all(len(set(fold[person == p])) == 1 for p in range(60))


def test_outcomes_by_value_and_small_cells_hidden():
    values = ["yes"] * 40 + ["no"] * 50 + ["rare"] * 5
    outcome = np.array([1.0] * 30 + [0.0] * 10 + [1.0] * 55)
    found = break_down("glasses", values, np.arange(95) % 20, {"hit": outcome})
    shown = {cell.value: cell.figures["hit"].value for cell in found.cells}
    assert shown == {"yes": 0.75, "no": 1.0}
    assert found.hidden == {"rare": 5}
    assert pair_values(["a", "b"], ["b", "b"]) == ["a / b", "b"]
