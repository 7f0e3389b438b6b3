"""The FAISS index of a gallery: plain, exact, and disposable, as the records can make it again."""

import hashlib

import faiss
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.gallery.templates import Templates

_HEADROOM = 1 << 20


def build_index(templates: Templates) -> bytes:
    """Make an `IndexIDMap2(IndexFlatIP)`, which any FAISS opens.

    Args:
        templates: what to search.

    Returns:
        The bytes of the index file.

    Raises:
        MalformedInputError: NaN or an id twice; FAISS itself would take both.
    """
    if len(set(templates.id.tolist())) != len(templates):
        raise MalformedInputError("gallery: two templates with one id")
    if not np.isfinite(templates.vector).all():
        raise MalformedInputError("gallery: a template is not finite")
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(templates.vector.shape[1]))
    index.add_with_ids(np.ascontiguousarray(templates.vector), templates.id)
    return faiss.serialize_index(index).tobytes()


def digest(data: bytes) -> str:
    """SHA-256 by which the records know their index."""
    return hashlib.sha256(data).hexdigest()


def load_index(data: bytes) -> faiss.Index:
    """Open an index from bytes whose digest was checked.

    Args:
        data: the bytes of the index file.
    """
    # A damaged length field must not become an allocation larger than the file.
    faiss.set_deserialization_vector_byte_limit(len(data) + _HEADROOM)
    try:
        return faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
    except (RuntimeError, MemoryError) as error:
        raise MalformedInputError(f"gallery: damaged index: {error}") from error


def nearest(
    index: faiss.Index, probes: npt.NDArray[np.float32], count: int
) -> npt.NDArray[np.int64]:
    """Ids of the nearest templates.

    Args:
        index: the index.
        probes: (B, D) of length one.
        count: how many; no more than there are.

    Returns:
        (B, count) ids, the nearest first.
    """
    _, ids = index.search(np.ascontiguousarray(probes), min(count, index.ntotal))
    return ids
