import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.errors import UsageError
from fr3d.losses.build import build_criterion
from fr3d.losses.margin import LIMIT, smallest_scale, with_margin
from fr3d.losses.registry import LOSSES

SIZE, PEOPLE, BATCH = 16, 7, 12


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    embedding = 4 * torch.randn(BATCH, SIZE, generator=generator)
    return embedding, torch.arange(BATCH) % PEOPLE


def criterion(name, **options):
    torch.manual_seed(1)
    made = build_criterion(name, SIZE, PEOPLE, options)
    torch.nn.init.normal_(made.weight)
    return made


def slow_loss(weight, embedding, label, scale, margin_of, penalty=lambda norm: 0.0):
    """The formula in plain loops, double precision."""
    total = 0.0
    for e, y in zip(embedding, label, strict=True):
        norm = math.sqrt(sum(v * v for v in e))
        logits = []
        for person, w in enumerate(weight):
            cosine = sum(a * b for a, b in zip(e, w, strict=True)) / norm
            cosine /= math.sqrt(sum(v * v for v in w))
            if person == y:
                m, theta = margin_of(norm), math.acos(cosine)
                cosine = math.cos(theta + m) if theta + m < math.pi else cosine - m * math.sin(m)
            logits.append(scale * cosine)
        top = max(logits)
        lse = top + math.log(sum(math.exp(v - top) for v in logits))
        total += lse - logits[y] + penalty(norm)
    return total / len(label)


@pytest.mark.parametrize("analytic", [False, True])
def test_arcface_equals_the_formula(batch, analytic):
    embedding, label = batch
    head = criterion("arcface", scale=20.0, margin=0.4, analytic=analytic)
    expected = slow_loss(
        head.weight.tolist(), embedding.tolist(), label.tolist(), 20.0, lambda _: 0.4
    )
    assert head(embedding, label).total.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("norms", [(0.5, 1.0), (10.0, 30.0), (200.0, 400.0)])
def test_magface_equals_the_formula_within_and_beyond_its_bounds(batch, norms):
    embedding, label = batch
    lengths = torch.linspace(*norms, BATCH)[:, None]
    embedding = torch.nn.functional.normalize(embedding) * lengths
    options = {"lower_norm": 10.0, "upper_norm": 110.0, "lower_margin": 0.45, "upper_margin": 0.8}
    head = criterion("magface", scale=64.0, strength=35.0, **options)

    def margin(norm):
        return 0.45 + 0.35 / 100 * (min(max(norm, 10.0), 110.0) - 10.0)

    def penalty(norm):
        return 35.0 * (norm / 110.0**2 + 1 / norm)

    expected = slow_loss(
        head.weight.tolist(), embedding.tolist(), label.tolist(), 64.0, margin, penalty
    )
    assert head(embedding, label).total.item() == pytest.approx(expected, rel=1e-4)


def test_magface_defaults_are_the_published_ones_at_their_size():
    head = build_criterion(
        "magface", 512, 9, {"scale": 64.0, "lower_margin": 0.45, "upper_margin": 0.8}
    )
    assert (head.lower_norm, head.upper_norm) == (10.0, 110.0)
    assert head.smallest_strength() == pytest.approx(22.59, abs=0.005)
    assert head.strength == pytest.approx(35.0, abs=0.1)


def test_magface_refuses_a_lambda_below_its_bound():
    with pytest.raises(UsageError, match=r"lambda 20, expected 22\.59"):
        build_criterion(
            "magface",
            512,
            9,
            {"scale": 64.0, "lower_margin": 0.45, "upper_margin": 0.8, "strength": 20.0},
        )
    with pytest.raises(UsageError, match="lower before upper"):
        build_criterion("magface", 512, 9, {"lower_norm": 50.0, "upper_norm": 20.0})


@pytest.mark.parametrize("norm", [0.5, 300.0])
def test_magface_pulls_norms_back_from_beyond_its_bounds(norm):
    head = criterion("magface")
    embedding = torch.nn.functional.normalize(torch.randn(4, SIZE)) * norm
    embedding.requires_grad_()
    head(embedding, torch.tensor([0, 1, 2, 3])).total.backward()
    radial = (embedding.grad * embedding.detach()).sum(1)
    assert (radial < 0).all() if norm < head.lower_norm else (radial > 0).all()


@settings(max_examples=50, deadline=None)
@given(st.floats(-1, 1), st.floats(0, 1.2))
def test_margin_always_lowers_the_cosine_and_keeps_its_order(cosine, margin):
    pair = torch.tensor([cosine, max(cosine - 0.01, -1.0)], dtype=torch.float64)
    bent = with_margin(pair.clamp(-LIMIT, LIMIT), margin, analytic=True)
    assert bent[0] <= pair[0] + 1e-3
    assert bent[0] >= bent[1] - 1e-12


def test_gradients_at_the_poles_are_finite_and_the_detached_one_is_one():
    for value in (1.0, -1.0, 1 - 1e-7):
        cosine = torch.tensor([value]).clamp(-LIMIT, LIMIT).requires_grad_()
        with_margin(cosine, 0.5, analytic=True).sum().backward()
        assert torch.isfinite(cosine.grad).all()
        cosine = torch.tensor([value]).clamp(-LIMIT, LIMIT).requires_grad_()
        with_margin(cosine, 0.5, analytic=False).sum().backward()
        assert cosine.grad.item() == 1


def test_the_analytic_gradient_is_that_of_the_formula():
    cosine = torch.linspace(-0.9, 0.99, 20, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda c: with_margin(c, 0.3, analytic=True), cosine)


@pytest.mark.parametrize("analytic", [False, True])
def test_the_gradient_of_the_margin_itself_is_exact(analytic):
    margin = torch.tensor([0.2, 0.5], dtype=torch.float64, requires_grad=True)
    cosine = torch.tensor([0.3, 0.8], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda m: with_margin(cosine, m, analytic=analytic), margin)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_heads_stay_float32_under_autocast(name, batch):
    embedding, label = batch
    head = criterion(name)
    before = head.weight.detach().clone()
    plain = head(embedding, label)
    with torch.autocast("cpu", torch.bfloat16):
        cast = head(embedding, label)
    assert cast.total.dtype == torch.float32
    assert torch.equal(cast.total, plain.total)
    assert head.weight.dtype == torch.float32
    assert torch.equal(head.weight, before)


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("embedding", [torch.zeros(2, SIZE), 1e4 * torch.ones(2, SIZE)])
def test_extreme_embeddings_give_finite_loss_and_gradient(name, embedding):
    head = criterion(name, analytic=True)
    # An embedding exactly on its own direction: theta = 0.
    with torch.no_grad():
        head.weight[1] = 1.0
    embedding = embedding.clone().requires_grad_()
    total = head(embedding, torch.tensor([1, 1])).total
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(embedding.grad).all()


def test_logits_carry_no_margin(batch):
    embedding, label = batch
    head = criterion("arcface", scale=10.0, margin=0.5)
    expected = 10 * head.cosine(embedding).detach().numpy()
    np.testing.assert_allclose(head(embedding, label).logits.numpy(), expected, rtol=1e-6)


def test_smallest_scale_is_the_published_bound():
    assert smallest_scale(2, 0.9) == pytest.approx(0.5 * math.log(9))


def test_unknown_names_and_options_are_refused():
    with pytest.raises(UsageError, match="no loss 'sphere'"):
        build_criterion("sphere", 8, 3, {})
    with pytest.raises(UsageError, match="temperature"):
        build_criterion("arcface", 8, 3, {"temperature": 1.0})
