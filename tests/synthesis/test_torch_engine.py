"""The renderer in PyTorch against the compiled one: kernel by kernel, then whole sessions."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from solids import height_field

from fr3d.geometry.lights import direction
from fr3d.synthesis.appearance import Variety
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.engine import Seen
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.numba_engine import NumbaEngine
from fr3d.synthesis.rig import Rig
from fr3d.synthesis.scene import photograph
from fr3d.synthesis.sensor import Sensor
from fr3d.synthesis.session import Session
from fr3d.synthesis.studio import Shot, Studio, draw
from fr3d.synthesis.torch_engine import TorchEngine

NUMBA = NumbaEngine()
SIZE = (70, 90)
QUIET = Sensor(noise=0.0)
MAPS = ("mask", "normal", "albedo", "depth", "lit", "images", "landmarks")
DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    ),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow on a machine that is busy with other tests."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(count)


@pytest.fixture(scope="module", params=DEVICES)
def engine(request: pytest.FixtureRequest) -> TorchEngine:
    return TorchEngine(request.param)


def soup(count: int, reach: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two sessions of triangles of all sizes around and beside the picture, in single precision."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-20, 110, (2, count, 1, 3))
    points = middle + rng.normal(0, 1, (2, count, 3, 3)) * rng.uniform(0.2, reach, (2, count, 1, 1))
    return single(points.reshape(2, -1, 3)), np.arange(3 * count).reshape(-1, 3)


def hills() -> np.ndarray:
    """Heights of two sessions, one with a hole and one that ends before the picture does."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    waves = 6 * np.sin(columns / 7) * np.cos(rows / 9)
    peak = 25 * np.exp(-(np.square(columns - 40) + np.square(rows - 30)) / 60)
    heights = np.stack([waves + peak, 2 * waves])
    heights[0][np.hypot(columns - 60, rows - 50) < 7] = np.nan
    heights[1][np.hypot(columns - 45, rows - 35) > 30] = np.nan
    return single(heights)


def single(values: np.ndarray) -> np.ndarray:
    """Numbers that both engines can hold."""
    return values.astype(np.float32).astype(float)


def everywhere(engine: TorchEngine | NumbaEngine, depth: np.ndarray) -> Seen:
    """Heights as what a camera sees, one session or a batch of them; all their pixels."""
    filled = ~np.isnan(depth)
    if isinstance(engine, NumbaEngine):
        (pixels,) = np.nonzero(filled.ravel())
        return Seen(depth, filled, None, None, pixels)
    count, each = max(int(f.sum()) for f in filled), depth[0].size
    pixels = np.full((len(depth), count), each)
    for row, of_one in zip(pixels, filled, strict=True):
        row[: of_one.sum()] = np.flatnonzero(of_one)
    return Seen(engine.array(depth), None, None, None, engine.whole(pixels))


def both(engine: TorchEngine, name: str, depth: np.ndarray, lights: np.ndarray, radius: float):
    """What an engine's and the compiled kernel say about the pixels of each session."""
    found = engine.numpy(
        getattr(engine, name)(everywhere(engine, depth), engine.array(lights), radius)
    )
    for number in range(len(depth)):
        one = slice(number, number + 1)
        expected = getattr(NUMBA, name)(everywhere(NUMBA, depth[one]), lights[one], radius)[0]
        yield found[number, :, : expected.shape[1]], expected


@pytest.mark.parametrize("both_sides", [False, True])
@pytest.mark.parametrize(("count", "reach"), [(4000, 2.0), (60, 40.0), (12, 300.0)])
def test_pixels_see_the_same_surfaces(engine, count, reach, both_sides) -> None:
    points, triangles = soup(count, reach)
    triangles = triangles[:, ::-1]
    seen = engine.see(engine.array(points), engine.whole(triangles), SIZE, both_sides=both_sides)
    heights = engine.numpy(engine.picture(engine.at(engine.array(points), seen)[:, 2], seen))
    for number in range(2):
        expected = NUMBA.see(points[number, None], triangles, SIZE, both_sides=both_sides)
        depth = engine.numpy(seen.depth)[number]
        assert (engine.numpy(seen.covered)[number] == ~np.isnan(depth)).all()
        shared = expected.covered[0] & ~np.isnan(depth)
        assert shared.mean() > 0.05
        assert (np.isnan(depth) == ~expected.covered[0]).mean() > 0.999
        gap = np.abs(depth - expected.depth[0])[shared]
        assert (gap < 1e-2).mean() > 0.999
        assert np.abs(heights[number] - depth)[shared].max() < 1e-2
        assert not heights[number][np.isnan(depth)].any()


def test_the_first_of_equally_near_triangles_is_seen(engine) -> None:
    points = np.array([[0, 9, 2], [9, 9, 2], [5, 0, 2]] * 3, float)
    triangles = np.array([[3, 4, 5], [0, 1, 2], [6, 7, 8]])
    seen = engine.see(engine.array(points)[None], engine.whole(triangles), (12, 12))
    weight = engine.numpy(seen.weight)[0]
    assert set(engine.numpy(seen.corners)[0][weight.sum(1) > 0].ravel()) == {3, 4, 5}
    assert np.allclose(weight.sum(1), 1)


@pytest.mark.parametrize("move", [0.0, 1 / 3, 0.123456])
def test_no_pixel_falls_between_triangles(engine, move: float) -> None:
    """Edges run through pixel centres, and through places that only doubles can hold."""
    rng = np.random.default_rng(0)
    heights = rng.normal(0, 0.2, (90, 110))
    mesh = height_field(heights)
    jitter = rng.uniform(-0.4, 0.4, (len(mesh.points), 2)) if move else 0.0
    points = mesh.points * [1, -1, 1] + [40 + move, 30 + move, 0]
    points[:, :2] += jitter
    seen = engine.see(engine.array(points)[None], engine.whole(mesh.triangles), SIZE)
    assert engine.numpy(seen.covered)[0, :70, :85].all()


def test_points_leave_a_border_out_but_the_depth_does_not(engine) -> None:
    points, triangles = soup(400, 20.0)
    points, triangles = engine.array(points), engine.whole(triangles)
    whole, inner = (engine.see(points, triangles, SIZE, border=b) for b in (0, 9))
    assert torch.equal(whole.depth.isnan(), inner.depth.isnan())
    values = torch.ones(inner.pixels.shape, device=inner.pixels.device)
    laid = engine.numpy(engine.picture(values, inner))
    expected = engine.numpy(whole.covered).astype(float)
    expected[:, :9] = expected[:, -9:] = expected[..., :9] = expected[..., -9:] = 0
    assert np.array_equal(laid, expected)
    filled_up = inner.pixels == SIZE[0] * SIZE[1]
    assert filled_up.any()
    assert not inner.weight[filled_up].any()
    assert not engine.see(points, triangles, SIZE, border=90).pixels.numel()


def test_nothing_is_seen_of_nothing(engine) -> None:
    points = engine.array(np.full((2, 3, 3), 5.0))
    seen = engine.see(points, engine.whole([[0, 1, 2]]), SIZE)
    assert not seen.covered.any()
    assert engine.at(points, seen).shape == (2, 3, 0)
    assert not engine.picture(engine.at(points, seen), seen).any()
    assert engine.distant_light(seen, engine.array(np.ones((2, 4, 3))), 0.02).shape == (2, 4, 0)


def test_heads_are_shaped_subdivided_and_turned_outwards_alike(engine) -> None:
    head, rng = load_heads(), np.random.default_rng(0)
    names = list(head.targets)
    weights = [
        ({name: float(rng.normal()) for name in names[k::7]}, {names[k]: 0.5}) for k in range(3)
    ]
    shaped, expected = engine.shapes(head, weights), NUMBA.shapes(head, weights)
    assert np.abs(engine.numpy(shaped) - expected).max() < 1e-5
    fine = engine.subdivide(1, engine.array(expected))
    assert np.abs(engine.numpy(fine) - NUMBA.subdivide(1, expected)).max() < 1e-5
    triangles = head.quads[:, :3]
    normals = engine.corner_normals(engine.array(expected), engine.whole(triangles))
    gap = engine.numpy(normals) - NUMBA.corner_normals(expected, triangles)
    assert np.abs(gap).max() < 1e-5


@pytest.mark.parametrize("radius", [0.03, 1e-4])
def test_distant_lights_cast_the_same_shadows(engine, radius: float) -> None:
    """From all sides, along rows and columns as well, and from straight ahead."""
    zenith, azimuth = [0.0, 40.0, 65.0, 75.0, 60.0], [0.0, 133.0, 47.0, 233.0, 90.0]
    lights = np.stack([direction(zenith, azimuth), direction(zenith, np.array(azimuth) + 90)])
    for found, expected in both(engine, "distant_light", hills(), lights, radius):
        assert (expected[0] == 1).all()
        assert 0.05 < (expected[1:] < 0.5).mean() < 0.9
        assert np.median(np.abs(found - expected)) < 1e-4
        # Hard shadows of long rays end a pixel earlier or later for a rounding.
        assert (np.abs(found - expected) > 0.02).mean() < 0.004


def test_near_lights_cast_the_same_shadows(engine) -> None:
    lights = np.array([[[-30.0, 35, 60], [60, 30, 40]], [[45.0, 200, 90], [20, 20, 15]]])
    for found, expected in both(engine, "near_light", hills(), lights, 4.0):
        assert 0.02 < (expected < 0.5).mean() < 0.9
        assert (np.abs(found - expected) > 0.02).mean() < 0.004


def test_shadows_end_and_begin_at_the_border_of_the_picture(engine) -> None:
    """A wall along one side, open at the others, under light that runs along rows of pixels."""
    depth = np.zeros((1, 69, 90))
    depth[..., :2] = 3.0
    lights = direction([55.0, 55.0], [90.0, 270.0])[None]
    ((found, expected),) = both(engine, "distant_light", depth, lights, 0.05)
    assert np.abs(found - expected).max() < 1e-3
    assert (expected[1].reshape(69, 90)[:, 2:5] < 0.5).all()


def test_what_lies_beyond_a_near_light_or_the_picture_casts_no_shadow(engine) -> None:
    """A slope that ends at the border, and a wall that stands higher than a lamp before it."""
    depth = np.zeros((1, 69, 90))
    depth[..., 0], depth[..., 1], depth[..., 80:83] = 3.0, 1.0, 40.0
    lamps = np.array([[[-200.0, 35.0, 140.0], [30.0, 35.0, 12.0]]])
    ((found, expected),) = both(engine, "near_light", depth, lamps, 1.0)
    assert (np.abs(found - expected) > 1e-3).mean() < 1e-3
    lit = (expected > 0.5).reshape(2, 69, 90)[..., 10:75]
    assert lit[0].all()
    assert lit[1].mean() > 0.9


def test_frames_stand_before_the_same_points(engine) -> None:
    points, triangles = soup(60, 12.0)
    points = np.stack([points, points + np.array([3.3, -2.1, 0.0])], 1)
    rng = np.random.default_rng(1)
    places = single(rng.uniform(-30, 120, (2, 2, 2, 5000)))
    heights = single(rng.uniform(20, 60, (2, 5000)))
    arrays = (engine.array(values) for values in (places, heights))
    found = engine.numpy(
        engine.veiled(engine.array(points), engine.whole(triangles), SIZE, *arrays)
    )
    for n in range(2):
        one = slice(n, n + 1)
        expected = NUMBA.veiled(points[one], triangles, SIZE, places[one], heights[one])[0]
        assert 0.02 < (expected > 0).mean() < 0.98
        assert (np.abs(found[n] - expected) > 1e-3).mean() < 0.002


@pytest.mark.parametrize("lights", [1, 3])
def test_blocks_are_averaged_of_the_same_windows(engine, lights: int) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(2, lights, 2, 40, 50))
    first = rng.integers(0, 10, (2, 3, 2))
    found = engine.numpy(engine.blocks(engine.array(pictures), first, (10, 15), 2))
    for n in range(2):
        one = slice(n, n + 1)
        expected = NUMBA.blocks(pictures[one], first[one], (10, 15), 2)[0]
        assert np.abs(found[n] - expected).max() < 1e-6


def test_noise_belongs_to_a_session(engine) -> None:
    first, second = engine.normal([(1, 2), (1, 3)], (4, 50, 50))
    (again,) = engine.normal([(1, 3)], (4, 50, 50))
    assert torch.equal(second, again)
    assert abs(float((first * second).mean())) < 0.05
    assert abs(float(first.mean())) < 0.05
    assert 0.97 < float(first.std()) < 1.03


def test_the_compiled_renderer_works_without_pytorch() -> None:
    code = "import sys, fr3d.synthesis.scene; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def draws(studio: Studio) -> list[Shot]:
    """Sessions with spectacles, long hair, a beard, and with nothing of them."""
    head, habits = load_heads(), studio.variety.habits
    people = [sample_identity(4, n, head, habits) for n in range(40)]
    shots = [draw(person, 4, n, 0, studio) for n, person in enumerate(people)]
    looks = [shot.appearance for shot in shots]
    worn = [look.spectacles is not None for look in looks]
    long = [look.hair.length > 0 for look in looks]
    bearded = [look.beard.jaw > 0 for look in looks]
    kinds = [(True, False, False), (False, True, False), (False, False, True), (False,) * 3]
    have = list(zip(worn, long, bearded, strict=True))
    return [shots[have.index(kind)] for kind in [*kinds, (True, True, False)]]


MIXED = Studio(96, sensor=QUIET, variety=Variety(spectacles=0.5, beards=0.6))
STUDIOS = [
    MIXED,
    replace(MIXED, rig=Rig(distance_mm=900.0)),
    replace(MIXED, sensor=replace(QUIET, colour=True), together=True),
]


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between unit vectors, also a tiny one."""
    return np.rad2deg(2 * np.arcsin(np.linalg.norm(a - b, axis=-1) / 2))


@pytest.mark.parametrize("studio", STUDIOS, ids=["distant", "near", "together"])
def test_sessions_agree_with_the_compiled_renderer(engine, studio: Studio) -> None:
    shots = draws(studio)
    for found, shot in zip(photograph(engine, shots, studio), shots, strict=True):
        (expected,) = photograph(NUMBA, [shot], studio)
        assert (found.mask != expected.mask).mean() < 0.002
        mask = found.mask & expected.mask
        assert np.median(degrees(found.normal[mask], expected.normal[mask])) < 0.01
        assert (np.abs(found.depth - expected.depth)[mask] < 0.01).mean() > 0.999
        assert (np.abs(found.albedo - expected.albedo)[mask] < 1e-3).mean() > 0.999
        assert (np.abs(found.lit - expected.lit)[:, mask] < 0.02).mean() > 0.998
        grey = np.abs(found.images.astype(int) - expected.images)
        assert (grey <= 1).mean() > 0.999
        assert (grey == 0).mean() > 0.99
        assert np.abs(found.landmarks - expected.landmarks).max() < 1e-3


def equal(one: Session, other: Session) -> bool:
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in MAPS)


def test_a_session_does_not_depend_on_the_others_and_comes_out_again(engine) -> None:
    """Also the noise, and whether others wear spectacles or reach farther across the picture."""
    studio = replace(MIXED, size=64, sensor=Sensor(), rig=Rig(uneven=0.1))
    shots = draws(studio)
    together = photograph(engine, shots, studio)
    again = photograph(TorchEngine(str(engine.device)), shots, studio)
    assert all(map(equal, together, again))
    turned = photograph(engine, shots[::-1], studio)[::-1]
    assert all(map(equal, together, turned))
    alone = [photograph(engine, [shot], studio)[0] for shot in shots]
    assert all(map(equal, together, alone))
    assert not equal(together[0], together[1])
