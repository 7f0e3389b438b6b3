"""The data set on disk: layout, same bytes with any workers, resume, refusal, truth."""

import errno
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.errors import CannotWriteError, UsageError
from fr3d.geometry.lights import direction
from fr3d.photometric.lights import read_lights
from fr3d.synthesis import dataset, people
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.dataset import Job, Machine, synthesise
from fr3d.synthesis.engine import engine_for
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.people import make_people
from fr3d.synthesis.photoface import light_file, session_names, write_session
from fr3d.synthesis.plan import Plan
from fr3d.synthesis.rig import Lights, Rig
from fr3d.synthesis.scene import capture
from fr3d.synthesis.sensor import Sensor
from fr3d.synthesis.studio import Studio
from fr3d.synthesis.truth import attributes

PLAN = Plan(people=2, sessions=2, seed=5, studio=Studio(48))


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
            assert fields[1].strip() in ("no", "yes")
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
    synthesise(PLAN, tmp_path / "raw", machine=Machine(workers=2))
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

    keep = dataset.work

    def stop(job: Job) -> list:
        if job.people == (1,):
            once = replace(job.plan, sessions=1)
            make_people(engine_for("cpu"), once, job.people, job.root, None)
            raise KeyboardInterrupt
        return keep(job)

    with monkeypatch.context() as patch:
        patch.setattr(dataset, "work", stop)
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
    session = capture(sample_identity(0, 0, load_heads()), 0, 0, 0, Studio(32))
    fields = dict.fromkeys(("gender", "spectacles", "facial_hair", "pose"), "x")
    with pytest.raises(KeyError):
        write_session(tmp_path / "1001" / "now", session, fields)
    assert not (tmp_path / "1001" / "now").exists()
    with pytest.raises(UsageError, match="gif"):
        replace(PLAN, picture="gif")
    with pytest.raises(UsageError, match="8 bits"):
        replace(PLAN, picture="bmp", studio=Studio(32, sensor=Sensor(bits=16)))


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
        with pytest.raises(CannotWriteError, match="did not write"):
            synthesise(PLAN, tmp_path, force=force)
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError, match="not a folder"):
        synthesise(PLAN, tmp_path / "file")


def rows(path: Path) -> dict[str, np.ndarray]:
    """All numbers of a file of maps."""
    made = open_artifact(path)
    return {name: made[name][:] for name in made.names if made[name].dtype.kind in "uf"}


def test_true_maps_in_one_file_are_those_beside_the_captures(made: Path, tmp_path: Path) -> None:
    still = replace(PLAN, studio=replace(PLAN.studio, movement=0.0), kind="maps")
    synthesise(still, tmp_path / "maps.h5")
    maps, truth = open_artifact(tmp_path / "maps.h5"), open_artifact(made / "truth.h5")
    assert maps.subject_id == truth.subject_id
    assert maps.session_id == truth.session_id
    assert np.allclose(maps["normal"][:], truth["normal"][:], atol=1e-3)
    assert np.array_equal(maps["depth"][:], truth["depth"][:], equal_nan=True)
    assert maps["normal"].dtype == np.float16
    assert maps["image"].shape == (4, 48, 48)
    assert not maps["shift"][:].any()


def test_an_interrupted_file_of_maps_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, keep = replace(PLAN, kind="maps"), dataset.work

    def stop(job: Job) -> list:
        if job.people == (1,):
            raise KeyboardInterrupt
        return keep(job)

    with monkeypatch.context() as patch:
        patch.setattr(dataset, "work", stop)
        with pytest.raises(KeyboardInterrupt):
            synthesise(plan, tmp_path / "maps.h5")
    assert not (tmp_path / "maps.h5").exists()
    told: list[int] = []
    synthesise(plan, tmp_path / "maps.h5", advance=told.append)
    assert told == [2, 2]
    synthesise(plan, tmp_path / "other.h5", machine=Machine(workers=2))
    assert (tmp_path / "maps.h5").read_bytes() == (tmp_path / "other.h5").read_bytes()


def test_reconstructed_rows_are_what_ps_reconstruct_makes_of_the_captures(
    tmp_path: Path,
) -> None:
    plan = replace(PLAN, people=1, studio=Studio(96))
    synthesise(plan, tmp_path / "raw")
    synthesise(replace(plan, kind="reconstruction"), tmp_path / "direct.h5")
    words = [str(tmp_path / "raw"), "-o", str(tmp_path / "maps.h5"), "-q"]
    assert main(["ps-reconstruct", *words]) == 0
    direct, maps = rows(tmp_path / "direct.h5"), rows(tmp_path / "maps.h5")
    assert set(maps) <= set(direct)
    for name, values in maps.items():
        assert np.array_equal(direct[name], values, equal_nan=True), name
    assert "attribute/ancestry" in open_artifact(tmp_path / "direct.h5").names


def test_pairs_tell_distance_in_millimetres(tmp_path: Path) -> None:
    room = Studio(
        64, Rig("random", 3), Sensor(colour=True, gamma=2.2, ambient=0.5), movement=0.0,
        together=True,
    )  # fmt: skip
    plan = replace(PLAN, people=1, studio=room, kind="rgbd")
    synthesise(plan, tmp_path / "rgbd")
    truth = open_artifact(tmp_path / "rgbd" / "truth.h5")
    assert truth.session_id == ["1001_01", "1001_02"]
    note = json.loads((tmp_path / "rgbd" / "depth.json").read_text())
    assert note["nothing"] == 0
    for row, name in enumerate(truth.session_id):
        depth = np.load(tmp_path / "rgbd" / "1001" / f"{name}.npy")
        assert depth.dtype == np.uint16
        seen = depth > 0
        assert 0.8 < seen[truth["mask"][row] > 0].mean() < 1
        assert not seen[truth["mask"][row] == 0].any()
        height = truth["depth"][row][seen] * truth["scale_mm"][row]
        error = 900.0 - height - depth[seen]
        assert abs(error.mean()) < 0.3
        assert 0.8 < error.std() < 4
        assert (tmp_path / "rgbd" / "1001" / f"{name}.png").is_file()
    lost = tmp_path / "rgbd" / "1001" / "1001_02.png"
    whole = files(tmp_path / "rgbd")
    lost.unlink()
    synthesise(plan, tmp_path / "rgbd")
    assert files(tmp_path / "rgbd") == whole
    synthesise(replace(plan, kind="photographs"), tmp_path / "rgbd", force=True)
    assert not list((tmp_path / "rgbd").rglob("*.npy"))


def test_a_manifest_gives_its_plan_back() -> None:
    studio = Studio(64, Rig("ring", 6, 700.0, 0.1), Sensor(bits=16), movement=2.0)
    plan = replace(PLAN, studio=studio)
    assert Plan.from_manifest(plan.manifest()) == plan


def test_lights_that_a_matrix_cannot_tell_get_a_document(tmp_path: Path) -> None:
    even = Lights(np.full(3, 40.0), np.array([0.0, 120.0, 240.0]), np.ones(3))
    assert light_file(even)[0] == "LightSource.m"
    near = replace(even, intensity=np.array([1.0, 0.9, 1.1]), distance_mm=800.0)
    name, text = light_file(near)
    assert name == "lights.json"
    (tmp_path / name).write_text(text)
    lights = read_lights(tmp_path / name)
    assert np.allclose(lights.directions, near.directions, atol=1e-6)
    assert np.allclose(lights.positions_mm, 800 * near.directions, atol=1e-2)
    assert np.allclose(lights.grey_intensity, near.intensity)


def test_attributes_are_in_photofaces_words() -> None:
    session = capture(sample_identity(0, 0, load_heads()), 0, 0, 0, Studio(32))
    found = attributes(session)
    assert found["spectacles"] in ("yes", "no")
    assert found["pose"] in "12345"
    assert 18 <= float(found["age"]) <= 66
