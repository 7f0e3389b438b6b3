"""Bytes of an ONNX file to a graph and to a session; what would read other files is refused.

Used for our own models and for those of others, so nothing here knows what a contract is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError

LARGEST = (1 << 31) - 1
"""Bytes of the largest file that protocol buffers can hold."""
SILENT = 4
"""Severity of the runtime's log at which it says nothing."""


class runtime_errors:  # noqa: N801 -- reads as a statement
    """Turn what the runtime throws, which has no common base, into our error.

    Args:
        name: the file's name, for the message.
        hint: what to do about it.
    """

    def __init__(self, name: str, hint: str = "export the model again") -> None:
        self._name = name
        self._hint = hint

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Fr3dError):
            text = " ".join(str(error).split())[:200]
            raise MalformedInputError(
                f"{self._name}: the ONNX runtime refuses it: {text}", self._hint
            ) from error


def read_onnx(path: Path) -> bytes:
    """Read the bytes of a file.

    Raises:
        MissingInputError: there is none, or it cannot be read.
        MalformedInputError: larger than any ONNX file.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise MalformedInputError(
                f"{path}: {size} bytes, expected an ONNX file of less than 2 GiB"
            )
        return path.read_bytes()
    except OSError as error:
        raise MissingInputError(
            f"{path}: {(error.strerror or str(error)).lower()}", "make it with 'fr3d export'"
        ) from error


def parse_onnx(data: bytes, name: str, hint: str = "make it with 'fr3d export'") -> Any:
    """Parse a file that holds all of its weights.

    Args:
        data: its bytes.
        name: its name, for messages.
        hint: where such a file comes from.

    Returns:
        An ONNX ModelProto.

    Raises:
        MalformedInputError: not ONNX, or it would read other files.
    """
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's own class differs between its implementations
        raise MalformedInputError(f"{name}: not an ONNX file", hint) from error
    tensors = [*_tensors(model.graph), *(t for one in model.functions for t in _of_nodes(one.node))]
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in tensors):
        raise MalformedInputError(
            f"{name}: keeps weights in other files, which is refused", "export it as one file"
        )
    return model


def properties_of(model: Any) -> dict[str, str]:
    """Return the metadata of a ModelProto."""
    return {one.key: one.value for one in model.metadata_props}


def read_properties(data: bytes, name: str, hint: str) -> dict[str, str]:
    """Check the bytes of an ONNX file and return its metadata; see `parse_onnx`."""
    return properties_of(parse_onnx(data, name, hint))


def open_session(data: bytes, name: str, threads: int = 0, hint: str = "") -> Any:
    """Make a session on the CPU.

    Args:
        data: the bytes of a file that `parse_onnx` lets pass.
        name: its name, for messages.
        threads: threads within one operator; 0 lets the runtime choose.
        hint: what to do when the runtime refuses it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = SILENT  # what it would log is in the error that it raises
    # Spinning threads burn the cores that other processes need, for microseconds gained.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with runtime_errors(name, hint or "export the model again"):
        # Its fallback prints to standard output, and there is nothing to fall back to.
        return onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )


def _tensors(graph: Any) -> Iterator[Any]:
    """All tensors of a graph and its subgraphs."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _of_nodes(graph.node)


def _of_nodes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for subgraph in (attribute.g, *attribute.graphs):
                if subgraph.node or subgraph.initializer:
                    yield from _tensors(subgraph)
