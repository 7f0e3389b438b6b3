from pathlib import Path

import pytest

from fr3d.alignment.sources.table import read_items
from fr3d.errors import MalformedInputError


def table(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text)
    return path


def test_ids_files_and_attributes(tmp_path: Path):
    path = table(
        tmp_path,
        "subject_id,photograph,gender,session_id\n007,a/1.jpg,male,x\n007,/b/2.jpg,,\n",
    )
    listing, kind = read_items(path, "auto")
    assert kind == "photographs"
    first, second = listing.items
    assert (first.subject_id, first.session_id, first.attributes) == (
        "007",
        "x",
        {"gender": "male"},
    )
    assert first.files == {"photograph": tmp_path / "a/1.jpg"}
    assert first.file == "a/1.jpg"
    # absolute paths never enter a file
    assert (second.session_id, second.file) == ("2", "2.jpg")


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("photograph,depth", "rgbd"),
        ("scan", "scans"),
        ("scan,texture", "scans"),
        ("normal,albedo,depth", "triples"),
        ("albedo", "triples"),
    ],
)
def test_the_columns_tell_the_kind(tmp_path: Path, columns: str, kind: str):
    row = ",".join(f"{name}.x" for name in columns.split(","))
    listing, found = read_items(table(tmp_path, f"subject_id,{columns}\na,{row}\n"), "auto")
    assert found == kind
    assert tuple(listing.items[0].files) == tuple(
        sorted(
            columns.split(","),
            key=["photograph", "depth", "scan", "texture", "normal", "albedo"].index,
        )
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("subject_id,name\na,b\n", "no column of files"),
        ("photograph\na.jpg\n", "no column 'subject_id'"),
        ("subject_id,photograph\n,a.jpg\n", "line 2: no subject_id"),
        ("subject_id,photograph\na,\n", "line 2: no path"),
        ("subject_id,photograph\na,x/1.jpg\na,y/1.jpg\n", "session a/1 stands there twice"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, says: str):
    with pytest.raises(MalformedInputError, match=says):
        read_items(table(tmp_path, text), "auto")


def test_a_kind_that_does_not_fit(tmp_path: Path):
    with pytest.raises(MalformedInputError, match="no column of files"):
        read_items(table(tmp_path, "subject_id,scan\na,b.obj\n"), "photographs")
