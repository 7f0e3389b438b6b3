import json
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from synthetic_faces import face_arrays

from fr3d.data.augmentation import Augmentation
from fr3d.data.dataset import FaceDataset
from fr3d.data.inputs import input_specs
from fr3d.data.sampler import PeopleSampler
from fr3d.errors import MalformedInputError, UnavailableError, UsageError
from fr3d.losses.registry import LOSSES
from fr3d.training.checkpoint import Position, load_checkpoint, save_checkpoint
from fr3d.training.config import TrainConfig, single_model
from fr3d.training.history import History, read_metrics
from fr3d.training.learner import Learner
from fr3d.training.partition import training_data
from fr3d.training.precision import resolve_precision
from fr3d.training.schedule import learning_rate
from fr3d.training.single import build_modules
from fr3d.training.sources import FaceSource
from fr3d.training.validation import verification_figures


@given(st.integers(2, 500), st.floats(0, 0.5))
def test_the_learning_rate_rises_once_and_falls_to_zero(steps, warmup):
    rates = [learning_rate(i, steps, 0.1, warmup) for i in range(steps)]
    top = max(1, round(steps * warmup)) - 1
    assert rates[top] == pytest.approx(0.1)
    assert all(a <= b for a, b in pairwise(rates[: top + 1]))
    assert all(a >= b - 1e-12 for a, b in pairwise(rates[top:]))
    assert 0 < rates[-1] <= 0.1
    assert learning_rate(steps, steps, 0.1, warmup) == pytest.approx(0, abs=1e-12)


def test_the_learning_rate_is_half_in_the_middle_of_the_cosine():
    assert learning_rate(55, 100, 1.0, 0.1) == pytest.approx(0.5)
    assert learning_rate(4, 100, 1.0, 0.1) == pytest.approx(0.5)


def learner_of(config, people=3):
    network, criterion = build_modules(single_model(config), config, people)
    return Learner(network, criterion, config)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_learnable_moves_also_that_of_the_criterion(loss, small_config):
    from dataclasses import replace

    config = replace(small_config, loss=loss, dropout=0.0)
    learner = learner_of(config)
    before = {k: v.clone() for k, v in learner.tensors().items()}
    torch.manual_seed(0)
    for _ in range(2):
        learner.step((torch.randn(6, 3, 32, 32),), torch.arange(6) % 3, 0.1)
    names = [f"network.{n}" for n, _ in learner.network.named_parameters()]
    names += [f"criterion.{n}" for n, _ in learner.criterion.named_parameters()]
    after = learner.tensors()
    assert "criterion.weight" in names
    for name in names:
        assert not torch.equal(before[name], after[name]), name


def test_weights_decay_but_scales_and_shifts_do_not(small_config):
    learner = learner_of(small_config)
    matrices, others = learner.optimiser.param_groups
    assert matrices["weight_decay"] > 0
    assert others["weight_decay"] == 0
    assert all(p.ndim >= 2 for p in matrices["params"])
    assert all(p.ndim < 2 for p in others["params"])


def test_the_running_mean_is_the_one_of_the_formula(small_config):
    learner = learner_of(small_config)
    mean = learner.criterion.weight.new_tensor(0) + learner.network.head[1].weight.detach()
    for _ in range(3):
        learner.step((torch.randn(6, 3, 32, 32),), torch.arange(6) % 3, 0.01)
        mean = 0.9 * mean + 0.1 * learner.network.head[1].weight.detach()
    torch.testing.assert_close(learner.result()["head.1.weight"], mean)


def test_initial_weights_follow_the_seed_and_nothing_else(small_config):
    torch.manual_seed(5)
    one = learner_of(small_config).tensors()
    torch.rand(7)
    two = learner_of(small_config).tensors()
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_checkpoints_replace_one_another_whole(tmp_path):
    folder = tmp_path / "last"
    assert load_checkpoint(folder) is None
    for epoch in range(3):
        save_checkpoint(folder, {"a": torch.full((2,), float(epoch))}, Position(epoch=epoch))
    tensors, position = load_checkpoint(folder)
    assert tensors["a"].tolist() == [2, 2]
    assert position.epoch == 2
    assert len(list(folder.iterdir())) == 2


def test_a_kill_between_tensors_and_state_leaves_the_older_pair(tmp_path):
    folder = tmp_path / "last"
    save_checkpoint(folder, {"a": torch.zeros(1)}, Position(epoch=1))
    state = (folder / "state.json").read_bytes()
    old = next(folder.glob("*.safetensors")).read_bytes()
    save_checkpoint(folder, {"a": torch.ones(1)}, Position(epoch=2))
    (folder / "state.json").write_bytes(state)
    (folder / json.loads(state)["tensors"]).write_bytes(old)
    tensors, position = load_checkpoint(folder)
    assert (position.epoch, tensors["a"].item()) == (1, 0)


def test_history_drops_rows_that_will_come_again(tmp_path):
    log = History(tmp_path, 0)
    for epoch in range(3):
        log.add(epoch, {"loss": 1 / (epoch + 1)})
    log.close()
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("3,0.2")  # cut short by a kill
    log = History(tmp_path, 2)
    log.add(2, {"loss": 0.5})
    log.close()
    rows = read_metrics(tmp_path)
    assert [(row["epoch"], float(row["loss"])) for row in rows] == [
        ("0", 1),
        ("1", 0.5),
        ("2", 0.5),
    ]
    assert b"\r" not in (tmp_path / "metrics.csv").read_bytes()


def test_an_epoch_that_starts_late_gives_the_same_batches():
    faces = face_arrays(3, 3)
    labels = np.repeat(np.arange(3), 3)
    dataset = FaceDataset(faces, range(9), labels, input_specs(["normal", "depth"]))
    sampler = PeopleSampler(labels, 2, 2, 0)
    source = FaceSource(dataset, sampler, Augmentation(), 0, torch.device("cpu"))
    whole = list(source.epoch(1))
    late = list(source.epoch(1, 2))
    assert len(late) == len(whole) - 2
    for (inputs, label), (again, same) in zip(whole[2:], late, strict=True):
        assert torch.equal(label, same)
        assert all(torch.equal(a, b) for a, b in zip(inputs, again, strict=True))


def test_figures_of_separable_and_of_random_embeddings():
    labels = np.repeat(np.arange(10), 6)
    sharp = np.eye(10)[labels] + 0.01
    expected = {"val_auc": 1.0, "val_auc_error": 1 / 150, "val_eer": 0.0}
    assert verification_figures(sharp, labels) == expected
    noise = np.random.default_rng(0).normal(size=(60, 32))
    figures = verification_figures(noise, labels)
    assert figures["val_auc"] == pytest.approx(0.5, abs=0.1)
    assert figures["val_eer"] == pytest.approx(0.5, abs=0.1)


def test_one_person_with_many_sessions_counts_once():
    rng = np.random.default_rng(1)
    # Person 0 is easy and has 80 sessions; the other nine are noise.
    labels = np.concatenate([np.zeros(80, int), np.repeat(np.arange(1, 10), 4)])
    embedding = rng.normal(size=(len(labels), 16))
    embedding[:80] = 10 * np.eye(16)[0] + rng.normal(size=(80, 16))
    assert verification_figures(embedding, labels)["val_auc"] < 0.75


def test_figures_need_mated_and_non_mated_pairs():
    assert verification_figures(np.eye(4), [0, 1, 2, 3]) == {}
    assert verification_figures(np.eye(4), [0, 0, 0, 0]) == {}


def test_vectors_of_bfloat16_count_only_where_asked(monkeypatch):
    able = {"amx_bf16": False, "avx512_bf16": True}
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: able, raising=False)
    assert resolve_precision("auto", "cpu") == "float32"
    assert resolve_precision("auto", "cpu", vectors=True) == "bf16"
    able |= {"avx512_bf16": False}
    assert resolve_precision("auto", "cpu", vectors=True) == "float32"
    able |= {"amx_bf16": True}
    assert resolve_precision("auto", "cpu") == "bf16"


def test_precision_is_resolved():
    assert resolve_precision("float32", "cpu") == "float32"
    assert resolve_precision("bf16", "cpu") == "bf16"
    assert resolve_precision("auto", "cpu") in ("bf16", "float32")
    with pytest.raises(UsageError, match="precision 'fp8'"):
        resolve_precision("fp8", "cpu")


def test_bf16_that_the_device_lacks_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    with pytest.raises(UnavailableError, match="no bfloat16"):
        resolve_precision("bf16", "cuda")


def test_bf16_learns_with_float32_weights(small_config):
    from dataclasses import replace

    learner = learner_of(replace(small_config, precision="bf16"))
    terms, embedding = learner.step((torch.randn(6, 3, 32, 32),), torch.arange(6) % 3, 0.01)
    assert terms.total.dtype == embedding.dtype == torch.float32
    assert all(v.dtype in (torch.float32, torch.int64) for v in learner.tensors().values())


def test_partitions_that_nothing_can_be_learned_from_are_refused(data):
    split = pd.DataFrame(
        {
            "subject_id": data.faces.subject_id,
            "session_id": data.faces.session_id,
            "partition": "train",
            "role": "",
        }
    )
    one = split[split["subject_id"] == "000"]
    with pytest.raises(MalformedInputError, match="1 person in partition 'train'"):
        training_data(data.faces, one, "")
    single = split[split["session_id"] == "s0"]
    with pytest.raises(MalformedInputError, match="a single session"):
        training_data(data.faces, single, "")


def test_nonsense_in_a_configuration_is_refused():
    with pytest.raises(UsageError, match="modality 'smell'"):
        TrainConfig(modalities=("smell",))
    with pytest.raises(UsageError, match="learning_rate 0"):
        TrainConfig(learning_rate=0)
    assert not math.isnan(TrainConfig().learning_rate)
