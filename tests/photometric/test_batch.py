import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from lit_sphere import write_capture

from fr3d import processes
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.cli import main
from fr3d.errors import UnavailableError
from fr3d.photometric import batch
from fr3d.photometric.capture import find_captures
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.survey import Canvas, survey_captures


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen captures, two of them damaged."""
    root = tmp_path_factory.mktemp("raw")
    for i in range(13):
        folder = write_capture(root / f"{i % 4:03d}" / f"s{i:02d}", albedo=0.3 + i / 30)
        if i == 5:
            (folder / "im2.bmp").unlink()
        if i == 9:
            data = (folder / "im3.bmp").read_bytes()
            (folder / "im3.bmp").write_bytes(data[: len(data) // 2])
    return root


def write(raw: Path, output: Path, workers: int, part_rows: int = 4, **options: object) -> None:
    survey = survey_captures(find_captures([raw]))
    step = Step("ps-reconstruct", Recipe().parameters, {"raw": survey.digest})
    with ArtifactWriter(output, "fr3d.maps", step, frame="camera", part_rows=part_rows) as writer:
        batch.reconstruct_all(survey.captures, Recipe(), survey.canvas, writer, workers, **options)


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_rows_rejects_and_order(raw: Path, tmp_path: Path) -> None:
    advanced = []
    write(raw, tmp_path / "maps.h5", 1, advance=lambda: advanced.append(1))
    maps = open_artifact(tmp_path / "maps.h5", "fr3d.maps", ["normal", "depth", "lights"])
    assert len(maps) == 11
    assert len(advanced) == 13
    keys = list(zip(maps.subject_id, maps.session_id, strict=True))
    assert keys == sorted(keys)
    assert {(r.session_id, r.reason.partition(":")[0]) for r in maps.rejected} == {
        ("s05", "im2"),
        ("s09", "im3.bmp"),
    }
    assert maps.frame == "camera"
    assert maps.quality["residual"].shape == (11,)


def test_bytes_do_not_depend_on_the_number_of_workers(raw: Path, tmp_path: Path) -> None:
    write(raw, tmp_path / "one.h5", 1)
    write(raw, tmp_path / "two.h5", 2)
    assert sha(tmp_path / "one.h5") == sha(tmp_path / "two.h5")
    assert sha(tmp_path / "one.h5.rejects.csv") == sha(tmp_path / "two.h5.rejects.csv")


def test_a_part_in_which_all_are_rejected(raw: Path, tmp_path: Path) -> None:
    write(raw, tmp_path / "maps.h5", 1, part_rows=1)
    assert len(open_artifact(tmp_path / "maps.h5")) == 11


def test_parts_depend_on_shape_and_number_only() -> None:
    many = 10_000
    assert batch.rows_per_part(Canvas(64, 64, 4), Recipe(), many) == 64
    assert batch.rows_per_part(Canvas(64, 64, 4), Recipe(), 100) == 3
    assert batch.rows_per_part(Canvas(64, 64, 4), Recipe(), 1) == 1
    assert batch.rows_per_part(Canvas(1024, 1024, 4), Recipe(), many) == 1
    canvas = Canvas(256, 256, 4)
    plain, with_raw = Recipe(), Recipe(keep_raw=True)
    assert batch.rows_per_part(canvas, plain, many) > batch.rows_per_part(canvas, with_raw, many)


def test_a_dead_worker_ends_the_run(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "work", _die)
    with pytest.raises(UnavailableError, match="a worker process died"):
        write(raw, tmp_path / "maps.h5", 2)
    assert not (tmp_path / "maps.h5").exists()


def _die(job: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


SOONER = """
import os, signal, sys
from multiprocessing import active_children
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.cli import main
from fr3d.photometric import batch

seal = ArtifactWriter.seal_draft

def seal_and_die(self, *rest):
    seal(self, *rest)
    print(*(child.pid for child in active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

batch._PART_BYTES = 400_000
ArtifactWriter.seal_draft = seal_and_die
main(sys.argv[1:])
"""


def test_resume_after_kill_gives_the_same_bytes(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed once the first part is sealed; its workers leave too, and the rest is done later."""
    output, whole = tmp_path / "maps.h5", tmp_path / "whole.h5"
    words = ["ps-reconstruct", str(raw), "--keep-raw", "-o"]
    killed = subprocess.run(
        [sys.executable, "-c", SOONER, *words, str(output), "-j", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not output.exists()
    workers = killed.stdout.split()
    assert workers
    _wait_for(lambda: not any(Path(f"/proc/{int(w)}/cmdline").exists() for w in workers))
    (sealed,) = (tmp_path / "maps.h5.parts").glob("part-*.h5")
    monkeypatch.setattr(batch, "_PART_BYTES", 400_000)
    done = []
    keep = batch.work
    monkeypatch.setattr(batch, "work", lambda job: done.extend(job[2]) or keep(job))
    assert main([*words, str(output), "-j", "1"]) == 0
    assert 0 < len(done) < 13, f"{sealed} should have been kept"
    assert main([*words, str(whole), "-j", "1"]) == 0
    assert sha(output) == sha(whole)


def test_workers_never_hear_ctrl_c() -> None:
    """Not even while they load their libraries, before they could say so themselves."""
    held = partial(signal.pthread_sigmask, signal.SIG_BLOCK)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert signal.SIGINT in processes._submit(pool, held, (), str).result()
    assert signal.SIGINT not in held(())


def _wait_for(condition) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_values_do_not_depend_on_the_library_threads(raw: Path, tmp_path: Path) -> None:
    import cv2

    before = cv2.getNumThreads()
    write(raw, tmp_path / "a.h5", 1)
    assert cv2.getNumThreads() == before
    assert np.isfinite(open_artifact(tmp_path / "a.h5").quality["residual"]).all()
