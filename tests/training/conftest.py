import pandas as pd
import pytest
from synthetic_faces import write_faces

from fr3d.artifacts.store import open_artifact
from fr3d.training.config import TrainConfig
from fr3d.training.partition import training_data


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    faces, split = write_faces(folder)
    table = pd.read_csv(split, dtype=str, keep_default_na=False)
    return training_data(open_artifact(faces), table, "split-digest")


@pytest.fixture(scope="session")
def small_config():
    return TrainConfig(
        backbone="tiny",
        embedding_size=16,
        epochs=4,
        people=3,
        per_person=2,
        learning_rate=1e-2,
        average=0.9,
        patience=0,
    )
