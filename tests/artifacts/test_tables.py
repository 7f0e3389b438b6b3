"""CSV: what comes in goes out."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.artifacts.tables import read_table, table_bytes, write_table
from fr3d.errors import MalformedInputError, MissingInputError

TEXT = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), max_size=8
)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=6))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    frame = pd.DataFrame(rows, columns=["subject_id", "session_id", "mine"])
    write_table(frame, path)
    pd.testing.assert_frame_equal(read_table(path), frame)


def test_numbers_stay_text_and_lines_end_with_line_feeds(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffsubject_id,session_id,x\r\n007,NA,1e5\r\n".encode())
    frame = read_table(path)
    assert frame.iloc[0].tolist() == ["007", "NA", "1e5"]
    assert table_bytes(frame) == b"subject_id,session_id,x\n007,NA,1e5\n"


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("subject_id,foo\n1,2\n")
    with pytest.raises(MalformedInputError, match="no column 'session_id', found subject_id, foo"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("data", [b"", b'a,b\n"1', b"subject_id,session_id\n\xff,1\n"])
def test_not_a_table(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(MalformedInputError):
        read_table(tmp_path / "t.csv")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
