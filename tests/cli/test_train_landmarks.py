import io
import json
import shutil
from contextlib import redirect_stderr

import pytest
from drawn_faces import write_face_table

from fr3d.cli import main
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.inference.model import find_model, find_run

TASK = ["train", "--task", "landmarks", "--device", "cpu"]
SMALL = ["--size", "64", "--channels", "8", "--batch-size", "4", "--epochs", "1"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_face_table(tmp_path_factory.mktemp("table"), 16)


@pytest.fixture(scope="module")
def made(table, tmp_path_factory):
    """The folder of a run, and what was said to people while it was made."""
    folder = tmp_path_factory.mktemp("landmark_runs") / "runs"
    said = io.StringIO()
    with redirect_stderr(said):
        assert train(table, folder, "--val-share", "0.25") == 0
    return folder, said.getvalue()


@pytest.fixture(scope="module")
def runs(made):
    return made[0]


def train(table, folder, *more):
    return main([*TASK, str(table), "--group", "clip", "--runs", str(folder), *SMALL, *more])


def test_a_run_is_made_and_said(made, table, capsys):
    runs, said = made
    assert "landmarks on 12 faces: kept epoch 1, validation NME" in said
    folder = runs / "landmarks"
    assert json.loads((folder / "status.json").read_text())["finished"] is True
    assert (folder / "landmarks.onnx").exists()
    assert train(table, runs) == 73
    assert "--force" in capsys.readouterr().err


def test_a_dry_run_says_what_and_writes_nothing(table, tmp_path, capsys):
    assert train(table, tmp_path / "runs", "-n") == 0
    err = capsys.readouterr().err
    assert "would train" in err
    assert "12 faces of 6 groups to learn from, 4 faces of 2 groups to validate on" in err
    assert not (tmp_path / "runs").exists()


def test_a_landmark_run_is_never_taken_for_a_recogniser(runs):
    with pytest.raises(MissingInputError, match="no finished run"):
        find_model(None, runs)
    with pytest.raises(MissingInputError, match="no finished run"):
        find_run(None, runs)
    with pytest.raises(MissingInputError, match="no finished run"):
        find_model(runs)
    for find in (find_model, find_run):
        with pytest.raises(MalformedInputError, match="a run of task 'landmarks'"):
            find(runs / "landmarks", runs)


def test_of_an_older_recogniser_and_a_landmark_run_the_recogniser_is_meant(runs, tmp_path):
    older = tmp_path / "runs" / "normal"
    older.mkdir(parents=True)
    (older / "config.json").write_text("{}")
    (older / "status.json").write_text('{"finished": true}')
    shutil.copytree(runs / "landmarks", tmp_path / "runs" / "landmarks")
    assert find_model(None, tmp_path / "runs") == older
    assert find_run(tmp_path / "runs") == older


@pytest.mark.parametrize("command", ["export", "embed"])
def test_other_commands_refuse_it_in_one_line(runs, tmp_path, capsys, command):
    words = {
        "export": [str(runs / "landmarks"), "-o", str(tmp_path / "m.onnx")],
        "embed": ["faces.h5", "--model", str(runs / "landmarks")],
    }[command]
    assert main([command, *words]) in (65, 66)
    assert "Traceback" not in capsys.readouterr().err


def test_info_describes_it(runs, capsys):
    assert main(["info", str(runs / "landmarks")]) == 0
    assert "landmarks" in capsys.readouterr().out
    assert main(["info", str(runs / "landmarks" / "landmarks.onnx")]) == 0
    assert "landmark" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["--backbone", "tiny"], 2, "--backbone is for --task identity"),
        (["--split", "s.csv"], 2, "--split is for --task identity"),
        (["--group", "person"], 65, "no column 'person'"),
        (["--size", "100"], 2, "size 100, expected a multiple of 32"),
        (["--name", "../away"], 2, "expected the name of a folder"),
        (["--val-share", "0.01"], 2, "leaves one side empty"),
        (["--lr", "nan"], 2, "learning_rate nan"),
        (["--channels", "10"], 2, "multiples of 4"),
        (["--device", "cuda:99"], 69, "cuda:99"),
    ],
)
def test_unusable_options(table, tmp_path, capsys, words, status, says):
    assert train(table, tmp_path / "runs", *words) == status
    err = capsys.readouterr().err
    assert says in err
    assert "hint: " in err
    assert not (tmp_path / "runs" / "landmarks").exists()


def test_options_of_the_other_task(capsys):
    assert main(["train", "--stacks", "3"]) == 2
    assert "--stacks is for --task landmarks" in capsys.readouterr().err


@pytest.mark.parametrize("tables", [[], ["a.csv", "b.csv"]])
def test_one_table_is_needed(capsys, tables):
    assert main([*TASK, *tables]) == 2
    assert "expected one for --task landmarks" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cells", "status", "says"),
    [
        ({"image": "lost.png"}, 66, "no image 'lost.png'"),
        ({"nose_tip_y": "600"}, 65, "nose tip does not lie"),
        ({"mouth_image_left_x": "-3"}, 65, "outside its picture"),
        ({"eye_image_left_x": "west"}, 65, "could not convert"),
    ],
)
def test_bad_rows(tmp_path, capsys, cells, status, says):
    path = write_face_table(tmp_path, 8, {3: cells})
    assert train(path, tmp_path / "runs") == status
    err = capsys.readouterr().err
    assert says in err
    assert "faces.csv" in err
    assert not (tmp_path / "runs").exists()


def test_a_truncated_picture(tmp_path, capsys):
    path = write_face_table(tmp_path, 8)
    file = tmp_path / "images" / "5.png"
    file.write_bytes(file.read_bytes()[:-40])
    assert train(path, tmp_path / "runs") == 65
    assert "5.png: truncated image" in capsys.readouterr().err
