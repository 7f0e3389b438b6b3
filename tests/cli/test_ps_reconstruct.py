import csv
import errno
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from lit_sphere import light_source, photographs, write_capture

from fr3d.artifacts import atomic
from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three good captures in `raw`, which is also the working folder's default input."""
    for i in range(3):
        write_capture(tmp_path / "raw" / f"{i:03d}" / "a", albedo=0.4 + 0.1 * i)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "raw"


def run(*words: object) -> int:
    return main(["ps-reconstruct", *map(str, words), "-j", "1"])


def rejects(output: Path) -> dict[str, str]:
    with output.with_name(output.name + ".rejects.csv").open(newline="") as stream:
        return {row["session_id"]: row["reason"] for row in csv.DictReader(stream)}


def test_defaults(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "reconstructed 3 of 3 captures -> maps.h5\n"
    maps = open_artifact(Path("maps.h5"))
    assert maps.subject_id == ["000", "001", "002"]
    assert maps.frame == "camera"
    assert maps.parameters["solver"] == "auto"
    assert maps.parameters["transfer"] == "linear"
    assert list(maps.history[0]["inputs"]) == ["raw"]
    assert str(raw.parent) not in Path("maps.h5").read_bytes().decode("latin-1")
    assert maps.attributes["gender"] == ["male"] * 3
    assert "raw" not in maps
    assert not Path("maps.h5.rejects.csv").exists()


def test_same_command_same_bytes(raw: Path) -> None:
    assert run(raw, "-o", "a.h5", "--keep-raw", "-q") == 0
    assert run("raw/", "-o", "b.h5", "--keep-raw", "-q") == 0
    assert Path("a.h5").read_bytes() == Path("b.h5").read_bytes()
    assert open_artifact(Path("a.h5"))["raw"].shape == (3, 4, 48, 48)


def test_history_cites_what_the_files_hold(raw: Path) -> None:
    assert run(raw, "-o", "a.h5", "-q") == 0
    text = raw / "001" / "a" / "metadataII.txt"
    text.write_text(text.read_text().replace("male", "mane"))  # same name, same size
    assert run(raw, "-o", "b.h5", "-q") == 0
    a, b = open_artifact(Path("a.h5")), open_artifact(Path("b.h5"))
    same = [x == y for x, y in zip(a.text("source_sha256"), b.text("source_sha256"), strict=True)]
    assert same == [True, False, True]
    assert a.history[0]["inputs"]["raw"] != b.history[0]["inputs"]["raw"]


def test_existing_output_needs_force(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("maps.h5").write_text("precious")
    assert run() == ExitStatus.CANNOT_WRITE
    assert Path("maps.h5").read_text() == "precious"
    assert run("--dry-run") == 0
    assert Path("maps.h5").read_text() == "precious"
    assert run("--force") == 0
    assert len(open_artifact(Path("maps.h5"))) == 3


def break_text(folder: Path) -> None:
    (folder / "LightSource.m").write_text("__import__('os').system('touch owned')\n")


def truncate(folder: Path) -> None:
    data = (folder / "im1.bmp").read_bytes()
    (folder / "im1.bmp").write_bytes(data[: len(data) * 2 // 3])


def three_rows(folder: Path) -> None:
    (folder / "LightSource.m").write_text(light_source(np.array([1, 20, 30]), np.array([1, 9, 99])))


def nan_image(folder: Path) -> None:
    images = photographs()
    images[2, 20, 20] = np.nan
    for i, image in enumerate(images):
        (folder / f"im{i}.bmp").unlink()
        assert cv2.imwrite(str(folder / f"im{i}.tiff"), image)


def plane(folder: Path) -> None:
    (folder / "LightSource.m").write_text(light_source(np.full(4, 90), np.arange(4) * 90.0))


DAMAGE = {
    "light": (lambda f: (f / "LightSource.m").unlink(), "found no light file"),
    "three": (lambda f: (f / "im2.bmp").unlink(), "im2: missing, found 3 of 4 photographs"),
    "last": (lambda f: (f / "im3.bmp").unlink(), "LightSource.m: found 4 lights, expected 3"),
    "cut": (truncate, "im1.bmp: truncated"),
    "text": (break_text, "LightSource.m: line 1: found"),
    "rows": (three_rows, "LightSource.m: found 3 lights, expected 4"),
    "nan": (nan_image, "im2.tiff: found NaN"),
    "plane": (plane, "LightSource.m: the lights lie in one plane"),
    "binary": (
        lambda f: (f / "LightSource.m").write_bytes(b"\xff\x00"),
        "LightSource.m: not UTF-8",
    ),
    "marks": (lambda f: (f / "metadata.txt").write_text("1 2 3"), "metadata.txt: found 3 numbers"),
    "empty": (lambda f: (f / "im0.bmp").write_bytes(b""), "im0.bmp: found an empty file"),
    "none": (lambda f: [p.unlink() for p in f.iterdir()], "found no photographs"),
}


def test_bad_captures_are_rejected_and_the_others_go_on(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, (damage, _) in DAMAGE.items():
        damage(write_capture(raw / "zzz" / name))
    assert run("--dry-run", "-v") == 0
    rehearsal = capsys.readouterr().err
    assert "would reject zzz/text: LightSource.m: line 1" in rehearsal
    assert not list(raw.parent.glob("maps.h5*"))
    assert run() == 0
    assert f"reconstructed 3 of {3 + len(DAMAGE)} captures" in capsys.readouterr().err
    found = rejects(Path("maps.h5"))
    assert set(found) == set(DAMAGE)
    for name, (_, reason) in DAMAGE.items():
        assert found[name].startswith(reason), (name, found[name])
        assert "\n" not in found[name]
        assert str(raw) not in found[name]
    assert len(open_artifact(Path("maps.h5")).rejected) == len(DAMAGE)
    assert not Path("owned").exists()


def test_strict_fails_but_keeps_the_output(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truncate(raw / "001" / "a")
    assert run("--strict") == ExitStatus.MALFORMED
    assert "1 of 3 captures were rejected" in capsys.readouterr().err
    assert len(open_artifact(Path("maps.h5"))) == 2


def test_nothing_usable(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for subject in raw.iterdir():
        truncate(subject / "a")
    assert run() == ExitStatus.MALFORMED
    assert "none of 3 captures could be used: 000/a: im1.bmp: truncated" in capsys.readouterr().err
    assert not Path("maps.h5").exists()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["nowhere"], ExitStatus.MISSING, "nowhere: no such folder"),
        (["raw/000/none"], ExitStatus.MISSING, "raw/000/none: no such folder"),
        (["raw", "copy"], ExitStatus.MALFORMED, "session 000/a is also in raw/000/a"),
        (["--transfer", "rec709"], ExitStatus.USAGE, "no such transfer: rec709"),
        (["--lights", "none.csv"], ExitStatus.MISSING, "none.csv: No such file"),
        (["--solver", "magic"], ExitStatus.USAGE, "magic"),
    ],
)
def test_errors(
    raw: Path, words: list, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(raw, raw.parent / "copy")
    assert run(*words) == status
    err = capsys.readouterr().err
    assert message in err
    assert "hint: " in err
    assert not Path("maps.h5").exists()


def test_plain_folders_with_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_capture(tmp_path / "rig" / "p" / "a", names="shot-{}", suffix="png")
    for name in ("LightSource.m", "metadata.txt", "metadataII.txt"):
        (folder / name).unlink()
    table = "zenith,azimuth\n36,134\n42,47\n40,313\n36,233\n"
    (tmp_path / "rig" / "lights.csv").write_text(table)
    assert run(tmp_path / "rig", "-o", tmp_path / "own.h5") == 0
    (tmp_path / "rig" / "lights.csv").rename(tmp_path / "lights.csv")
    given = ["--lights", tmp_path / "lights.csv"]
    assert run(tmp_path / "rig", "-o", tmp_path / "given.h5", *given) == 0
    own, shared = (open_artifact(tmp_path / f"{n}.h5") for n in ("own", "given"))
    np.testing.assert_array_equal(own["normal"][0], shared["normal"][0])
    assert set(shared.history[0]["inputs"]) == {"rig", "lights.csv"}
    assert not own.attributes
    assert np.isnan(own["landmarks"][0]).all()


def test_mixed_sizes_share_a_canvas_and_mostly_padding_warns(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_capture(raw / "big" / "a", size=96)
    assert run() == 0
    assert (
        "3 captures fill less than half of 96x96 pixels (first: 000/a)" in capsys.readouterr().err
    )
    maps = open_artifact(Path("maps.h5"))
    assert maps["normal"].shape == (4, 96, 96, 3)
    assert maps["size"][:].tolist() == [[48, 48]] * 3 + [[96, 96]]
    assert run("-o", "square.h5", "--size", "32") == 0
    assert capsys.readouterr().err == "reconstructed 4 of 4 captures -> square.h5\n"
    assert open_artifact(Path("square.h5"))["normal"].shape == (4, 32, 32, 3)


def test_jpeg_is_read_but_warned_of(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_capture(raw / "j" / "a", suffix="jpg")
    assert run() == 0
    assert "1 captures are JPEG" in capsys.readouterr().err


def test_full_disk_loses_nothing(
    raw: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system refuses to sync the first part; later there is room again."""
    sync = os.fsync

    def refuse(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", refuse)
    assert run() == ExitStatus.CANNOT_WRITE
    assert "the disk is full" in capsys.readouterr().err
    assert not Path("maps.h5").exists()
    monkeypatch.setattr(atomic.os, "fsync", sync)
    assert run() == 0
    assert len(open_artifact(Path("maps.h5"))) == 3


def test_changed_input_is_not_mixed_with_old_parts(raw: Path) -> None:
    """Parts of a run over other files are not resumed, even when all sizes agree."""
    from fr3d.artifacts.writer import ArtifactWriter

    join = ArtifactWriter._finish
    try:
        ArtifactWriter._finish = lambda self: (_ for _ in ()).throw(KeyboardInterrupt)
        assert run() == ExitStatus.INTERRUPTED
    finally:
        ArtifactWriter._finish = join
    image = cv2.imread(str(raw / "000" / "a" / "im0.bmp"))
    cv2.imwrite(str(raw / "000" / "a" / "im0.bmp"), image // 2)
    assert run() == ExitStatus.CANNOT_WRITE
    assert run("--force") == 0


def test_a_rehearsal_foresees_what_the_run_would_do(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (raw / "001" / "a" / "LightSource.m").write_text(
        light_source(np.full(3, 40), np.arange(3) * 90)
    )
    assert run("--dry-run", "-o", "there.h5") == 0
    assert "2 of 3 captures" in (said := capsys.readouterr().err)
    assert "the first: LightSource.m: found 3 lights, expected 4" in said
    Path("there.h5").write_text("")
    assert run("--dry-run", "-o", "there.h5") == 0
    assert "the run will need --force" in capsys.readouterr().err
    for i in ("000", "002"):
        (raw / i / "a" / "LightSource.m").unlink()
    assert run("--dry-run", "-o", "new.h5") == ExitStatus.MALFORMED
    assert not Path("new.h5").exists()
    assert not Path("new.h5.rejects.csv").exists()
