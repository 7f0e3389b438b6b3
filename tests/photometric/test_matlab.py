import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.errors import MalformedInputError
from fr3d.photometric.matlab import parse_assignments


def rows(text: str) -> tuple:
    (found,) = parse_assignments(text, "LightSource.m")
    return found.rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L = [90-36.0 360-134; 90-42 360-47];", ((54, 226), (48, 313))),
        ("L=[90-36,360-134\n90-42,360-47]", ((54, 226), (48, 313))),
        ("L = [\n 90-36 360-134;\n 90-42 360-47;\n];\n", ((54, 226), (48, 313))),
        ("90-36 360-134;\n90-42 360-47;\n", ((54, 226), (48, 313))),
        ("L = [90 - 36 360 - 134]", ((54, 226),)),
        ("L = [90 -36]", ((90, -36),)),
        ("L = [90 -36 + 1]", ((90, -35),)),
        ("L = [90, -36]", ((90, -36),)),
        ("L = [(90 -36) 2*(3+4)/7]", ((54, 2),)),
        ("L = [-(1) --2 +3]", ((-1, 2, 3),)),
        ("L = [1e2 .5 3.]", ((100, 0.5, 3),)),
        ("% a comment\nL = [1 2 % here [\n3 4]", ((1, 2), (3, 4))),
        ("%{\nL = [9 9]\n%}\nL = [1 2];", ((1, 2),)),
        ("L = [1 2 ...\n 3]", ((1, 2, 3),)),
        ("zenith1 = 36;", ((36,),)),
        ("L = 90-36", ((54,),)),
    ],
)
def test_reads_as_matlab_would(text: str, expected: tuple) -> None:
    assert rows(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch owned')",
        "L = system('ls')",
        "L = [90-36 eval('1')]",
        "L = [a b]",
        "L = {1 2}",
        "L = [1 2",
        "L = [1 2]]",
        "L = 1 2",
        "L = [1(2)]",
        "L = [1/0 2]",
        "L = [1e308*10 2]",
        "L = [1 2]'",
        "L = [1 : 4]",
        "function L = f()",
        "import os",
        "L = [" + "(" * 5000 + "1" + ")" * 5000 + " 2]",
        "L = [" + "-" * 100000 + "]",
        "L",
        "= [1 2]",
        "L = [1 2] M = [3 4]",
        "L = [90-36 360-134; 90- 360]; x",
    ],
)
def test_refuses_all_else_with_file_and_line(text: str) -> None:
    with pytest.raises(MalformedInputError, match=r"^LightSource\.m: line \d+: "):
        parse_assignments(text, "LightSource.m")


def test_names_the_line_of_an_error() -> None:
    with pytest.raises(MalformedInputError, match="line 3: found 'x', expected a number"):
        parse_assignments("L = [\n90-36 360-134;\n90-x 360-47];", "LightSource.m")


@given(st.lists(st.tuples(st.floats(0, 180), st.floats(0, 360)), min_size=1, max_size=6))
def test_reads_back_what_photoface_writes(angles: list) -> None:
    text = "L = [" + ";\n".join(f"90-{z:.6f} 360-{a:.6f}" for z, a in angles) + "];"
    for found, (zenith, azimuth) in zip(rows(text), angles, strict=True):
        assert math.isclose(found[0], 90 - zenith, abs_tol=1e-5)
        assert math.isclose(found[1], 360 - azimuth, abs_tol=1e-5)


expressions = st.recursive(
    st.integers(0, 99).map(str),
    lambda e: st.one_of(
        st.tuples(e, st.sampled_from("+-*"), e).map("".join), e.map(lambda t: f"({t})")
    ),
    max_leaves=12,
)


@given(expressions)
def test_agrees_with_python_on_arithmetic(text: str) -> None:
    assert rows(f"L = [{text}]")[0][0] == pytest.approx(eval(text))  # noqa: S307 - digits and signs


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_assignments(text, "f")
    except MalformedInputError as error:
        message = error.message
    else:
        message = ""
    assert "\n" not in message
