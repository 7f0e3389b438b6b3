import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from fr3d.data.inputs import input_specs
from fr3d.errors import CannotWriteError, UsageError
from fr3d.inference.torch_model import TorchModel
from fr3d.training import plan
from fr3d.training.fusion import cache_features
from fr3d.training.plan import resolve_modalities
from fr3d.training.single import face_dataset


def ignore(_):
    """A report that nobody reads."""


class StoppedError(Exception):
    """Stands for a kill."""


@pytest.fixture(scope="module")
def fused(data, small_config, tmp_path_factory):
    """A concat3, and what was said of its branches."""
    runs = tmp_path_factory.mktemp("fused") / "runs"
    config = replace(small_config, modalities=("normal", "albedo", "depth"))
    branches = []
    result = plan.train(runs, "concat3", config, data, ignore, branches.append)
    return runs, config, branches, result


def test_missing_branches_are_trained_first(fused):
    runs, _, branches, result = fused
    assert [b.folder.name for b in branches] == ["normal", "albedo", "depth"]
    assert not any(b.reused for b in branches)
    assert result.folder == runs / "concat3"
    record = json.loads((runs / "concat3" / "config.json").read_text())
    assert record["modalities"] == ["normal", "albedo", "depth"]
    assert set(record["branches"]) == {"normal", "albedo", "depth"}


def test_branches_inside_the_fusion_are_the_finished_ones(fused):
    runs, *_ = fused
    weights = load_file(runs / "concat3" / "best.safetensors")
    for number, name in enumerate(("normal", "albedo", "depth")):
        for key, value in load_file(runs / name / "best.safetensors").items():
            assert torch.equal(weights[f"branches.{number}.{key}"], value), (name, key)


def test_the_fusion_opens_as_a_model_of_three_inputs(fused, data):
    model = TorchModel(fused[3].folder)
    assert model.contract.modalities == ("normal", "albedo", "depth")
    assert model.contract.embedding_size == 48
    dataset = face_dataset(data, data.val, input_specs(model.contract.modalities))
    maps = dataset.__getitems__([0, 3]).maps
    embedding, _ = model.embed({name: value.numpy() for name, value in maps.items()})
    assert embedding.shape == (2, 48)


def test_finished_branches_are_reused(fused, data):
    runs, config, _, _ = fused
    before = (runs / "normal" / "best.safetensors").stat().st_mtime_ns
    branches = []
    config = replace(config, modalities=("normal", "albedo"), epochs=2)
    result = plan.train(runs, "concat2", config, data, ignore, branches.append)
    assert all(b.reused for b in branches)
    assert (runs / "normal" / "best.safetensors").stat().st_mtime_ns == before
    assert json.loads((result.folder / "config.json").read_text())["modalities"] == [
        "normal",
        "albedo",
    ]


def test_branches_of_other_data_are_refused(fused, data):
    runs, config, _, _ = fused
    other = replace(data, digests={**data.digests, "split": "another"})
    with pytest.raises(CannotWriteError, match="a finished run on another split file"):
        plan.train(runs, "fresh", config, other, ignore, ignore)
    assert not (runs / "fresh").exists()


def test_a_finished_fusion_is_refused_before_anything_is_trained(fused, data, tmp_path):
    runs, config, _, _ = fused
    with pytest.raises(CannotWriteError, match="concat3: exists already, a finished run"):
        plan.train(runs, "concat3", config, data, ignore, ignore)


def test_a_fusion_goes_on_to_the_same_bytes(fused, data):
    runs, config, _, result = fused

    def stop(now):
        if (now.epoch, now.step) == (2, 1):
            raise StoppedError

    with pytest.raises(StoppedError):
        plan.train(runs, "again", config, data, stop, ignore)
    plan.train(runs, "again", config, data, ignore, ignore)
    for name in ("best.safetensors", "metrics.csv"):
        assert (runs / "again" / name).read_bytes() == (result.folder / name).read_bytes()


def test_features_are_cached_in_different_views(fused, data):
    _, config, _, result = fused
    network = TorchModel(result.folder).network
    dataset = face_dataset(data, data.train, input_specs(config.modalities))
    features = cache_features(network, dataset, config, torch.device("cpu"))
    assert features.shape[1:] == (len(dataset), 48)
    maps = dataset.__getitems__([0, 1]).maps
    with torch.no_grad():
        plain = network.features(*(maps[name] for name in config.modalities))
    torch.testing.assert_close(features[0, :2], plain)
    assert not torch.allclose(features[0], features[1])
    assert not torch.allclose(features[1], features[2])


def test_names_of_fusions():
    assert resolve_modalities("depth", "") == ("depth",)
    assert resolve_modalities("concat3", "") == ("normal", "albedo", "depth")
    assert resolve_modalities("concat2", "image, normal") == ("image", "normal")
    for modality, branches in [
        ("concat2", ""),
        ("concat2", "normal"),
        ("concat2", "normal,normal"),
        ("concat3", "normal,albedo"),
        ("depth", "normal"),
    ]:
        with pytest.raises(UsageError):
            resolve_modalities(modality, branches)


def test_a_fusion_may_not_take_the_name_of_a_branch(data, small_config, tmp_path):
    config = replace(small_config, modalities=("normal", "albedo"))
    with pytest.raises(UsageError, match="run of a branch"):
        plan.train(tmp_path, "normal", config, data, ignore, ignore)
