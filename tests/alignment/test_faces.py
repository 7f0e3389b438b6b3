from pathlib import Path

import numpy as np
import pytest
from posed_faces import posed, poses, upright, write_maps

from fr3d.alignment.faces import align_source
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.rows import align_rows
from fr3d.alignment.sources.maps import MapsSource, check_alignable, read_maps
from fr3d.artifacts.store import open_artifact
from fr3d.errors import CannotWriteError, MalformedInputError
from fr3d.geometry.similarity import inverse, similarity, transform_points

CAPTURE = AlignmentRecipe(detector="capture")


def test_one_and_four_workers_give_the_same_bytes(maps_file: Path, tmp_path: Path):
    maps = open_artifact(maps_file)
    steps = []
    align_source(MapsSource(maps), tmp_path / "1.h5", CAPTURE, workers=1, advance=steps.append)
    align_source(MapsSource(maps), tmp_path / "4.h5", CAPTURE, workers=4)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "4.h5").read_bytes()
    assert sum(steps) == len(maps)


def test_what_a_faces_file_holds(maps_file: Path, tmp_path: Path):
    maps = open_artifact(maps_file)
    summary = align_source(MapsSource(maps), tmp_path / "faces.h5", CAPTURE)
    faces = open_artifact(tmp_path / "faces.h5")
    assert faces.frame == "face:arcface112"
    assert faces.parameters == CAPTURE.parameters()
    assert [s["command"] for s in faces.history] == ["ps-reconstruct", "align"]
    assert faces.history[-1]["inputs"] == {"maps.h5": maps.sha256}
    for name in ("normal", "albedo", "depth", "image", "confidence"):
        assert faces[name].dtype == np.float16
        assert faces[name].shape[1:3] == (112, 112)
    assert faces["mask"].dtype == np.uint8
    assert faces.subject_id == maps.subject_id
    assert faces.session_id == maps.session_id
    assert faces.attributes == maps.attributes
    np.testing.assert_array_equal(faces.quality["residual"], maps.quality["residual"])
    assert faces.quality["landmark_residual"].max() < 1e-3
    assert (summary.aligned, summary.rejected) == (40, ())
    assert [r.session_id for r in faces.rejected] == ["s99"]


def test_warp_lights_and_scale_follow_the_face(maps_file: Path, tmp_path: Path):
    maps = open_artifact(maps_file)
    done = align_rows(MapsSource(maps), [0, 5], CAPTURE)
    for k, row in enumerate(done.rows):
        pose = poses(40)[row]
        np.testing.assert_allclose(done.columns["warp"][k], pose, atol=1e-3)
        factor = np.sqrt(np.linalg.det(pose[:, :2]))
        assert done.columns["scale_mm"][k] == pytest.approx(0.8 * factor, rel=1e-4)
        # A light direction turns as a normal does.
        turn = inverse(pose)[:, :2] * factor
        x, y = transform_points(np.column_stack([turn, [0, 0]]), [[0.6, 0], [0, -0.6]])
        expected = [[x[0], -x[1], 0.8], [y[0], -y[1], 0.8]]
        np.testing.assert_allclose(done.columns["lights"][k], expected, atol=1e-5)


def test_the_warp_of_the_maps_is_continued(tmp_path: Path):
    before = similarity(0, 2.0, (30, 40))[None].astype(np.float32)
    path = write_maps(tmp_path / "maps.h5", [posed(poses(1)[0])], warp=before)
    done = align_rows(MapsSource(open_artifact(path)), [0], CAPTURE)
    seen = transform_points(done.columns["warp"][0], done.columns["landmarks"][0])
    there = transform_points(before[0], posed(poses(1)[0]).landmarks)
    np.testing.assert_allclose(seen, there, atol=1e-2)


def test_padding_is_cut_off(tmp_path: Path):
    face = posed(poses(1)[0])
    path = write_maps(tmp_path / "maps.h5", [face], size=np.array([[140, 120]], np.int32))
    assert read_maps(open_artifact(path), 0).mask.shape == (140, 120)
    bad = write_maps(tmp_path / "bad.h5", [face], size=np.array([[140, 999]], np.int32))
    with pytest.raises(MalformedInputError, match=r"bad.h5: row 0 has size 140 x 999"):
        read_maps(open_artifact(bad), 0)


def test_sessions_without_a_face_are_listed_and_the_rest_is_done(tmp_path: Path):
    faces = [posed(m) for m in poses(3)]
    lost = type(faces[1])(
        faces[1].mask, landmarks=np.full((5, 2), np.nan, np.float32), **faces[1].present
    )
    path = write_maps(tmp_path / "maps.h5", [faces[0], lost, faces[2]])
    summary = align_source(
        MapsSource(open_artifact(path)), tmp_path / "faces.h5", AlignmentRecipe()
    )
    assert summary.aligned == 2
    assert [(r.session_id, r.reason) for r in summary.rejected] == [("s1", "no face found")]
    listed = (tmp_path / "faces.h5.rejects.csv").read_text()
    assert "001,s1,no face found\n" in listed
    assert "009,s99,three of four images\n" in listed


def test_values_beyond_half_precision_leave_a_session_out(tmp_path: Path):
    face = upright()
    bright = type(face)(face.mask, albedo=face.albedo * 1e6, landmarks=face.landmarks)
    done = align_rows(
        MapsSource(open_artifact(write_maps(tmp_path / "m.h5", [bright]))), [0], CAPTURE
    )
    assert "albedo reaches" in done.rejected[0].reason
    assert done.columns == {}


def test_what_cannot_be_aligned_is_refused_at_once(maps_file: Path, tmp_path: Path):
    align_source(MapsSource(open_artifact(maps_file)), tmp_path / "faces.h5", CAPTURE)
    faces = open_artifact(tmp_path / "faces.h5")
    with pytest.raises(MalformedInputError, match=r"faces.h5: aligned already"):
        check_alignable(faces, CAPTURE)
    face = [upright()]
    blind = open_artifact(write_maps(tmp_path / "blind.h5", face, drop=("image",)))
    with pytest.raises(MalformedInputError, match="no dataset 'image'"):
        check_alignable(blind, AlignmentRecipe(detector="yunet", look_at="image"))
    check_alignable(blind, AlignmentRecipe())
    bare = open_artifact(write_maps(tmp_path / "bare.h5", face, drop=("landmarks",)))
    with pytest.raises(MalformedInputError, match="no dataset 'landmarks'"):
        check_alignable(bare, CAPTURE)


def test_an_interrupted_run_is_taken_up_again(maps_file: Path, tmp_path: Path):
    maps = open_artifact(maps_file)
    align_source(MapsSource(maps), tmp_path / "whole.h5", CAPTURE)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        align_source(MapsSource(maps), tmp_path / "faces.h5", CAPTURE, advance=stop)
    assert not (tmp_path / "faces.h5").exists()
    done: list[int] = []
    summary = align_source(MapsSource(maps), tmp_path / "faces.h5", CAPTURE, advance=done.append)
    assert summary.resumed == 1
    assert done[0] == 32  # what the first run had done
    assert sum(done) == len(maps)
    assert (tmp_path / "faces.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    with pytest.raises(CannotWriteError, match="exists already"):
        align_source(MapsSource(maps), tmp_path / "faces.h5", CAPTURE)
