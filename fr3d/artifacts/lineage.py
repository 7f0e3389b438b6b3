"""The histories of several files as one: what was done must be the same, the inputs add up."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from fr3d.errors import MalformedInputError

Step = dict[str, Any]


def unite_histories(histories: Sequence[tuple[str, Sequence[Step]]]) -> list[Step]:
    """One history for rows that were made alike.

    Args:
        histories: name of the file, for messages, and its steps.

    Returns:
        Step by step what was done, with the inputs of all and without their notes. Earlier merges
        are left out: whoever puts rows together cites the files anew.

    Raises:
        MalformedInputError: different commands, options, versions, seeds or devices.
    """
    first, expected = histories[0]
    known = [_without_merges(steps) for _, steps in histories]
    for (name, _), steps in zip(histories, known, strict=True):
        for mine, its in zip(known[0], steps, strict=False):
            if _deed(mine) != _deed(its):
                raise _unlike(first, name, f"options of {mine['command']}: {_odd(mine, its)}")
        if len(steps) != len(known[0]):
            raise _unlike(first, name, "number of steps that made them")
    if all(steps == expected for _, steps in histories):
        return list(expected)
    return [
        {
            **_deed(steps[0]),
            "inputs": number_names([i for s in steps for i in s["inputs"].items()]),
        }
        for steps in zip(*known, strict=True)
    ]


def number_names(inputs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Digests by name; another file of the same name is told apart by a number."""
    named: dict[str, str] = {}
    for name, digest in dict.fromkeys(inputs):
        candidates = (name if n == 1 else f"{name}#{n}" for n in count(1))
        named[next(free for free in candidates if free not in named)] = digest
    return named


def _without_merges(history: Sequence[Step]) -> list[Step]:
    steps = list(history)
    while steps and steps[-1].get("command") == "merge":
        steps.pop()
    return steps


def _deed(step: Mapping[str, Any]) -> Step:
    return {name: value for name, value in step.items() if name not in ("inputs", "notes")}


def _odd(one: Mapping[str, Any], two: Mapping[str, Any]) -> str:
    if one.get("command") != two.get("command"):
        return f"the other is {two.get('command')}"
    for name in ("version", "seed", "device"):
        if one.get(name) != two.get(name):
            return f"{name} {one.get(name)} and {two.get(name)}"
    left, right = one.get("arguments", {}), two.get("arguments", {})
    name = min(k for k in {*left, *right} if left.get(k) != right.get(k))
    return f"{name} {left.get(name)} and {right.get(name)}"


def _unlike(one: str, two: str, what: str) -> MalformedInputError:
    return MalformedInputError(
        f"{one} and {two} differ in the {what}", "make them with the same options"
    )
