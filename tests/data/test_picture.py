"""Pictures: sRGB as the standard has it, whole, and exposed by the face alone."""

import numpy as np
import pytest
from foreign_networks import SIDE

from fr3d.data.inputs import InputSpec, face_inputs, face_inputs_and_masks, input_specs
from fr3d.data.picture import white_level
from fr3d.errors import MalformedInputError
from fr3d.geometry.coding import from_srgb

PICTURE = InputSpec("image", 3, "picture", clip=1.0)
EXPOSED = InputSpec("image", 3, "exposed", clip=1.0)


@pytest.fixture
def faces() -> dict[str, np.ndarray]:
    image = np.random.default_rng(0).uniform(0, 1, (4, SIDE, SIDE, 3)).astype(np.float16)
    mask = np.zeros((4, SIDE, SIDE), np.uint8)
    mask[:, 3:-3, 3:-3] = 1
    return {"image": image, "mask": mask}


def test_eight_bits_survive_storage_in_half_precision() -> None:
    """All 256 levels, decoded to linear light, stored as float16, and encoded again."""
    levels = np.arange(256)
    linear = from_srgb(levels / 255.0).astype(np.float16)
    column = np.broadcast_to(linear[None, :, None, None], (1, 256, 3, 3))
    found = face_inputs({"image": column}, [0], [PICTURE])["image"][0, :, :, 0] * 255
    assert np.abs(found - levels).max() < 0.5  # so that rounding gives the very level


def test_the_background_stays(faces: dict[str, np.ndarray]) -> None:
    inputs, mask = face_inputs_and_masks(faces, [0, 2], [PICTURE])
    linear = from_srgb(inputs["image"].astype(np.float64)).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(linear, faces["image"][[0, 2]], atol=1e-5)
    np.testing.assert_array_equal(mask, faces["mask"][[0, 2]] > 0)


def test_not_a_number_is_filled_and_the_rest_is_cut_to_what_a_picture_holds(
    faces: dict[str, np.ndarray],
) -> None:
    image = faces["image"].copy()
    image[1, 4, 5], image[1, 4, 6], image[1, 4, 7] = np.nan, 7.0, -1.0
    value = face_inputs(faces | {"image": image}, [1], [PICTURE])["image"][0]
    np.testing.assert_allclose(value[:, 4, 5:8], [[0, 1, 0]] * 3, atol=1e-6)


def test_grey_is_colour_without_colour(faces: dict[str, np.ndarray]) -> None:
    grey = faces["image"][..., 0]
    value = face_inputs(faces | {"image": grey}, [3], [PICTURE])["image"][0]
    assert value.shape == (3, SIDE, SIDE)
    np.testing.assert_array_equal(value[0], value[1])
    np.testing.assert_array_equal(value[0], value[2])


@pytest.mark.parametrize("factor", [0.01, 1.0, 300.0])
def test_exposure_undoes_any_range(faces: dict[str, np.ndarray], factor: float) -> None:
    image = faces["image"].astype(np.float32)
    one = face_inputs(faces | {"image": image}, [0], [EXPOSED])["image"]
    other = face_inputs(faces | {"image": image * np.float32(factor)}, [0], [EXPOSED])["image"]
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_face_decides_what_is_white() -> None:
    face = np.zeros((20, 20), bool)
    face[4:16, 4:16] = True
    linear = np.full((3, 20, 20), 9.0, np.float32)  # a bright wall
    linear[:, face] = np.array([0.2, 0.3, 0.4], np.float32)[:, None]
    assert white_level(linear, face) == pytest.approx(0.3)
    corner = np.zeros((20, 20), bool)
    corner[0, 0] = True
    assert white_level(linear, corner) == 9.0
    assert white_level(np.zeros((3, 20, 20), np.float32), face) == 1.0


def test_training_sees_colour_photographs_in_grey(faces: dict[str, np.ndarray]) -> None:
    value = face_inputs(faces, [0], input_specs(["image"]))["image"]
    assert value.shape == (1, 1, SIDE, SIDE)


def test_other_modalities_are_no_pictures() -> None:
    for spec in (InputSpec("albedo", 3, "picture"), InputSpec("image", 1, "exposed")):
        with pytest.raises(MalformedInputError, match="expected 'image' of 3"):
            InputSpec.from_json(spec.to_json())
