"""The three graphs: shapes, and every layer computed again in another way."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional

from fr3d.alignment import mtcnn_network
from fr3d.alignment.mtcnn_network import NAMES, build, load_weights, run, weights_sha256
from fr3d.errors import UnavailableError

SIDES = {"pnet": 12, "rnet": 24, "onet": 48}


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def by_torch(name: str, pictures: np.ndarray) -> list[np.ndarray]:
    """The network written down layer by layer."""
    w = {key: torch.tensor(value) for key, value in load_weights(name).items()}

    def conv(x, n, pool):
        x = functional.conv2d(x, w[f"conv{n}.weight"], w[f"conv{n}.bias"])
        x = functional.prelu(x, w[f"prelu{n}.weight"])
        return functional.max_pool2d(x, pool, 2, ceil_mode=True) if pool else x

    def head(x, layer):
        if name == "pnet":
            return functional.conv2d(x, w[f"{layer}.weight"], w[f"{layer}.bias"])
        return functional.linear(x, w[f"{layer}.weight"], w[f"{layer}.bias"])

    x = torch.tensor(pictures)
    pools = {"pnet": (2, 0, 0), "rnet": (3, 3, 0), "onet": (3, 3, 2, 0)}[name]
    for n, pool in enumerate(pools, 1):
        x = conv(x, n, pool)
    if name == "pnet":
        return [head(x, "conv4_1").softmax(1).numpy(), head(x, "conv4_2").numpy()]
    dense = len(pools) + 1
    # Column by column, the channels of a pixel together.
    flat = torch.stack([p.permute(2, 1, 0).reshape(-1) for p in x])
    x = functional.linear(flat, w[f"dense{dense}.weight"], w[f"dense{dense}.bias"])
    x = functional.prelu(x, w[f"prelu{dense}.weight"])
    heads = [head(x, f"dense{dense + 1}_{k}") for k in range(1, 3 if name == "rnet" else 4)]
    return [heads[0].softmax(1).numpy(), *(h.numpy() for h in heads[1:])]


@pytest.mark.parametrize("name", NAMES)
def test_every_output_is_what_torch_computes(name: str) -> None:
    side = SIDES[name]
    found = run(name, noise(5, 3, side, side))
    for mine, theirs in zip(found, by_torch(name, noise(5, 3, side, side)), strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, atol=2e-6)


@pytest.mark.parametrize("size", [(12, 12), (13, 12), (37, 90), (40, 41)])
def test_pnet_takes_any_size(size: tuple[int, int]) -> None:
    pictures = noise(2, 3, *size)
    score, shift = run("pnet", pictures)
    rows, columns = (-(-(n - 2) // 2) - 4 for n in size)  # rounded up by the pooling
    assert score.shape == (2, 2, rows, columns)
    assert shift.shape == (2, 4, rows, columns)
    for mine, theirs in zip((score, shift), by_torch("pnet", pictures), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-6)


def test_shapes_of_the_later_networks() -> None:
    assert [a.shape for a in run("rnet", noise(3, 3, 24, 24))] == [(3, 2), (3, 4)]
    assert [a.shape for a in run("onet", noise(1, 3, 48, 48))] == [(1, 2), (1, 4), (1, 10)]


def test_a_large_batch_is_cut_and_put_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = noise(7, 3, 24, 24)
    whole = run("rnet", pictures)
    monkeypatch.setattr(mtcnn_network, "_BATCH", 3)
    for one, other in zip(run("rnet", pictures), whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_first_convolution_by_hand() -> None:
    """Sums over windows, slope for what is negative."""
    weights = load_weights("pnet")
    model = build("pnet", weights)
    model.graph.output.append(
        onnx.helper.make_tensor_value_info("prelu1_out", onnx.TensorProto.FLOAT, None)
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    picture = noise(1, 3, 12, 13)
    (found,) = session.run(["prelu1_out"], {"picture": picture})
    assert found.shape == (1, 10, 10, 11)
    for channel, row, column in np.ndindex(10, 10, 11):
        window = picture[0, :, row : row + 3, column : column + 3]
        value = (weights["conv1.weight"][channel] * window).sum() + weights["conv1.bias"][channel]
        if value < 0:
            value *= weights["prelu1.weight"][channel]
        assert found[0, channel, row, column] == pytest.approx(value, abs=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_graphs_are_valid(name: str) -> None:
    model = build(name, load_weights(name))
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version <= 8


def test_the_digest_follows_the_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = weights_sha256()
    assert len(before) == 64
    folder = tmp_path_factory.mktemp("weights")
    for name in NAMES:
        data = bytearray(mtcnn_network._weights_file(name).read_bytes())
        data[-1] ^= name == "onet"
        (folder / name).write_bytes(data)
    monkeypatch.setattr(mtcnn_network, "_weights_file", lambda name: folder / name)
    assert weights_sha256() != before


@pytest.mark.parametrize("length", [0, 4, 1000, None])
def test_damaged_weights_are_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path, length: int | None
) -> None:
    data = mtcnn_network._weights_file("pnet").read_bytes()
    if length is not None:
        (tmp_path / "pnet").write_bytes(data[:length])
    monkeypatch.setattr(mtcnn_network, "_weights_file", lambda name: tmp_path / name)
    with pytest.raises(UnavailableError, match="cannot load it"):
        mtcnn_network._session.__wrapped__("pnet")
