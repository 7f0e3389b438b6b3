import json

import numpy as np
import pytest
from synthetic_faces import SIZE, face_arrays

from fr3d.data.inputs import (
    CHANNELS,
    InputSpec,
    face_inputs,
    face_inputs_and_masks,
    input_specs,
)
from fr3d.errors import MalformedInputError

MODALITIES = tuple(CHANNELS)


@pytest.fixture(scope="module")
def faces():
    return face_arrays(2, 2)


def test_shapes_and_fill(faces):
    inputs, mask = face_inputs_and_masks(faces, [3, 1], input_specs(MODALITIES))
    assert list(inputs) == list(MODALITIES)
    for name, channels in CHANNELS.items():
        assert inputs[name].shape == (2, channels, SIZE, SIZE)
        assert inputs[name].dtype == np.float32
        assert not inputs[name].transpose(0, 2, 3, 1)[~mask].any()
    np.testing.assert_array_equal(mask[0], faces["mask"][3] > 0)


def test_normals_are_unit(faces):
    normal = face_inputs(faces, [0], input_specs(["normal"]))["normal"][0]
    length = np.linalg.norm(normal, axis=0)[faces["mask"][0] > 0]
    np.testing.assert_allclose(length, 1, atol=1e-6)


@pytest.mark.parametrize("modality", ["albedo", "image"])
def test_exposure_does_not_matter(faces, modality):
    brighter = faces | {modality: faces[modality].astype(np.float32) * 3.7}
    specs = input_specs([modality])
    one, other = (face_inputs(f, [0, 2], specs)[modality] for f in (faces, brighter))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_albedo_is_relative_to_the_median(faces):
    value = face_inputs(faces, [0], input_specs(["albedo"]))["albedo"][0, 0]
    mask = faces["mask"][0] > 0
    assert abs(np.median(value[mask])) < 1e-6
    raw = faces["albedo"][0].astype(np.float64)[mask]
    np.testing.assert_allclose(value[mask], raw / np.median(raw) - 1, atol=1e-5)


def test_height_of_the_face_does_not_matter_but_its_relief_does(faces):
    specs = input_specs(["depth"])
    depth = faces["depth"].astype(np.float32)
    base = face_inputs(faces | {"depth": depth}, [0], specs)["depth"]
    lifted = face_inputs(faces | {"depth": depth + 50}, [0], specs)["depth"]
    doubled = face_inputs(faces | {"depth": depth * 2}, [0], specs)["depth"]
    np.testing.assert_allclose(base, lifted, atol=1e-4)
    np.testing.assert_allclose(base * 2, doubled, atol=1e-4)
    assert 0.1 < np.abs(base).max() < 4


def test_low_frequencies_of_depth_do_not_matter(faces):
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    surface = 3 - 2 * x + 4 * y + 5 * x * x - 3 * x * y + 2 * y * y
    depth = faces["depth"].astype(np.float32)
    specs = input_specs(["depth"])
    bent = face_inputs(faces | {"depth": depth + surface.astype(np.float32)}, [0], specs)["depth"]
    np.testing.assert_allclose(
        bent, face_inputs(faces | {"depth": depth}, [0], specs)["depth"], atol=1e-4
    )


def test_central_depth_is_zero_in_the_middle(faces):
    spec = InputSpec("depth", 1, "central", scale=0.25)
    value = face_inputs(faces, [0], [spec])["depth"][0, 0]
    raw = faces["depth"][0].astype(np.float64)
    mask = faces["mask"][0] > 0
    row, column = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    origin = np.median(raw[mask & (np.hypot(row, column) <= SIZE / 4)])
    np.testing.assert_allclose(value[mask], ((raw - origin) / (0.25 * SIZE))[mask], atol=1e-5)


def test_a_highlight_is_clipped(faces):
    albedo = faces["albedo"].astype(np.float32)
    albedo[0, SIZE // 2, SIZE // 2] = 1e6
    value = face_inputs(faces | {"albedo": albedo}, [0], input_specs(["albedo"]))["albedo"]
    assert value.max() == 4


def test_not_a_number_inside_the_mask_is_not_valid(faces):
    depth = faces["depth"].copy()
    depth[0, 10, 12] = np.nan
    inputs, mask = face_inputs_and_masks(
        faces | {"depth": depth}, [0], input_specs(["depth", "albedo"])
    )
    assert not mask[0, 10, 12]
    assert inputs["depth"][0, 0, 10, 12] == 0


def test_colour_becomes_grey_for_one_channel(faces):
    grey = faces["image"].astype(np.float32)
    colour = np.stack([0.5 * grey, grey, 1.5 * grey], axis=-1)
    specs = input_specs(["image"])
    one, other = (face_inputs({**faces, "image": v}, [1], specs)["image"] for v in (grey, colour))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_missing_modality_is_refused(faces):
    without = {k: v for k, v in faces.items() if k != "depth"}
    with pytest.raises(MalformedInputError, match="no dataset 'depth'"):
        face_inputs(without, [0], input_specs(["depth"]))


def test_an_empty_face_is_refused_not_filled(faces):
    mask = faces["mask"].copy()
    mask[2] = 0
    with pytest.raises(MalformedInputError, match="row 2"):
        face_inputs(faces | {"mask": mask}, [0, 2], input_specs(["normal"]))


def test_spec_survives_json():
    for spec in input_specs(MODALITIES):
        assert InputSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    with pytest.raises(MalformedInputError, match="input description"):
        InputSpec.from_json({"modality": "normal", "colour": 1})
    with pytest.raises(MalformedInputError, match="unknown input"):
        InputSpec.from_json({"modality": "normal", "channels": 3, "normalisation": "whitened"})


def test_an_unknown_modality_is_refused():
    with pytest.raises(MalformedInputError, match="'curvature'"):
        input_specs(["normal", "curvature"])
