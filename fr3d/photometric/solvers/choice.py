"""Which solver a session gets when none was asked for, and what three lights cannot give."""

import numpy as np
import numpy.typing as npt

REWEIGHTING = ("ratio", "cauchy", "consistency")
_CAUCHY_FROM = 10


def choose_solver(
    lights: npt.NDArray[np.float64],
    photographs: int,
    landmarks_found: bool,  # noqa: ARG001 - the prior pulls any solver; a later rule may ask
) -> str:
    """Choose a solver from what is known before any photograph is looked at.

    Three lights contradict nothing: plain least squares. With four to nine the cautious
    reweighting of `consistency`: on random quadruples of DiLiGenT's bear and cat (condition 5 or
    less) it was lower than least squares in 97 % of them, and nowhere more than 1 % higher. From
    ten on `cauchy`, whose start leaves out the darkest and brightest samples.

    Args:
        lights: (L, 3).
        photographs: how many of them can be used.
        landmarks_found: whether a face was found, so that a prior may act.

    Returns:
        A name in `solve.SOLVERS`.
    """
    count = min(photographs, len(lights))
    if count <= 3:
        return "ls"
    return "cauchy" if count >= _CAUCHY_FROM else "consistency"


def redundancy_note(solver: str, photographs: int) -> str | None:
    """Say once when a solver cannot do what its name promises.

    Args:
        solver: name in `solve.SOLVERS`.
        photographs: of the session.

    Returns:
        A sentence for the user; None when all is well.
    """
    if photographs > 3:
        return None
    if solver in REWEIGHTING:
        return f"three lights leave no redundancy: '{solver}' is plain least squares"
    if solver == "shadow":
        return "three lights leave no redundancy: 'shadow' has only the neighbours to go by"
    return "three lights leave no redundancy: shadows and highlights cannot be told from shape"
