"""A folder of synthetic captures: what it holds, what is missing, and what may be replaced."""

import shutil
from pathlib import Path

from fr3d.artifacts.atomic import check_output
from fr3d.errors import CannotWriteError
from fr3d.synthesis.pairs import DEPTH_NOTE
from fr3d.synthesis.people import names, place
from fr3d.synthesis.photoface import subject_name
from fr3d.synthesis.plan import Plan

MANIFEST = "synth.json"
TRUTH = "truth.h5"


def missing_people(plan: Plan, root: Path) -> list[int]:
    """Numbers of the people of whom a session is missing."""
    return [
        person
        for person in range(plan.people)
        if not all(place(plan, root, person, name).exists() for name in names(plan, person))
    ]


def prepare(plan: Plan, output: Path, truth: bool, force: bool) -> None:
    """Refuse early what cannot be written.

    A folder that holds the beginning of the same data set is taken as it is, to be completed.

    Args:
        plan: what is to be made.
        output: where: a folder, or a file of maps.
        truth: whether true maps are wanted beside captures.
        force: replace a data set that is there. Files of other origin are never touched.

    Raises:
        CannotWriteError: the output holds something else, or the data set is complete.
    """
    if not plan.folders:
        check_output(output, force)
        return
    root = output
    if root.exists() and not root.is_dir():
        raise CannotWriteError(f"{root}: exists and is not a folder", "give another name")
    if not root.exists() or not any(root.iterdir()):
        return
    earlier = read_manifest(root)
    if earlier is None:
        raise CannotWriteError(
            f"{root}: holds files that this fr3d synth did not write",
            "give an empty folder",
        )
    complete = not missing_people(plan, root) and (not truth or (root / TRUTH).exists())
    if (earlier != plan or complete) and not force:
        raise CannotWriteError(
            f"{root}: holds {'this' if earlier == plan else 'another'} synthetic data set already",
            "use --force to replace it, or give another folder",
        )


def read_manifest(root: Path) -> Plan | None:
    """Read which data set a folder holds; None when it holds none."""
    try:
        return Plan.from_manifest((root / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def clear(root: Path) -> None:
    """Remove the sessions that the manifest of an earlier run names, and its true maps."""
    earlier = read_manifest(root)
    if earlier is None:
        return
    for name in (TRUTH, DEPTH_NOTE):
        (root / name).unlink(missing_ok=True)
    for person in range(earlier.people):
        for name in names(earlier, person):
            _remove(place(earlier, root, person, name), whole=earlier.kind == "photoface")
        subject = root / subject_name(person)
        if subject.is_dir() and not any(subject.iterdir()):
            subject.rmdir()
    (root / MANIFEST).unlink()


def _remove(where: Path, *, whole: bool) -> None:
    """Remove a session's folder, or its picture and what stands beside it."""
    if whole:
        shutil.rmtree(where, ignore_errors=True)
        return
    where.unlink(missing_ok=True)
    where.with_suffix(".npy").unlink(missing_ok=True)
