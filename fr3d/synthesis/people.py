"""What a data set consists of, and the making of one person in it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.photoface import attributes, session_names, subject_name, write_session
from fr3d.synthesis.scene import capture
from fr3d.synthesis.truth import Columns, stack_truth, true_row

# Raise it when the same seed gives other pictures than before.
RECIPE = 1


@dataclass(frozen=True)
class Plan:
    """What a data set consists of; it determines every byte.

    Args:
        people: how many.
        sessions: of each person.
        size: height and width of the pictures, pixels.
        seed: of everything drawn.
        picture: "png" or "bmp".
        recipe: version of the recipe; one data set never mixes two.
    """

    people: int
    sessions: int
    size: int
    seed: int
    picture: str
    recipe: int = RECIPE

    def manifest(self) -> str:
        """The text of the manifest beside the people's folders."""
        return json.dumps({"generator": "fr3d synth", **asdict(self)}, indent=2)

    def folders(self, root: Path, person: int) -> list[Path]:
        """The session folders of a person."""
        names = session_names(self.seed, person, self.sessions)
        return [root / subject_name(person) / name for name in names]


def make_person(plan: Plan, root: Path, truth: bool, person: int) -> Columns:
    """Render all sessions of a person and write those whose folder is missing.

    Returns:
        The rows of the true maps, or nothing when they are not wanted.
    """
    identity = sample_identity(plan.seed, person, load_heads())
    rows = []
    for number, folder in enumerate(plan.folders(root, person)):
        if folder.is_dir() and not truth:
            continue
        session = capture(identity, plan.seed, person, number, plan.size)
        fields = attributes(identity, session)
        if not folder.is_dir():
            write_session(folder, session, fields, plan.picture)
        if truth:
            rows.append(true_row(subject_name(person), folder.name, session, fields))
    return stack_truth(rows)
