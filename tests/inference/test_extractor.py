"""Networks of other people: embeddings as plain NumPy gives them, whatever their conventions."""

from pathlib import Path

import foreign_networks as foreign
import numpy as np
import onnx
import pytest
from foreign_networks import SIDE, TOML, network, weighted_mean, write_photographs
from onnx import TensorProto

from fr3d.artifacts.onnx_file import open_session
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import Artifact, open_artifact
from fr3d.artifacts.writer import write_artifact
from fr3d.data.inputs import InputSpec, face_inputs
from fr3d.errors import MalformedInputError, UsageError
from fr3d.inference.batching import freed_batch
from fr3d.inference.contract import check_faces
from fr3d.inference.description import Description, read_description
from fr3d.inference.embedding import embed_faces
from fr3d.inference.extractor import adopt
from fr3d.inference.model import open_model
from fr3d.inference.onnx_model import OnnxModel


@pytest.fixture
def faces(tmp_path: Path) -> Artifact:
    return open_artifact(write_photographs(tmp_path / "faces.h5", "abc"))


def described(tmp_path: Path, **changes: str) -> Description:
    """TOML with some lines changed; the values are TOML."""
    lines = dict(line.split(" = ") for line in TOML.strip().splitlines())
    text = "\n".join(f"{key} = {value}" for key, value in (lines | changes).items())
    (tmp_path / "net.toml").write_text(text)
    return read_description(tmp_path / "net.toml")


def pictures(faces: Artifact) -> np.ndarray:
    """sRGB from 0 to 1, by the textbook."""
    linear = faces["image"][:].astype(np.float64)
    low = linear <= 0.0031308
    return np.where(low, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).transpose(0, 3, 1, 2)


def prepared(faces: Artifact) -> np.ndarray:
    mean, std = np.array([10, 20, 30]), np.array([2, 4, 8])
    return (255 * pictures(faces) - mean[:, None, None]) / std[:, None, None]


def embedded(model: OnnxModel, faces: Artifact, batch_size: int = 4) -> np.ndarray:
    found = embed_faces(model, faces, range(len(faces)), batch_size)
    assert not found.rejected
    np.testing.assert_allclose(found.magnitude, np.linalg.norm(found.embedding, axis=1), rtol=1e-5)
    return found.embedding


def close(found: np.ndarray, expected: np.ndarray, rtol: float = 1e-5) -> None:
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        ({}, network()),
        ({"layout": '"NHWC"'}, network(layout="NHWC")),
        ({}, network(opset=8, ir=3)),
        ({}, network(batch=1)),
        ({}, network(batch=1, reshape=[[1, 3]])),
        ({}, network(batch=1, reshape=[[1, -1]])),
        ({}, network(batch=1, reshape=[[3], [1, 3]])),
        ({"layout": '"NHWC"'}, network(layout="NHWC", batch=1, reshape=[[3], [1, 3]])),
        ({}, network(reshape=[[3], [1, 3]])),
        ({}, network(element=TensorProto.DOUBLE)),
        ({"output": '"b"'}, network(outputs=("a", "b"))),
        ({"input": '"my/image"'}, network(prefix="my/")),
        ({}, network(outputs=("embedding",))),
    ],
)
def test_embeds_as_the_formula_says(
    tmp_path: Path, faces: Artifact, changes: dict[str, str], data: bytes
) -> None:
    model = adopt(data, described(tmp_path, **changes), faces, "net.onnx")
    close(embedded(model, faces), weighted_mean(prepared(faces)))
    assert model.contract.modalities == ("image",)
    assert model.contract.size == (SIDE, SIDE)
    assert model.contract.alignment["detector"] == "yunet"
    assert model.training_subjects == ()


def test_half_precision(tmp_path: Path, faces: Artifact) -> None:
    data = network(element=TensorProto.FLOAT16)
    model = adopt(data, described(tmp_path), faces, "net.onnx")
    close(embedded(model, faces), weighted_mean(prepared(faces)), rtol=1e-2)


def test_blue_first_changes_the_order_before_mean_and_deviation(
    tmp_path: Path, faces: Artifact
) -> None:
    model = adopt(network(), described(tmp_path, color='"BGR"'), faces, "net.onnx")
    mean, std = np.array([10, 20, 30]), np.array([2, 4, 8])
    values = (255 * pictures(faces)[:, ::-1] - mean[:, None, None]) / std[:, None, None]
    close(embedded(model, faces), weighted_mean(values))


def test_grey(tmp_path: Path, faces: Artifact) -> None:
    changes = {"color": '"grey"', "mean": "0.5", "std": "0.25", "scale": "1.0"}
    model = adopt(network(channels=1), described(tmp_path, **changes), faces, "net.onnx")
    grey = np.einsum("bchw,c->bhw", pictures(faces), [0.299, 0.587, 0.114])[:, None]
    close(embedded(model, faces), weighted_mean((grey - 0.5) / 0.25))


@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("flip", ["mean", "unit"])
def test_mirror_images(tmp_path: Path, faces: Artifact, flip: str, batch: int | str) -> None:
    data = network(batch=batch, reshape=[[3], [1, 3]] if batch == 1 else [])
    model = adopt(data, described(tmp_path, flip=f'"{flip}"'), faces, "net.onnx")
    one, other = (weighted_mean(values) for values in (prepared(faces), prepared(faces)[..., ::-1]))
    assert np.abs(one - other).max() > 1e-3
    if flip == "unit":
        one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (one, other))
    close(embedded(model, faces), (one + other) / 2)


def test_a_network_whose_batches_are_coupled_runs_one_by_one(
    tmp_path: Path, faces: Artifact
) -> None:
    """It divides by the largest value of the batch, as dynamic quantisation does."""
    graph = onnx.load_model_from_string(network())
    helper = onnx.helper
    del graph.graph.node[-1]
    graph.graph.node.extend(
        [
            helper.make_node("ReduceMax", ["flat"], ["largest"], keepdims=0),
            helper.make_node("Div", ["flat", "largest"], ["out"]),
        ]
    )
    model = adopt(graph.SerializeToString(), described(tmp_path), faces, "net.onnx")
    mean = weighted_mean(prepared(faces))
    close(embedded(model, faces), mean / mean.max(axis=1, keepdims=True))


def test_freeing_changes_neither_the_network_nor_shapes_of_constants(tmp_path: Path) -> None:
    model = onnx.load_model_from_string(network(batch=1, reshape=[[1, 3]]))
    node = onnx.helper.make_node("Reshape", ["ramp", "shape0"], ["spare"])
    model.graph.node.append(node)
    before = model.SerializeToString(deterministic=True)
    from fr3d.inference.signature import read_signature

    freed = freed_batch(model, read_signature(model, described(tmp_path), "net.onnx"))
    assert model.SerializeToString(deterministic=True) == before
    shapes = {one.output[0]: one.input[1] for one in freed.graph.node if one.op_type == "Reshape"}
    values = {one.name: onnx.numpy_helper.to_array(one) for one in freed.graph.initializer}
    assert values[shapes["shaped0"]].tolist() == [0, 3]
    assert shapes["spare"] == "shape0"


def test_batch_size_does_not_matter(tmp_path: Path, faces: Artifact) -> None:
    model = adopt(network(batch=1), described(tmp_path, flip='"mean"'), faces, "net.onnx")
    close(embedded(model, faces, 1), embedded(model, faces, 6))


def test_the_contract_knows_what_changes_embeddings(tmp_path: Path, faces: Artifact) -> None:
    def digest(data: bytes = network(), **changes: str) -> str:
        return adopt(data, described(tmp_path, **changes), faces, "net.onnx").contract.sha256

    assert digest() == digest(note='"whatever"', license='"MIT"', output='"out"')
    others = [
        digest(flip='"mean"'),
        digest(color='"BGR"'),
        digest(scale="1.0"),
        digest(mean="0.0"),
        digest(exposure='"always"'),
        digest(network(batch=1)),
    ]
    assert len({digest(), *others}) == len(others) + 1


def test_images_of_photometric_stereo_are_exposed_and_photographs_are_not(tmp_path: Path) -> None:
    dim = {"brightness": 0.02}
    plain = open_artifact(write_photographs(tmp_path / "plain.h5", "ab", **dim))
    session = open_artifact(write_photographs(tmp_path / "ps.h5", "ab", reconstructed=True, **dim))
    for artifact, normalisation in ((plain, "picture"), (session, "exposed")):
        model = adopt(network(), described(tmp_path), artifact, "net.onnx")
        spec = InputSpec.from_json(model.contract.inputs["image"])
        assert spec.normalisation == normalisation
        value = face_inputs(artifact, [0], [spec])["image"]
        assert (value.max() > 0.95) == (normalisation == "exposed")
    assert model.contract.reconstruction == {"solver": "ls"}


def test_faces_of_another_frame_or_size_are_refused(tmp_path: Path, faces: Artifact) -> None:
    model = adopt(network(), described(tmp_path, template='"crop"'), faces, "net.onnx")
    with pytest.raises(MalformedInputError, match=r"frame face:arcface112 \(expected face:crop"):
        check_faces(model.contract, faces)
    for side in (8, 24):
        text = described(tmp_path, size=f"[{side}, {side}]")
        free = onnx.load_model_from_string(network())
        free.graph.initializer[0].CopyFrom(
            onnx.numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "ramp")
        )
        for dim in free.graph.input[0].type.tensor_type.shape.dim[2:]:
            dim.dim_param = "side"
        model = adopt(free.SerializeToString(), text, faces, "net.onnx")
        with pytest.raises(MalformedInputError, match=r"size \[16, 16\] \(expected \["):
            check_faces(model.contract, faces)


@pytest.mark.parametrize(
    ("data", "changes", "message"),
    [
        (b"not ONNX at all", {}, "not an ONNX file"),
        (foreign.with_external_weights(network()), {}, "keeps weights in other files"),
        (network(), {"layout": '"NHWC"'}, "is \\? x 3 x 16 x 16, expected \\? x 16 x 16 x 3"),
        (network(), {"size": "[112, 112]"}, "expected \\? x 3 x 112 x 112"),
        (network(channels=1), {}, "expected \\? x 3 x 16 x 16"),
        (network(batch=4), {}, "is 4 x 3"),
        (network(), {"input": '"data"'}, "no input 'data', found image"),
        (network(outputs=("a", "b")), {}, "2 outputs \\(a, b\\), expected one"),
        (network(reshape=[[3]]), {}, "has shape \\(3,\\), expected \\(1, length"),
        (network(reshape=[[1, 3, 1, 1]]), {}, "has shape \\(1, 3, 1, 1\\)"),
        (network(element=TensorProto.INT32), {}, "is int32, expected real numbers"),
        (network(opset=8, batch=1, reshape=[[3], [1, 3]]), {}, "operators 8"),
        (network(reshape=[[2, 5]]), {}, "the ONNX runtime refuses it"),
        (network(opset=6), {}, "ONNX operators 6"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, faces: Artifact, data: bytes, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(MalformedInputError, match=message) as caught:
        adopt(data, described(tmp_path, **changes), faces, "net.onnx")
    assert "\n" not in caught.value.message


def test_the_description_beside_the_network_is_taken(tmp_path: Path, faces: Artifact) -> None:
    (tmp_path / "net.onnx").write_bytes(network())
    with pytest.raises(MalformedInputError, match="carries no model contract"):
        open_model(tmp_path / "net.onnx", faces=faces)
    described(tmp_path)
    model = open_model(tmp_path / "net.onnx", faces=faces)
    close(embedded(model, faces), weighted_mean(prepared(faces)))
    (tmp_path / "ours.onnx").write_bytes(model.data)
    with pytest.raises(UsageError, match="needs no description"):
        open_model(tmp_path / "ours.onnx", faces=faces, extractor="arcface")
    again = open_model(tmp_path / "ours.onnx")
    assert again.contract == model.contract


def test_a_published_network(tmp_path: Path, shared: Path) -> None:
    """MobileFaceNet with a batch of one in its file, against the runtime and plain NumPy."""
    path = shared / "data" / "models" / "mobilefacenet_foamliu" / "MobileFaceNet.onnx"
    side = 112
    image = np.random.default_rng(0).uniform(0, 1, (3, side, side, 3)).astype(np.float16)
    columns = {"subject_id": list("abc"), "session_id": list("abc"), "image": image}
    columns["mask"] = np.ones((3, side, side), np.uint8)
    step = Step("align", foreign.ALIGN | {"size": side})
    write_artifact(tmp_path / "f.h5", "fr3d.maps", columns, step, frame="face:arcface112")
    faces = open_artifact(tmp_path / "f.h5")
    model = open_model(path, faces=faces, extractor="mobilefacenet")
    assert isinstance(model, OnnxModel)
    assert "Scan" not in {
        node.op_type for node in onnx.load_model_from_string(model.data).graph.node
    }
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    values = (pictures(faces) - mean[:, None, None]) / std[:, None, None]
    session = open_session(path.read_bytes(), path.name)

    def alone(picture: np.ndarray) -> np.ndarray:
        return session.run(None, {"input0": np.ascontiguousarray(picture[None], np.float32)})[0][0]

    expected = [(alone(one) + alone(one[..., ::-1])) / 2 for one in values]
    close(embedded(model, faces), np.array(expected), rtol=1e-4)
