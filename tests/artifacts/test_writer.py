"""Writing: whole or not at all, resumable, independent of how the work was cut."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fr3d.artifacts import atomic
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import ArtifactWriter, Reject, write_artifact
from fr3d.errors import CannotWriteError, MalformedInputError

STEP = Step("test", {"alpha": 1})
ITEMS = list(range(23))


def seal(writer: ArtifactWriter, index: int, group: list[int]) -> None:
    """Items that divide by five are rejected; text of different lengths tests the joining."""
    kept = [i for i in group if i % 5]
    columns = {
        "subject_id": ["p" * (1 + i // 8) + str(i) for i in kept],
        "session_id": ["s"] * len(kept),
        "depth": np.stack([np.full((3, 4), i, np.float32) for i in kept]),
    }
    writer.seal(index, columns, [Reject(str(i), "s", "too dark") for i in group if not i % 5])


def write(path: Path, stop_after: int = 10**9, part_rows: int = 4, **more: object) -> None:
    with ArtifactWriter(path, "fr3d.maps", STEP, part_rows=part_rows, **more) as writer:
        for index, group in writer.todo(ITEMS):
            if index >= stop_after:
                raise KeyboardInterrupt
            seal(writer, index, group)


def test_parts_become_one_file(tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    write(path)
    a = open_artifact(path)
    kept = [i for i in ITEMS if i % 5]
    assert [int(d[0, 0]) for d in a["depth"]] == kept
    assert a.subject_id == ["p" * (1 + i // 8) + str(i) for i in kept]
    assert [r.subject_id for r in a.rejected] == ["0", "5", "10", "15", "20"]
    rejects = (tmp_path / "maps.h5.rejects.csv").read_text()
    assert rejects.startswith("subject_id,session_id,reason\n0,s,too dark\n")
    assert not (tmp_path / "maps.h5.parts").exists()


def test_one_go_and_parts_give_the_same_rows(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", part_rows=4)
    write(tmp_path / "b.h5", part_rows=23)
    a, b = open_artifact(tmp_path / "a.h5"), open_artifact(tmp_path / "b.h5")
    assert a.text("digest") == b.text("digest")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_resume_after_an_interruption(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "maps.h5", stop_after=3)
    assert not (tmp_path / "maps.h5").exists()
    todo = []
    with ArtifactWriter(tmp_path / "maps.h5", "fr3d.maps", STEP, part_rows=4) as writer:
        for index, group in writer.todo(ITEMS):
            todo.append(index)
            seal(writer, index, group)
    assert (writer.resumed, todo) == (3, [3, 4, 5])
    write(tmp_path / "whole.h5")
    assert (tmp_path / "maps.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_parts_of_another_run_are_not_mixed_in(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "maps.h5", stop_after=3)
    other = Step("test", {"alpha": 2})
    with pytest.raises(CannotWriteError, match="unfinished parts"):
        ArtifactWriter(tmp_path / "maps.h5", "fr3d.maps", other, part_rows=4).__enter__()
    writer = ArtifactWriter(tmp_path / "maps.h5", "fr3d.maps", other, part_rows=4, force=True)
    assert writer.__enter__().resumed == 0


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        ArtifactWriter(tmp_path / "maps.h5", "fr3d.maps", STEP),
    ):
        with pytest.raises(CannotWriteError, match="another process is writing it"):
            ArtifactWriter(tmp_path / "maps.h5", "fr3d.maps", STEP).__enter__()
        raise KeyboardInterrupt


def test_an_existing_output_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    write(path)
    before = path.read_bytes()
    with pytest.raises(CannotWriteError, match="exists already"):
        write(path)
    assert path.read_bytes() == before
    write(path, force=True)


def test_nothing_usable_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    with (
        pytest.raises(MalformedInputError, match="none of 1 captures could be used: 0/s: too dark"),
        ArtifactWriter(path, "fr3d.maps", STEP) as writer,
    ):
        for index, _ in writer.todo([0]):
            writer.seal(index, {}, [Reject("0", "s", "too dark")])
    assert [p.name for p in tmp_path.iterdir()] == ["maps.h5.rejects.csv"]


def test_unknown_columns_are_refused_before_writing(tmp_path: Path) -> None:
    columns = {"subject_id": ["a"], "session_id": ["b"], "norml": np.zeros((1, 2, 2, 3), "f4")}
    with pytest.raises(MalformedInputError, match="norml"):
        write_artifact(tmp_path / "x.h5", "fr3d.maps", columns, STEP)
    assert list(tmp_path.iterdir()) == []


def test_output_is_readable_by_the_group(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        atomic.write_bytes(tmp_path / "x", b"1")
    finally:
        os.umask(old)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644


def test_a_failing_block_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), atomic.writing(tmp_path / "x") as temporary:
        temporary.write_bytes(b"half")
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteError, match="no such folder"):
        atomic.write_bytes(tmp_path / "none" / "x", b"")


@pytest.mark.parametrize("limit", [1000, 6000])
def test_full_disk_is_an_error_and_loses_nothing(tmp_path: Path, limit: int) -> None:
    """A file size limit stands in for a full disk; the parts stay and the run can be repeated."""
    path = tmp_path / "maps.h5"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(CannotWriteError, match="larger than allowed"):
            write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not path.exists()
    write(path)
    assert len(open_artifact(path)) == 18


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import test_writer
from fr3d.artifacts import atomic
real, calls = Path.replace, [0]
def replace(self, target):
    calls[0] += 1
    if calls[0] == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
Path.replace = replace
test_writer.write(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("at", [2, 5, 8])
def test_kill_at_a_rename_then_resume(tmp_path: Path, at: int) -> None:
    path = tmp_path / "maps.h5"
    words = [sys.executable, "-c", KILLED, str(path), str(Path(__file__).parent), str(at)]
    assert subprocess.run(words, check=False).returncode == -9
    assert not path.exists()
    write(path)
    write(tmp_path / "whole.h5")
    assert path.read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_two_rows_of_one_name_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(MalformedInputError, match="session x/s stands in another row as well"),
        ArtifactWriter(tmp_path / "maps.h5", "fr3d.maps", STEP, part_rows=1) as writer,
    ):
        for index, _ in writer.todo([0, 1]):
            writer.seal(index, {"subject_id": ["x"], "session_id": ["s"]})
    assert not (tmp_path / "maps.h5").exists()


def test_two_rows_of_one_name_are_refused_however_wide_their_parts_are(tmp_path: Path) -> None:
    with (
        pytest.raises(MalformedInputError, match="session x/s stands in another row as well"),
        ArtifactWriter(tmp_path / "maps.h5", "fr3d.maps", STEP, part_rows=2) as writer,
    ):
        for index, _ in writer.todo([0, 1, 2]):
            names = [["x", "a long name"], ["x"]][index]
            writer.seal(index, {"subject_id": names, "session_id": ["s"] * len(names)})
    assert not (tmp_path / "maps.h5").exists()


@pytest.mark.parametrize("number", [errno.EXDEV, errno.ENOSYS, errno.EIO])
def test_joining_without_help_of_the_kernel(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system cannot copy by itself the bytes are the same; a fault stays one."""
    write(tmp_path / "a.h5")

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "copy_file_range", refuse)
    if number == errno.EIO:
        with pytest.raises(CannotWriteError, match="input/output error"):
            write(tmp_path / "b.h5")
        return
    write(tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_rows_need_not_be_stacked(tmp_path: Path) -> None:
    """A list of arrays, one a row, gives the bytes of the array that they make."""
    rng = np.random.default_rng(0)
    columns = {"subject_id": ["x", "yy"], "session_id": ["s", "s"]}
    values = rng.normal(size=(2, 3, 4)).astype(np.float16)
    together = {**columns, "albedo": values, "quality/residual": np.float32([1, 2])}
    apart = {**columns, "albedo": list(values), "quality/residual": [np.float32(1), np.float32(2)]}
    write_artifact(tmp_path / "a.h5", "fr3d.maps", together, STEP)
    write_artifact(tmp_path / "b.h5", "fr3d.maps", apart, STEP)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    odd = {**apart, "albedo": [values[0], values[1, :2]]}
    with pytest.raises(MalformedInputError, match=r"albedo: found a row of float16 \(2, 4\)"):
        write_artifact(tmp_path / "c.h5", "fr3d.maps", odd, STEP)
