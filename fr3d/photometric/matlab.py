"""A small reader of MATLAB arithmetic: text in, numbers out, and nothing is ever evaluated as code.

Understood are assignments of numbers and matrices, `+ - * /`, parentheses, comments and line
continuations; everything else is refused with its line.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fr3d.errors import MalformedInputError

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|(?P<name>[A-Za-z]\w*)|(?P<mark>[-+*/()\[\],;=\n])")
_BLANK = re.compile(r"[ \t\r\f\v]+")
_COMMENT = re.compile(r"(?:%|#)[^\n]*")
_CONTINUED = re.compile(r"\.\.\.[^\n]*\n")
_MAX_DEPTH = 32
_HINT = "only numbers, + - * / and parentheses are understood, as in `[90-36 360-134; ...]`"


@dataclass(frozen=True)
class Assignment:
    """One matrix of a file.

    Attributes:
        name: its name, empty when the text is a bare list of rows.
        line: where it begins, from 1.
        rows: values by row; a number alone is one row of one.
        arithmetic: whether any value was written as a sum or product rather than a plain number.
    """

    name: str
    line: int
    rows: tuple[tuple[float, ...], ...]
    arithmetic: bool


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int
    spaced: bool  # blanks stand before it; inside brackets they can separate elements


def parse_assignments(text: str, where: str) -> list[Assignment]:
    """Read all assignments of a text.

    Args:
        text: such as `LightAngle = [90-36 360-134; 90-42 360-47];`.
        where: name of the file, for messages.

    Raises:
        MalformedInputError: anything that is not arithmetic, with its line.

    >>> parse_assignments("a = [90-36.5 360-(100+34)]", "LightSource.m")[0].rows
    ((53.5, 226.0),)
    """
    parser = _Parser(list(_tokens(text, where)), where)
    if "=" not in text and "[" not in text:
        return [parser.bare_rows()]
    return parser.statements()


def _tokens(text: str, where: str) -> Iterator[_Token]:
    text = _CONTINUED.sub(" ", _without_block_comments(text))
    line, spaced, i = 1, False, 0
    while i < len(text):
        if blank := _BLANK.match(text, i) or _COMMENT.match(text, i):
            spaced, i = True, blank.end()
            continue
        match = _TOKEN.match(text, i)
        if match is None:
            raise MalformedInputError(
                f"{where}: line {line}: found {text[i : i + 12].splitlines()[0]!r}, "
                "expected arithmetic",
                _HINT,
            )
        yield _Token(str(match.lastgroup), match[0], line, spaced)
        line += match[0] == "\n"
        spaced, i = match[0] == "\n", match.end()
    yield _Token("end", "", line, True)


def _without_block_comments(text: str) -> str:
    lines, depth = [], 0
    for line in text.split("\n"):
        mark = line.strip()
        depth += mark == "%{"
        lines.append("" if depth else line)
        depth -= mark == "%}" and depth > 0
    return "\n".join(lines)


class _Parser:
    """Recursive descent over the tokens of one file."""

    def __init__(self, tokens: list[_Token], where: str) -> None:
        self._tokens, self._where = tokens, where
        self._at = self._depth = 0
        self._arithmetic = False

    def statements(self) -> list[Assignment]:
        found = []
        while self._next.kind != "end":
            if self._next.text in ("\n", ";", ","):
                self._at += 1
                continue
            found.append(self._assignment())
        return found

    def bare_rows(self) -> Assignment:
        rows = self._rows("")
        return Assignment("", 1, rows, self._arithmetic)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> bool:
        hit = self._next.kind == "mark" and self._next.text in texts
        self._at += hit
        return hit

    def _fail(self, expected: str) -> MalformedInputError:
        token = self._next
        found = {"\n": "the end of the line", "": "the end of the file"}.get(
            token.text, f"'{token.text[:20]}'"
        )
        return MalformedInputError(
            f"{self._where}: line {token.line}: found {found}, expected {expected}", _HINT
        )

    def _assignment(self) -> Assignment:
        name, line = "", self._next.line
        self._arithmetic = False
        if self._next.kind == "name":
            name = self._next.text
            self._at += 1
            if not self._take("="):
                raise self._fail(f"'=' after '{name[:20]}'")
        if self._take("["):
            rows = self._rows("]")
        elif name:
            rows = ((self._sum(in_row=False),),)
        else:
            raise self._fail("a name")
        if self._next.kind != "end" and self._next.text not in ("\n", ";", ","):
            raise self._fail("the end of the statement")
        return Assignment(name, line, rows, self._arithmetic)

    def _rows(self, close: str) -> tuple[tuple[float, ...], ...]:
        rows: list[list[float]] = [[]]
        while True:
            if self._next.kind == "end" or (close and self._take(close)):
                if close and self._next.kind == "end" and self._tokens[self._at - 1].text != close:
                    raise self._fail(f"'{close}'")
                return tuple(tuple(r) for r in rows if r)
            if self._take(";", "\n"):
                rows.append([])
            elif not self._take(","):
                if rows[-1] and not (self._next.spaced or self._tokens[self._at - 1].text == ","):
                    raise self._fail("a blank or comma between two values")
                rows[-1].append(self._sum(in_row=True))

    def _sum(self, *, in_row: bool) -> float:
        value = self._product()
        while self._next.text in ("+", "-"):
            if in_row and self._begins_an_element():
                break
            self._arithmetic = True
            sign = 1.0 if self._take("+") else -1.0
            self._at += sign < 0
            value += sign * self._product()
        return self._finite(value)

    def _begins_an_element(self) -> bool:
        """MATLAB's rule: `[90 -36]` are two elements, `[90 - 36]` and `[90-36]` one."""
        return self._next.spaced and not self._tokens[self._at + 1].spaced

    def _product(self) -> float:
        value = self._factor()
        while self._next.text in ("*", "/"):
            self._arithmetic = True
            if self._take("*"):
                value *= self._factor()
                continue
            self._at += 1
            divisor = self._factor()
            if divisor == 0:
                raise MalformedInputError(
                    f"{self._where}: line {self._tokens[self._at - 1].line}: division by zero",
                    _HINT,
                )
            value /= divisor
        return value

    def _factor(self) -> float:
        sign = 1.0
        while self._next.text in ("+", "-"):
            sign = -sign if self._next.text == "-" else sign
            self._at += 1
        if self._next.kind == "number":
            self._at += 1
            return sign * self._finite(float(self._tokens[self._at - 1].text))
        if self._take("("):
            return sign * self._parenthesis()
        raise self._fail("a number")

    def _parenthesis(self) -> float:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._fail(f"at most {_MAX_DEPTH} nested parentheses")
        value = self._sum(in_row=False)
        if not self._take(")"):
            raise self._fail("')'")
        self._depth -= 1
        return value

    def _finite(self, value: float) -> float:
        if not math.isfinite(value):
            line = self._tokens[self._at - 1].line
            raise MalformedInputError(f"{self._where}: line {line}: the value is not finite", _HINT)
        return value
