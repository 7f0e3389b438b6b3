"""Spectacles, hair and beards: solid, in their places, and seen."""

from dataclasses import replace

import numpy as np
import pytest

from fr3d.synthesis import spectacles
from fr3d.synthesis.appearance import Variety, sample_appearance
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.beard import KINDS, regions, sample_beard
from fr3d.synthesis.engine import engine_for
from fr3d.synthesis.figure import build
from fr3d.synthesis.fitting import fit, fit_all
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.locks import hang, lock_triangles, no_locks
from fr3d.synthesis.scene import photograph
from fr3d.synthesis.sensor import Sensor
from fr3d.synthesis.studio import Studio, draw
from fr3d.synthesis.topology import topology

HEAD = load_heads()
QUIET = Studio(
    112, sensor=Sensor(noise=0.0, ambient=0.0), variety=Variety(0.0, 0.0, 0.0, 0.0), movement=0.0
)


def volume(points: np.ndarray, triangles: np.ndarray) -> float:
    """Signed volume of a closed surface; positive when triangles look outwards."""
    a, b, c = (points[triangles[:, k]] - points.mean(axis=0) for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def edges_met_twice(triangles: np.ndarray) -> bool:
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    _, count = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    return bool((count == 2).all())


@pytest.mark.parametrize("seed", range(5))
def test_rims_are_closed_tubes_before_the_eyes(seed: int) -> None:
    person = sample_identity(seed, 0, HEAD)
    pair = replace(spectacles.sample_spectacles(np.random.default_rng(seed)), style="full")
    face = HEAD.shape(person.shape)
    worn, triangles = fit(pair, HEAD, face), spectacles.frame_triangles()
    size = spectacles.RIM_POINTS * spectacles.SIDES
    for side in range(2):
        rim = triangles[(triangles[:, 0] >= side * size) & (triangles[:, 0] < (side + 1) * size)]
        assert edges_met_twice(rim)
        assert volume(worn.frame, rim) > 0
    eyes = face[HEAD.part == 1]
    for sign in (1, -1):
        eye = eyes[sign * eyes[:, 0] > 0]
        rim = worn.frame[: 2 * size][sign * worn.frame[: 2 * size, 0] > 0]
        assert rim[:, 0].min() < eye[:, 0].mean() < rim[:, 0].max()
        assert rim[:, 1].min() < eye[:, 1].mean() < rim[:, 1].max()
        assert rim[:, 2].mean() > eye[:, 2].max()
    lens = worn.lenses[spectacles.lens_triangles()]
    assert (np.cross(lens[:, 1] - lens[:, 0], lens[:, 2] - lens[:, 0])[:, 2] >= -1e-9).all()


def test_many_pairs_are_fitted_to_the_byte_like_each_alone() -> None:
    people = [sample_identity(0, n, HEAD) for n in range(6)]
    faces = np.stack([HEAD.shape(person.shape) for person in people])
    pairs = [
        replace(person.spectacles, style=spectacles.STYLES[n % 3])
        for n, person in enumerate(people)
    ]
    together = fit_all(pairs, HEAD, faces)
    for n, pair in enumerate(pairs):
        alone = fit(pair, HEAD, faces[n])
        assert together.frame[n].tobytes() == alone.frame.tobytes()
        assert together.lenses[n].tobytes() == alone.lenses.tobytes()


def test_half_rims_have_no_lower_edge_and_rimless_ones_none() -> None:
    pair = spectacles.sample_spectacles(np.random.default_rng(0))
    size = spectacles.RIM_POINTS * spectacles.SIDES
    thickness = {}
    for style in spectacles.STYLES:
        worn = fit(replace(pair, style=style), HEAD, HEAD.vertices)
        rings = worn.frame[:size].reshape(spectacles.RIM_POINTS, spectacles.SIDES, 3)
        thickness[style] = np.linalg.norm(np.ptp(rings, axis=1), axis=1)
    assert thickness["full"].min() > 0.01
    assert thickness["half"].min() < 1e-9
    assert thickness["half"].max() > 0.01
    assert thickness["rimless"].max() < 1e-9


def test_long_hair_is_a_closed_shell_around_the_head() -> None:
    person = sample_identity(0, 1, HEAD)
    style = replace(person.hair, cut="long", length=0.6, front=65.0, top=0.17, side=0.14)
    face = HEAD.shape(person.shape)
    shell = hang(style, HEAD, face)
    assert shell.shape == no_locks().shape
    assert volume(shell, lock_triangles()) > 0
    assert shell[:, 1].min() < 6.3
    ears = face[HEAD.masks["ears"] > 0.5]
    assert np.abs(shell[:, 0]).max() > np.abs(ears[:, 0]).max() - 0.1
    nose = face[HEAD.landmarks[6]]
    assert np.linalg.norm(shell[:, [0, 2]] - nose[[0, 2]], axis=1).min() > 0.4


@pytest.mark.parametrize("kind", KINDS)
def test_facial_hair_grows_where_its_name_says(kind: str) -> None:
    rng = np.random.default_rng(1)
    beard = sample_beard(np.random.default_rng(3), kind, np.random.default_rng(2))
    assert beard.kind == kind
    assert (beard.shade > 0) == (kind != "none")
    assert (beard.lip > 0) == (kind in ("moustache", "both"))
    assert (beard.jaw > 0) == (kind in ("beard", "both"))
    assert {sample_beard(rng, kind, np.random.default_rng(2)).kind for _ in range(60)} <= {
        kind, "none", "stubble",
    }  # fmt: skip


def test_regions_of_facial_hair() -> None:
    common = topology(engine_for("cpu"), 2)
    beard = sample_beard(np.random.default_rng(3), "both", np.random.default_rng(2))
    where = regions(beard, common.roots, common.masks["lips"])
    x, y, z = common.roots.x[0], common.roots.y[0], common.roots.z[0]
    chin = (np.abs(x) < 0.1) & (np.abs(y - 6.3) < 0.05) & (z > 1.35)
    assert where.jaw[0][chin].min() > 0.9
    assert where.jaw[0][y > 7.3].max() < 0.01
    under_nose = (np.abs(x) < 0.15) & (np.abs(y - 6.76) < 0.015) & (z > 1.5)
    assert where.lip[0][under_nose].min() > 0.5
    assert where.lip[0][chin].max() == 0
    forehead = (y > 7.6) & (z > 1.3)
    assert max(where.lip[0][forehead].max(), where.jaw[0][forehead].max()) == 0


def grown(person: int, **changes: object) -> np.ndarray:
    """How far each vertex of the head stands off the bare skin, dm."""
    identity = sample_identity(0, person, HEAD)
    seen = sample_appearance(identity, 0, person, 0, QUIET.variety)
    bald = replace(seen.hair, top=0.0, side=0.0, length=0.0)
    shaved = replace(seen.beard, jaw=0.0, lip=0.0)
    bare = replace(seen, hair=bald, beard=shaved)
    engine = engine_for("cpu")
    both = [
        build(engine, [(identity.complexion, a)], 2).vertices[0]
        for a in (bare, replace(bare, **changes))
    ]
    return np.linalg.norm(both[1] - both[0], axis=1)


def test_hair_stands_off_the_scalp_and_nowhere_else() -> None:
    identity = sample_identity(0, 0, HEAD)
    style = replace(identity.hair, top=0.2, side=0.1, length=0.0, fringe=0.0)
    off, common = grown(0, hair=style), topology(engine_for("cpu"), 2)
    place = common.table[: common.head, :3]
    assert off[: common.head][place[:, 1] > 8.3].mean() > 0.1
    face = (place[:, 2] > 1.1) & (place[:, 1] < 7.6)
    assert off[: common.head][face].max() == 0


def test_a_beard_stands_off_the_chin_and_a_shaved_face_does_not() -> None:
    beard = sample_beard(np.random.default_rng(3), "beard", np.random.default_rng(2))
    off, common = grown(2, beard=beard), topology(engine_for("cpu"), 2)
    place = common.table[: common.head, :3]
    chin = (np.abs(place[:, 0]) < 0.1) & (np.abs(place[:, 1] - 6.3) < 0.05) & (place[:, 2] > 1.35)
    assert off[: common.head][chin].mean() > 0.03
    assert off[: common.head][place[:, 1] > 7.3].max() == 0


def test_frames_are_seen_throw_shadows_and_hide_the_truth_behind_them_only() -> None:
    """Spectacles change the photograph around the eyes; behind the lenses the truth is the face."""
    identity = sample_identity(0, 19, HEAD, QUIET.variety.habits)
    shot = draw(identity, 0, 19, 0, QUIET)
    pair = replace(identity.spectacles, style="full", thick=0.02, clear=0.95)
    worn = replace(shot, appearance=replace(shot.appearance, spectacles=pair))
    bare, dressed = (photograph(engine_for("cpu"), [s], QUIET)[0] for s in (shot, worn))
    frame = bare.mask & dressed.mask & (dressed.depth > bare.depth + 0.8)
    assert 0.004 < frame.mean() < 0.12
    pupils = np.rint(bare.landmarks[[0, 1, 3, 4]].reshape(2, 2, 2).mean(axis=1)).astype(int)
    for x, y in pupils:
        assert np.isclose(dressed.depth[y, x], bare.depth[y, x])
        assert dressed.images[:, y, x].mean() != bare.images[:, y, x].mean()
    darker = (dressed.lit < bare.lit - 0.5) & ~frame & bare.mask
    assert darker.sum() > 30
    lower = slice(int(bare.landmarks[8, 1]), None)
    assert np.array_equal(dressed.images[:, lower], bare.images[:, lower])
