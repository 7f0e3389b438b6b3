"""Yale B: the light stands in the name of the photograph, `yaleB01_P00A+035E+40.pgm`."""

from collections.abc import Sequence
from pathlib import Path

from fr3d.errors import MalformedInputError
from fr3d.photometric.image_roles import is_mask
from fr3d.photometric.layouts.folder import Capture, Folder, Wanted, listed
from fr3d.photometric.light_files.names import yale_name


def is_yale(folder: Folder) -> bool:
    """Whether all photographs have such names."""
    return bool(folder.images) and all(yale_name(p.stem) for p in folder.images)


def person_of(folder: Folder) -> str | None:
    """The person after whom folder and photographs are named, when it is a person's folder."""
    people = {n.person for p in folder.images if (n := yale_name(p.stem))}
    name = folder.path.resolve().name
    return name if people == {name} else None


def poses_of(folder: Folder) -> list[tuple[str, Folder]]:
    """A person's folder by pose, each as a folder of its own.

    Args:
        folder: of the person.
    """
    by_pose: dict[str, list[Path]] = {}
    for path in folder.images:
        if name := yale_name(path.stem):
            by_pose.setdefault(name.pose, []).append(path)
    masks = tuple(p for p in folder.files if is_mask(p))
    return [(p, Folder(folder.path, (*by_pose[p], *masks), ())) for p in sorted(by_pose)]


def read_yale(folder: Folder, ids: tuple[str, str], wanted: Wanted) -> Capture:
    """The capture of a folder whose photographs show one pose.

    Args:
        folder: with the photographs.
        ids: subject and session.
        wanted: what the user asked for.

    Raises:
        MalformedInputError: several poses, or names of another kind.
    """
    flashes, ambient = folder.flashes(wanted)
    _check_names((*flashes, *ambient) if wanted.ambient is None else flashes)
    if not flashes:
        raise MalformedInputError("found no photographs with flash")
    images = flashes
    if wanted.lights is not None:
        images = listed(flashes, wanted.table(wanted.lights), wanted.lights.name)
    return Capture(*ids, images, wanted.lights, ambient=ambient, mask=folder.mask(), layout="yale")


def _check_names(photographs: Sequence[Path]) -> None:
    poses = {}
    for path in photographs:
        name = yale_name(path.stem)
        if name is None:
            raise MalformedInputError(
                f"{path.name}: no light in the name, expected ..._P00A+035E+40"
            )
        poses[name.person, name.pose] = path.name
    if len(poses) > 1:
        first, second, *_ = poses.values()
        raise MalformedInputError(f"{first} and {second}: found several poses, expected one")
