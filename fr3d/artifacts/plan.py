"""The plan of a part folder: all that is needed to finish the artifact, wherever its parts are."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fr3d import __version__
from fr3d.artifacts.attributes import root_attributes
from fr3d.artifacts.provenance import Step, canonical_json
from fr3d.errors import MalformedInputError

NOTE = "plan.json"
PLAN_ATTRIBUTE = "part_plan"
"""Root attribute of a part: the digest of the plan that it belongs to."""


@dataclass(frozen=True)
class Contents:
    """An input whose contents are known only once all rows are made.

    History then cites a digest over its listing and a dataset of all rows.

    Attributes:
        input: name in `Step.inputs`, where the digest of the listing stands until then.
        dataset: text, such as the digest of the files behind each row.
    """

    input: str
    dataset: str


@dataclass(frozen=True)
class PartPlan:
    """What an artifact will be and how it is cut into parts.

    Attributes:
        digest: SHA-256 of everything that determines the parts.
        kind: such as `fr3d.maps`.
        step: what makes it.
        frame: of the maps.
        history: of the inputs.
        attrs: further root attributes.
        part_rows: items a part.
        items: how many there are; None when that is not known beforehand.
        contents: see there.
        version: of fr3d.
    """

    digest: str
    kind: str
    step: Step
    frame: str = ""
    history: Sequence[Mapping[str, Any]] = ()
    attrs: Mapping[str, Any] | None = None
    part_rows: int = 64
    items: int | None = None
    contents: Contents | None = None
    version: str = __version__

    @property
    def parts(self) -> int | None:
        """How many parts there will be, where that is known."""
        return None if self.items is None else -(-self.items // self.part_rows)

    def root(self) -> dict[str, Any]:
        """Root attributes of the artifact."""
        return root_attributes(self.kind, self.step, self.frame, self.history, self.attrs or {})

    def part_root(self) -> dict[str, Any]:
        """Root attributes of a part."""
        return {**self.root(), PLAN_ATTRIBUTE: self.digest}

    def citing(self, contents: str) -> "PartPlan":
        """The plan whose step cites the contents of its input instead of the listing."""
        if self.contents is None:
            return self
        inputs = {**self.step.inputs, self.contents.input: contents}
        return replace(self, step=replace(self.step, inputs=inputs))

    def to_json(self) -> str:
        """As it lies in the part folder."""
        fields = {**asdict(self), "history": list(self.history), "attrs": dict(self.attrs or {})}
        return canonical_json(fields) + "\n"


class ContentsDigest:
    """SHA-256 over the JSON list of a listing's digest and a text of every row, never held.

    Args:
        plan: whose contents they are.
    """

    def __init__(self, plan: PartPlan) -> None:
        first = plan.step.inputs[plan.contents.input] if plan.contents else ""
        self._total = hashlib.sha256(b"[" + canonical_json(first).encode())

    def add(self, values: Iterable[str]) -> None:
        """Go on with the next rows."""
        for value in values:
            self._total.update(b"," + canonical_json(value).encode())

    def hexdigest(self) -> str:
        """Of all rows so far."""
        whole = self._total.copy()
        whole.update(b"]")
        return whole.hexdigest()


def read_plan(folder: Path) -> PartPlan | None:
    """The plan of a part folder, or None when there is none.

    Raises:
        MalformedInputError: damaged.
    """
    path = folder / NOTE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        contents = fields.pop("contents")
        return PartPlan(
            **{**fields, "step": Step(**fields["step"])},
            contents=None if contents is None else Contents(**contents),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedInputError(
            f"{path}: not a plan of parts", f"remove the folder and make it again: rm -r {folder}"
        ) from error
