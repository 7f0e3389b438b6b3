"""The data set on disk: layout, same bytes with any workers, resume, refusal, truth."""

import errno
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fr3d.artifacts.store import open_artifact
from fr3d.errors import CannotWriteError, UsageError
from fr3d.geometry.lights import direction
from fr3d.synthesis import dataset, people
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.dataset import synthesise
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.people import Plan, make_person
from fr3d.synthesis.photoface import session_names, write_session
from fr3d.synthesis.scene import capture

PLAN = Plan(people=2, sessions=2, size=48, seed=5, picture="png")


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synth") / "raw"
    synthesise(PLAN, root)
    return root


def test_layout_is_photofaces(made: Path) -> None:
    subjects = sorted(p.name for p in made.iterdir() if p.is_dir())
    assert subjects == ["1001", "1002"]
    for person in subjects:
        sessions = list((made / person).iterdir())
        assert len(sessions) == 2
        for session in sessions:
            assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", session.name)
            names = ["LightSource.m", *(f"im{n}.png" for n in range(4))]
            names += ["metadata.txt", "metadataII.txt"]
            assert sorted(p.name for p in session.iterdir()) == names
            points = (session / "metadata.txt").read_text().splitlines()
            assert len(points) == 11
            fields = (session / "metadataII.txt").read_text().split(",")
            assert [f.strip() for f in fields[1:6]][:2] == ["no", "none"]
            assert len(fields) == 8
            assert not fields[7].strip()


def test_the_light_file_holds_the_lights_of_the_truth(made: Path) -> None:
    truth = open_artifact(made / "truth.h5")
    for row in range(len(truth)):
        folder = made / truth.subject_id[row] / truth.session_id[row]
        text = (folder / "LightSource.m").read_text()
        rows = re.findall(r"90-([\d.]+) 360-([\d.]+);", text)
        assert text.startswith("LightAngle = [")
        zenith, azimuth = np.array(rows, float).T
        assert np.allclose(direction(zenith, azimuth), truth["lights"][row], atol=1e-6)


def test_truth_is_row_aligned_and_agrees_with_the_files(made: Path) -> None:
    truth = open_artifact(made / "truth.h5", require=["normal", "albedo", "depth", "mask"])
    assert truth.frame == "camera"
    assert truth["normal"].shape == (4, 48, 48, 3)
    assert truth.subject_id == ["1001", "1001", "1002", "1002"]
    for row in range(4):
        folder = made / truth.subject_id[row] / truth.session_id[row]
        eleven = np.loadtxt(folder / "metadata.txt", delimiter=",")
        assert np.allclose(truth["landmarks"][row][2], eleven[6], atol=0.006)
        fields = [f.strip() for f in (folder / "metadataII.txt").read_text().split(",")]
        names = ["gender", "spectacles", "facial_hair", "pose", "quality", "occlusion", "emotion"]
        assert fields[:7] == [truth.attributes[name][row] for name in names]
    assert truth["scale_mm"][0] == pytest.approx(61.6 / (0.275 * 48), rel=0.15)


def test_workers_do_not_change_a_byte(made: Path, tmp_path: Path) -> None:
    synthesise(PLAN, tmp_path / "raw", workers=2)
    assert files(tmp_path / "raw") == files(made)


def test_the_first_people_and_sessions_do_not_depend_on_how_many_there_are(
    made: Path, tmp_path: Path
) -> None:
    synthesise(replace(PLAN, people=1, sessions=1), tmp_path / "raw", truth=False)
    few, many = files(tmp_path / "raw"), files(made)
    few.pop("synth.json")
    assert len(few) == 7
    assert all(many[name] == data for name, data in few.items())


def test_session_names_grow_at_the_end() -> None:
    assert session_names(1, 2, 9)[:4] == session_names(1, 2, 4)
    assert len(set(session_names(1, 2, 400))) == 400
    assert sorted(session_names(1, 2, 50)) == session_names(1, 2, 50)


def test_an_interrupted_run_leaves_whole_sessions_and_is_completed(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "raw"

    def stop(plan: Plan, root: Path, truth: bool, person: int) -> dataset.Columns:
        if person == 1:
            make_person(replace(plan, sessions=1), root, False, person)
            raise KeyboardInterrupt
        return make_person(plan, root, truth, person)

    with monkeypatch.context() as patch:
        patch.setattr(dataset, "make_person", stop)
        with pytest.raises(KeyboardInterrupt):
            synthesise(PLAN, root)
    assert not (root / "truth.h5").exists()
    assert (root / "1001").is_dir()
    torn = root / "1002" / f".{session_names(5, 1, 2)[1]}.part"
    torn.mkdir()
    (torn / "im0.png").write_bytes(b"half")
    told: list[int] = []
    synthesise(PLAN, root, advance=told.append)
    assert told == [2, 2]
    assert files(root) == files(made)


def test_a_lost_session_is_made_again(made: Path, tmp_path: Path) -> None:
    root = tmp_path / "raw"
    synthesise(PLAN, root)
    victim = next((root / "1002").iterdir())
    for file in victim.iterdir():
        file.unlink()
    victim.rmdir()
    synthesise(PLAN, root)
    assert files(root) == files(made)


def test_a_half_written_session_never_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = capture(sample_identity(0, 0, load_heads()), 0, 0, 0, 32)
    fields = dict.fromkeys(("gender", "spectacles", "facial_hair", "pose"), "x")
    with pytest.raises(KeyError):
        write_session(tmp_path / "1001" / "now", session, fields)
    assert not (tmp_path / "1001" / "now").exists()
    with pytest.raises(UsageError, match="gif"):
        write_session(tmp_path / "now", session, fields, "gif")


def test_a_full_disk_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(people, "write_session", full)
    with pytest.raises(CannotWriteError, match="disk is full"):
        synthesise(PLAN, tmp_path / "raw", truth=False)


def test_a_complete_or_other_data_set_is_kept_without_force(tmp_path: Path) -> None:
    root, small = tmp_path / "raw", replace(PLAN, people=1, sessions=1)
    synthesise(small, root, truth=False)
    before = files(root)
    with pytest.raises(CannotWriteError, match="holds this"):
        synthesise(small, root, truth=False)
    with pytest.raises(CannotWriteError, match="holds another"):
        synthesise(replace(small, seed=6), root, truth=False)
    with pytest.raises(CannotWriteError, match="holds another"):
        synthesise(replace(small, recipe=small.recipe + 1), root, truth=False)
    assert files(root) == before
    mine = root / "1001" / "notes.txt"
    mine.write_text("mine")
    synthesise(replace(small, seed=6), root, truth=False, force=True)
    after = files(root)
    assert after.pop("1001/notes.txt") == b"mine"
    assert not (set(after) & set(before)) - {"synth.json"}
    assert len(after) == len(before)


def test_a_folder_of_other_files_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "1001").mkdir()
    for force in (False, True):
        with pytest.raises(CannotWriteError, match=r"no synth\.json"):
            synthesise(PLAN, tmp_path, force=force)
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError, match="not a folder"):
        synthesise(PLAN, tmp_path / "file")
