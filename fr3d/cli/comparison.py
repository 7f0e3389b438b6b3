"""What `fr3d compare` decides and shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fr3d.cli.comparison_inputs import Inputs
    from fr3d.inference.compared import ComparedFaces, Reals

COLUMNS = ("one", "other", "score", "decision", "threshold")
_TOLD = 10
SAME, DIFFERENT, MISSING = "same", "different", "missing"
_HOW_TO_DECIDE = (
    "no threshold is known, so nothing is decided: give --threshold, or --thresholds with a table "
    "of 'fr3d benchmark'"
)


@dataclass(frozen=True)
class Decision:
    """From which score on two faces are one person.

    Attributes:
        threshold: lowest such score; None where none is known.
        origin: where it comes from.
    """

    threshold: float | None
    origin: str = ""

    @property
    def words(self) -> str:
        """The threshold in words."""
        if self.threshold is None:
            return _HOW_TO_DECIDE
        return f"threshold {self.threshold:.4g}" + (f" ({self.origin})" if self.origin else "")

    def of(self, score: float) -> str | None:
        """What a score means; None where nothing decides."""
        if score != score:  # noqa: PLR0124 -- NaN: one of the faces is missing
            return MISSING
        return None if self.threshold is None else SAME if score >= self.threshold else DIFFERENT

    def verdict(self, scores: "Reals") -> str:
        """All scores in one sentence."""
        import numpy as np

        pairs = scores[np.triu_indices(len(scores), 1)]
        known = pairs[np.isfinite(pairs)]
        if self.threshold is None:
            what = f"cosine {known[0]:.4f}" if len(pairs) == 1 else f"{len(known)} pairs"
            return f"{what}; {_HOW_TO_DECIDE}"
        if len(pairs) == 1:
            score, limit = _told_apart(float(known[0]), self.threshold)
            is_same = known[0] >= self.threshold
            who, sign = ("same person", ">=") if is_same else ("different people", "<")
            return f"{who}: {score} {sign} {limit} ({self.origin})"
        same = int((known >= self.threshold).sum())
        verb = "is" if same == 1 else "are"
        return f"{same} of {len(known)} pairs {verb} the same person, {self.words}"


def check_options(
    output: Path | None, threshold: float | None, thresholds: Path | None, fmr: float | None
) -> None:
    """Refuse options that do not fit together.

    Raises:
        UsageError: two thresholds, a rate without a table, or a picture by another suffix.
    """
    from fr3d.errors import UsageError

    if threshold is not None and thresholds is not None:
        raise UsageError("--threshold and --thresholds: only one can decide", "leave one away")
    if fmr is not None and thresholds is None:
        raise UsageError(
            f"--fmr {fmr:g}: only a table of thresholds knows rates",
            "add --thresholds report.thresholds.csv, which 'fr3d benchmark' writes",
        )
    if output is not None and output.suffix.lower() != ".png":
        raise UsageError(
            f"{output}: the picture is a PNG", "name it .png; the table goes to standard output"
        )


def check_picture(output: Path, count: int) -> None:
    """Refuse a picture of too many faces.

    Raises:
        UsageError: nobody could see anything on it.
    """
    from fr3d.errors import UsageError
    from fr3d.evaluation.report.comparison_picture import MOST

    if count > MOST:
        raise UsageError(
            f"{output}: a picture of {count} faces, expected at most {MOST}",
            "leave --output away; 'fr3d benchmark' measures the scores of many faces",
        )


def decide(
    inputs: "Inputs", threshold: float | None, thresholds: Path | None, fmr: float | None
) -> Decision:
    """The threshold that decides: the given one, that of a table, that of the network, or none.

    Raises:
        MalformedInputError: no such rate in the table, or measured with another model.
    """
    if threshold is not None:
        return Decision(threshold, "set by hand")
    if thresholds is not None:
        from fr3d.gallery.threshold_table import check_contract, choose_threshold, read_thresholds

        found = choose_threshold(read_thresholds(thresholds), "fmr", fmr, str(thresholds))
        check_contract(found, inputs.contract, str(thresholds), inputs.by)
        origin = f"FMR {100 * found.target:g} % among {found.people} people, {thresholds.name}"
        return Decision(found.threshold, origin)
    from fr3d.inference.extractor import measured_threshold

    return Decision(*(measured_threshold(inputs.model) or (None, "")))


def tell(faces: "ComparedFaces") -> None:
    """Say which faces are missing or were chosen among several.

    Raises:
        MalformedInputError: fewer than two are left.
    """
    from fr3d.cli.console import warn
    from fr3d.errors import MalformedInputError

    for place, reason in sorted(faces.missing.items()):
        warn(f"{faces.labels[place]}: missing: {reason}")
    several = list(faces.people_in_picture.items())
    for place, count in several[:_TOLD]:
        warn(f"{faces.labels[place]}: {count} faces, the largest is compared")
    if len(several) > _TOLD:
        warn(f"{len(several) - _TOLD} more show several faces, of which the largest is compared")
    left = len(faces.labels) - len(faces.missing)
    if left < 2:
        raise MalformedInputError(
            f"{left or 'no'} face{'s' if left != 1 else ''} of {len(faces.labels)} can be used, "
            "and a comparison takes two",
            "the reasons stand above",
        )


def emit_pairs(faces: "ComparedFaces", scores: "Reals", decision: Decision, as_json: bool) -> None:
    """Print a row a pair, in the order of the faces."""
    from fr3d.cli.console import emit_table

    def rows() -> Iterator[dict[str, Any]]:
        for one, other in combinations(range(len(faces.labels)), 2):
            score = float(scores[one, other])
            yield {
                "one": faces.labels[one],
                "other": faces.labels[other],
                "score": score,
                "decision": decision.of(score),
                "threshold": decision.threshold,
            }

    emit_table(rows(), COLUMNS, as_json)


def emit_square(faces: "ComparedFaces", scores: "Reals", as_json: bool) -> None:
    """Print a row a face, with its scores against all."""
    from fr3d.cli.console import emit_table

    head = "face" if "face" not in faces.labels else ""
    rows = (
        {head: label, **dict(zip(faces.labels, values, strict=True))}
        for label, values in zip(faces.labels, scores, strict=True)
    )
    emit_table(rows, (head, *faces.labels), as_json)


def write_picture(
    output: Path, faces: "ComparedFaces", scores: "Reals", decision: Decision, force: bool
) -> None:
    """Draw the scores beside the faces."""
    from fr3d.artifacts.atomic import write_bytes
    from fr3d.evaluation.report.comparison_picture import comparison_picture
    from fr3d.geometry.picture_files import encode_png

    caption = [] if decision.threshold is None else [f"Framed: same person, {decision.words}"]
    picture = comparison_picture(
        faces.labels, faces.thumbnails, scores, decision.threshold, caption
    )
    write_bytes(output, encode_png(picture), force)


def _told_apart(score: float, threshold: float) -> tuple[str, str]:
    """Both in as many digits as show which is higher."""
    for digits in range(4, 10):
        pair = f"{score:.{digits}f}", f"{threshold:.{digits}f}"
        if pair[0] != pair[1] or score == threshold:
            return pair
    return repr(score), repr(threshold)
