import pytest
import torch

from fr3d.errors import MalformedInputError, UnavailableError, UsageError
from fr3d.models.build import BACKBONES, build_backbone, build_network
from fr3d.models.embedding import FusionNet


def single(channels=3, **more):
    return {
        "modalities": ["normal"],
        "channels": channels,
        "backbone": "tiny",
        "embedding_size": 16,
        "dropout": 0.1,
        **more,
    }


def fusion():
    branches = [single(3), single(1)]
    return {
        "modalities": ["normal", "albedo"],
        "branches": branches,
        "embedding_size": 32,
        "dropout": 0.0,
    }


@pytest.mark.parametrize("name", sorted(BACKBONES))
@pytest.mark.parametrize("size", [32, 112])
def test_backbones_tell_the_length_of_their_features(name, size):
    backbone = build_backbone(name, 1).eval()
    assert backbone(torch.zeros(2, 1, size, size)).shape == (2, backbone.features)


def test_the_default_backbone_is_small():
    count = sum(p.numel() for p in build_backbone("small", 3).parameters())
    assert count < 2_000_000


def test_embeddings_have_norms_near_the_root_of_their_length():
    torch.manual_seed(0)
    network = build_network(single(embedding_size=64, dropout=0.0)).train()
    embedding = network(torch.randn(32, 3, 32, 32))
    assert embedding.shape == (32, 64)
    assert torch.linalg.vector_norm(embedding, dim=1).mean().item() == pytest.approx(8, rel=0.1)


def test_forward_is_features_then_head():
    network = build_network(single()).eval()
    x = torch.randn(3, 3, 32, 32)
    assert torch.equal(network(x), network.head(network.features(x)))


def test_timm_networks_take_any_number_of_channels():
    network = build_network(single(4, backbone="timm_resnet10t")).eval()
    assert network(torch.zeros(2, 4, 64, 64)).shape == (2, 16)


def test_a_fusion_starts_as_concatenation_of_directions():
    network = build_network(fusion()).eval()
    inputs = torch.randn(5, 3, 32, 32), torch.randn(5, 1, 32, 32)
    out = network(*inputs)
    parts = [b(x) for b, x in zip(network.branches, inputs, strict=True)]
    expected = torch.cat([torch.nn.functional.normalize(p) for p in parts], 1)
    # BatchNorm starts with unit statistics and a tiny epsilon.
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-6)


def test_frozen_branches_do_not_move_in_training():
    network = build_network(fusion())
    assert isinstance(network, FusionNet)
    network.train()
    assert network.head.training
    assert not any(m.training for m in network.branches.modules())
    before = {k: v.clone() for k, v in network.branches.state_dict().items()}
    network(torch.randn(4, 3, 32, 32), torch.randn(4, 1, 32, 32)).sum().backward()
    for name, value in network.branches.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(p.grad is None for p in network.branches.parameters())
    assert network.head[1].weight.grad is not None


def test_unknown_backbones_are_refused():
    with pytest.raises(UsageError, match="no backbone 'huge'"):
        build_backbone("huge", 3)
    with pytest.raises(UsageError, match="timm has no network 'resnt18'"):
        build_backbone("timm_resnt18", 3)
    with pytest.raises(UsageError, match="no published weights"):
        build_backbone("tiny", 3, pretrained=True)


def test_weights_that_cannot_be_had_are_a_clear_error(monkeypatch):
    import timm

    def offline(*_args, **_more):
        raise OSError("no route to host")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(UnavailableError, match="weights of 'resnet18' cannot be had") as caught:
        build_backbone("timm_resnet18", 3, pretrained=True)
    assert "--pretrained" in caught.value.hint


def test_a_configuration_that_lacks_something_is_malformed():
    config = single()
    del config["channels"]
    with pytest.raises(MalformedInputError, match="model configuration: KeyError"):
        build_network(config)
