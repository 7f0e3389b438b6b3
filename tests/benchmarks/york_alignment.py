#!/usr/bin/env python3
"""How many 3D scans of the York database are aligned, and how near the nose tip is.

    python tests/benchmarks/york_alignment.py ../shared [--every 1] [--pictures FOLDER]

A mesh is usable where its largest part has 1,200 vertices or more, edges over 25 mm left out. The
truth for the nose is the vertex of that part nearest to the camera; where it lies over 30 mm from
the tip found, it is hair, a collar or spectacles, and counted by itself. `shaded` sees no texture,
`points` neither texture nor triangles.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from fr3d.alignment import yunet
from fr3d.alignment.landmarks import NoFaceError, ordered
from fr3d.alignment.sources import scans
from fr3d.alignment.sources.nose import nose_tip
from fr3d.errors import MalformedInputError
from fr3d.geometry.coding import to_srgb
from fr3d.geometry.mesh_cleaning import clean_mesh
from fr3d.geometry.mesh_reading.read import read_mesh
from fr3d.geometry.pictures import grey_picture, with_points

ENOUGH = 1200
NEAR = 6.0
ELSEWHERE = 30.0


def bare(path: Path, kind: str, folder: Path) -> Path:
    """The scan without its texture, or without its triangles as well."""
    if kind == "textured":
        return path
    lines = path.read_text().splitlines()
    if kind == "points":
        kept = clean_mesh(read_mesh(path), scans.LONGEST_EDGE).mesh.vertices
        lines = [f"v {x:.6g} {y:.6g} {z:.6g}" for x, y, z in kept]
    else:
        lines = [line for line in lines if not line.startswith("vt")]
        lines = [line.replace("/", "//") if line.startswith("f") else line for line in lines]
    copy = folder / path.name
    copy.write_text("\n".join(lines))
    return copy


def distances(scan: scans.Scan, tip: np.ndarray, top: np.ndarray) -> tuple[float, float]:
    """From the tip to the most protruding vertex: in space and in the picture, mm."""
    column, row = tip.astype(int)
    place = scan.frame.to_millimetres(np.array([column, row, scan.maps.depth[row, column]]))
    return float(np.linalg.norm(place - top)), float(np.linalg.norm((place - top)[:2]))


def draw(scan: scans.Scan, points: np.ndarray | None, path: Path) -> None:
    """The image of a scan with its landmarks."""
    grey = grey_picture(to_srgb(np.clip(scan.maps.image, 0, 1)), scan.maps.mask)
    picture = grey if points is None else with_points(grey, points)
    cv2.imwrite(str(path), picture[..., ::-1])


def measure(paths: list[Path], kind: str, pictures: Path | None, folder: Path) -> None:
    """Print one row."""
    usable = refused = 0
    faces: list[tuple[float, float]] = []
    begin, reading = time.perf_counter(), 0.0
    for path in paths:
        part = clean_mesh(read_mesh(path), scans.LONGEST_EDGE).mesh.vertices
        if len(part) < ENOUGH:
            try:
                scans.read_scan(path)
            except MalformedInputError:
                refused += 1
            continue
        usable += 1
        source = bare(path, kind, folder)
        begin = time.perf_counter()
        try:
            scan = scans.read_scan(source)
        except MalformedInputError as error:
            print(error.message)
            continue
        reading += time.perf_counter() - begin
        found = yunet.detect(scan.maps.image)
        points = None
        try:
            points = None if found is None else ordered(found.landmarks)
        except NoFaceError as error:
            print(f"{path.stem}: {error.message}")
        if points is not None:
            points[2] = nose_tip(scan.maps, points[2], scan.scale_mm)
            faces.append(distances(scan, points[2], part[np.argmax(part[:, 2])]))
        if pictures is not None:
            draw(scan, points, pictures / f"{path.stem}-{kind}.png")
    space, plane = np.array(faces).T
    nose = space < ELSEWHERE
    middle, high = np.median(space[nose]), np.percentile(space[nose], 95)
    print(
        f"{kind:9}{len(paths):7}{usable:8}{len(faces):7}{(space <= NEAR).sum():8}"
        f"{(plane <= NEAR).sum():10}{(~nose).sum():11}{middle:9.2f}{high:8.2f}"
        f"{1000 * reading / max(1, usable):8.0f}{refused:9}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--scratch", type=Path, default=Path("/tmp"))  # noqa: S108
    given = parser.parse_args()
    paths = sorted((given.shared / "data" / "york_3d").glob("*.obj"))[:: given.every]
    scans.read_scan(paths[0])  # compiles
    print(
        "            meshes  usable  faces  within  in plane  elsewhere  median   95 %  ms/scan  "
        "refused"
    )
    for kind in ("textured", "shaded", "points"):
        measure(paths, kind, given.pictures, given.scratch)


if __name__ == "__main__":
    main()
