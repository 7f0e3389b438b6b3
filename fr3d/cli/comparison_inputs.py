"""What `fr3d compare` is given: photographs or rows of files, and the model for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fr3d.artifacts.store import Artifact
    from fr3d.inference.compared import ComparedFaces
    from fr3d.inference.model import Embedder

_BATCH = 64
_SUFFIXES = (".h5", ".hdf5")
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Request:
    """How to read what is to be compared; see the options of the command."""

    model: Path | None
    extractor: str | None
    detector: str | None
    runs: Path
    device: str
    rows: str | None
    subjects: tuple[str, ...]
    limit: int


@dataclass(frozen=True)
class Inputs:
    """Faces that can be embedded.

    Attributes:
        count: how many were named.
        by: the model, for messages.
        model: the same; None for embeddings, which need none.
        contract: SHA-256 of the contract that the scores will belong to.
        embed: does it; takes what is called with the number of faces done.
    """

    count: int
    by: str
    model: "Embedder | None"
    contract: str
    embed: "Callable[[Callable[[int], object]], ComparedFaces]"


def open_inputs(paths: Sequence[Path], request: Request) -> Inputs:
    """Open what was named, and the model for it.

    Args:
        paths: photographs and folders of them, or files of maps, faces or embeddings.
        request: how.

    Raises:
        MissingInputError: something is not there.
        MalformedInputError: fewer than two faces, or what the model does not take.
        UsageError: more faces than the limit, or options for another kind of input.
    """
    from fr3d.errors import UsageError

    if all(_holds_rows(path) for path in paths):
        if request.detector is not None:
            raise UsageError("--detector: only photographs are searched for faces", "drop it")
        return _rows_of_file(paths, request)
    if request.rows is not None or request.subjects:
        raise UsageError("--rows and --subject choose from files of maps, faces or embeddings")
    return _photographs(paths, request)


def _holds_rows(path: Path) -> bool:
    """Whether it is a file of ours, or a folder of its parts."""
    if path.is_dir():
        return any(path.glob("part-*.h5"))
    if path.suffix.lower() in _SUFFIXES or not path.is_file():
        return path.suffix.lower() in _SUFFIXES
    with path.open("rb") as file:
        return file.read(len(_HDF5)) == _HDF5


def _photographs(paths: Sequence[Path], request: Request) -> Inputs:
    from fr3d.alignment.sources.named import named_photographs
    from fr3d.cli.console import warn
    from fr3d.inference.compared import embed_photographs
    from fr3d.inference.model import find_model
    from fr3d.inference.photographs import open_for_photographs, photograph_source

    listing = named_photographs(paths)
    for name in listing.passed_over:
        warn(f"{name}: named twice, compared once")
    _check_count(len(listing.items), request, "photograph", "name fewer of them")
    path = find_model(request.model, request.runs)
    model, recipe = open_for_photographs(path, request.device, request.extractor, request.detector)
    source = photograph_source(listing, recipe)
    return Inputs(
        len(source),
        path.name,
        model,
        model.contract.sha256,
        lambda advance: embed_photographs(model, source, recipe, advance),
    )


def _rows_of_file(paths: Sequence[Path], request: Request) -> Inputs:
    from fr3d.evaluation.report.sheet import choose_sessions, parse_rows
    from fr3d.inference.compared import contract_digest, embed_chosen, plain_rows
    from fr3d.inference.probes import open_faces_or_embeddings

    numbers = [] if request.rows is None else parse_rows(request.rows)
    artifact = open_faces_or_embeddings(paths)
    plain = plain_rows(artifact)
    keys = choose_sessions([artifact], numbers, request.subjects, max(1, len(artifact)))
    rows = [plain[key] for key in dict.fromkeys(keys) if key in plain]
    _check_count(len(rows), request, "face", "choose some with --rows or --subject")
    model, by = _model_for(artifact, request)
    digest = contract_digest(artifact, model)

    def embed(advance: Callable[[int], object]) -> "ComparedFaces":
        found = embed_chosen(artifact, rows, model, _BATCH)
        advance(len(rows))
        return found

    return Inputs(len(rows), by, model, digest, embed)


def _model_for(artifact: "Artifact", request: Request) -> tuple["Embedder | None", str]:
    """The model for a file; embeddings need none, and are checked against one that is named."""
    from fr3d.inference.model import find_model, open_model
    from fr3d.inference.photographs import plan_alignment
    from fr3d.inference.probes import EMBEDDINGS

    if artifact.kind == EMBEDDINGS and request.model is None and request.extractor is None:
        return None, f"the model of {artifact.name}"
    path = find_model(request.model, request.runs)
    faces = None
    if artifact.frame == "camera":
        faces = plan_alignment(path, request.extractor, history=artifact.history)
    model = open_model(path, request.device, faces=faces or artifact, extractor=request.extractor)
    return model, path.name


def _check_count(count: int, request: Request, what: str, hint: str) -> None:
    from fr3d.errors import MalformedInputError, UsageError

    if count < 2:
        found = f"one {what}" if count else f"no {what}"
        raise MalformedInputError(f"{found}, and a comparison takes two", f"name another {what}")
    if count > request.limit:
        raise UsageError(
            f"{count} {what}s make {count * (count - 1) // 2} pairs, expected at most "
            f"{request.limit} {what}s",
            f"{hint}, or raise it: --limit {count}",
        )
