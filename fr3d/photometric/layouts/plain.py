"""Plain folders: any photographs in numeric order, and a light file near them."""

from fr3d.errors import MalformedInputError
from fr3d.photometric.layouts.folder import Capture, Folder, Wanted, listed
from fr3d.photometric.lights import light_files

SESSION = "plain"
NO_LIGHTS = (
    "found no light file: no LightSource.m, no lights.csv, .json, .lp, .txt or .npy, no "
    "light_directions.txt or .npy, no sources.npy and no other .lp"
)


def read_plain(
    folder: Folder, ids: tuple[str, str], wanted: Wanted, above: tuple[Folder, ...]
) -> Capture:
    """The capture of a folder of photographs.

    Args:
        folder: with the photographs.
        ids: subject and session.
        wanted: what the user asked for.
        above: folders further up in which a light file may lie, the nearest first.

    Raises:
        MalformedInputError: there is no light file, there are several of one rank, or it names
            what is not there.
    """
    flashes, ambient = folder.flashes(wanted)
    if not flashes:
        raise MalformedInputError(f"found no photographs, only {len(folder.files)} other files")
    source = wanted.lights
    if source is None and not wanted.estimate:
        found = (place.light_file() for place in (folder, *above))
        source = next((p for p in found if p is not None), None)
        if source is None:
            raise MalformedInputError(NO_LIGHTS)
    images = flashes
    if source is not None:
        images = listed(flashes, wanted.table(source), source.name)
    return Capture(
        *ids,
        images,
        source,
        folder.named("metadata.txt"),
        folder.named("metadataii.txt", "metadatall.txt"),
        ambient=ambient,
        mask=folder.mask(),
        beside=light_files(source)[1:] if source is not None else (),
        layout="plain",
    )
