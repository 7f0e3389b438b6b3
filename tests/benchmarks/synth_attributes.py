#!/usr/bin/env python3
"""Whether glasses, facial hair and pose can be read from synthetic captures, and glasses from real.

    python tests/benchmarks/synth_attributes.py SHARED WORK [--people 600 --sessions 6]
        [--size 128 --seed 0 --epochs 32] [-- WORDS FOR fr3d synth, such as --in-colour]

SHARED is the folder with data/york_3d; WORK keeps the captures: remove WORK/raw-* when the renderer
has changed. A small network sees the grey mean image of a session, placed by YuNet's five points
(the true ones where it sees no face); a similarity moves it, so that pose stays visible. It learns
from four fifths of the people, half of the time from another mixture of the flashes, and is tested
on the mean images of the others; then it looks for glasses in photographs of York's 3D faces. An
attribute with one value in all captures is left out.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fr3d.alignment.finder import YunetFinder
from fr3d.alignment.templates import template_points
from fr3d.artifacts.store import Artifact, open_artifact
from fr3d.evaluation.metrics.curve import area, error_curve, score_table
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.similarity import estimate_similarity, resizing
from fr3d.geometry.warp import warp_maps

TASKS = {
    "spectacles": ("no", "yes"),
    "facial_hair": ("none", "stubble", "moustache", "beard", "both"),
    "pose": ("1", "2", "3", "4", "5"),
}
SIDE = 112
SHRUNK = 0.85  # ArcFace's template cuts the chin off, where the beard is
INNER = np.s_[30:90, 30:82]  # rows and columns of a placed face that show skin in any pose
WIDTHS = (16, 32, 64, 96, 128)
BATCH = 48
RATE = 2e-3
HELD_OUT = 0.2
YORK = re.compile(r"\d{5}-\d\d-[mf][a-z]{2}\d\d(?P<beard>[bn])(?P<glasses>[gn])[a-z]{3}")


@dataclass(frozen=True)
class Faces:
    """Placed faces and what is true about them.

    Args:
        flashes: (N, L, SIDE, SIDE), linear light of the photographs.
        masks: (N, 1, SIDE, SIDE), 0 to 1, what is not background.
        labels: by task, (N,) index into the classes of `TASKS`.
        person: (N,) code of each person.
        seen: how many YuNet found.
    """

    flashes: torch.Tensor
    masks: torch.Tensor
    labels: dict[str, torch.Tensor]
    person: np.ndarray
    seen: int

    def those(self, rows: torch.Tensor) -> "Faces":
        """Some of them."""
        labels = {task: values[rows] for task, values in self.labels.items()}
        return Faces(self.flashes[rows], self.masks[rows], labels, self.person[rows], self.seen)


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


def photographs(session: Path) -> np.ndarray:
    """The photographs of a session in grey, (H, W, L)."""
    paths = sorted(session.glob("im?.*"))
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
    return np.dstack([cv2.imread(str(p), flags).astype(np.float32) for p in paths])


def place(layers: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Move five points to the template: (H, W, C) to (C, SIDE, SIDE)."""
    middle = (SIDE - 1) / 2
    goal = (template_points("arcface112", SIDE) - middle) * SHRUNK + middle
    known = np.isfinite(points).all(axis=1).sum() >= 2
    whole = resizing(SIDE / max(layers.shape[:2]))
    matrix = estimate_similarity(points, goal) if known else whole
    everywhere = np.ones(layers.shape[:2], bool)
    moved = warp_maps(FaceMaps(mask=everywhere, image=layers.astype(np.float32)), matrix, SIDE)
    return np.moveaxis(moved.image, -1, 0)


def exposed(light: torch.Tensor) -> torch.Tensor:
    """Expose (N, 1, SIDE, SIDE) alike, and curve as a screen does."""
    inner = light[:, 0, INNER[0], INNER[1]].flatten(1)
    bright = inner.kthvalue(int(0.99 * inner.shape[1]), dim=1).values.clamp(min=1e-6)
    return (light / bright[:, None, None, None]).clamp(0.0, 1.5) ** (1 / 2.2)


def captures(raw: Path) -> Faces:
    """Placed photographs in the order of the truth."""
    truth, finder = open_artifact(raw / "truth.h5", "fr3d.maps"), YunetFinder()
    placed, seen = [], 0
    for i, key in enumerate(zip(truth.subject_id, truth.session_id, strict=True)):
        flashes = photographs(raw.joinpath(*key))
        points = finder(flashes.mean(axis=2))
        seen += points is not None
        at = truth["landmarks"][i] if points is None else points
        placed.append(place(np.dstack([flashes, truth["mask"][i]]), at))
    layers = torch.from_numpy(np.stack(placed).astype(np.float32))
    person = np.unique(truth.subject_id, return_inverse=True)[1]
    return Faces(layers[:, :-1], layers[:, -1:], labels_of(truth), person, seen)


def labels_of(truth: Artifact) -> dict[str, torch.Tensor]:
    """Class numbers of each row, by task."""
    return {
        task: torch.tensor([classes.index(value) for value in truth.attributes[task]])
        for task, classes in TASKS.items()
    }


class Network(nn.Module):
    """Five convolutions and a linear head a task."""

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((1, *WIDTHS), WIDTHS, strict=False):
            layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
        cells = (SIDE // 2 ** len(WIDTHS)) ** 2
        self.trunk = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.4))
        self.heads = nn.ModuleDict({t: nn.Linear(cells * WIDTHS[-1], len(TASKS[t])) for t in tasks})

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits by task of (N, 1, SIDE, SIDE)."""
        mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
        spread = pictures.std(dim=(1, 2, 3), keepdim=True)
        features = self.trunk((pictures - mean) / (spread + 1e-3))
        return {task: head(features) for task, head in self.heads.items()}


def backdrops(count: int) -> torch.Tensor:
    """Smooth backgrounds of any brightness."""
    coarse = torch.rand(count, 1, 1, 1) * torch.rand(count, 1, 5, 5)
    return functional.interpolate(coarse, SIDE, mode="bicubic", align_corners=False).clamp(0, 1)


def mixed(faces: Faces) -> torch.Tensor:
    """Mean images, and as often photographs under another mixture of the flashes."""
    count, lights = faces.flashes.shape[:2]
    uneven = torch.rand(count, lights, 1, 1) ** 3
    even = torch.rand(count, 1, 1, 1) < 0.5
    return (faces.flashes * torch.where(even, 1.0, uneven)).sum(1, keepdim=True)


def varied(faces: Faces) -> torch.Tensor:
    """Light, shift, flip, background, blur, gain, contrast and noise."""
    pictures, count = exposed(mixed(faces)), len(faces.flashes)
    other = (torch.rand(count, 1, 1, 1) < 0.5) * (1 - faces.masks)
    pictures = pictures * (1 - other) + backdrops(count) * other
    flip = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    move = torch.zeros(count, 2, 3)
    move[:, 0, 0], move[:, 1, 1] = flip, 1.0
    move[:, :, 2] = (torch.rand(count, 2) - 0.5) * 0.14
    grid = functional.affine_grid(move, list(pictures.shape), align_corners=False)
    pictures = functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    soft = functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
    share = torch.rand(count, 1, 1, 1)
    pictures = pictures + share * (soft - pictures)
    gamma = 2.0 ** (torch.rand(count, 1, 1, 1) - 0.5)
    gain = 2.0 ** (torch.rand(count, 1, 1, 1) - 0.5)
    noise = 0.03 * torch.rand(count, 1, 1, 1) * torch.randn_like(pictures)
    return gain * pictures.clamp(min=0) ** gamma + noise


def balanced(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Weight of each class so that those present weigh the same together."""
    counts = torch.bincount(labels, minlength=classes).float()
    weights = torch.where(counts > 0, counts.clamp(min=1).reciprocal(), 0.0)
    return weights * len(labels) / (counts > 0).sum()


def loss_of(
    logits: dict[str, torch.Tensor], faces: Faces, weights: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Sum over the tasks."""
    losses = (
        functional.cross_entropy(values.float(), faces.labels[task], weights[task])
        for task, values in logits.items()
    )
    return torch.stack(list(losses)).sum()


def bfloat_is_faster(net: Network) -> bool:
    """Time both precisions: some CPUs calculate in bfloat16, others pretend to."""
    pictures, took = torch.rand(BATCH, 1, SIDE, SIDE), {}
    for half in (False, True, False, True):  # the first two warm up
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = net(pictures)
        torch.stack([values.float().sum() for values in logits.values()]).sum().backward()
        took[half] = time.perf_counter() - start
    return took[True] < took[False]


def train(faces: Faces, tasks: Sequence[str], epochs: int) -> Network:
    """Fit a network; one cycle of the learning rate."""
    half = bfloat_is_faster(Network(tasks))
    net = Network(tasks).to(memory_format=torch.channels_last)
    weights = {task: balanced(faces.labels[task], len(TASKS[task])) for task in tasks}
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=0.02)
    steps = epochs * -(-len(faces.person) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for epoch in range(epochs):
        start, losses = time.perf_counter(), []
        for rows in torch.randperm(len(faces.person)).split(BATCH):
            some = faces.those(rows)
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                logits = net(varied(some).contiguous(memory_format=torch.channels_last))
            loss = loss_of(logits, some, weights)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, "
              f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)  # fmt: skip
    return net.eval()


@torch.no_grad()
def predict(net: Network, pictures: torch.Tensor) -> dict[str, np.ndarray]:
    """Probabilities by task, (N, classes): mean of each picture and its mirror image."""
    parts = [
        {t: (a.softmax(1) + b.softmax(1)) / 2 for (t, a), b in zip(one.items(), two, strict=True)}
        for some in pictures.split(BATCH)
        for one, two in [(net(some), net(some.flip(3)).values())]
    ]
    return {task: torch.cat([part[task] for part in parts]).numpy() for task in parts[0]}


def confusion(truth: np.ndarray, guess: np.ndarray, classes: int) -> np.ndarray:
    """Counts, row true and column guessed."""
    return np.bincount(classes * truth + guess, minlength=classes**2).reshape(classes, classes)


def balanced_accuracy(table: np.ndarray) -> float:
    """Mean over the classes present of the share that is right."""
    present = table.sum(axis=1) > 0
    return float((table.diagonal()[present] / table.sum(axis=1)[present]).mean())


def report(task: str, truth: np.ndarray, guess: np.ndarray) -> None:
    """Print accuracy, what always naming the commonest class would reach, and confusions."""
    classes = TASKS[task]
    table = confusion(truth, guess, len(classes))
    count, present = table.sum(axis=1), int((table.sum(axis=1) > 0).sum())
    print(f"{task}: balanced accuracy {balanced_accuracy(table):.1%} (majority {1 / present:.1%}), "
          f"accuracy {table.trace() / table.sum():.1%} (majority {count.max() / count.sum():.1%}), "
          f"{count.sum()} sessions")  # fmt: skip
    print(f"{'  true | guessed':18}" + "".join(f"{name:>10}" for name in classes))
    for name, line in zip(classes, table, strict=True):
        print(f"  {name:16}" + "".join(f"{n:10}" for n in line))


def tasks_of(faces: Faces) -> list[str]:
    """Tasks with more than one class; the others are named."""
    kept = []
    for task, classes in TASKS.items():
        counts = torch.bincount(faces.labels[task], minlength=len(classes)).tolist()
        print(f"{task}: " + ", ".join(f"{n} {c}" for c, n in zip(classes, counts, strict=True)))
        if sum(n > 0 for n in counts) > 1:
            kept.append(task)
        else:
            print(f"{task}: one class only, not measured")
    return kept


def divided(person: np.ndarray, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows to learn from and rows to test on, of different people."""
    people = np.random.default_rng(seed).permutation(person.max() + 1)
    test = np.isin(person, people[: max(1, round(HELD_OUT * len(people)))])
    return torch.from_numpy(np.flatnonzero(~test)), torch.from_numpy(np.flatnonzero(test))


def york(folder: Path) -> tuple[torch.Tensor, np.ndarray, int]:
    """Placed photographs, whether they have glasses, and in how many no face was found."""
    pictures, glasses, lost, finder = [], [], 0, YunetFinder(side=320)
    for path in sorted(folder.glob("*.jpg")):
        name = YORK.fullmatch(path.stem)
        if name is None:
            sys.exit(f"{path.name}: not a name of this data set")
        light = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255) ** 2.2
        points = finder(light)
        if points is None:
            lost += 1
            continue
        pictures.append(place(light[..., None], points))
        glasses.append(name["glasses"] == "g")
    return exposed(torch.from_numpy(np.stack(pictures))), np.array(glasses), lost


def report_york(net: Network, folder: Path) -> None:
    """Print how well the glasses of real people are recognised."""
    pictures, glasses, lost = york(folder)
    chance = predict(net, pictures)["spectacles"][:, 1].astype(np.float64)
    table = confusion(glasses.astype(int), (chance > 0.5).astype(int), 2)
    auroc = area(error_curve(score_table(chance[glasses], chance[~glasses])))
    print(f"York, glasses: balanced accuracy {balanced_accuracy(table):.1%}, AUROC {auroc:.3f}; "
          f"{glasses.sum()} with and {(~glasses).sum()} without, no face in {lost}; "
          f"found {table[1, 1]} of those with, and {table[0, 1]} of those without")  # fmt: skip


def arguments() -> tuple[argparse.Namespace, list[str]]:
    """Own options, and the words after `--`, which are those of fr3d synth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--sessions", type=int, default=6)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=32)
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    return parser.parse_args(words[:end]), words[end + 1 :]


def main() -> None:
    """Render, train, print."""
    args, extra = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    faces = captures(render(args, extra))
    print(f"{len(faces.person)} sessions, YuNet sees a face in {faces.seen}")
    tasks = tasks_of(faces)
    if not tasks:
        return
    learned, held = map(faces.those, divided(faces.person, args.seed))
    net = train(learned, tasks, args.epochs)
    chances = predict(net, exposed(held.flashes.mean(1, keepdim=True)))
    for task in tasks:
        report(task, held.labels[task].numpy(), chances[task].argmax(axis=1))
    if "spectacles" in tasks:
        report_york(net, args.shared / "data" / "york_3d")
    else:
        print("York, glasses: not measured, the captures have one class only")


if __name__ == "__main__":
    main()
