"""Threshold tables: written and read to the last bit, and refused in one line."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError, UsageError
from fr3d.gallery.threshold_table import (
    COLUMNS,
    Threshold,
    check_contract,
    check_gallery,
    choose_threshold,
    read_thresholds,
    thresholds_bytes,
)

ROWS = (
    Threshold("fmr", 0.01, 0.25, 0.0099, 105, None, "ab" * 32),
    Threshold("fmr", 0.001, 1 / 3, 0.00098, 105, None, "ab" * 32),
    Threshold("fpir", 0.1, 0.41, 0.0952, 40, 60, "ab" * 32),
)


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "report.thresholds.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_there_and_back(tmp_path: Path) -> None:
    data = thresholds_bytes(ROWS)
    head = b"kind,target,threshold,measured,people,gallery_people,model_contract\n"
    assert data.startswith(head)
    assert b"\nfmr,0.01,0.25,0.0099,105,,abab" in data
    assert read_thresholds(write(tmp_path, data)) == ROWS


RATE = st.floats(0.0, 1.0)


@given(
    st.lists(
        st.builds(
            Threshold,
            st.sampled_from(["fmr", "fpir"]),
            RATE,
            st.floats(-2.0, 2.0),
            RATE,
            st.integers(0, 10**9),
            st.none() | st.integers(0, 10**9),
            st.text("0123456789abcdef", min_size=64, max_size=64),
        ),
        max_size=5,
    )
)
def test_no_bit_is_lost(tmp_path_factory: pytest.TempPathFactory, rows: list[Threshold]) -> None:
    path = write(tmp_path_factory.mktemp("t"), thresholds_bytes(rows))
    assert read_thresholds(path) == tuple(rows)


def test_further_columns_and_spreadsheets(tmp_path: Path) -> None:
    lines = thresholds_bytes(ROWS).decode().splitlines()
    text = "\ufeff" + "\r\n".join([lines[0] + ",note", *(line + ',"a, b"' for line in lines[1:])])
    assert read_thresholds(write(tmp_path, text)) == ROWS


def test_choice() -> None:
    assert choose_threshold(ROWS, "fmr", 0.001) == ROWS[1]
    assert choose_threshold(ROWS, "fmr", 1e-3 * (1 + 1e-12)) == ROWS[1]
    assert choose_threshold(ROWS, "fpir", None) == ROWS[2]
    with pytest.raises(MalformedInputError, match=r"t.csv: no threshold for FMR 0.1, it has 0.01,"):
        choose_threshold(ROWS, "fmr", 0.1, "t.csv")
    with pytest.raises(MalformedInputError, match=r"no threshold for FPIR 0.01, it has 0.1"):
        choose_threshold(ROWS, "fpir", 0.01)
    with pytest.raises(MalformedInputError, match=r"2 thresholds for FMR 0.01"):
        choose_threshold([*ROWS, ROWS[0]], "fmr", 0.01)
    with pytest.raises(UsageError, match=r"thresholds for FMR 0.01, 0.001"):
        choose_threshold(ROWS, "fmr", None)
    with pytest.raises(MalformedInputError, match="no threshold of kind fpir"):
        choose_threshold(ROWS[:2], "fpir", 0.1)


def test_another_model_or_a_larger_gallery_is_refused() -> None:
    check_contract(ROWS[0], "ab" * 32, "t.csv", "m.onnx")
    with pytest.raises(MalformedInputError, match=r"t.csv: measured with model abababababab, m"):
        check_contract(ROWS[0], "cd" * 32, "t.csv", "m.onnx")
    check_gallery(ROWS[2], 60, "t.csv")
    with pytest.raises(MalformedInputError, match="with 60 enrolled people, and 61 are to be"):
        check_gallery(ROWS[2], 61, "t.csv")
    with pytest.raises(MalformedInputError, match="an unknown number of enrolled people"):
        check_gallery(ROWS[0], 1, "t.csv")


LINE = "fmr,0.01,0.25,0.01,9,,x"
TOP = ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column 'kind'"),
        ("kind,target\n", "no column 'threshold'"),
        (f"{TOP}{LINE.replace('fmr', 'far')}\n", "line 2: kind 'far'"),
        (
            f"{TOP}{LINE}\n{LINE.replace('0.25', 'nan')}\n",
            "line 3: threshold 'nan'",
        ),
        (f"{TOP}{LINE.replace('0.25', '1e400')}\n", "threshold '1e400'"),
        (
            f"{TOP}{LINE.replace('0.01,0', '-1,0')}\n",
            "target '-1', expected 0 to 1",
        ),
        (f"{TOP}{LINE.replace('9', '-9')}\n", "people '-9', expected a whole"),
        (f"{TOP}{LINE.replace('9', '9' * 5000)}\n", "people '9999"),
        (f"{TOP}fmr,0.01\n", "threshold ''"),
        (b"\xff\xfe\x00", "not a CSV table"),
        (f"{TOP}" + '"' + "x" * 200_000, "not a CSV table"),
        ("x" * (1 << 20 | 1), "larger than 1048576 bytes"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        read_thresholds(write(tmp_path, text))
    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 300


def test_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(MissingInputError):
            read_thresholds(path)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    head = ",".join(COLUMNS).encode() + b"\n"
    path = write(tmp_path_factory.mktemp("t"), head + data)
    try:
        rows = read_thresholds(path)
    except Fr3dError:
        return
    assert all(math.isfinite(row.threshold) for row in rows)
