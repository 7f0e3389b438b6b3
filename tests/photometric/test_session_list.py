import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.errors import MalformedInputError
from fr3d.photometric.session_list import read_session_list

NAME = st.binary(min_size=1, max_size=12).filter(
    lambda b: not set(b) & set(b"\0\n\r./# \t") and not b.startswith(b"\xef")
)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"a/1\na/2\n", ["a/1", "a/2"]),
        (b"a/1", ["a/1"]),
        (b"# rig\r\n\r\n  a/1 \r\n#b\r\n/c d/2\r\n", ["a/1", "/c d/2"]),
        (b"\xef\xbb\xbfa/1\n", ["a/1"]),
        (b"a/1\0#b\n\0", ["a/1", "#b\n"]),
    ],
)
def test_lists(data: bytes, names: list[str]) -> None:
    assert [str(p) for p in read_session_list(data)] == names


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "standard input: names no session folders"),
        (b"# nothing\n\n", "names no session folders"),
        (b"a/1\nb\n./a//1\n", "line 3: names ./a//1 again, as line 1 does"),
    ],
)
def test_faults(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedInputError, match=reason):
        read_session_list(data)


@given(st.lists(NAME, min_size=1, unique=True), st.sampled_from([b"\n", b"\0", b"\r\n"]))
def test_what_find_prints_is_what_is_read(names: list[bytes], end: bytes) -> None:
    data = b"".join(name + end for name in names)
    assert read_session_list(data) == [Path(os.fsdecode(name)) for name in names]
