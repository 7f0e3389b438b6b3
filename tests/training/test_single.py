import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from synthetic_faces import write_faces

from fr3d.errors import CannotWriteError, MalformedInputError
from fr3d.inference.torch_model import TorchModel
from fr3d.protocols.leaks import subject_hash
from fr3d.training import loop
from fr3d.training.checkpoint import load_checkpoint
from fr3d.training.history import read_metrics
from fr3d.training.run import is_finished
from fr3d.training.single import face_dataset, train_single
from fr3d.training.validation import embed


def ignore(_):
    """A report that nobody reads."""


class StoppedError(Exception):
    """Stands for a kill."""


def stop_at(epoch, step):
    def report(now):
        if (now.epoch, now.step) == (epoch, step) and not now.figures:
            raise StoppedError

    return report


def assert_same_run(one, other):
    for name in ("best.safetensors", "metrics.csv", "contract.json", "status.json", "config.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    for name, value in load_checkpoint(one / "last")[0].items():
        assert torch.equal(value, load_checkpoint(other / "last")[0][name]), name


@pytest.fixture(scope="module")
def straight(data, small_config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight") / "run"
    train_single(folder, small_config, data, ignore)
    return folder


def test_a_run_learns_and_leaves_what_others_need(straight, data, small_config):
    assert is_finished(straight)
    rows = read_metrics(straight)
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert {"val_auc", "val_eer", "norm_q50", "learning_rate"} <= set(rows[0])
    assert list(straight.glob("events.out.tfevents*"))
    subjects = json.loads((straight / "training_subjects.json").read_text())
    assert subjects == sorted(subject_hash("", f"{i:03d}") for i in range(6))
    model = TorchModel(straight)
    assert model.contract.modalities == ("normal",)
    assert model.contract.frame == "face:test"
    inputs = face_dataset(data, data.val, _specs(model)).__getitems__([0, 1])
    embedding, _ = model.embed({"normal": inputs.maps["normal"].numpy()})
    assert embedding.shape == (2, small_config.embedding_size)


def _specs(model):
    from fr3d.data.inputs import InputSpec

    return tuple(InputSpec.from_json(model.contract.inputs[m]) for m in model.contract.modalities)


def test_the_kept_weights_are_those_of_the_best_epoch(straight):
    rows = read_metrics(straight)
    status = json.loads((straight / "status.json").read_text())
    best = max(float(row["val_auc"]) for row in rows)
    kept = rows[status["best_epoch"]]
    assert float(kept["val_auc"]) >= best - float(kept["val_auc_error"])
    assert status["figures"]["val_auc"] == pytest.approx(float(kept["val_auc"]), abs=1e-8)


@pytest.mark.parametrize("place", [(0, 1), (1, 2), (2, 1), (3, 2)])
def test_a_stopped_run_goes_on_to_the_same_bytes(straight, data, small_config, tmp_path, place):
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        train_single(folder, small_config, data, stop_at(*place))
    assert not is_finished(folder)
    np.random.default_rng().random()
    torch.rand(3)
    train_single(folder, small_config, data, ignore)
    assert_same_run(straight, folder)


def test_bfloat16_goes_on_to_the_same_bytes(data, small_config, tmp_path):
    reduced = replace(small_config, precision="bf16", epochs=2)
    train_single(tmp_path / "straight", reduced, data, ignore)
    with pytest.raises(StoppedError):
        train_single(tmp_path / "run", reduced, data, stop_at(1, 2))
    train_single(tmp_path / "run", reduced, data, ignore)
    assert_same_run(tmp_path / "straight", tmp_path / "run")


def test_a_checkpoint_within_an_epoch_is_exact_too(
    straight, data, small_config, tmp_path, monkeypatch
):
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        train_single(folder, small_config, data, stop_at(1, 3))
    position = load_checkpoint(folder / "last")[1]
    assert (position.epoch, position.step) == (1, 2)
    train_single(folder, small_config, data, ignore)
    assert_same_run(straight, folder)


def test_workers_and_the_callers_random_state_do_not_matter(straight, data, small_config, tmp_path):
    torch.manual_seed(99)
    state = torch.get_rng_state()
    train_single(tmp_path / "run", small_config, data, ignore, workers=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert_same_run(straight, tmp_path / "run")


def test_another_seed_is_another_model(straight, data, small_config, tmp_path):
    train_single(tmp_path / "run", replace(small_config, seed=1), data, ignore)
    one, other = (load_file(f / "best.safetensors") for f in (straight, tmp_path / "run"))
    assert not torch.equal(one["head.1.weight"], other["head.1.weight"])


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import pandas as pd
from fr3d.artifacts.store import open_artifact
from fr3d.training.config import TrainConfig
from fr3d.training.partition import training_data
from fr3d.training.single import train_single
import torch
torch.set_num_threads({threads})
folder = Path({folder!r})
table = pd.read_csv(folder / "split.csv", dtype=str, keep_default_na=False)
data = training_data(open_artifact(folder / "faces.h5"), table, "split-digest")
config = TrainConfig(**{config!r})
def report(now):
    if (now.epoch, now.step) == (2, 2):
        os.kill(os.getpid(), signal.SIGKILL)
train_single(folder / "run", config, data, report)
"""


def test_a_killed_process_goes_on_to_the_same_bytes(straight, small_config, data, tmp_path):
    write_faces(tmp_path)
    fields = {
        name: getattr(small_config, name)
        for name in (
            "backbone", "embedding_size", "epochs", "people", "per_person", "learning_rate",
            "average", "patience",
        )
    }  # fmt: skip
    script = KILLED.format(
        tests=str(Path(__file__).parents[1]),
        threads=torch.get_num_threads(),
        folder=str(tmp_path),
        config=fields,
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    train_single(tmp_path / "run", small_config, data, ignore)
    assert_same_run(straight, tmp_path / "run")


def test_a_finished_run_needs_force(straight, data, small_config):
    before = (straight / "best.safetensors").read_bytes()
    with pytest.raises(CannotWriteError, match="a finished run"):
        train_single(straight, small_config, data, ignore)
    assert (straight / "best.safetensors").read_bytes() == before


def test_an_interrupted_run_with_other_settings_is_refused(data, small_config, tmp_path):
    with pytest.raises(StoppedError):
        train_single(tmp_path / "run", small_config, data, stop_at(1, 1))
    other = replace(small_config, learning_rate=0.5)
    with pytest.raises(CannotWriteError, match=r"training\.learning_rate 0\.01 \(now 0\.5\)"):
        train_single(tmp_path / "run", other, data, ignore)
    train_single(tmp_path / "run", other, data, ignore, force=True)
    assert is_finished(tmp_path / "run")


def test_what_is_no_run_is_never_touched(data, small_config, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(CannotWriteError, match="is no run"):
        train_single(tmp_path / "run", small_config, data, ignore, force=True)
    assert (tmp_path / "run" / "thesis.txt").read_text() == "years of work"


def test_patience_stops_early_and_stays_stopped(data, small_config, tmp_path, monkeypatch):
    scores = iter([0.7, 0.9, 0.8, 0.8, 0.8, 0.8])
    monkeypatch.setattr(
        "fr3d.training.single.verification_figures",
        lambda *_: {"val_auc": next(scores), "val_auc_error": 0.01, "val_eer": 0.1},
    )
    result = train_single(
        tmp_path / "run", replace(small_config, epochs=6, patience=2), data, ignore
    )
    assert result.best_epoch == 1
    assert len(read_metrics(tmp_path / "run")) == 4


def test_of_equals_the_later_is_kept_but_none_slides_down(
    data, small_config, tmp_path, monkeypatch
):
    scores = iter([0.90, 0.95, 0.945, 0.938, 0.936])
    monkeypatch.setattr(
        "fr3d.training.single.verification_figures",
        lambda *_: {"val_auc": next(scores), "val_auc_error": 0.01, "val_eer": 0.1},
    )
    result = train_single(tmp_path / "run", replace(small_config, epochs=5), data, ignore)
    assert result.best_epoch == 2
    assert result.figures["val_auc"] == 0.945


def test_without_validation_people_the_last_weights_are_kept(data, small_config, tmp_path):
    result = train_single(tmp_path / "run", small_config, replace(data, val=None), ignore)
    assert result.best_epoch == small_config.epochs - 1
    assert result.figures == {}


def test_a_loss_that_is_not_a_number_stops_the_run(data, small_config, tmp_path):
    wild = replace(small_config, loss_options={"scale": float("inf")})
    with pytest.raises(MalformedInputError, match="epoch 0, step 0: the loss is"):
        train_single(tmp_path / "run", wild, data, ignore)
    assert not is_finished(tmp_path / "run")


def test_a_damaged_checkpoint_is_refused(data, small_config, tmp_path):
    with pytest.raises(StoppedError):
        train_single(tmp_path / "run", small_config, data, stop_at(2, 1))
    (path,) = (tmp_path / "run" / "last").glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(MalformedInputError, match="damaged checkpoint"):
        train_single(tmp_path / "run", small_config, data, ignore)


@pytest.mark.parametrize("loss", ["arcface", "magface"])
def test_networks_tell_new_people_apart(loss, data, small_config, tmp_path):
    """Six people of smooth bumps suffice to recognise three others."""
    config = replace(small_config, loss=loss, epochs=25, average=0.0)
    result = train_single(tmp_path / "run", config, data, ignore)
    assert result.figures["val_auc"] > 0.9


def test_embedding_does_not_depend_on_the_batch(straight, data, monkeypatch):
    network = TorchModel(straight).network
    dataset = face_dataset(data, data.val, _specs(TorchModel(straight)))
    whole = embed(network, dataset, torch.device("cpu"))
    monkeypatch.setattr("fr3d.training.validation.BATCH", 5)
    torch.testing.assert_close(embed(network, dataset, torch.device("cpu")), whole)
