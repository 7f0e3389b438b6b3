"""Shards of one command line and their merge; the command itself."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lit_sphere import write_capture

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus

PARTS = Path("maps.h5.parts")


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen captures, one damaged, one smaller than the others."""
    root = tmp_path_factory.mktemp("captures") / "raw"
    for i in range(13):
        size = 40 if i == 11 else 48
        folder = write_capture(root / f"{i % 4:03d}" / f"s{i:02d}", albedo=0.3 + i / 30, size=size)
        if i == 9:
            data = (folder / "im3.bmp").read_bytes()
            (folder / "im3.bmp").write_bytes(data[: len(data) // 2])
    return root


@pytest.fixture
def raw(captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder in which the captures lie as `raw`."""
    (tmp_path / "raw").symlink_to(captures)
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    return tmp_path


def reconstruct(*words: str) -> int:
    return main(["ps-reconstruct", "raw", "-j", "1", *words])


def whole() -> bytes:
    """What one process writes, rejects included."""
    Path("whole").mkdir()
    assert reconstruct("-o", "whole/maps.h5") == 0
    return Path("whole/maps.h5").read_bytes() + Path("whole/maps.h5.rejects.csv").read_bytes()


def merged() -> bytes:
    return Path("maps.h5").read_bytes() + Path("maps.h5.rejects.csv").read_bytes()


@pytest.mark.parametrize("count", [1, 3])
def test_shards_and_merge_write_what_one_process_writes(
    count: int, raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(count, 0, -1):
        assert reconstruct("--shard", f"{number}/{count}") == 0
    assert "fr3d merge maps.h5.parts" in capsys.readouterr().err
    assert not Path("maps.h5").exists()
    assert main(["merge", "maps.h5.parts", "-n"]) == 0
    assert not Path("maps.h5").exists()
    assert main(["merge"]) == 0
    said = capsys.readouterr().err
    assert "12 of 13 captures -> maps.h5, 1 rejected: see maps.h5.rejects.csv" in said
    assert PARTS.is_dir()
    assert merged() == whole()
    assert main(["verify", "maps.h5", "maps.h5.parts", "-q"]) == 0


def test_a_folder_of_parts_reads_as_the_file_that_it_will_be(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Aligning the parts gives the bytes of aligning the file; history cites the same."""
    for number in (1, 2):
        assert reconstruct("--shard", f"{number}/2") == 0
    words = ["--detector", "none", "-j", "1"]
    assert main(["align", "maps.h5.parts", "-o", "a.h5", *words]) == 0
    assert main(["info", "maps.h5.parts", "--json"]) == 0
    parts = json.loads(capsys.readouterr().out)
    assert main(["merge", "--remove"]) == 0
    assert main(["align", "maps.h5", "-o", "b.h5", *words]) == 0
    assert Path("a.h5").read_bytes() == Path("b.h5").read_bytes()
    assert main(["info", "maps.h5", "--json"]) == 0
    file = json.loads(capsys.readouterr().out)
    for told in (parts, file):
        del told["file"], told["bytes"]
    assert parts == file


KILLED = """
import os, signal, sys
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.cli import main

seal = ArtifactWriter.seal_draft

def seal_and_die(self, draft):
    if draft.index >= int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    seal(self, draft)

ArtifactWriter.seal_draft = seal_and_die
sys.exit(main(sys.argv[2:]))
"""


def test_a_killed_shard_resumes(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Killed between writing a part and sealing it; all shards share a folder meanwhile."""
    words = ["ps-reconstruct", "raw", "-j", "1", "--shard", "1/2"]
    killed = subprocess.run([sys.executable, "-c", KILLED, "4", *words], stderr=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    assert reconstruct("--shard", "2/2") == 0
    assert "parts are still missing" in capsys.readouterr().err
    assert main(["merge"]) == ExitStatus.MALFORMED
    said = capsys.readouterr().err
    assert "parts are missing: 4, " in said
    assert "--shard 1/2" in said
    assert main(["align", "maps.h5.parts"]) == ExitStatus.MALFORMED
    assert "parts are missing" in capsys.readouterr().err
    assert reconstruct("--shard", "1/2") == 0
    assert main(["merge", "--remove"]) == 0
    assert not PARTS.exists()
    assert merged() == whole()


def test_a_run_for_all_finishes_what_shards_began(raw: Path) -> None:
    assert reconstruct("--shard", "2/3") == 0
    assert reconstruct() == 0
    assert not PARTS.exists()
    assert merged() == whole()


def test_a_slurm_array(
    raw: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"MIN": 1, "MAX": 2, "STEP": 1, "COUNT": 2}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", str(value))
    for task in ("1", "2"):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", task)
        assert reconstruct("--shard", "slurm") == 0
        assert f"shard {task}/2" in capsys.readouterr().err
    assert main(["merge"]) == 0
    # that an array happens to be there must not leave out work unasked
    assert reconstruct("-f") == 0
    assert "--shard" in capsys.readouterr().err
    assert len(open_artifact(Path("maps.h5"))) == 12


def test_shards_of_other_options_or_files_are_refused(
    raw: Path, captures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reconstruct("--shard", "1/2") == 0
    assert reconstruct("--shard", "2/2", "--keep-raw") == ExitStatus.CANNOT_WRITE
    assert "inputs or options" in capsys.readouterr().err
    Path("raw").unlink()
    shutil.copytree(captures, "raw")
    os.utime("raw/000/s00/im0.bmp", (1, 1))
    assert reconstruct("--shard", "2/2") == ExitStatus.CANNOT_WRITE
    assert "inputs or options" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--shard", "3/2"], ["--shard", "slurm"], ["--shard", ""]])
def test_no_such_shard(words: list[str], raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconstruct(*words) == ExitStatus.USAGE
    assert "shard" in capsys.readouterr().err
    assert not PARTS.exists()


def test_finished_files(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconstruct() == 0
    write_capture(raw / "more" / "900" / "t", size=48)
    assert main(["ps-reconstruct", "more", "-o", "more.h5", "-j", "1"]) == 0
    assert main(["merge", "maps.h5", "more.h5"]) == ExitStatus.USAGE
    assert main(["merge", "maps.h5", "more.h5", "-o", "maps.h5"]) == ExitStatus.CANNOT_WRITE
    assert main(["merge", "maps.h5", "more.h5", "-o", "all.h5"]) == 0
    assert "merged 2 files: 13 rows -> all.h5, 1 captures rejected" in capsys.readouterr().err
    assert main(["align", "all.h5", "--detector", "none", "-j", "1"]) == 0
    assert main(["merge", "all.h5", "more.h5", "-o", "x.h5"]) == ExitStatus.MALFORMED
    assert "session 900/t is also in all.h5" in capsys.readouterr().err
    assert main(["merge", "all.h5", "faces.h5", "-o", "x.h5"]) == ExitStatus.MALFORMED
    assert "differ in their frame" in capsys.readouterr().err
    assert main(["verify", "all.h5", "faces.h5"]) == 0


def test_verify_finds_damage(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconstruct() == 0
    segment = open_artifact(Path("maps.h5"))["albedo"]._segments[0]
    with Path("maps.h5").open("r+b") as stream:
        stream.seek(segment.offset + segment.dtype.itemsize * 48 * 24)
        stream.write(b"\1\2\3")
    capsys.readouterr()
    assert main(["verify", "maps.h5"]) == ExitStatus.MALFORMED
    out, err = capsys.readouterr()
    assert "maps.h5,digest,12,1\n" in out
    assert "maps.h5: digest: 000/s00: the row is not what was written" in err
    Path("cut.h5").write_bytes(Path("maps.h5").read_bytes()[:9000])
    assert main(["verify", "cut.h5", "--json"]) == ExitStatus.MALFORMED
    assert '"check": "structure", "of": 1, "wrong": 1' in capsys.readouterr().out
    assert main(["verify", "none.h5"]) == ExitStatus.MISSING
