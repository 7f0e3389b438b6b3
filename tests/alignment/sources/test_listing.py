from pathlib import Path

import pytest

from fr3d.alignment.sources.listing import compile_pattern, list_items, walk
from fr3d.errors import MalformedInputError, MissingInputError, UsageError


def files(root: Path, *names: str) -> list[Path]:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return walk(root, [".jpg"])


def keys(root: Path, paths: list[Path], pattern: str | None = None) -> list[tuple[str, str]]:
    groups = [{"photograph": path} for path in paths]
    listing = list_items(root, groups, compile_pattern(pattern))
    return [(item.subject_id, item.session_id) for item in listing.items]


def test_the_first_folder_is_the_person(tmp_path: Path):
    paths = files(tmp_path, "007/a.jpg", "007/2020/b.JPG", "Ann Lee/a.jpg", ".hid/a.jpg", "b/x.txt")
    assert keys(tmp_path, paths) == [("007", "2020_b"), ("007", "a"), ("Ann Lee", "a")]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("001_03", ("001", "03")),
        ("Abdullah_Gul_0001", ("Abdullah_Gul", "0001")),
        ("00024-08-mww28nnngy", ("00024", "08-mww28nnngy")),
        ("1001_2007-12-17_13-58-49", ("1001", "2007-12-17_13-58-49")),
        ("portrait", ("portrait", "portrait")),
        ("2007", ("2007", "2007")),
    ],
)
def test_of_files_in_the_folder_itself_the_name_tells(tmp_path: Path, name: str, key: tuple):
    assert keys(tmp_path, files(tmp_path, f"{name}.jpg")) == [key]


def test_a_pattern_tells_instead(tmp_path: Path):
    paths = files(tmp_path, "set/x12-7.jpg", "set/x13-1.jpg")
    found = keys(tmp_path, paths, r"x(?P<subject>\d+)-(?P<session>\d)")
    assert found == [("12", "7"), ("13", "1")]
    assert keys(tmp_path, paths, r"x(?P<subject>\d+)")[0] == ("12", "x12-7")
    with pytest.raises(MalformedInputError, match=r"set/x12-7.jpg: the pattern 'y"):
        keys(tmp_path, paths, r"y(?P<subject>\d+)")


@pytest.mark.parametrize("text", ["(", r"(\d+)", "(?P<name>x)"])
def test_a_pattern_must_name_the_subject(text: str):
    with pytest.raises(UsageError, match="pattern"):
        compile_pattern(text)


def test_two_sessions_of_one_name_are_refused(tmp_path: Path):
    paths = files(tmp_path, "a/1.jpg", "a/1.jpeg")
    groups = [{"photograph": p} for p in walk(tmp_path, [".jpg", ".jpeg"])]
    assert len(paths) == 1
    with pytest.raises(
        MalformedInputError, match=r"a/1.jpeg and a/1.jpg would both be session a/1"
    ):
        list_items(tmp_path, groups, None)


def test_the_digest_is_that_of_names_and_sizes(tmp_path: Path):
    paths = files(tmp_path, "a/1.jpg")
    listing = list_items(tmp_path, [{"photograph": paths[0]}], None)
    before = listing.digest()
    paths[0].write_bytes(b"xy")
    after = listing.digest()
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_no_such_folder(tmp_path: Path):
    with pytest.raises(MissingInputError, match="no such folder"):
        walk(tmp_path / "none", [".jpg"])
