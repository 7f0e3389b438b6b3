"""What a face passes through before a network sees it: written down, hashed, compared.

In: the history of an aligned faces file and the facts of a network. Out: a `ModelContract`, whose
SHA-256 goes into the run, the ONNX file, the embeddings and the gallery.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fr3d.artifacts.provenance import canonical_json, sha256_json
from fr3d.errors import MalformedInputError

if TYPE_CHECKING:
    from fr3d.artifacts.store import Artifact

FORMAT_VERSION = 1
CONTRACT_ATTRIBUTE = "model_contract"
SUBJECTS_ATTRIBUTE = "training_subjects"
ALIGNMENT_COMMAND = "align"
RECONSTRUCTION_COMMAND = "ps-reconstruct"
# Options that add datasets or leave captures out, and facts about files and rigs that are undone.
_IMMATERIAL = frozenset(
    {"keep_raw", "max_residual", "ambient", "flip_lights", "full_scale", "camera", "mm_per_pixel"}
)


class Traced(Protocol):
    """Faces that tell how they were made: an artifact, or photographs on their way to a network."""

    @property
    def history(self) -> Sequence[Mapping[str, Any]]:
        """The steps so far, oldest first."""
        ...

    @property
    def paths(self) -> Sequence[Path]:
        """The files behind them; the first one names them in messages."""
        ...


@dataclass(frozen=True)
class ModelContract:
    """Everything that decides whether two embeddings may be compared.

    Attributes:
        weights_sha256: digest of the weights; two seeds of one configuration are two models.
        modalities: inputs of the network in its order, e.g. ("albedo", "normal", "depth").
        inputs: per modality, how its map becomes numbers (normalisation, fill, zeroing of depth).
        size: height and width of a face in pixels.
        frame: frame of the maps, e.g. "face:arcface112".
        embedding_size: length of an embedding.
        alignment: resolved options of `align` (template, size, detector, detector_sha256, ...).
        reconstruction: resolved options of `ps-reconstruct` (solver, transfer, integrator, ...);
            empty for faces that do not come from photometric stereo.
    """

    weights_sha256: str
    modalities: tuple[str, ...]
    inputs: Mapping[str, Mapping[str, Any]]
    size: tuple[int, int]
    frame: str
    embedding_size: int
    alignment: Mapping[str, Any] = field(default_factory=dict)
    reconstruction: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Digest of the canonical JSON text: the name of the model."""
        return sha256_json(self._content())

    def to_json(self) -> str:
        """Write as JSON in one canonical spelling, so that equal contracts have equal digests."""
        return canonical_json(self._content())

    def _content(self) -> dict[str, Any]:
        return {"format_version": FORMAT_VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, text: str, name: str = "model contract") -> "ModelContract":
        """Read what `to_json` wrote.

        Args:
            text: the JSON text.
            name: the file it stands in, for the error message.
        """
        try:
            content = json.loads(text)
            version = content.pop("format_version")
            if version != FORMAT_VERSION:
                raise MalformedInputError(
                    f"{name}: model contract of version {version}, expected {FORMAT_VERSION}",
                    hint="use the version of fr3d that wrote it, or export the model again",
                )
            content["modalities"] = tuple(content["modalities"])
            height, width = content["size"]
            content["size"] = (int(height), int(width))
            return cls(**content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise MalformedInputError(f"{name}: not a model contract: {error}") from error


def contract_for(
    faces: "Artifact",
    *,
    weights_sha256: str,
    modalities: Sequence[str],
    inputs: Mapping[str, Mapping[str, Any]],
    embedding_size: int,
) -> ModelContract:
    """Put the recipe of aligned faces and the facts of a network into a contract.

    Args:
        faces: the aligned faces that the network was trained on.
        weights_sha256: digest of the weights file.
        modalities: inputs of the network in its order.
        inputs: per modality, its plain JSON-able input specification.
        embedding_size: length of an embedding.
    """
    height, width = faces[modalities[0]].shape[1:3]
    return ModelContract(
        weights_sha256=weights_sha256,
        modalities=tuple(modalities),
        inputs=json.loads(json.dumps(inputs)),
        size=(int(height), int(width)),
        frame=faces.frame,
        embedding_size=int(embedding_size),
        alignment=alignment_of(faces, modalities),
        reconstruction=step_parameters(faces, RECONSTRUCTION_COMMAND),
    )


def alignment_of(faces: Traced, modalities: Sequence[str]) -> dict[str, Any]:
    """How faces were aligned, as far as it matters to a network.

    A photograph is a photograph whether depth came with it or not: to a network that sees nothing
    else, of the source only its transfer function matters.

    Args:
        faces: aligned faces.
        modalities: inputs of the network.
    """
    alignment = step_parameters(faces, ALIGNMENT_COMMAND)
    if set(modalities) == {"image"} and "source" in alignment:
        kept = {k: v for k, v in alignment.pop("source").items() if k == "transfer"}
        alignment |= {"source": kept} if kept else {}
    return alignment


def step_parameters(artifact: Traced, command: str) -> dict[str, Any]:
    """Read the options of one command from the history of a file; empty where it never ran.

    Args:
        artifact: an opened file; its history is that of all its ancestors.
        command: name of the command, e.g. "align".
    """
    found = [
        {key: value for key, value in step["arguments"].items() if key not in _IMMATERIAL}
        for step in artifact.history
        if step.get("command") == command
    ]
    found = [json.loads(text) for text in sorted({canonical_json(one) for one in found})]
    if len(found) > 1:
        fields = sorted({name for name, _, _ in _pairs(found[0], found[1])})
        raise MalformedInputError(
            f"{artifact.paths[0].name}: its rows went through '{command}' with different options "
            f"({', '.join(fields)})",
            hint=f"make all rows with the same options of 'fr3d {command}'",
        )
    return found[0] if found else {}


def differences(contract: ModelContract, other: ModelContract) -> list[str]:
    """List the fields in which two contracts differ, as "field found (expected ...)".

    Args:
        contract: what is expected.
        other: what was found.
    """
    return [
        f"{name} {_short(found)} (expected {_short(wanted)})"
        for name, wanted, found in _pairs(_flat(asdict(contract)), _flat(asdict(other)))
    ]


def check_same(expected: ModelContract, found: ModelContract, name: str, owner: str) -> None:
    """Refuse embeddings or a gallery of another model, naming what differs.

    Args:
        expected: the contract that holds here.
        found: the contract of the file.
        name: the file's name.
        owner: whose contract is expected, e.g. "gallery.faiss".
    """
    if expected.sha256 == found.sha256:
        return
    raise MalformedInputError(
        f"{name}: made by another model than {owner}: {'; '.join(differences(expected, found))}",
        hint="scores across models mean nothing: embed the faces again with the same model",
    )


def contract_of(embeddings: "Artifact") -> ModelContract:
    """Read the contract of the model that made embeddings.

    Args:
        embeddings: an opened file of embeddings.

    Raises:
        MalformedInputError: it carries none.
    """
    name = embeddings.paths[0].name
    if CONTRACT_ATTRIBUTE not in embeddings.attrs:
        raise MalformedInputError(f"{name}: carries no model contract", "make it with 'fr3d embed'")
    return ModelContract.from_json(str(embeddings.attrs[CONTRACT_ATTRIBUTE]), name)


def check_faces(contract: ModelContract, faces: "Artifact") -> None:
    """Refuse aligned faces that were not made as the model's contract says.

    Args:
        contract: the model's contract.
        faces: an opened file of aligned faces.
    """
    name = faces.paths[0].name
    _check_modalities(contract, faces)
    found = contract_for(
        faces,
        weights_sha256=contract.weights_sha256,
        modalities=contract.modalities,
        inputs=contract.inputs,
        embedding_size=contract.embedding_size,
    )
    _refuse_other(contract, found, name)


def check_maps(contract: ModelContract, maps: "Artifact") -> None:
    """Refuse unaligned maps that were not reconstructed as the model's contract says.

    Args:
        contract: the model's contract.
        maps: an opened file of maps in the frame of the camera.
    """
    _check_modalities(contract, maps)
    found = replace(contract, reconstruction=step_parameters(maps, RECONSTRUCTION_COMMAND))
    _refuse_other(contract, found, maps.paths[0].name)


def _check_modalities(contract: ModelContract, artifact: "Artifact") -> None:
    missing = [modality for modality in contract.modalities if modality not in artifact]
    if missing:
        raise MalformedInputError(
            f"{artifact.paths[0].name}: no dataset '{missing[0]}', which the model needs",
            hint=f"the model reads {', '.join(contract.modalities)}",
        )


def _refuse_other(contract: ModelContract, found: ModelContract, name: str) -> None:
    if found.sha256 != contract.sha256:
        raise MalformedInputError(
            f"{name}: not made as the model expects: {'; '.join(differences(contract, found))}",
            hint="reconstruct and align with the options of the model, "
            "or give unaligned maps to 'fr3d identify', which aligns them itself",
        )


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Spread nested mappings to dotted names."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = list(value) if isinstance(value, tuple) else value
    return flat


def _pairs(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List (name, value in one, value in other) where they differ; None where absent."""
    names = sorted(set(one) | set(other))
    return [
        (name, one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)
    ]


def _short(value: object) -> str:
    """Spell a value for a message; digests by their first 12 digits."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:12] if len(text) == 64 else text
