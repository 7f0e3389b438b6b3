"""ONNX models: embeddings as a plain matrix product gives them; what is not ours is refused."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from small_models import MODALITIES, contract_of_faces, linear_onnx, write_faces, write_model

from fr3d.artifacts.store import open_artifact
from fr3d.data.inputs import face_inputs, input_specs
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.inference.embedding import columns_of, embed_faces
from fr3d.inference.onnx_model import OnnxModel


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return write_faces(tmp_path / "faces.h5", ["a", "b", "c"])


@pytest.fixture
def model(tmp_path: Path, faces: Path) -> OnnxModel:
    return OnnxModel(write_model(tmp_path / "model.onnx", faces, subjects=["x", "y"]))


def _matrix(model: OnnxModel) -> np.ndarray:
    graph = onnx.load_model_from_string(model.data).graph
    return onnx.numpy_helper.to_array(graph.initializer[0])


def test_embeds_as_the_matrix_says(model: OnnxModel, faces: Path) -> None:
    artifact = open_artifact(faces)
    rows = range(len(artifact))
    inputs = face_inputs(artifact, rows, input_specs(MODALITIES))
    flat = np.concatenate([inputs[m].reshape(len(rows), -1) for m in MODALITIES], axis=1)
    expected = flat.astype(np.float64) @ _matrix(model)
    found = embed_faces(model, artifact, rows, batch_size=4)
    assert found.rows == tuple(rows)
    np.testing.assert_allclose(found.embedding, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.magnitude, np.linalg.norm(expected, axis=1), rtol=1e-5)


def test_knows_its_contract_and_subjects(model: OnnxModel, faces: Path) -> None:
    assert model.contract == contract_of_faces(faces)
    assert model.training_subjects == ("x", "y")
    assert OnnxModel(model.data).contract == model.contract


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_batch_size_does_not_matter(model: OnnxModel, faces: Path, batch_size: int) -> None:
    artifact = open_artifact(faces)
    whole = embed_faces(model, artifact, range(9), 9).embedding
    parts = embed_faces(model, artifact, range(9), batch_size).embedding
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-5)


def test_an_empty_face_is_refused_alone(model: OnnxModel, tmp_path: Path, faces: Path) -> None:
    spoiled = open_artifact(write_faces(tmp_path / "spoiled.h5", ["a", "b", "c"], spoil=[4]))
    found = embed_faces(model, spoiled, range(9), 3)
    assert found.rows == (0, 1, 2, 3, 5, 6, 7, 8)
    (reject,) = found.rejected
    assert (reject.subject_id, reject.session_id) == ("b", "s1")
    assert "valid" in reject.reason
    whole = embed_faces(model, open_artifact(faces), range(9), 3)
    np.testing.assert_allclose(found.embedding, np.delete(whole.embedding, 4, axis=0), rtol=1e-5)
    columns = columns_of(spoiled, found)
    assert columns["session_id"] == ["s0", "s1", "s2", "s0", "s2", "s0", "s1", "s2"]
    np.testing.assert_allclose(columns["quality/residual"], np.delete(np.linspace(0, 1, 9), 4))


class _Broken:
    name, device, training_subjects = "broken", "cpu", ()

    def __init__(self, model: OnnxModel, value: float) -> None:
        self.contract, self._model, self._value = model.contract, model, value

    def embed(self, inputs: dict) -> tuple[np.ndarray, np.ndarray]:
        embedding, _ = self._model.embed(inputs)
        embedding[1] = self._value
        return embedding, np.linalg.norm(embedding, axis=1)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_embeddings_that_are_none_are_rejected(model: OnnxModel, faces: Path, value: float) -> None:
    found = embed_faces(_Broken(model, value), open_artifact(faces), range(4), 4)
    assert found.rows == (0, 2, 3)
    assert np.isfinite(found.embedding).all()
    assert "no finite embedding" in found.rejected[0].reason


def test_all_rejected_gives_no_rows(model: OnnxModel, tmp_path: Path) -> None:
    spoiled = open_artifact(write_faces(tmp_path / "spoiled.h5", ["a"], spoil=[0, 1, 2]))
    found = embed_faces(model, spoiled, range(3), 2)
    assert found.embedding.shape == (0, 16)
    assert len(found.rejected) == 3


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"none\.onnx"):
        OnnxModel(tmp_path / "none.onnx")


def test_not_onnx(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("not a model at all")
    with pytest.raises(MalformedInputError, match=r"text\.onnx"):
        OnnxModel(path)


def _altered(model: OnnxModel, change: object) -> bytes:
    proto = onnx.load_model_from_string(model.data)
    change(proto)
    return proto.SerializeToString()


def test_without_contract_is_refused(model: OnnxModel) -> None:
    data = _altered(model, lambda proto: proto.ClearField("metadata_props"))
    with pytest.raises(MalformedInputError, match="carries no model contract"):
        OnnxModel(data)


def test_contract_that_was_edited_is_refused(model: OnnxModel) -> None:
    def edit(proto: onnx.ModelProto) -> None:
        entry = next(p for p in proto.metadata_props if p.key == "fr3d.contract")
        entry.value = entry.value.replace("yunet", "other")

    with pytest.raises(MalformedInputError, match="does not match its digest"):
        OnnxModel(_altered(model, edit))


def test_weights_in_other_files_are_refused(model: OnnxModel) -> None:
    def point_elsewhere(proto: onnx.ModelProto) -> None:
        tensor = proto.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "/etc/passwd"

    with pytest.raises(MalformedInputError, match="weights in other files"):
        OnnxModel(_altered(model, point_elsewhere))


def test_wrong_input_order_is_refused(model: OnnxModel) -> None:
    def swap(proto: onnx.ModelProto) -> None:
        first = onnx.ValueInfoProto()
        first.CopyFrom(proto.graph.input[0])
        del proto.graph.input[0]
        proto.graph.input.append(first)

    with pytest.raises(MalformedInputError, match="expected normal, albedo"):
        OnnxModel(_altered(model, swap))


def test_inputs_that_do_not_fit_are_refused(model: OnnxModel) -> None:
    with pytest.raises(MalformedInputError, match="ONNX runtime refuses"):
        model.embed({m: np.zeros((1, 1, 3, 3), np.float32) for m in MODALITIES})


def test_two_seeds_are_two_models(faces: Path) -> None:
    one, other = (OnnxModel(linear_onnx(contract_of_faces(faces, s), s)) for s in (0, 1))
    assert one.contract.sha256 != other.contract.sha256
