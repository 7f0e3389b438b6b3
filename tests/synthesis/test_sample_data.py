"""sample_data/ is what the command in its README makes."""

import json
import shlex
from pathlib import Path

import pytest

from fr3d.cli import main
from fr3d.synthesis.folder import read_manifest
from fr3d.synthesis.people import names, place


def test_sample_data_is_small_and_whole(sample_raw: Path) -> None:
    plan = read_manifest(sample_raw)
    assert plan is not None
    assert plan.people >= 30
    assert plan.sessions >= 6
    people = range(plan.people)
    folders = [place(plan, sample_raw, n, name) for n in people for name in names(plan, n)]
    assert all(len(list(folder.glob("im?.png"))) == 4 for folder in folders)
    tree = list(sample_raw.parent.rglob("*"))
    assert sum(p.stat().st_size for p in tree) < 12e6


def test_the_readme_gives_the_command_that_made_it(sample_raw: Path) -> None:
    text = (sample_raw.parent / "README.md").read_text("utf-8")
    line = next(x for x in text.splitlines() if x.strip().startswith("fr3d synth "))
    words = shlex.split(line)
    made = json.loads((sample_raw / "synth.json").read_text("utf-8"))
    made["size"] = made["studio"]["size"]
    for name in ("people", "sessions", "size", "seed"):
        assert words[words.index(f"--{name}") + 1] == str(made[name])


@pytest.mark.parametrize("people", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_the_first_people_come_out_byte_for_byte(
    people: int, sample_raw: Path, tmp_path: Path
) -> None:
    made = json.loads((sample_raw / "synth.json").read_text("utf-8"))
    made["size"] = made["studio"]["size"]
    options = [f"--{name}={made[name]}" for name in ("sessions", "size", "seed")]
    options.append("--no-truth")
    assert main(["synth", str(tmp_path / "raw"), f"--people={people}", *options, "-j", "1"]) == 0
    pictures = list((tmp_path / "raw").glob("*/*/*"))
    assert len(pictures) == people * made["sessions"] * 7
    for picture in pictures:
        twin = sample_raw / picture.relative_to(tmp_path / "raw")
        assert twin.read_bytes() == picture.read_bytes(), twin
