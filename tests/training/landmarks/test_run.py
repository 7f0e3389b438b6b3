import csv
import json

import numpy as np
import onnx
import pytest
import torch
from drawn_faces import write_face_table
from safetensors.torch import load_file

from fr3d.alignment.hourglass import Hourglass
from fr3d.errors import CannotWriteError, MalformedInputError, UsageError
from fr3d.models.hourglass import HeatmapNet
from fr3d.training.landmarks.augmentation import LandmarkAugmentation
from fr3d.training.landmarks.config import LandmarkConfig
from fr3d.training.landmarks.export import example_images
from fr3d.training.landmarks.run import build_landmark_network, landmark_data, train_landmarks
from fr3d.training.landmarks.validation import (
    LandmarkValidation,
    in_grey,
    normalised_errors,
    torch_compute,
)

SMALL = LandmarkConfig(
    size=64, stacks=2, channels=8, depth=2, epochs=3, batch=4, group="clip", val_share=0.25
)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_face_table(tmp_path_factory.mktemp("landmarks"), 16)


@pytest.fixture(scope="module")
def data(table):
    return landmark_data(table, SMALL)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "landmarks"
    return train_landmarks(folder, SMALL, data, lambda _: None)


def test_the_folder_of_a_run(run):
    names = {p.name for p in run.folder.iterdir()}
    assert {"config.json", "best.safetensors", "last", "metrics.csv", "status.json"} <= names
    config = json.loads((run.folder / "config.json").read_text())
    assert config["task"] == "landmarks"
    assert config["faces"] == {"train": 12, "val": 4}
    status = json.loads((run.folder / "status.json").read_text())
    assert status["finished"] is True
    assert set(status["figures"]) == {"val_nme", "val_nme_grey"}
    rows = list(csv.DictReader((run.folder / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert {"loss", "distance", "divergence", "val_nme", "val_nme_grey"} <= set(rows[0])


def test_onnx_computes_what_torch_does_for_any_batch(run, data):
    model = Hourglass(run.folder / "landmarks.onnx")
    network = HeatmapNet(build_landmark_network(SMALL), SMALL.sigma)
    network.network.load_state_dict(load_file(run.folder / "best.safetensors"))
    compute = torch_compute(network)
    for batch in (1, 5):
        images = example_images(batch, SMALL.size)
        assert np.allclose(model.heatmaps(images), compute(images), atol=1e-4)
    properties = onnx.load(run.folder / "landmarks.onnx").metadata_props
    (facts,) = [json.loads(p.value) for p in properties if p.key == "fr3d.landmarks"]
    assert facts["size"] == 64
    assert "BGR" in facts["normalisation"]
    assert len(facts["weights_sha256"]) == 64
    validation = LandmarkValidation(data.pictures, data.val.tolist(), SMALL.size)
    assert validation.whole(compute) == pytest.approx(run.figures, abs=1e-3)


class StopError(Exception):
    pass


@pytest.mark.parametrize("after", [1, 6])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(run, data, tmp_path, after, monkeypatch):
    """3 steps an epoch: stopped within the first, and at the end of the second."""
    monkeypatch.setattr("fr3d.training.landmarks.loop.SAVE_SECONDS", 0.0)
    steps = 0

    def stop(now):
        nonlocal steps
        steps += not now.figures
        if steps > after:
            raise StopError

    with pytest.raises(StopError):
        train_landmarks(tmp_path / "run", SMALL, data, stop)
    again = train_landmarks(tmp_path / "run", SMALL, data, lambda _: None, workers=1)
    wanted = load_file(run.folder / "best.safetensors")
    for name, value in load_file(again.folder / "best.safetensors").items():
        assert torch.equal(value, wanted[name]), name
    for name in ("metrics.csv", "landmarks.onnx"):
        assert (again.folder / name).read_bytes() == (run.folder / name).read_bytes()


def test_a_run_with_other_settings_or_data_is_refused(data, tmp_path):
    from dataclasses import replace

    def stop(now):
        if now.figures:
            raise StopError

    with pytest.raises(StopError):
        train_landmarks(tmp_path / "run", SMALL, data, stop)
    with pytest.raises(CannotWriteError, match=r"training.sigma 1.0 \(now 2.0\)"):
        train_landmarks(tmp_path / "run", replace(SMALL, sigma=2.0), data, stop)
    with pytest.raises(CannotWriteError, match=r"data.table"):
        train_landmarks(tmp_path / "run", SMALL, replace(data, sha256="0" * 64), stop)


def test_a_damaged_checkpoint_is_said(data, tmp_path):
    def stop(now):
        if now.figures:
            raise StopError

    with pytest.raises(StopError):
        train_landmarks(tmp_path / "run", SMALL, data, stop)
    (file,) = (tmp_path / "run" / "last").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(MalformedInputError, match="damaged checkpoint"):
        train_landmarks(tmp_path / "run", SMALL, data, stop)


def test_a_tiny_network_learns_eight_pictures_by_heart(tmp_path):
    still = LandmarkAugmentation(
        close=1.0, grey=0, light=0, relief=0, backdrop=0, blur=0, noise=0, cover=0
    )
    config = LandmarkConfig(
        size=64, stacks=2, channels=16, depth=2, epochs=60, batch=8, learning_rate=8e-3,
        val_share=0.0, average=0.9, augmentation=still,
    )  # fmt: skip
    data = landmark_data(write_face_table(tmp_path, 8), config)
    result = train_landmarks(tmp_path / "run", config, data, lambda _: None)
    assert result.figures == {}
    seen = LandmarkValidation(data.pictures, list(range(8)), config.size)
    figures = seen.whole(Hourglass(tmp_path / "run" / "landmarks.onnx").heatmaps)
    assert figures["val_nme"] < 0.05


def test_the_error_is_a_share_of_the_distance_of_the_eyes():
    truth = np.array([[[10, 20], [50, 20], [30, 40], [15, 60], [45, 60]]], dtype=float)
    found = truth + np.array([[4, 0], [0, 4], [0, 0], [0, 0], [0, 0]])
    assert normalised_errors(found, truth) == pytest.approx(8 / 5 / 40)


def test_grey_copies_have_three_equal_channels():
    picture = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    grey = in_grey(picture)
    assert grey.shape == picture.shape
    assert (grey == grey[..., :1]).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"size": 100}, "size 100, expected a multiple of 32"),
        ({"size": 2048}, "from 32 to 1024"),
        ({"sigma": float("nan")}, "sigma nan"),
        ({"learning_rate": 0.0}, "learning_rate 0.0"),
        ({"val_share": 1.0}, "share 1.0"),
    ],
)
def test_unusable_settings(wrong, says):
    with pytest.raises(UsageError, match=says):
        LandmarkConfig(**wrong)
