"""The command synth: summary, refusal, dry run."""

from pathlib import Path

import pytest

from fr3d.cli import main
from fr3d.errors import ExitStatus

SMALL = ["--people", "1", "--sessions", "1", "--size", "48", "-j", "1"]


def test_it_writes_captures_and_truth_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "raw"
    assert main(["synth", str(root), *SMALL]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert "1 people x 1 sessions x 4 flashes, 48 px" in err
    assert len(list(root.glob("1001/*/im?.png"))) == 4
    assert (root / "truth.h5").is_file()
    assert main(["synth", str(root), *SMALL]) == ExitStatus.CANNOT_WRITE
    assert "--force" in capsys.readouterr().err
    assert main(["synth", str(root), *SMALL, "--force", "--format", "bmp", "--no-truth"]) == 0
    assert len(list(root.glob("1001/*/im?.bmp"))) == 4
    assert not list(root.glob("1001/*/im?.png"))
    assert not (root / "truth.h5").exists()


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "raw"
    assert main(["synth", str(root), *SMALL, "--dry-run"]) == 0
    assert "would write" in capsys.readouterr().err
    assert not root.exists()
    root.mkdir()
    (root / "mine").write_text("")
    assert main(["synth", str(root), *SMALL, "-n"]) == ExitStatus.CANNOT_WRITE


def test_wrong_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--people", "0"], ["--format", "gif"], ["--seed", "-1"]):
        assert main(["synth", str(tmp_path / "raw"), *words]) == ExitStatus.USAGE
