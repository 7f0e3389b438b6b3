#!/usr/bin/env python3
"""Whether synthetic people look like people to networks that have only seen real ones.

    python tests/benchmarks/synth_plausibility.py SHARED WORK [--people 100 --sessions 4]
        [--size 256 --seed 0] [-- WORDS FOR fr3d synth, such as --in-colour]

SHARED is the folder with data/models, data/london and data/lfw; WORK keeps what is made. Captures
with the same options are rendered once: remove WORK/raw-* when the renderer has changed. The
photographs of a session are averaged. YuNet looks for the face, MobileFaceNet compares people, and
the same is done with photographs of real people, in colour and in grey. Contact sheets: people.png
has the first session of 64 people, sessions.png all sessions of eight; a white border means that
YuNet saw no face, which is then placed by the true points.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from fr3d.alignment.templates import template_points
from fr3d.alignment.yunet import detect
from fr3d.artifacts.store import open_artifact
from fr3d.evaluation.metrics.curve import equal_error, error_curve, score_table
from fr3d.evaluation.metrics.pairs import all_pairs, normalise
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.similarity import estimate_similarity
from fr3d.geometry.warp import warp_maps

SIDE = 112
NET = "data/models/mobilefacenet_foamliu/MobileFaceNet.onnx"
INNER = np.s_[30:106, 22:90]  # rows and columns of an aligned picture that show skin in any pose
WHITE = 0.9
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
MOST_PAIRS = 4_000_000
COLUMNS = 8  # of people.png

Photographs = Iterator[tuple[str, np.ndarray]]


@dataclass(frozen=True)
class Faces:
    """Aligned pictures, (N, 112, 112, 3) RGB in 0..1 as a screen shows them, and who they show.

    Args:
        found: where YuNet saw a face; elsewhere the picture is placed by true points, or black.
        grey: whether the photographs have no colour.
    """

    pictures: np.ndarray
    person: np.ndarray
    found: np.ndarray
    grey: bool = False

    def those(self, keep: np.ndarray) -> "Faces":
        """Some of them."""
        return Faces(self.pictures[keep], self.person[keep], self.found[keep], self.grey)

    def in_grey(self) -> "Faces":
        """The same without colour: luma in all three channels."""
        luma = self.pictures @ np.array([0.299, 0.587, 0.114], np.float32)
        return Faces(np.repeat(luma[..., None], 3, axis=3), self.person, self.found, grey=True)


def fr3d(*words: object) -> None:
    """Run one command; stop when it fails."""
    print("$ fr3d", *words, file=sys.stderr, flush=True)
    code = "from fr3d.cli import entry; entry()"
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)


def render(args: argparse.Namespace, extra: Sequence[str]) -> Path:
    """Captures and their truth, made once for the same options."""
    options = {name: getattr(args, name) for name in ("people", "sessions", "size", "seed")}
    tail = "".join(re.sub(r"\W+", "-", word) for word in extra)
    raw = args.work / ("raw-" + "-".join(map(str, options.values())) + tail)
    if not (raw / "truth.h5").exists():
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        fr3d("synth", raw, *words, *extra)
    return raw


def read(path: Path) -> np.ndarray:
    """A photograph as stored, RGB or grey, 0 to 1."""
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    values = stored.astype(np.float32) / np.iinfo(stored.dtype).max
    return values if values.ndim == 2 else np.ascontiguousarray(values[..., ::-1])


def mean_image(session: Path) -> np.ndarray:
    """Mean of the photographs of a session, linear light."""
    return np.mean([read(path) for path in sorted(session.glob("im?.*"))], axis=0)


def to_light(picture: np.ndarray) -> np.ndarray:
    """Undo the sRGB curve."""
    return np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)


def to_screen(light: np.ndarray) -> np.ndarray:
    """Apply the sRGB curve; what is brighter than white is cut."""
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def developed(aligned: np.ndarray) -> np.ndarray:
    """Give a capture the tones of an ordinary photograph.

    Captures are linear light at whatever exposure the flashes gave, the networks know pictures
    made to be looked at. The exposure puts the 99th percentile of the face at 0.9 of white, in
    linear light; then follows the curve of sRGB. One factor serves all channels: colour stays.
    """
    bright = max(float(np.percentile(aligned[INNER], 99)), 1e-6)
    return to_screen(aligned * (WHITE / bright))


def place(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Move five points to those of ArcFace's template; three channels."""
    everywhere = np.ones(image.shape[:2], bool)
    matrix = estimate_similarity(points, template_points("arcface112", SIDE))
    moved = warp_maps(FaceMaps(mask=everywhere, image=image), matrix, SIDE).image
    return moved if moved.ndim == 3 else np.repeat(moved[..., None], 3, axis=2)


def aligned(light: np.ndarray, truth: np.ndarray | None) -> tuple[np.ndarray, bool]:
    """Place the face that YuNet finds, else the true one, and tell which."""
    face = detect(light)
    points = truth if face is None else face.landmarks
    if points is None or np.isfinite(points).all(axis=1).sum() < 2:
        return np.zeros((SIDE, SIDE, 3), np.float32), False
    return place(light, points), face is not None


def captures(raw: Path) -> tuple[Faces, np.ndarray]:
    """Aligned mean images in the order of the truth, and the class of pose of each."""
    truth = open_artifact(raw / "truth.h5", "fr3d.maps")
    pictures, found, grey = [], [], True
    for i, key in enumerate(zip(truth.subject_id, truth.session_id, strict=True)):
        light = mean_image(raw.joinpath(*key))
        grey &= light.ndim == 2
        moved, seen = aligned(light, truth["landmarks"][i])
        pictures.append(developed(moved).astype(np.float32))
        found.append(seen)
    person = np.unique(truth.subject_id, return_inverse=True)[1]
    faces = Faces(np.stack(pictures), person, np.array(found), grey)
    return faces, np.array(truth.attributes["pose"])


def london(folder: Path) -> Photographs:
    """Neutral and smiling, by person."""
    for path in sorted(folder.glob("*.jpg")):
        yield path.stem.partition("_")[0], read(path)


def lfw(folder: Path) -> Photographs:
    """All photographs, by person."""
    for path in sorted(folder.glob("*/*.jpg")):
        yield path.parent.name, read(path)


def real(source: Callable[[Path], Photographs], folder: Path, work: Path) -> Faces:
    """Aligned photographs of real people, kept in WORK for the next run."""
    kept = work / f"{source.__name__}.npz"
    if not kept.exists():
        people, moved, found = [], [], []
        for person, picture in source(folder):
            light, seen = aligned(to_light(picture).astype(np.float32), None)
            people.append(person)
            moved.append(np.round(255 * to_screen(light)).astype(np.uint8))
            found.append(seen)
        np.savez(kept, people=people, pictures=np.stack(moved), found=found)
    with np.load(kept) as stored:
        person = np.unique(stored["people"], return_inverse=True)[1]
        return Faces(stored["pictures"].astype(np.float32) / 255, person, stored["found"])


def embed(net: onnxruntime.InferenceSession, pictures: np.ndarray) -> np.ndarray:
    """Mean embedding of each picture and its mirror image, unit length."""
    normal = (pictures - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    values = normal.astype(np.float32).transpose(0, 3, 1, 2)
    name = net.get_inputs()[0].name
    both = [np.ascontiguousarray(np.stack([x, x[..., ::-1]])) for x in values]
    return normalise([sum(net.run(None, {name: x[None]})[0][0] for x in pair) for pair in both])


def report(name: str, faces: Faces, net: onnxruntime.InferenceSession) -> None:
    """Print two rows: scores of the same person and of two people."""
    seen = faces.those(faces.found)
    if len(seen.person) < 2:
        print(f"{name:20} {len(seen.person)} face(s) found: nothing to compare")
        return
    pairs = all_pairs(embed(net, seen.pictures), seen.person, MOST_PAIRS, seed=0)
    mated, others = pairs.score[pairs.mated], pairs.score[~pairs.mated]
    eer = equal_error(error_curve(score_table(mated, others))).false_positive
    print(row(f"{name:20}", "same", mated) + f"{eer:8.2%}")
    print(row(" " * 20, "other", others), flush=True)


def row(name: str, kind: str, scores: np.ndarray) -> str:
    """Count, mean, spread and percentiles of some scores."""
    if not len(scores):
        return f"{name} {kind:6}{0:8}"
    figures = [scores.mean(), scores.std(), *np.percentile(scores, PERCENTILES)]
    return f"{name} {kind:6}{len(scores):8}" + "".join(f"{x:7.3f}" for x in figures)


def heading() -> str:
    """Names of the columns of `row`."""
    return f"{'cosine':20} {'pairs':6}{'count':>8}{'mean':>7}{'sd':>7}" + "".join(
        f"{p:>6}%" for p in PERCENTILES
    ) + f"{'EER':>8}"  # fmt: skip


def shares(faces: Faces, pose: np.ndarray) -> None:
    """Print how many sessions YuNet sees a face in, by class of pose."""
    groups = {"all sessions": np.ones(len(pose), bool), "frontal": pose == "1"}
    groups |= {f"pose {p}": pose == p for p in sorted(set(pose) - {"1"})}
    for name, members in groups.items():
        seen, count = int(faces.found[members].sum()), int(members.sum())
        share = f"{seen / count:7.2%}" if count else "      -"
        print(f"YuNet finds a face, {name:13} {share} ({seen} of {count})", flush=True)


def tile(faces: Faces, i: int) -> np.ndarray:
    """One picture of a contact sheet, BGR."""
    shown = np.ascontiguousarray(np.round(255 * faces.pictures[i, ..., ::-1]).astype(np.uint8))
    if not faces.found[i]:
        cv2.rectangle(shown, (0, 0), (SIDE - 1, SIDE - 1), (255, 255, 255), 2)
    return shown


def sheet(faces: Faces, rows: Sequence[int], columns: int, path: Path) -> None:
    """Write a contact sheet."""
    tiles = [tile(faces, i) for i in rows]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[k : k + columns]) for k in range(0, len(tiles), columns)]
    cv2.imwrite(str(path), np.vstack(lines))


def sheets(faces: Faces, sessions: int, work: Path) -> None:
    """Write both contact sheets."""
    rows = np.arange(len(faces.person))
    first = rows[np.unique(faces.person, return_index=True)[1]]
    sheet(faces, first[: COLUMNS * COLUMNS].tolist(), COLUMNS, work / "people.png")
    few = rows[np.isin(faces.person, np.unique(faces.person)[:8])]
    sheet(faces, few.tolist(), sessions, work / "sessions.png")


def arguments() -> tuple[argparse.Namespace, list[str]]:
    """Own options, and the words after `--`, which are those of fr3d synth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    return parser.parse_args(words[:end]), words[end + 1 :]


def main() -> None:
    """Print how often a face is seen, then the scores of each set, synthetic and real."""
    args, extra = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    faces, pose = captures(render(args, extra))
    sheets(faces, args.sessions, args.work)
    shares(faces, pose)
    data, frontal = args.shared / "data", faces.those(pose == "1")
    sets = {"synth": faces, "synth frontal": frontal}
    sets |= {source.__name__: real(source, data / source.__name__, args.work)
             for source in (london, lfw)}  # fmt: skip
    net = onnxruntime.InferenceSession(args.shared / NET, providers=["CPUExecutionProvider"])
    print(heading())
    for name, those in sets.items():
        if not those.grey:
            report(f"{name} colour", those, net)
        report(f"{name} grey", those.in_grey(), net)


if __name__ == "__main__":
    main()
