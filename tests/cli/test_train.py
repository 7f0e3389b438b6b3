import json
import shutil

import h5py
import numpy as np
import pytest
from synthetic_faces import write_faces

from fr3d.cli import main
from fr3d.training.run import lock_run

SMALL = ["--backbone", "tiny", "--embedding-size", "16", "--batch-size", "6", "--per-person", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("train")
    write_faces(made)
    return made


def train(folder, *more, epochs=2):
    paths = [str(folder / "faces.h5"), "--split", str(folder / "split.csv")]
    words = [*paths, "--runs", str(folder / "runs"), "--epochs", str(epochs), "--device", "cpu"]
    return main(["train", *words, *SMALL, *more])


def test_the_users_line_works_in_a_folder_with_the_default_names(tmp_path, monkeypatch, capsys):
    write_faces(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--modality", "concat3", "--epochs", "1", *SMALL]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "trained branch runs/normal" in err
    assert "trained runs/concat3 on 6 people, 24 sessions: kept epoch 1, validation AUC" in err
    assert json.loads((tmp_path / "runs/concat3/status.json").read_text())["finished"] is True


def test_a_dry_run_writes_nothing(folder, capsys):
    assert train(folder, "--name", "dry", "--dry-run") == 0
    assert "would train" in capsys.readouterr().err
    assert not (folder / "runs" / "dry").exists()


def test_concat2_names_its_branches(folder, capsys):
    assert train(folder, "--modality", "concat2") == 2
    assert "--branches" in capsys.readouterr().err
    assert train(folder, "--modality", "concat2", "--branches", "image,depth") == 0
    assert "concat2" in capsys.readouterr().err


def test_a_finished_run_is_refused_and_force_replaces_it(folder, capsys):
    assert train(folder, "--name", "twice", "-q") == 0
    assert capsys.readouterr().err == ""
    assert train(folder, "--name", "twice") == 73
    assert "--force" in capsys.readouterr().err
    assert train(folder, "--name", "twice", "--force", epochs=1) == 0


def test_verbose_shows_each_epoch(folder, capsys):
    assert train(folder, "--name", "talk", "-v", "--loss", "magface") == 0
    err = capsys.readouterr().err
    assert "talk epoch 1/2: loss" in err
    assert "val_auc" in err


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["--modality", "smell"], 2, "smell"),
        (["--backbone", "huge"], 2, "no backbone 'huge'"),
        (["--per-person", "4"], 2, "not a multiple"),
        (["--split", "nowhere.csv"], 66, "nowhere.csv"),
        (["--device", "cuda:99"], 69, "cuda:99"),
        (["--backbone", "tiny", "--pretrained"], 2, "no published weights"),
    ],
)
def test_wrong_words(folder, capsys, words, status, text):
    assert train(folder, "--name", "wrong", *words) == status
    assert text in capsys.readouterr().err


def test_a_missing_modality_is_said(tmp_path, capsys):
    from synthetic_faces import face_arrays

    from fr3d.artifacts.provenance import Step
    from fr3d.artifacts.writer import write_artifact

    write_faces(tmp_path)
    columns = face_arrays(11, 4)
    del columns["albedo"]
    columns |= {
        "subject_id": [f"{i:03d}" for i in range(11) for _ in range(4)],
        "session_id": [f"s{k}" for _ in range(11) for k in range(4)],
    }
    write_artifact(tmp_path / "faces.h5", "fr3d.maps", columns, Step("align"), force=True)
    assert train(tmp_path, "--modality", "albedo") == 65
    assert "no dataset 'albedo'" in capsys.readouterr().err


def test_a_person_on_both_sides_is_refused(tmp_path, capsys):
    write_faces(tmp_path)
    path = tmp_path / "split.csv"
    path.write_text(path.read_text().replace("000,s1,train", "000,s1,test"))
    assert train(tmp_path) == 65
    assert "people in more than one partition: 000" in capsys.readouterr().err
    assert train(tmp_path, "--allow-leak", "person", epochs=1) == 0
    assert "leak allowed" in capsys.readouterr().err


def test_nobody_to_validate_on_is_said(tmp_path, capsys):
    write_faces(tmp_path)
    path = tmp_path / "split.csv"
    path.write_text(path.read_text().replace(",val,", ",distractor,"))
    assert train(tmp_path, epochs=1) == 0
    err = capsys.readouterr().err
    assert "nobody to validate on" in err
    assert "kept epoch 1" in err


@pytest.mark.parametrize(
    ("words", "status", "says", "hint"),
    [
        (("--name", "../away"), 2, "expected the name of a folder", "--runs"),
        (("--lr", "nan"), 2, "learning_rate nan, expected more than 0", "shows the defaults"),
        (("--batch-size", "7", "--per-person", "2"), 2, "not a multiple", "try --batch-size 6"),
    ],
)
def test_unusable_options(folder, capsys, words, status, says, hint):
    assert train(folder, *words) == status
    err = capsys.readouterr().err
    assert says in err
    assert hint in err.partition("hint: ")[2]
    assert not (folder.parent / "away").exists()


def test_maps_that_are_not_aligned_are_refused(folder, tmp_path, capsys):
    with h5py.File(shutil.copy(folder / "faces.h5", tmp_path / "maps.h5"), "r+") as file:
        file.attrs["frame"] = np.bytes_("camera")
    maps, split = str(tmp_path / "maps.h5"), str(folder / "split.csv")
    assert main(["train", maps, "--split", split, "--runs", str(tmp_path / "runs"), *SMALL]) == 65
    err = capsys.readouterr().err
    assert "its maps are in frame 'camera', expected aligned faces" in err
    assert "hint: align them first: fr3d align" in err


def test_one_process_trains_a_run_at_a_time(folder, capsys):
    with lock_run(folder / "runs" / "held"):
        assert train(folder, "--name", "held") == 73
        assert "runs/held: another process is training it" in capsys.readouterr().err
    assert train(folder, "--name", "held", "-q", epochs=1) == 0
