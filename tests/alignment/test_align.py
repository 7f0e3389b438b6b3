import numpy as np
import pytest
from posed_faces import posed, poses, upright
from scipy.ndimage import binary_erosion
from surfaces import angular_error

from fr3d.alignment.align import align_maps
from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.errors import MalformedInputError, UsageError
from fr3d.geometry.depth import rezero_depth
from fr3d.geometry.maps import FaceMaps

CAPTURE = AlignmentRecipe(detector="capture")


@pytest.mark.parametrize("matrix", poses(6))
def test_alignment_undoes_the_pose(matrix):
    aligned = align_maps(posed(matrix), CAPTURE)
    truth = rezero_depth(upright())
    inside = binary_erosion(aligned.maps.mask & truth.mask, iterations=4)
    assert inside.sum() > 4000
    np.testing.assert_allclose(aligned.maps.landmarks, truth.landmarks, atol=1e-3)
    assert aligned.quality["landmark_residual"] < 1e-3
    assert angular_error(aligned.maps.normal, truth.normal)[inside].max() < 2.0
    assert np.abs(aligned.maps.depth - truth.depth)[inside].max() < 0.2
    assert np.abs(aligned.maps.albedo - truth.albedo)[inside].max() < 0.02
    assert np.abs(aligned.maps.image - truth.image)[inside].max() < 0.02


def test_mirrored_landmark_names_give_the_same_face():
    face = posed(poses(1)[0])
    swapped = FaceMaps(face.mask, landmarks=face.landmarks[[1, 0, 2, 4, 3]], **face.present)
    one, other = align_maps(face, CAPTURE), align_maps(swapped, CAPTURE)
    np.testing.assert_array_equal(one.maps.normal, other.maps.normal)


def test_the_roll_and_the_residual_are_told():
    face = posed(poses(1)[0])
    turn = np.rad2deg(np.arctan2(-poses(1)[0][1, 0], poses(1)[0][0, 0]))
    quality = align_maps(face, CAPTURE).quality
    assert quality["face_roll"] == pytest.approx(turn, abs=0.01)
    assert np.isnan(quality["landmark_score"])
    moved = face.landmarks.copy()
    moved[2] += (6, 0)
    bad = align_maps(FaceMaps(face.mask, landmarks=moved, **face.present), CAPTURE)
    assert bad.quality["landmark_residual"] > 1.5


def test_without_a_detector_the_whole_frame_is_fitted():
    face = posed(poses(1)[0])
    aligned = align_maps(face, AlignmentRecipe(size=75, detector="none"))
    np.testing.assert_allclose(aligned.matrix[:, :2], np.eye(2) / 2)
    # 150 x 130 at half size: 75 rows fill the square, 65 columns leave 5 on either side.
    assert aligned.matrix[0, 2] == pytest.approx(5 - 0.25)
    assert not aligned.maps.image[:, :5].any()
    assert aligned.maps.image[:, 6].any()
    assert np.isnan(aligned.quality["landmark_residual"])


def test_reasons_for_leaving_a_session_out():
    face = posed(poses(1)[0])
    no_points = FaceMaps(face.mask, **face.present)
    with pytest.raises(NoFaceError, match="no landmarks"):
        align_maps(no_points, CAPTURE)
    with pytest.raises(NoFaceError, match="no face found"):
        align_maps(no_points, AlignmentRecipe(detector="auto"))
    with pytest.raises(NoFaceError, match="no photograph"):
        align_maps(
            FaceMaps(face.mask, albedo=face.albedo),
            AlignmentRecipe(detector="yunet", look_at="image"),
        )
    far = FaceMaps(face.mask, landmarks=face.landmarks + 500, **face.present)
    with pytest.raises(NoFaceError, match="mask covers"):
        align_maps(far, CAPTURE)


def test_a_recipe_survives_the_model_contract():
    for recipe in (
        AlignmentRecipe(),
        AlignmentRecipe(96, "arcface112", "yunet"),
        AlignmentRecipe(detector="none"),
    ):
        assert AlignmentRecipe.from_parameters(recipe.parameters()) == recipe
    assert AlignmentRecipe(detector="none").frame == "face:crop"
    assert AlignmentRecipe(detector="capture").parameters()["detector_sha256"] == ""
    assert len(AlignmentRecipe().parameters()["detector_sha256"]) == 64


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"detector_sha256": "0" * 64}, "another face detector"),
        ({"detector": "dlib"}, "no detector 'dlib'"),
        ({"template": "crop"}, "no template 'crop'"),
        ({"size": "large"}, "invalid literal"),
    ],
)
def test_a_recipe_of_another_version_is_refused(change, says):
    with pytest.raises(MalformedInputError, match=says):
        AlignmentRecipe.from_parameters(AlignmentRecipe().parameters() | change)
    with pytest.raises(MalformedInputError, match="holds no alignment"):
        AlignmentRecipe.from_parameters({})


def test_an_unknown_detector_is_wrong_usage():
    with pytest.raises(UsageError, match="no detector 'dlib'"):
        AlignmentRecipe(detector="dlib")


def test_faces_found_by_a_network_that_is_not_kept_are_not_aligned_anew():
    recipe = AlignmentRecipe(detector="hourglass", network_sha256="ab" * 32)
    with pytest.raises(MalformedInputError, match="landmark network of your own"):
        AlignmentRecipe.from_parameters(recipe.parameters(), "probe.h5")
