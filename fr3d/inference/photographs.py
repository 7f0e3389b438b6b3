"""A model that takes plain photographs, and the alignment that it asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fr3d.alignment.recipe import REGISTERED, AlignmentRecipe
from fr3d.alignment.sources.files import FilesSource
from fr3d.alignment.sources.listing import Listing
from fr3d.alignment.sources.photographs import PhotographReader
from fr3d.artifacts.provenance import Step
from fr3d.errors import MalformedInputError, UsageError
from fr3d.inference.contract import ALIGNMENT_COMMAND, ModelContract, Traced
from fr3d.inference.description import Description, find_description, read_description
from fr3d.inference.extractor import MODALITY
from fr3d.inference.model import Embedder, open_model
from fr3d.photometric.transfer import Transfer

DETECTOR = "auto"
"""As `fr3d align` finds faces, so that the model is the same as for a file of aligned faces."""


@dataclass(frozen=True)
class _Planned:
    """Photographs that will be aligned, as far as a model asks about its faces."""

    history: Sequence[Mapping[str, Any]]
    paths: Sequence[Path]


def open_for_photographs(
    path: Path, device: str = "auto", extractor: str | None = None, detector: str | None = None
) -> tuple[Embedder, AlignmentRecipe]:
    """Open a model and say how photographs must be aligned for it.

    A model of fr3d says so in its contract. For the network of somebody else its description says
    which size and template, and faces are found as `fr3d align` finds them.

    Args:
        path: an ONNX file or a run folder.
        device: `auto`, `cpu` or `cuda[:N]`.
        extractor: a description, as `find_description` takes it.
        detector: that finds the faces; None for the model's own.

    Returns:
        The model, and the recipe; of several faces in one photograph the recipe takes the largest.

    Raises:
        MalformedInputError: it needs more than photographs.
        UsageError: a detector other than that of the model's contract.
    """
    planned = plan_alignment(path, extractor, detector)
    model = open_model(path, device, faces=planned, extractor=extractor)
    _check_modalities(model.contract, path)
    recipe = AlignmentRecipe.from_parameters(model.contract.alignment, path.name)
    _check_recipe(recipe, path, detector)
    # Which of several people is looked at does not change what a score means.
    return model, replace(recipe, face="largest")


def plan_alignment(
    path: Path,
    extractor: str | None,
    detector: str | None = None,
    history: Sequence[Mapping[str, Any]] = (),
) -> Traced | None:
    """What is not aligned yet, told to the network of somebody else as if it were.

    Args:
        path: the network.
        extractor: a description, as `find_description` takes it.
        detector: that will find the faces; None for `DETECTOR`.
        history: how it was made so far.

    Returns:
        What `open_model` takes as faces; None for a model that has no description.
    """
    described = None if path.is_dir() else find_description(path, extractor)
    if described is None:
        return None
    recipe = _described_recipe(read_description(described), detector, str(described))
    return _Planned([*history, Step(ALIGNMENT_COMMAND, recipe.parameters()).record()], [path])


def photograph_source(listing: Listing, recipe: AlignmentRecipe) -> FilesSource:
    """Photographs read as the faces that a recipe is for.

    Args:
        listing: of photographs.
        recipe: as `open_for_photographs` gives it.
    """
    transfer = Transfer(str(recipe.source.get("transfer", "srgb")))
    return FilesSource(listing, PhotographReader(transfer))


def _described_recipe(description: Description, detector: str | None, name: str) -> AlignmentRecipe:
    height, width = description.size
    if height != width:
        raise MalformedInputError(
            f"{name}: faces of {height} x {width} pixels, and photographs are aligned to squares",
            "cut the faces out yourself, and give a file of them",
        )
    if description.template == REGISTERED:
        return AlignmentRecipe(height, detector="none")
    return AlignmentRecipe(height, description.template, detector or DETECTOR)


def _check_modalities(contract: ModelContract, path: Path) -> None:
    """Photographs have colours and nothing else."""
    if contract.modalities != (MODALITY,):
        what = f"reads {', '.join(contract.modalities)}, which photographs do not give"
    elif contract.reconstruction:
        what = "reads mean images of photometric stereo, not plain photographs"
    else:
        return
    raise MalformedInputError(
        f"{path}: {what}",
        "give it a file of maps or faces, or name a network for photographs with --model",
    )


def _check_recipe(recipe: AlignmentRecipe, path: Path, detector: str | None) -> None:
    if recipe.frontal or recipe.detector == "capture" or recipe.look_at not in ("auto", MODALITY):
        raise MalformedInputError(
            f"{path}: its faces are aligned by more than a photograph shows",
            "give it a file of maps or faces",
        )
    if detector is not None and recipe.detector != detector:
        raise UsageError(
            f"--detector {detector}: {path} takes faces as the detector '{recipe.detector}' "
            "places them",
            "drop --detector",
        )
