"""ONNX files of users: refused where they are none or read other files, and run on the CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import onnx
import onnxruntime

from fr3d.errors import Fr3dError, MalformedInputError

_AGAIN = "export the model again"


def read_properties(data: bytes, name: str, hint: str) -> dict[str, str]:
    """Check the bytes of an ONNX file and return its metadata.

    Args:
        data: the whole file.
        name: how to call it in messages.
        hint: where such a file comes from.

    Raises:
        MalformedInputError: not ONNX, or it reads other files.
    """
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's own class differs between its implementations
        raise MalformedInputError(f"{name}: not an ONNX file", hint) from error
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(model.graph)):
        raise MalformedInputError(
            f"{name}: keeps weights in other files, which is refused", "export it as one file"
        )
    return {one.key: one.value for one in model.metadata_props}


def open_session(data: bytes, name: str, threads: int) -> Any:
    """Open an ONNX runtime session on the CPU.

    Args:
        data: the whole file.
        name: how to call it in messages.
        threads: threads within one operator; 0 lets the runtime choose.

    Raises:
        MalformedInputError: the runtime refuses it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Spinning threads burn the cores that other processes need, for microseconds gained.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with runtime_errors(name):
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


@contextmanager
def runtime_errors(name: str) -> Iterator[None]:
    """Turn what the runtime throws, which has no common base, into our error.

    Args:
        name: of the file.
    """
    try:
        yield
    except Fr3dError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        raise MalformedInputError(f"{name}: the ONNX runtime refuses it: {text}", _AGAIN) from error


def _tensors(graph: Any) -> Iterator[Any]:
    """All tensors of a graph and its subgraphs."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for subgraph in (attribute.g, *attribute.graphs):
                if subgraph.node or subgraph.initializer:
                    yield from _tensors(subgraph)
