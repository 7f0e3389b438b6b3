from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.data.augmentation import Augmentation, add_noise, apply_changes, draw_changes
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth
from fr3d.geometry.warp import warp_maps

SIZE = 64
OFF = Augmentation(**{field.name: 0.0 for field in fields(Augmentation)})


def surface(seed=0):
    """A smooth height map on a disc."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE] / (SIZE - 1) * 2 - 1
    a, b, c = rng.normal(size=3)
    depth = 8 * (1 - x**2 - 0.7 * y**2) + 2 * a * np.sin(2 * x + b) * np.cos(1.5 * y + c)
    return depth.astype(np.float32), x**2 + y**2 < 0.9


def batch(depth, mask, albedo=None):
    maps = {"normal": normals_from_depth(depth, mask).transpose(2, 0, 1), "depth": depth[None]}
    if albedo is not None:
        maps["albedo"] = albedo[None]
    tensors = {
        k: torch.from_numpy(np.where(mask, v, 0).astype(np.float32))[None] for k, v in maps.items()
    }
    return tensors, torch.from_numpy(mask)[None]


def changed(strength, seed, depth, mask, **more):
    maps, valid = batch(depth, mask, **more)
    draw = draw_changes(strength, 1, (SIZE, SIZE), torch.Generator().manual_seed(seed))
    out, new = apply_changes(maps, valid, draw)
    return out, new, draw


def interior(mask, steps=3):
    """Pixels whose neighbours are all valid."""
    inner = np.zeros_like(mask)
    inner[steps:-steps, steps:-steps] = mask[steps:-steps, steps:-steps]
    for _ in range(steps):
        inner[1:-1, 1:-1] &= inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
    return inner


def degrees_between(one, other, where):
    cosine = np.clip((one * other).sum(-1)[where], -1, 1)
    return np.rad2deg(np.arccos(cosine))


STRENGTHS = {
    "flip": replace(OFF, flip=1.0),
    "rotate": replace(OFF, degrees=15.0),
    "scale": replace(OFF, log_scale=0.1),
    "shift": replace(OFF, shift=0.05),
    "relief": replace(OFF, relief=0.3),
    "slant": replace(OFF, slant=0.3),
    "all": replace(OFF, flip=0.5, degrees=15, log_scale=0.1, shift=0.05, relief=0.2, slant=0.2),
}


@pytest.mark.parametrize("name", STRENGTHS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_normals_stay_true_to_depth(name, seed):
    """augment(normals(z)) = normals(augment(z))."""
    depth, mask = surface(seed)
    out, valid, _ = changed(STRENGTHS[name], seed, depth, mask)
    normal = out["normal"][0].numpy().transpose(1, 2, 0)
    again = normals_from_depth(out["depth"][0, 0].numpy(), valid[0].numpy())
    error = degrees_between(normal, again, interior(valid[0].numpy()))
    # Bilinear resampling makes depth piecewise linear: single pixels are rougher than the mean.
    assert error.mean() < 1.0
    assert np.quantile(error, 0.99) < 4.0


@pytest.mark.parametrize("name", ["flip", "rotate", "scale", "shift"])
def test_agrees_with_the_geometry_module(name):
    depth, mask = surface(3)
    albedo = (1 + 0.3 * np.sin(np.arange(SIZE) / 5))[None, :] * np.ones((SIZE, 1))
    out, valid, draw = changed(STRENGTHS[name], 5, depth, mask, albedo=albedo.astype(np.float32))
    centre = np.full(2, (SIZE - 1) / 2)
    linear = draw.linear[0].double().numpy()
    offset = centre - linear @ centre + draw.shift[0].double().numpy()
    maps = FaceMaps(
        mask=mask,
        normal=normals_from_depth(depth, mask),
        depth=depth,
        albedo=np.where(mask, albedo, 0),
    )
    expected = warp_maps(maps, np.column_stack([linear, offset]), SIZE)
    assert (valid[0].numpy() != expected.mask).mean() < 0.02
    where = interior(valid[0].numpy() & expected.mask)
    normal = out["normal"][0].numpy().transpose(1, 2, 0)
    assert degrees_between(normal, expected.normal, where).max() < 1.5
    np.testing.assert_allclose(out["depth"][0, 0].numpy()[where], expected.depth[where], atol=0.1)
    np.testing.assert_allclose(
        out["albedo"][0, 0].numpy()[where], expected.albedo[where], atol=0.02
    )


def test_a_flip_negates_the_horizontal_component():
    depth, mask = surface(1)
    out, _, _ = changed(STRENGTHS["flip"], 0, depth, mask)
    normal = normals_from_depth(depth, mask)[:, ::-1].copy()
    normal[..., 0] *= -1
    np.testing.assert_allclose(out["normal"][0].numpy().transpose(1, 2, 0), normal, atol=2e-3)


def test_slant_is_a_plane_with_y_up():
    depth, mask = surface(2)
    out, _, draw = changed(STRENGTHS["slant"], 4, depth, mask)
    row, column = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    plane = draw.slant[0, 0].item() * column - draw.slant[0, 1].item() * row
    np.testing.assert_allclose(out["depth"][0, 0].numpy()[mask], (depth + plane)[mask], atol=1e-3)


def test_depth_without_planes_is_not_slanted():
    depth, mask = surface(2)
    maps, valid = batch(depth, mask)
    draw = draw_changes(STRENGTHS["slant"], 1, (SIZE, SIZE), torch.Generator().manual_seed(4))
    out, _ = apply_changes(maps, valid, draw, slant_depth=False)
    torch.testing.assert_close(out["depth"], maps["depth"], atol=1e-3, rtol=0)


def test_no_strength_changes_nothing():
    depth, mask = surface(1)
    maps, valid = batch(depth, mask, albedo=np.ones_like(depth) * 0.2)
    draw = draw_changes(OFF, 1, (SIZE, SIZE), torch.Generator().manual_seed(0))
    out, new = apply_changes(maps, valid, draw)
    assert torch.equal(new, valid)
    for name, value in maps.items():
        torch.testing.assert_close(out[name], value, atol=1e-3, rtol=0)


def test_erasing_takes_the_same_pixels_from_all_maps():
    depth, mask = surface(1)
    strength = replace(OFF, erase=1.0, erase_area=0.3)
    out, valid, _ = changed(strength, 7, depth, mask, albedo=np.ones_like(depth))
    lost = mask & ~valid[0].numpy()
    assert 0 < lost.sum() < 0.35 * SIZE * SIZE
    for value in out.values():
        assert not value[0, :, lost].any()


def test_gain_acts_on_albedo_itself_not_on_its_contrast():
    depth, mask = surface(1)
    strength = replace(OFF, gain=0.5)
    out, _, draw = changed(strength, 1, depth, mask, albedo=np.full_like(depth, 0.2))
    expected = 1.2 * draw.gain.item() - 1
    np.testing.assert_allclose(out["albedo"][0, 0].numpy()[interior(mask)], expected, rtol=1e-3)


def test_noise_leaves_normals_unit_and_depth_alone():
    depth, mask = surface(1)
    maps, valid = batch(depth, mask, albedo=np.ones_like(depth))
    noisy = add_noise(maps, valid, 0.1, torch.Generator().manual_seed(0))
    length = torch.linalg.vector_norm(noisy["normal"], dim=1)
    torch.testing.assert_close(length[valid], torch.ones_like(length[valid]))
    assert not length[~valid].any()
    assert torch.equal(noisy["depth"], maps["depth"])
    assert noisy["albedo"].std() > maps["albedo"].std()


def test_draws_repeat_with_their_seed_only():
    one, same, other = (
        draw_changes(Augmentation(), 8, (SIZE, SIZE), torch.Generator().manual_seed(s))
        for s in (1, 1, 2)
    )
    assert torch.equal(one.linear, same.linear)
    assert not torch.equal(one.linear, other.linear)
