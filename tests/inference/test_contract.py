"""The contract: one spelling, one digest, and messages that name what differs."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import contract_of_faces, write_faces

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import write_artifact
from fr3d.errors import MalformedInputError
from fr3d.inference.contract import ModelContract, check_faces, check_same, contract_of, differences


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return write_faces(tmp_path / "faces.h5", ["a", "b"])


def test_reads_the_recipe_from_the_history(faces: Path) -> None:
    contract = contract_of_faces(faces)
    assert contract.size == (12, 12)
    assert contract.frame == "face:square"
    assert contract.alignment["detector"] == "yunet"
    assert contract.reconstruction == {"solver": "least-squares", "transfer": "srgb"}


def test_options_that_leave_the_maps_alone_do_not_matter(faces: Path, tmp_path: Path) -> None:
    artifact = open_artifact(faces)
    columns = {name: artifact[name][:] for name in artifact.names if name != "digest"}
    asides = {"keep_raw": True, "max_residual": 2.0}
    arguments = {**artifact.history[0]["arguments"], **asides}
    raw = Step("ps-reconstruct", arguments, notes={"transfer_choice": {"sessions": 7}})
    align = Step("align", artifact.history[1]["arguments"])
    kept = tmp_path / "kept.h5"
    write_artifact(kept, "fr3d.maps", columns, align, frame="face:square", history=[raw.record()])
    assert contract_of_faces(kept) == contract_of_faces(faces)


def test_survives_json(faces: Path) -> None:
    contract = contract_of_faces(faces)
    again = ModelContract.from_json(contract.to_json())
    assert again == contract
    assert again.sha256 == contract.sha256


@given(
    st.dictionaries(
        st.text(max_size=5), st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_order_of_options_does_not_matter(options: dict[str, float]) -> None:
    backwards = dict(reversed(options.items()))
    one, other = (
        ModelContract("w", ("normal",), {}, (4, 4), "face:x", 8, alignment=given)
        for given in (options, backwards)
    )
    assert one.sha256 == other.sha256
    assert ModelContract.from_json(one.to_json()).sha256 == one.sha256


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights_sha256", "0" * 64),
        ("modalities", ("albedo", "normal")),
        ("size", (12, 13)),
        ("frame", "face:other"),
        ("embedding_size", 17),
        ("alignment", {"template": "other"}),
        ("reconstruction", {}),
        ("inputs", {}),
    ],
)
def test_every_field_changes_the_digest_and_is_named(faces: Path, name: str, value: object) -> None:
    contract = contract_of_faces(faces)
    other = replace(contract, **{name: value})
    assert other.sha256 != contract.sha256
    assert any(line.startswith(name) for line in differences(contract, other))
    with pytest.raises(MalformedInputError, match=rf"gallery\.h5.*{name}"):
        check_same(contract, other, "gallery.h5", "model.onnx")


def test_faces_of_another_recipe_are_refused(faces: Path, tmp_path: Path) -> None:
    contract = contract_of_faces(faces)
    check_faces(contract, open_artifact(faces))
    other = write_faces(tmp_path / "other.h5", ["a"], align={"detector": "none"}, solver="robust")
    with pytest.raises(MalformedInputError) as caught:
        check_faces(contract, open_artifact(other))
    assert "other.h5" in caught.value.message
    assert "alignment.detector none (expected yunet)" in caught.value.message
    assert "reconstruction.solver robust (expected least-squares)" in caught.value.message


def test_missing_modality_is_named(faces: Path) -> None:
    contract = replace(contract_of_faces(faces), modalities=("depth",))
    with pytest.raises(MalformedInputError, match="no dataset 'depth'"):
        check_faces(contract, open_artifact(faces))


def test_rows_of_two_recipes_are_refused(faces: Path, tmp_path: Path) -> None:
    artifact = open_artifact(faces)
    mixed = tmp_path / "mixed.h5"
    columns = {name: artifact[name][:] for name in artifact.names if name != "digest"}
    other = Step("align", {"template": "square", "size": 12, "detector": "none"})
    write_artifact(
        mixed, "fr3d.maps", columns, other, frame="face:square", history=artifact.history
    )
    with pytest.raises(MalformedInputError, match=r"mixed\.h5.*'align'.*detector"):
        contract_of_faces(mixed)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format_version": 1}', '{"format_version": 99}']
)
def test_damaged_contracts_are_refused(text: str) -> None:
    with pytest.raises(MalformedInputError, match=r"x\.json"):
        ModelContract.from_json(text, "x.json")


def test_embeddings_without_contract_are_refused(faces: Path) -> None:
    with pytest.raises(MalformedInputError, match="carries no model contract"):
        contract_of(open_artifact(faces))
