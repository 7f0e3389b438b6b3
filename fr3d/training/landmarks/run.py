"""A landmark run from table to ONNX file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from fr3d import __version__
from fr3d.alignment.hourglass import Hourglass
from fr3d.artifacts.atomic import write_bytes
from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import MalformedInputError
from fr3d.models.hourglass import HeatmapNet, StackedHourglass
from fr3d.training.landmarks.config import LandmarkConfig
from fr3d.training.landmarks.dataset import LandmarkSource, LandmarkViews
from fr3d.training.landmarks.export import export_landmarks
from fr3d.training.landmarks.learner import LandmarkLearner
from fr3d.training.landmarks.loop import fit_landmarks
from fr3d.training.landmarks.pictures import Pictures, load_pictures
from fr3d.training.landmarks.table import read_face_table, split_groups
from fr3d.training.landmarks.validation import LandmarkValidation
from fr3d.training.loop import BEST, Report
from fr3d.training.run import STATUS, RunResult, lock_run, prepare_folder, write_json

TASK = "landmarks"
MODEL = "landmarks.onnx"


@dataclass(frozen=True)
class LandmarkData:
    """Faces of a table and the two sides they are on.

    Args:
        pictures: of all rows.
        train: rows to learn from.
        val: rows to validate on.
        sha256: digest of table and pictures.
    """

    pictures: Pictures
    train: npt.NDArray[np.intp]
    val: npt.NDArray[np.intp]
    sha256: str

    def describe(self) -> str:
        """Count the faces and groups of both sides."""
        sides = ((self.train, "to learn from"), (self.val, "to validate on"))
        return ", ".join(f"{len(rows)} faces{self._groups(rows)} {what}" for rows, what in sides)

    def _groups(self, rows: npt.NDArray[np.intp]) -> str:
        count = len({self.pictures.table.groups[row] for row in rows})
        return f" of {count} groups" if count != len(rows) else ""


def landmark_data(table: Path, config: LandmarkConfig) -> LandmarkData:
    """Read a table and its pictures, and divide them.

    Args:
        table: see `read_face_table`.
        config: of the run; its group, share and seed decide the sides.

    Raises:
        MalformedInputError: a row or a picture is unusable.
        MissingInputError: the table or a picture is not there.
        UsageError: one side would be empty.
    """
    faces = read_face_table(table, config.group)
    train, val = split_groups(faces.groups, config.val_share, config.seed)
    pictures, digest = load_pictures(faces)
    return LandmarkData(pictures, train, val, digest)


def landmark_record(config: LandmarkConfig, data: LandmarkData) -> dict[str, Any]:
    """Assemble what `config.json` holds: all that decides the weights."""
    return {
        "fr3d": __version__,
        "task": TASK,
        "model": config.model(),
        "training": config.to_json(),
        "data": {"table": data.sha256},
        "faces": {"train": len(data.train), "val": len(data.val)},
    }


def train_landmarks(
    folder: Path,
    config: LandmarkConfig,
    data: LandmarkData,
    report: Report,
    *,
    device: str = "cpu",
    workers: int = 0,
    force: bool = False,
) -> RunResult:
    """Train the network, or go on where an interrupted run was, and export it.

    Args:
        folder: the run.
        config: with its precision resolved.
        data: what to learn from.
        report: is called after each step.
        device: cpu, cuda or cuda:N.
        workers: processes that make views; they do not change the result.
        force: drop a run that is there.

    Raises:
        CannotWriteError: a finished or another run is there, or the folder cannot be written.
    """
    record = landmark_record(config, data)
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(1)
    # What cannot be built must not leave a folder behind.
    network = build_landmark_network(config).to(device)
    probe = HeatmapNet(build_landmark_network(config), config.sigma).to(device)
    with lock_run(folder):
        prepare_folder(folder, record, force=force)
        views = LandmarkViews(data.pictures, config.size, config.augmentation, config.seed)
        source = LandmarkSource(views, data.train, config.batch, workers)
        validation = LandmarkValidation(data.pictures, data.val.tolist(), config.size)
        learner = LandmarkLearner(network, config)
        end = fit_landmarks(learner, source, probe, validation, folder, report)
        figures = _finish(folder, config, probe, validation)
        status = {"finished": True, "epochs": end.epoch, "best_epoch": end.best_epoch}
        write_json(folder / STATUS, status | {"figures": figures})
    return RunResult(folder, end.best_epoch, figures)


def build_landmark_network(config: LandmarkConfig) -> StackedHourglass:
    """Build the network with the initial weights of the run's seed."""
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed)
        return StackedHourglass(stacks=config.stacks, channels=config.channels, depth=config.depth)


def _finish(
    folder: Path, config: LandmarkConfig, probe: HeatmapNet, validation: LandmarkValidation
) -> Mapping[str, float]:
    """Export the weights that were kept, and measure the file as the detector will use it."""
    try:
        probe.network.load_state_dict(load_file(folder / BEST))
    except (RuntimeError, OSError) as error:
        raise MalformedInputError(
            f"{folder / BEST}: damaged weights", "start the run again with --force"
        ) from error
    data = export_landmarks(probe, config.size, sha256_file(folder / BEST))
    write_bytes(folder / MODEL, data, force=True)
    return validation.whole(Hourglass(data).heatmaps)
