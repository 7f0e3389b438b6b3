"""Adopt the network of somebody else: its file and a description become a model of ours."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from fr3d.artifacts.onnx_file import parse_onnx
from fr3d.artifacts.provenance import canonical_json, sha256_json
from fr3d.data.inputs import InputSpec
from fr3d.data.picture import EXPOSED, PICTURE
from fr3d.errors import MalformedInputError
from fr3d.inference.adopted_graph import adopted_graph
from fr3d.inference.batching import try_network
from fr3d.inference.contract import (
    RECONSTRUCTION_COMMAND,
    ModelContract,
    Traced,
    alignment_of,
    step_parameters,
)
from fr3d.inference.description import NOT_INPUT, Description
from fr3d.inference.onnx_model import EXTRACTOR_KEY, OnnxModel, contract_properties
from fr3d.inference.signature import Signature, drop_unread_inputs, read_signature

if TYPE_CHECKING:
    from fr3d.inference.model import Embedder

MODALITY = "image"
# Commands whose images have any range: the mean of photographs under several lights.
_ANY_RANGE = (RECONSTRUCTION_COMMAND, "synth")


def adopt(
    data: bytes, description: Description, faces: Traced, name: str, threads: int = 0
) -> OnnxModel:
    """Make a model of a network that other people trained.

    The model takes `image`, and carries a contract for faces that are aligned and reconstructed as
    these are, in the size and the template of the description. Nobody is known to have been among
    its training people.

    Args:
        data: the bytes of an ONNX file.
        description: what the network expects of a face.
        faces: aligned faces, or embeddings of them; only its history is read.
        name: the file's name, for messages.
        threads: threads of the ONNX runtime; 0 lets it choose.

    Raises:
        MalformedInputError: not ONNX, weights in other files, or not as the description says.
    """
    model = parse_onnx(data, name)
    drop_unread_inputs(model)
    signature = read_signature(model, description, name)
    tried = try_network(model, signature, description, name)
    contract = ModelContract(
        weights_sha256=_digest(data, description, signature),
        modalities=(MODALITY,),
        inputs=_inputs(description, faces),
        size=description.size,
        frame=description.frame,
        embedding_size=tried.embedding_size,
        alignment=alignment_of(faces, (MODALITY,)),
        reconstruction=step_parameters(faces, RECONSTRUCTION_COMMAND),
    )
    adopted = adopted_graph(tried, signature, description, name)
    properties = {
        **contract_properties(contract, ()),
        EXTRACTOR_KEY: canonical_json({"network": name, **asdict(description)}),
    }
    for key, value in properties.items():
        entry = adopted.metadata_props.add()
        entry.key, entry.value = key, value
    return OnnxModel(adopted.SerializeToString(deterministic=True), name=name, threads=threads)


def _digest(data: bytes, description: Description, signature: Signature) -> str:
    """Digest of all that decides the embedding of a picture: weights and what is done around them.

    The digest of the wrapped graph would do as well, but would change with the way it is built.
    """
    resolved = replace(description, input=signature.input, output=signature.output)
    unused = ("size", "template", "exposure", *NOT_INPUT)  # in the contract, or about its output
    recipe = {key: value for key, value in asdict(resolved).items() if key not in unused}
    return sha256_json({"network": hashlib.sha256(data).hexdigest(), **recipe})


def _inputs(description: Description, faces: Traced) -> Mapping[str, Mapping[str, object]]:
    """How the faces' image becomes a picture."""
    any_range = any(step.get("command") in _ANY_RANGE for step in faces.history)
    exposed = {"auto": any_range, "always": True, "none": False}[description.exposure]
    spec = InputSpec(MODALITY, 3, EXPOSED if exposed else PICTURE, clip=1.0)
    return {MODALITY: json.loads(json.dumps(spec.to_json()))}


def measured_threshold(model: "Embedder | None") -> tuple[float, str] | None:
    """The threshold that came with the description of a network, and what it was measured on.

    Args:
        model: any embedder, or none; models of fr3d carry no description.

    Returns:
        The cosine from which on two faces are taken for one person, and words on where it comes
        from; None where nobody measured one.

    Raises:
        MalformedInputError: the description that the model carries is damaged.
    """
    if not isinstance(model, OnnxModel) or not model.description:
        return None
    try:
        record = json.loads(model.description)
        value, note = record.get("threshold"), str(record.get("threshold_note", ""))
        return None if value is None else (float(value), note)
    except (AttributeError, TypeError, ValueError) as error:
        raise MalformedInputError(
            f"{model.name}: the description of its inputs is damaged: {error}",
            "adopt the network again from its own file",
        ) from error
