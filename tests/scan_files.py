"""3D scans as files, written by hand in every format that is read."""

from pathlib import Path

import numpy as np
from solids import sphere

RADIUS = 90.0
MIDDLE = np.array([10.0, 200.0, -30.0])


def ball(around: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of a sphere of 90 mm; the middle is not the origin."""
    mesh = sphere(RADIUS, around, around // 2)
    triangles = mesh.triangles
    a, b, c = (mesh.points[triangles[:, k]] for k in range(3))
    flat = np.linalg.norm(np.cross(b - a, c - a), axis=1) < 1e-9
    return mesh.points + MIDDLE, triangles[~flat]


def slope(tilt_x: float = 0.3, tilt_y: float = -0.2, side: int = 61, step: float = 3.0):
    """Vertices and triangles of a plane, z = tilt_x x + tilt_y y, that faces the camera."""
    line = (np.arange(side) - side // 2) * step
    x, y = np.meshgrid(line, -line)
    points = np.stack([x, y, tilt_x * x + tilt_y * y], axis=-1).reshape(-1, 3)
    n = np.arange(side * side).reshape(side, side)
    a, b, c, d = (k.ravel() for k in (n[:-1, :-1], n[:-1, 1:], n[1:, :-1], n[1:, 1:]))
    return points, np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def text_rows(points) -> list[str]:
    return [f"{x:.9g} {y:.9g} {z:.9g}" for x, y, z in points]


def write_obj(path: Path, points, triangles=(), places=None, head: str = "") -> Path:
    lines = [head, *(f"v {line}" for line in text_rows(points))]
    if places is not None:
        lines += [f"vt {u:.6f} {v:.6f}" for u, v in places]
    pattern = "f %d %d %d" if places is None else "f %d/%d %d/%d %d/%d"
    numbers = np.asarray(triangles, dtype=int).reshape(-1, 3) + 1
    rows = numbers if places is None else np.repeat(numbers, 2, axis=1)
    lines += [pattern % tuple(row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def ply_head(order: str, points, triangles, colours=None) -> bytes:
    kind = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    lines = ["ply", f"format {kind} 1.0", "comment by hand", f"element vertex {len(points)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    if colours is not None:
        lines += [f"property uchar {name}" for name in ("red", "green", "blue")]
    if triangles is not None:
        lines += [f"element face {len(triangles)}", "property list uchar int vertex_indices"]
    return ("\n".join([*lines, "end_header"]) + "\n").encode()


def ply_file(order: str, points, triangles=None, colours=None) -> bytes:
    head = ply_head(order, points, triangles, colours)
    if not order:
        rows = text_rows(points)
        if colours is not None:
            rows = [f"{r} {c[0]} {c[1]} {c[2]}" for r, c in zip(rows, colours, strict=True)]
        rows += [f"3 {t[0]} {t[1]} {t[2]}" for t in (triangles if triangles is not None else ())]
        return head + "\n".join([*rows, ""]).encode()
    fields = [(axis, order + "f4") for axis in "xyz"]
    table = np.empty(len(points), fields + ([("c", "u1", 3)] if colours is not None else []))
    for k, axis in enumerate("xyz"):
        table[axis] = np.asarray(points)[:, k]
    if colours is not None:
        table["c"] = colours
    if triangles is None:
        return head + table.tobytes()
    faces = np.empty(len(triangles), [("n", "u1"), ("v", order + "i4", 3)])
    faces["n"], faces["v"] = 3, triangles
    return head + table.tobytes() + faces.tobytes()


def write_mesh(path: Path, kind: str, points, triangles) -> Path:
    """One of obj, ply-ascii, ply-little, ply-big."""
    if kind == "obj":
        return write_obj(path.with_suffix(".obj"), points, triangles)
    order = {"ply-ascii": "", "ply-little": "<", "ply-big": ">"}[kind]
    path = path.with_suffix(".ply")
    path.write_bytes(ply_file(order, points, triangles))
    return path


def write_cloud(path: Path, kind: str, points) -> Path:
    """One of obj, ply-ascii, ply-little, ply-big, xyz, txt, asc, npy."""
    if kind == "npy":
        path = path.with_suffix(".npy")
        np.save(path, np.asarray(points, dtype=np.float32))
        return path
    if kind in ("xyz", "txt", "asc"):
        path = path.with_suffix("." + kind)
        path.write_text("\n".join(text_rows(points)))
        return path
    if kind == "obj":
        return write_obj(path.with_suffix(".obj"), points)
    order = {"ply-ascii": "", "ply-little": "<", "ply-big": ">"}[kind]
    path = path.with_suffix(".ply")
    path.write_bytes(ply_file(order, points))
    return path
