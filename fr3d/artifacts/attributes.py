"""Attributes as fixed-length text: variable-length text lives in heaps that crash when damaged."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fr3d import __version__
from fr3d.artifacts.provenance import Step, canonical_json, history_text
from fr3d.artifacts.schema import FORMAT_VERSION
from fr3d.errors import MalformedInputError

_PIECE = 1 << 15  # an attribute may hold 64 KiB at most, so long text is cut in pieces
_MORE = "..."


def write_attributes(target: h5py.File | h5py.Dataset, attrs: Mapping[str, Any]) -> None:
    """Attach attributes; text of any length, or plain numbers.

    Args:
        target: an open file or dataset.
        attrs: values by name.
    """
    for key in sorted(attrs):
        value = attrs[key]
        if not isinstance(value, str):
            target.attrs[key] = value
            continue
        data = value.encode()
        for piece in range(max(1, -(-len(data) // _PIECE))):
            text = data[piece * _PIECE : (piece + 1) * _PIECE]
            dtype = h5py.string_dtype("utf-8", max(1, len(text)))
            target.attrs.create(f"{key}{_MORE}{piece:04d}" if piece else key, np.array(text, dtype))


def read_attributes(path: Path, source: h5py.File) -> dict[str, Any]:
    """Undo `write_attributes`.

    Args:
        path: for messages.
        source: an open file.

    Raises:
        MalformedInputError: an attribute that is not fixed-length text or a number.
    """
    values: dict[str, Any] = {}
    for key in sorted(source.attrs):
        dtype = source.attrs.get_id(key).dtype
        if dtype.kind not in "Suif":
            raise MalformedInputError(
                f"{path}: attribute '{key}' is neither fixed-length text nor a number",
                'write text attributes as numpy.bytes_("...")',
            )
        name, _, piece = key.partition(_MORE)
        value = source.attrs[key]
        value = bytes(value) if dtype.kind == "S" else value
        values[name] = values[name] + value if piece else value
    return {k: v.decode() if isinstance(v, bytes) else v.item() for k, v in values.items()}


def root_attributes(
    kind: str,
    step: Step,
    frame: str,
    history: Sequence[Mapping[str, Any]],
    attrs: Mapping[str, Any],
) -> dict[str, Any]:
    """The root attributes that every artifact carries."""
    return {
        **attrs,
        "format": kind,
        "format_version": FORMAT_VERSION,
        "generated_by": f"fr3d {__version__}",
        "frame": frame,
        "parameters": canonical_json(dict(step.parameters)),
        "history": history_text([*history, step.record()]),
    }
