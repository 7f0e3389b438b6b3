"""Faces that are noise about a pattern per person, and a linear network in ONNX form."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fr3d.artifacts.provenance import Step, sha256_json
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.tables import write_table
from fr3d.artifacts.writer import Reject, write_artifact
from fr3d.data.inputs import input_specs
from fr3d.inference.contract import ModelContract, contract_for

SIZE = 12
EMBEDDING = 16
MODALITIES = ("normal", "albedo")
RECONSTRUCT = Step("ps-reconstruct", {"solver": "least-squares", "transfer": "srgb"})
ALIGN = {"template": "square", "size": SIZE, "detector": "yunet", "detector_sha256": "ab" * 32}


def write_faces(
    path: Path,
    people: Sequence[str],
    sessions: int = 3,
    *,
    seed: int = 0,
    noise: float = 0.3,
    align: dict | None = None,
    solver: str = "least-squares",
    rejected: Sequence[Reject] = (),
    spoil: Sequence[int] = (),
    frame: str = "face:square",
) -> Path:
    """Write aligned faces; rows in `spoil` get an empty mask."""
    rows = [(who, f"s{number}") for who in people for number in range(sessions)]
    normal, albedo = zip(*(_maps(who, session, seed, noise) for who, session in rows), strict=True)
    mask = np.ones((len(rows), SIZE, SIZE), np.uint8)
    mask[list(spoil)] = 0
    reconstruct = Step("ps-reconstruct", {**RECONSTRUCT.parameters, "solver": solver})
    write_artifact(
        path,
        "fr3d.maps",
        {
            "subject_id": [who for who, _ in rows],
            "session_id": [session for _, session in rows],
            "normal": np.array(normal, np.float16),
            "albedo": np.array(albedo, np.float16),
            "mask": mask,
            "quality/residual": np.linspace(0, 1, len(rows)).astype(np.float32),
            "attribute/gender": ["f" if i % 2 else "m" for i in range(len(rows))],
        },
        Step("align", ALIGN | (align or {})),
        frame=frame,
        history=[reconstruct.record()],
        rejected=rejected,
        force=True,
    )
    return path


def _maps(who: str, session: str, seed: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    person = np.random.default_rng([*who.encode(), 7])
    visit = np.random.default_rng([*who.encode(), *session.encode(), seed])
    slope = person.normal(size=(SIZE, SIZE, 2)) + noise * visit.normal(size=(SIZE, SIZE, 2))
    normal = np.concatenate([slope, np.ones((SIZE, SIZE, 1))], axis=2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    albedo = np.exp(
        0.3 * (person.normal(size=(SIZE, SIZE)) + noise * visit.normal(size=(SIZE, SIZE)))
    )
    return normal, albedo


def write_maps(
    path: Path,
    people: Sequence[str],
    sessions: int = 3,
    *,
    seed: int = 0,
    faceless: Sequence[int] = (),
    solver: str = "least-squares",
) -> Path:
    """Write unaligned maps with landmarks; rows in `faceless` have none."""
    from fr3d.alignment.templates import template_points
    from fr3d.geometry.similarity import similarity, transform_points

    rows = [(who, f"s{number}") for who in people for number in range(sessions)]
    random = np.random.default_rng(seed)
    side, normals, albedos, points = 40, [], [], []
    for who, session in rows:
        normal, albedo = _maps(who, session, seed, 0.1)
        normals.append(np.kron(normal, np.ones((4, 4, 1)))[:side, :side])
        albedos.append(np.kron(albedo, np.ones((4, 4)))[:side, :side])
        move = similarity(random.uniform(-2, 2), 1.2, tuple(random.uniform(2.5, 3.5, 2)))
        points.append(transform_points(move, template_points("arcface112", 28)))
    landmarks = np.array(points, np.float32)
    landmarks[list(faceless)] = np.nan
    write_artifact(
        path,
        "fr3d.maps",
        {
            "subject_id": [who for who, _ in rows],
            "session_id": [session for _, session in rows],
            "normal": np.array(normals, np.float32),
            "albedo": np.array(albedos, np.float32),
            "mask": np.ones((len(rows), side, side), np.uint8),
            "landmarks": landmarks,
        },
        Step("ps-reconstruct", {**RECONSTRUCT.parameters, "solver": solver}),
        frame="camera",
        force=True,
    )
    return path


def contract_of_faces(faces: Path, seed: int = 0) -> ModelContract:
    specs = {spec.modality: spec.to_json() for spec in input_specs(MODALITIES)}
    return contract_for(
        open_artifact(faces),
        weights_sha256=sha256_json(["weights", seed]),
        modalities=MODALITIES,
        inputs=specs,
        embedding_size=EMBEDDING,
    )


def linear_onnx(contract: ModelContract, seed: int = 0, subjects: Sequence[str] = ()) -> bytes:
    """Flatten, concatenate, one matrix: embedding and magnitude."""
    random = np.random.default_rng(seed)
    channels = {"normal": 3, "albedo": 1, "depth": 1, "image": 1}
    height, width = contract.size
    length = sum(channels[m] for m in contract.modalities) * height * width
    matrix = random.normal(size=(length, contract.embedding_size)).astype(np.float32)
    nodes = [helper.make_node("Flatten", [m], [f"flat_{m}"]) for m in contract.modalities]
    nodes += [
        helper.make_node("Concat", [f"flat_{m}" for m in contract.modalities], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "matrix"], ["embedding"]),
        helper.make_node("ReduceL2", ["embedding", "axes"], ["magnitude"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [
            helper.make_tensor_value_info(
                m, TensorProto.FLOAT, ["batch", channels[m], height, width]
            )
            for m in contract.modalities
        ],
        [
            helper.make_tensor_value_info(
                "embedding", TensorProto.FLOAT, ["batch", contract.embedding_size]
            ),
            helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, ["batch"]),
        ],
        [
            numpy_helper.from_array(matrix, "matrix"),
            numpy_helper.from_array(np.array([1], np.int64), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(
        model,
        {
            "fr3d.contract": contract.to_json(),
            "fr3d.contract_sha256": contract.sha256,
            "fr3d.training_subjects": json.dumps(list(subjects)),
        },
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write_model(path: Path, faces: Path, seed: int = 0, subjects: Sequence[str] = ()) -> Path:
    path.write_bytes(linear_onnx(contract_of_faces(faces, seed), seed, subjects))
    return path


def write_split(
    path: Path,
    faces: Path,
    *,
    enrolled: Sequence[str],
    strangers: Sequence[str],
    calibration: Sequence[str],
) -> Path:
    """First session of the enrolled into the gallery; all other sessions are probes."""
    import pandas as pd

    artifact = open_artifact(faces)
    rows = []
    for who, session in zip(artifact.subject_id, artifact.session_id, strict=True):
        role = "gallery" if who in enrolled and session == "s0" else "probe"
        if who in calibration:
            rows.append((who, session, "calibration", ""))
        elif who in enrolled or who in strangers:
            rows.append((who, session, "test", role))
        else:
            rows.append((who, session, "train", ""))
    columns = ["subject_id", "session_id", "partition", "role"]
    write_table(pd.DataFrame(rows, columns=columns), path, force=True)
    return path
