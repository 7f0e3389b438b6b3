"""Streams: data is not damaged, and people are spoken to on stderr."""

import csv
import io
import json

import numpy as np
import pytest

from fr3d.cli import console

ROWS = [
    {"subject_id": "007", "score": np.float32(0.1), "known": True, "note": 'a,"b"\n[red]'},
    {"subject_id": "x" * 300, "score": float("nan"), "known": np.bool_(False)},
]
COLUMNS = ["subject_id", "score", "known", "note"]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    console.reset()


def test_csv(capsys: pytest.CaptureFixture[str]) -> None:
    console.emit_table(ROWS, COLUMNS, as_json=False)
    out = capsys.readouterr().out
    assert "\r" not in out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows[0] == {
        "subject_id": "007",
        "score": "0.100000001",
        "known": "true",
        "note": 'a,"b"\n[red]',
    }
    assert rows[1] == {"subject_id": "x" * 300, "score": "", "known": "false", "note": ""}


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console.emit_table(ROWS, COLUMNS, as_json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0]["subject_id"] == "007"
    assert rows[1]["score"] is None
    assert rows[1]["known"] is False


def test_a_table_on_a_terminal_keeps_every_letter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    console.emit_table(ROWS, COLUMNS, as_json=False)
    out = capsys.readouterr().out
    assert out.count("x") == 300
    assert "[red]" in out
    assert "…" not in out


def test_quiet_and_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("said")
    console.detail("detail")
    console.warn("warned")
    console.set_quiet(True)
    console.say("unsaid")
    console.warn("unsaid, too")
    console.set_verbose(True)
    console.detail("more")
    out, err = capsys.readouterr()
    assert not out
    assert err == "said\nfr3d: warning: warned\nmore\n"


def test_no_bar_off_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress(3, "working") as bar:
        bar.advance()
    assert capsys.readouterr() == ("", "")
