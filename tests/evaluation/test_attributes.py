import numpy as np
import pytest
import sklearn.metrics as sk
import torch
import torchmetrics.functional.classification as tm

from fr3d.evaluation.metrics.attributes import (
    class_figures,
    classified_by_scores,
)


def tied_scores(generator, truth, classes, parts=8):
    """Probabilities in eighths: many ties, rows that sum to exactly one, some skill."""
    leaning = np.full((len(truth), classes), 0.5 / classes)
    leaning[np.arange(len(truth)), truth] += 0.5
    return np.array([generator.multinomial(parts, row) for row in leaning]) / parts


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_scikit_learn_and_torchmetrics_agree(classes, seed):
    generator = np.random.default_rng(seed)
    truth = np.append(np.arange(classes), generator.integers(classes, size=200) ** 2 // classes)
    scores = tied_scores(generator, truth, classes)
    found = class_figures(classified_by_scores(truth, scores))
    said = scores.argmax(axis=1)
    assert len(np.unique(scores)) < 12  # ties indeed
    per_class = scores[:, 1] if classes == 2 else scores
    truths, saids, exact = (torch.from_numpy(a) for a in (truth, said, scores))
    kind = {"num_classes": classes}
    near = {"abs": 1e-9, "rel": 0}
    assert found.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(truth, said), **near)
    assert found.macro_f1 == pytest.approx(sk.f1_score(truth, said, average="macro"), **near)
    assert found.accuracy == pytest.approx(sk.accuracy_score(truth, said), **near)
    auroc = sk.roc_auc_score(truth, per_class, multi_class="ovr", average="macro")
    assert found.auroc == pytest.approx(auroc, **near)
    assert np.array_equal(found.confusion, sk.confusion_matrix(truth, said))
    # torchmetrics counts in single precision at the end: its own rounding is all that differs
    near = {"abs": 1e-6, "rel": 0}
    recall = tm.multiclass_accuracy(saids, truths, average="macro", **kind)
    assert found.balanced_accuracy == pytest.approx(float(recall), **near)
    f1 = tm.multiclass_f1_score(saids, truths, average="macro", **kind)
    assert found.macro_f1 == pytest.approx(float(f1), **near)
    area = (
        tm.binary_auroc(exact[:, 1], truths)
        if classes == 2
        else tm.multiclass_auroc(exact, truths, average="macro", **kind)
    )
    assert found.auroc == pytest.approx(float(area), **near)
