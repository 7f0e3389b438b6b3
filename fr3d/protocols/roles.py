"""Who is enrolled, and with which sessions."""

from collections.abc import Hashable, Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np

from fr3d.errors import UsageError
from fr3d.protocols.assignment import divide


def can_enroll(sessions: Sequence[str], count: int, pattern: str) -> bool:
    """Whether a person has sessions for the gallery and at least one probe besides.

    Args:
        sessions: the person's session ids.
        count: gallery sessions a person.
        pattern: shell pattern of the gallery sessions; replaces `count` where it is not empty.
    """
    if pattern:
        matching = sum(fnmatchcase(s, pattern) for s in sessions)
        return 0 < matching < len(sessions)
    return len(sessions) > count


def choose_unknown(
    sessions: Mapping[str, Sequence[str]],
    strata: Mapping[str, Hashable],
    unknown: int,
    generator: np.random.Generator,
    *,
    count: int,
    pattern: str,
) -> set[str]:
    """The people who are never enrolled.

    Those who lack the sessions to be enrolled come first; the others are drawn, stratified.

    Args:
        sessions: session ids by person.
        strata: stratum by person.
        unknown: how many.
        generator: source of randomness.
        count: gallery sessions a person.
        pattern: shell pattern of the gallery sessions, or empty.

    Raises:
        UsageError: nobody is left to enrol.
    """
    able = {p: strata[p] for p, s in sessions.items() if can_enroll(s, count, pattern)}
    if sessions and not able:
        wish = f"matching '{pattern}'" if pattern else f"{count} for the gallery"
        raise UsageError(
            f"nobody in the test partition has sessions {wish} and one more to probe with",
            "ask for fewer --gallery-sessions",
        )
    drawn = min(max(unknown - (len(sessions) - len(able)), 0), max(len(able) - 1, 0))
    parts = divide(able, [drawn, len(able) - drawn], generator)
    return {p for p in sessions if p not in able} | {p for p, part in parts.items() if part == 0}


def gallery_sessions(
    sessions: Mapping[str, Sequence[str]],
    generator: np.random.Generator,
    *,
    count: int,
    pattern: str,
) -> set[tuple[str, str]]:
    """The (subject, session) pairs that are enrolled; all other sessions are probes.

    Args:
        sessions: session ids by person to enrol.
        generator: source of randomness.
        count: gallery sessions a person.
        pattern: shell pattern of the gallery sessions; replaces `count` where it is not empty.
    """
    chosen = set()
    for person in sorted(sessions):
        names = sorted(sessions[person])
        picked = (
            [name for name in names if fnmatchcase(name, pattern)]
            if pattern
            else [names[i] for i in generator.permutation(len(names))[:count]]
        )
        chosen |= {(person, name) for name in picked}
    return chosen
