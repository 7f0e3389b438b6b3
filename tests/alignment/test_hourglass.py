"""The detector around a network that is known: blue blobs are eyes, a green nose, red mouth."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
from drawn_faces import FACE
from onnx import TensorProto, helper, numpy_helper

from fr3d.alignment.hourglass import KEY, Hourglass, landmark_properties
from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError
from fr3d.geometry.similarity import similarity, transform_points

SIZE = 128


def network(size=SIZE, facts=None, output="heatmap", channels=(0, 0, 1, 2, 2), wide=1) -> bytes:
    """An ONNX file: mean colour of 4x4 pixels, eyes and mouth by the half of the picture."""
    side = SIZE // 4
    half = (np.arange(side) < side / 2).astype(np.float32)
    masks = [half, 1 - half, np.ones(side), half, 1 - half][: len(channels)]
    mask = np.ones((1, len(channels), side, 1), np.float32) * np.stack(masks)[None, :, None]
    constants = {
        "channels": np.array(channels, np.int64),
        "mask": mask.astype(np.float32) / 255,
    }
    nodes = [
        helper.make_node("Gather", ["image", "channels"], ["planes"], axis=1),
        helper.make_node("AveragePool", ["planes"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Mul", ["small", "mask"], [output]),
    ]
    shape = ["batch", 3, SIZE, SIZE]
    graph = helper.make_graph(
        nodes,
        "blobs",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    properties = dict(landmark_properties(size, "0" * 64)) if facts is None else facts
    for key, value in properties.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    return model.SerializeToString()


def blobs(points, shape=(240, 320), sigma=5.0) -> np.ndarray:
    """A picture with Gaussian blobs at points (5, 2)."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    picture = np.zeros((*shape, 3))
    for (x, y), channel in zip(points, (0, 0, 1, 2, 2), strict=True):
        blob = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
        picture[..., channel] = np.maximum(picture[..., channel], blob)
    return np.round(picture).astype(np.uint8)


def box_of(points, wider=1.0, shift=(0.0, 0.0)):
    """Left, top, right, bottom as a detector draws it: from the hairline to the chin."""
    size = np.linalg.norm(points[:2].mean(axis=0) - points[3:].mean(axis=0))
    middle = points.mean(axis=0) + np.array(shift) * size
    reach = wider * size * np.array([1.0, 1.33])
    return np.concatenate([middle - reach, middle + reach])


@pytest.fixture(scope="module")
def model() -> Hourglass:
    return Hourglass(network())


@pytest.mark.parametrize("degrees", [0.0, 15.0, -20.0])
@pytest.mark.parametrize("wider", [0.95, 1.2, 1.5])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.15, -0.2)])
def test_points_are_found_between_pixels_whatever_the_box(model, degrees, wider, shift):
    points = transform_points(similarity(degrees, 25.0, (163.3, 118.6)), FACE)
    box = box_of(points, wider, shift)
    found = model.find(blobs(points), box)
    assert np.abs(found.landmarks - points).max() < 0.35
    assert 0.5 < found.score <= 1
    assert found.box.tolist() == box.tolist()


def test_the_same_face_on_the_left_and_on_the_right(model):
    """The mean with the mirror image has no preferred side."""
    points = transform_points(similarity(7.0, 25.0, (140.0, 110.0)), FACE)
    picture = blobs(points)
    found = model.find(picture, box_of(points)).landmarks
    other = points * [-1, 1] + [319, 0]
    other = other[[1, 0, 2, 4, 3]]
    back = model.find(np.ascontiguousarray(picture[:, ::-1]), box_of(other)).landmarks
    assert np.allclose(back * [-1, 1] + [319, 0], found[[1, 0, 2, 4, 3]], atol=0.05)


def test_a_face_at_the_edge_and_a_large_picture(model):
    points = transform_points(similarity(0.0, 25.0, (42.0, 195.0)), FACE)
    assert np.abs(model.find(blobs(points), box_of(points)).landmarks - points).max() < 0.5
    points = transform_points(similarity(5.0, 200.0, (900.0, 700.0)), FACE)
    found = model.find(blobs(points, (1500, 1900), 40.0), box_of(points))
    assert np.abs(found.landmarks - points).max() < 0.35 * 8


def test_the_score_is_the_height_of_the_peaks(model):
    points = transform_points(similarity(0.0, 25.0, (160.0, 120.0)), FACE)
    picture = blobs(points)
    high, low = (model.find(p, box_of(points)).score for p in (picture, picture // 2))
    assert low == pytest.approx(high / 2, rel=0.03)
    assert model.find(np.zeros_like(picture), box_of(points)).score == 0


def test_a_picture_without_a_face_gives_points_all_the_same(model):
    for value in (0, 200):
        found = model.find(np.full((50, 60, 3), value, np.uint8), np.array([-90.0, 5, -20, 40]))
        assert np.isfinite(found.landmarks).all()


@pytest.mark.parametrize(
    "box", [[0, 0, 0, 10], [10, 0, 5, 10], [0, 0, np.nan, 5], [0, 0, np.inf, 5], [0, 1, 2]]
)
def test_boxes_that_are_none(model, box):
    with pytest.raises(MalformedInputError, match="expected left, top, right, bottom"):
        model.find(np.zeros((50, 60, 3), np.uint8), np.array(box, dtype=float))


@pytest.mark.parametrize(
    "picture", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3)), np.zeros((0, 5, 3), np.uint8)]
)
def test_pictures_of_another_kind(model, picture):
    with pytest.raises(MalformedInputError, match=r"expected uint8 \(H, W, 3\)"):
        model.find(picture, np.array([0.0, 0, 5, 5]))


def test_it_knows_its_file(model, tmp_path):
    (tmp_path / "net.onnx").write_bytes(network())
    same = Hourglass(tmp_path / "net.onnx")
    assert same.sha256 == model.sha256 == sha256(network()).hexdigest()
    assert same.size == SIZE
    assert same.name == "net.onnx"


def test_no_such_file(tmp_path):
    with pytest.raises(MissingInputError, match=r"lost\.onnx"):
        Hourglass(tmp_path / "lost.onnx")


def facts(**more):
    return {KEY: json.dumps(json.loads(landmark_properties(SIZE, "")[KEY]) | more)}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a landmark network"),
        (b"no ONNX at all", "not an ONNX file"),
        (network()[:300], "not an ONNX file"),
        (network(facts={}), "not a landmark network"),
        (network(facts={"fr3d.contract": "{}"}), "not a landmark network"),
        (network(facts={KEY: "["}), "damaged metadata"),
        (network(facts={KEY: "[]"}), "damaged metadata"),
        (network(facts=facts(size="wide")), "damaged metadata"),
        (network(facts=facts(size=1e400)), "damaged metadata"),
        (network(facts=facts(size=10**9)), "an input of 1000000000 pixels"),
        (network(facts=facts(size=64)), "refuses it"),
        (network(output="embedding"), "expected one input 'image'"),
        (network(channels=(0, 1, 2)), "of 5 maps"),
    ],
)
def test_files_that_are_no_landmark_network(data, says):
    with pytest.raises(Fr3dError, match=says) as caught:
        Hourglass(data)
    assert "\n" not in caught.value.message


def test_weights_in_other_files_are_refused():
    model = onnx.load_model_from_string(network())
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    with pytest.raises(MalformedInputError, match="keeps weights in other files"):
        Hourglass(model.SerializeToString())


def test_it_needs_no_torch():
    code = "import sys, fr3d.alignment.hourglass; sys.exit('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
    )
