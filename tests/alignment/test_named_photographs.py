"""Photographs by name: which, in which order, and what they are called."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.alignment.sources.named import named_photographs, short_names
from fr3d.errors import MalformedInputError, MissingInputError


def photograph(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(cv2.imencode(".png", np.zeros((20, 20, 3), np.uint8))[1]))
    return path


PART = st.text("ab", min_size=1, max_size=2)


@given(st.lists(st.lists(PART, min_size=1, max_size=4), unique_by=tuple, max_size=8))
def test_names_are_the_shortest_ends_that_differ(paths: list[list[str]]) -> None:
    names = short_names([Path("/", *parts) for parts in paths])
    assert len(set(names)) == len(names)
    for name, parts in zip(names, paths, strict=True):
        own = Path(name).parts
        whole = ("/", *parts)
        assert whole[len(whole) - len(own) :] == own
        shorter = own[1:]
        ends = [("/", *other)[-len(shorter) :] for other in paths] if shorter else []
        assert not shorter or ends.count(shorter) > 1, "a shorter end would do"


def test_files_and_folders_in_their_order(tmp_path: Path) -> None:
    one = photograph(tmp_path / "z.png")
    for name in ("deep/er/a.png", "b.png", ".hidden.png", "notes.txt"):
        photograph(tmp_path / "album" / name)
    found = named_photographs([one, tmp_path / "album", tmp_path / "album" / "b.png"])
    assert [item.session_id for item in found.items] == ["z.png", "b.png", "a.png"]
    assert [item.subject_id for item in found.items] == ["z.png", "b.png", "a.png"]
    assert found.passed_over == (str(tmp_path / "album" / "b.png"),)


def test_one_name_in_two_folders_and_links(tmp_path: Path) -> None:
    files = [photograph(tmp_path / name) for name in ("x/a.png", "y/a.png", "y/c")]
    (tmp_path / "link.png").symlink_to(files[0])
    found = named_photographs([*files, tmp_path / "link.png"])
    assert [item.session_id for item in found.items] == ["x/a.png", "y/a.png", "c"]
    assert found.passed_over == (str(tmp_path / "link.png"),)


def test_names_that_are_no_text() -> None:
    name = os.fsdecode(b"/x/\xe9.png")
    assert short_names([Path(name)]) == ["\\xe9.png"]


def test_what_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(MalformedInputError, match=r"notes.txt: found an unknown format"):
        named_photographs([tmp_path / "notes.txt"])
    with pytest.raises(MissingInputError, match="no such file or folder"):
        named_photographs([tmp_path / "none.png"])
    with pytest.raises(MissingInputError, match="no photographs in it"):
        named_photographs([tmp_path])
