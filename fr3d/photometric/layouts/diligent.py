"""DiLiGenT: `<object>/` with filenames.txt, light_directions.txt, light_intensities.txt."""

from fr3d.errors import MalformedInputError
from fr3d.photometric.layouts.folder import Capture, Folder, Wanted, listed
from fr3d.photometric.light_files.model import INTENSITIES, Lights, unknown_lights
from fr3d.photometric.lights import light_files
from fr3d.photometric.text import read_text

SESSION = "diligent"
_NAMES, _DIRECTIONS = "filenames.txt", "light_directions.txt"


def is_diligent(folder: Folder) -> bool:
    """Whether the folder is an object of this data set."""
    present = {p.name.lower() for p in folder.files}
    return {_NAMES, _DIRECTIONS} <= present


def read_diligent(folder: Folder, ids: tuple[str, str], wanted: Wanted) -> Capture:
    """The capture of an object's folder.

    Args:
        folder: of the object.
        ids: subject and session.
        wanted: what the user asked for.

    Raises:
        MalformedInputError: a file is missing or there twice.
    """
    names_file, source = folder.named(_NAMES), wanted.lights
    if names_file is None:
        raise MalformedInputError(f"{_NAMES}: missing")
    if source is None and not wanted.estimate:
        source = folder.named(_DIRECTIONS)
        if source is None:
            raise MalformedInputError(f"{_DIRECTIONS}: missing")
        if len(light_files(source)) < 2:  # its lights differ severalfold in brightness
            raise MalformedInputError(f"{INTENSITIES}: missing")
    names = tuple(line.strip() for line in read_text(names_file).split("\n") if line.strip())
    blank = unknown_lights(len(names))
    flashes, ambient = folder.flashes(wanted)
    images = listed(flashes, Lights(blank.directions, blank.intensity, names), _NAMES)
    beside = light_files(source)[1:] if source is not None else ()
    return Capture(
        *ids,
        images,
        source,
        ambient=ambient,
        mask=folder.mask(),
        beside=(names_file, *beside),
        layout="diligent",
    )
