"""Which layout a folder has, and how deep its sessions lie."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from fr3d.errors import Fr3dError, MalformedInputError, cannot_read
from fr3d.photometric.image_roles import LIGHT_FILES, LIGHT_SOURCE
from fr3d.photometric.layouts import diligent, plain, yale
from fr3d.photometric.layouts.folder import Capture, Folder, Wanted, scan
from fr3d.photometric.layouts.photoface import has_flashes, read_photoface

LAYOUT_HINT = (
    "expected <subject>/<session>/ folders with im0, im1, ... and LightSource.m, or photographs "
    "and a lights.csv"
)
_Found = tuple[Path, Capture]


class Finder:
    """Turns folders into captures.

    Args:
        wanted: what the user asked for.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._above = lru_cache(8)(scan)  # sessions of one subject follow each other
        self._unlit: list[tuple[Path, Path]] = []  # where subjects are expected, and the roots

    def captures(self, root: Path) -> list[_Found]:
        """All captures below a raw folder, which may itself be a subject or a session.

        Args:
            root: a folder.

        Raises:
            MalformedInputError: photographs lie only deeper than sessions do.
        """
        try:
            top = scan(root)
            if top.images and not top.folders:
                return self._flat(top, top)
            found = [c for subject in top.folders for c in self._subject(scan(subject), top)]
        except OSError as error:
            raise cannot_read(error.filename or root, error) from error
        if found and all(_is_bare(c) for _, c in found):
            self._refuse_depth(found, root)
        return found

    def check_level(self, found: Sequence[_Found]) -> None:
        """Refuse captures of which none can be used, where a wrong level of folders explains it.

        Args:
            found: all captures of all raw folders.

        Raises:
            MalformedInputError: photographs without lights lie where subjects are expected.
        """
        if self._unlit and all(c.problem for _, c in found):
            folder, top = self._unlit[0]
            raise MalformedInputError(
                f"{folder}: holds photographs where session folders are expected, and "
                f"{plain.NO_LIGHTS}",
                f"{LAYOUT_HINT}; or give their lights with --lights; perhaps the folder above "
                f"{top} is meant",
            )

    def session(self, folder: Path) -> list[_Found]:
        """The captures of one session's folder.

        Args:
            folder: the folder; one that is not there becomes a capture with a problem.
        """
        path = folder.resolve()
        ids = _text(path.parent), _text(path)
        try:
            return self._placed(scan(folder), ids, (self._above(folder.parent),))
        except OSError as error:
            return [(folder, Capture(*ids, problem=f"{error.strerror}".lower()))]

    def _subject(self, subject: Folder, top: Folder) -> Iterator[_Found]:
        """Captures of a folder below the root, which holds sessions or is one."""
        if subject.images and (not subject.folders or self._whole(subject) is not None):
            yield from self._flat(subject, top)
            return
        for path in subject.folders:
            ids = _text(subject.path), _text(path)
            try:
                yield from self._placed(scan(path), ids, (subject, top))
            except OSError as error:
                yield path, Capture(*ids, problem=f"{error.strerror}".lower())

    def _placed(
        self, folder: Folder, ids: tuple[str, str], above: tuple[Folder, ...]
    ) -> list[_Found]:
        """Captures of a session's folder; objects and people of some layouts are subjects."""
        whole = self._whole(folder)
        return self._one(folder, ids, self._layout(folder), above) if whole is None else whole

    def _whole(self, folder: Folder) -> list[_Found] | None:
        """Captures of a folder that is a subject by its layout; None when it is not."""
        layout, name = self._layout(folder), _text(folder.path)
        if layout == "diligent":
            return self._one(folder, (name, diligent.SESSION), layout, ())
        if layout == "yale" and yale.person_of(folder):
            poses = yale.poses_of(folder)
            return [c for pose, part in poses for c in self._one(part, (name, pose), layout, ())]
        return None

    def _flat(self, folder: Folder, top: Folder) -> list[_Found]:
        """Captures of a folder that holds photographs where subjects are expected."""
        whole = self._whole(folder)
        if whole is not None:
            return whole
        layout, name = self._layout(folder), _text(folder.path)
        if layout == "photoface" and folder.has(LIGHT_SOURCE):
            return self._one(folder, (_text(folder.path.resolve().parent), name), layout, ())
        found = self._one(folder, (name, plain.SESSION), layout, (top,))
        if found[0][1].problem == plain.NO_LIGHTS:
            self._unlit.append((folder.path, top.path))
        return found

    def _layout(self, folder: Folder) -> str:
        wanted = self._wanted
        if wanted.layout != "auto":
            return wanted.layout
        if diligent.is_diligent(folder):
            return "diligent"
        known = folder.has(LIGHT_SOURCE) or wanted.lights or wanted.estimate
        if known and has_flashes(folder):
            return "photoface"
        if yale.is_yale(folder) and not folder.has(LIGHT_SOURCE, *LIGHT_FILES):
            return "yale"
        return "plain"

    def _one(
        self, folder: Folder, ids: tuple[str, str], layout: str, above: tuple[Folder, ...]
    ) -> list[_Found]:
        """The capture of a folder; a problem with it becomes its reason, and others go on."""
        readers: dict[str, Callable[[], Capture]] = {
            "photoface": lambda: read_photoface(folder, ids, self._wanted),
            "diligent": lambda: diligent.read_diligent(folder, ids, self._wanted),
            "yale": lambda: yale.read_yale(folder, ids, self._wanted),
            "plain": lambda: plain.read_plain(folder, ids, self._wanted, above),
        }
        try:
            capture = self._noted(readers[layout]())
        except (Fr3dError, OSError) as error:
            reason = error.message if isinstance(error, Fr3dError) else f"{error.strerror}"
            capture = Capture(*ids, problem=reason, layout=layout)
        return [(folder.path, capture)]

    def _noted(self, capture: Capture) -> Capture:
        """With whether the user asked for what is subtracted."""
        return replace(capture, ambient_asked=bool(self._wanted.ambient))

    def _refuse_depth(self, found: list[_Found], root: Path) -> None:
        """Say so when the photographs lie deeper than sessions do."""
        for folder, _ in found:
            deeper = next((f for f in scan(folder).folders if scan(f).images), None)
            if deeper is not None:
                raise MalformedInputError(
                    f"{root}: found photographs only further down, as in {deeper}",
                    f"give the folder that holds the subjects, perhaps {folder.parent}",
                )


def _is_bare(capture: Capture) -> bool:
    return not capture.images and bool(capture.problem)


def _text(folder: Path) -> str:
    """A folder's name as text for the artifact."""
    name = folder.name or folder.resolve().name
    try:
        name.encode()
    except UnicodeEncodeError:
        raise MalformedInputError(
            f"{name!a}: the folder's name is not UTF-8", "rename it"
        ) from None
    return name
