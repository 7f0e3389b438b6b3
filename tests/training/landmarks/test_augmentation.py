from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
from drawn_faces import drawn_face, write_face_table

from fr3d.alignment.looks import MIRRORED
from fr3d.alignment.window import face_frame
from fr3d.training.landmarks.augmentation import LandmarkAugmentation, augmented, mirrored
from fr3d.training.landmarks.dataset import LandmarkSource, LandmarkViews
from fr3d.training.landmarks.pictures import load_pictures
from fr3d.training.landmarks.table import read_face_table

STILL = LandmarkAugmentation(grey=0, light=0, relief=0, backdrop=0, blur=0, noise=0, cover=0)


@pytest.mark.parametrize("close", [0.0, 1.0])
@pytest.mark.parametrize("which", range(5))
def test_a_dot_drawn_at_a_point_is_where_the_point_goes(which, close):
    """Through turn, scale, shift and mirror; a mirrored left eye is the right one."""
    _, points = drawn_face(1, 160)
    picture = np.zeros((160, 160, 3), np.uint8)
    place = tuple(round(16 * float(v)) for v in points[which])
    cv2.circle(picture, place, 16 * 4, (255, 255, 255), -1, shift=4)
    strength, mirrors = replace(STILL, close=close), 0
    for seed in range(20):
        view, seen = augmented(picture, points, 128, strength, np.random.default_rng(seed))
        light = np.clip(view[..., 1].astype(float) - np.median(view[..., 1]), 0, None)
        rows, columns = np.mgrid[:128, :128]
        found = np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()
        apart = np.linalg.norm(seen - found, axis=1)
        assert apart.min() < 0.3
        assert int(apart.argmin()) in (which, MIRRORED[which])
        mirrors += int(apart.argmin()) != which
    assert mirrors > 2 or which == 2


def test_left_stays_left_in_the_mirror():
    view, points = drawn_face(0, 64)
    flipped, seen = mirrored(view.astype(np.float32), points)
    assert seen[0, 0] < seen[1, 0]
    assert seen[3, 0] < seen[4, 0]
    assert np.allclose(seen[0], [63 - points[1, 0], points[1, 1]])
    again = mirrored(flipped, seen)
    assert np.array_equal(again[0], view)
    assert np.allclose(again[1], points)


def test_windows_vary_as_boxes_do():
    picture, points = drawn_face(0, 160)
    close, rough = [
        [
            face_frame(augmented(picture, points, 128, replace(STILL, close=c), rng)[1])
            for rng in map(np.random.default_rng, range(80))
        ]
        for c in (1.0, 0.0)
    ]
    assert 32 < min(f.size for f in close) < max(f.size for f in close) < 52
    assert min(f.size for f in rough) < 30
    assert max(f.size for f in rough) > 46
    assert max(abs(f.degrees) for f in close) < 20 < max(abs(f.degrees) for f in rough)
    # The middle of the face is in every window.
    assert all((f.centre > 10).all() and (f.centre < 118).all() for f in rough)


@pytest.mark.parametrize("name", [f.name for f in fields(LandmarkAugmentation)][3:])
def test_each_change_changes_the_picture_and_not_the_points(name):
    picture, points = drawn_face(0, 160)
    one, same = (
        augmented(picture, points, 64, strength, np.random.default_rng(5))
        for strength in (replace(STILL, **{name: 1.0}), STILL)
    )
    assert one[0].dtype == np.uint8
    assert not np.array_equal(one[0], same[0])
    assert np.array_equal(one[1], same[1])


def test_grey_has_no_colour():
    picture, points = drawn_face(0, 160)
    strength = replace(STILL, grey=1.0)
    view, _ = augmented(picture, points, 64, strength, np.random.default_rng(0))
    assert (view == view[..., :1]).all()


def test_batches_depend_on_seed_epoch_and_step_alone(tmp_path):
    pictures, _ = load_pictures(read_face_table(write_face_table(tmp_path, 7)))
    rows = np.arange(1, 7)

    def batches(workers=0, seed=0, epoch=1, start=0):
        views = LandmarkViews(pictures, 64, LandmarkAugmentation(), seed)
        return list(LandmarkSource(views, rows, 2, workers).epoch(epoch, start))

    first = batches()
    assert [tuple(v.shape) for v, _ in first] == [(2, 3, 64, 64)] * 3
    for others in (batches(workers=2), [first[0], *batches(start=1)]):
        for (views, points), (v, p) in zip(first, others, strict=True):
            assert (views == v).all()
            assert (points == p).all()
    assert not (first[0][0] == batches(seed=1)[0][0]).all()
    assert not (first[0][0] == batches(epoch=2)[0][0]).all()


def test_every_face_comes_once_an_epoch_but_for_a_rest(tmp_path):
    pictures, _ = load_pictures(read_face_table(write_face_table(tmp_path, 7)))
    views = LandmarkViews(pictures, 64, LandmarkAugmentation(), 0)
    source = LandmarkSource(views, np.arange(7), 3)
    seen = [row for batch in source.keys(0) for _, row in batch]
    assert len(source) == 2
    assert len(set(seen)) == len(seen) == 6
    assert len(LandmarkSource(views, np.arange(2), 16)) == 1
