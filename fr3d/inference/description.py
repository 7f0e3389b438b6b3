"""What the network of somebody else expects of a face: a small TOML file, read and checked."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from fr3d.alignment.recipe import REGISTERED
from fr3d.alignment.templates import TEMPLATES
from fr3d.errors import MalformedInputError, MissingInputError, cannot_read

COLORS = {"RGB": (0, 1, 2), "BGR": (2, 1, 0), "grey": (0,)}
"""Channels of a picture in RGB that each order takes; grey is made of all three."""
LAYOUTS = ("NCHW", "NHWC")
FLIPS = ("mean", "unit", "none")
EXPOSURES = ("auto", "always", "none")
SUFFIX = ".toml"
_LARGEST_FILE = 1 << 16
_LARGEST_SIDE = 2048
_LONGEST_TEXT = 10_000
_LARGEST_NUMBER = 1e6


@dataclass(frozen=True)
class Description:
    """How a face becomes the input of a network: (scale * picture - mean) / std.

    Args:
        size: height and width in pixels.
        template: where the landmarks lie, one of `TEMPLATES`, or "crop".
        color: channels that the network takes, in its order: "RGB", "BGR" or "grey".
        scale: value of white before mean and std: 255 or 1 in most published recipes.
        mean: what is subtracted, one number or one per channel in the network's order.
        std: what the rest is divided by, likewise.
        layout: "NCHW" or "NHWC".
        input: name of the network's input; empty for the only one.
        output: name of the output that is the embedding; empty for the only one.
        flip: "mean" embeds the face and its mirror image and takes the mean, "unit" the mean of
            the two divided by their lengths, "none" only the face.
        exposure: "auto" makes the brightest of the face white where the faces come from
            photometric stereo, whose images have any range, and takes photographs as they are;
            "always" and "none" do the one or the other for all.
        license: licence of the weights.
        note: anything else.
        threshold: cosine from which on two faces are taken for one person; None where nobody
            measured one.
        threshold_note: what it was measured on, and which rate of false matches it keeps.
    """

    size: tuple[int, int] = (112, 112)
    template: str = "arcface112"
    color: str = "RGB"
    scale: float = 255.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: str = "NCHW"
    input: str = ""
    output: str = ""
    flip: str = "mean"
    exposure: str = "auto"
    license: str = ""
    note: str = ""
    threshold: float | None = None
    threshold_note: str = ""

    @property
    def channels(self) -> int:
        """Number of channels that the network takes."""
        return len(COLORS[self.color])

    @property
    def frame(self) -> str:
        """Frame of the faces that it takes."""
        return f"face:{self.template}"


REQUIRED = ("size", "template", "color", "mean", "std")
NOT_INPUT = ("license", "note", "threshold", "threshold_note")
"""Keys that say nothing of how a face becomes an input."""


def shipped_descriptions() -> tuple[str, ...]:
    """Names of the descriptions that come with fr3d."""
    folder = files("fr3d.inference") / "extractors"
    names = [one.name for one in folder.iterdir() if one.name.endswith(SUFFIX)]
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names))


def find_description(network: Path, asked: str | None) -> Path | None:
    """Say which file describes a network.

    Args:
        network: the ONNX file.
        asked: a TOML file, the name of a shipped description, or None for NAME.toml beside
            NAME.onnx.

    Returns:
        The file, or None when none was asked for and none lies beside the network.

    Raises:
        MissingInputError: what was asked for is not there.
    """
    if asked is None:
        beside = network.with_suffix(SUFFIX)
        return beside if beside.is_file() else None
    if asked in shipped_descriptions():
        return Path(str(files("fr3d.inference") / "extractors" / f"{asked}{SUFFIX}"))
    path = Path(asked)
    if not path.is_file():
        raise MissingInputError(
            f"--extractor {asked}: no such file",
            f"give a TOML file, or one of {', '.join(shipped_descriptions())}",
        )
    return path


def read_description(path: Path) -> Description:
    """Read a description.

    Args:
        path: a TOML file.

    Raises:
        MissingInputError: it cannot be read.
        MalformedInputError: not TOML, a key is unknown or missing, or a value is impossible.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise MalformedInputError(f"{path}: larger than {_LARGEST_FILE} bytes")
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise cannot_read(path, error) from error
    except (ValueError, RecursionError) as error:
        text = " ".join(str(error).split())[:200]
        raise MalformedInputError(f"{path}: not TOML: {text}") from error
    return _description(record, str(path))


def _description(record: Mapping[str, Any], name: str) -> Description:
    known = [one.name for one in fields(Description)]
    for key in record:
        if key not in known:
            raise MalformedInputError(
                f"{name}: unknown key '{key}'", f"expected some of {', '.join(known)}"
            )
    for key in REQUIRED:
        if key not in record:
            raise MalformedInputError(
                f"{name}: no key '{key}'", f"at least {', '.join(REQUIRED)} must be there"
            )
    choices: dict[str, Sequence[str]] = {
        "template": (*TEMPLATES, REGISTERED),
        "color": tuple(COLORS),
        "layout": LAYOUTS,
        "flip": FLIPS,
        "exposure": EXPOSURES,
    }
    values: dict[str, Any] = {
        key: _choice(record[key], choices[key], f"{name}: {key}")
        for key in choices
        if key in record
    }
    for key in ("input", "output", "license", "note", "threshold_note"):
        if key in record:
            values[key] = _text(record[key], f"{name}: {key}")
    values["size"] = _size(record["size"], f"{name}: size")
    (values["scale"],) = _numbers(record.get("scale", 255.0), 1, f"{name}: scale", positive=True)
    channels = len(COLORS[values["color"]])
    values["mean"] = _numbers(record["mean"], channels, f"{name}: mean")
    values["std"] = _numbers(record["std"], channels, f"{name}: std", positive=True)
    if "threshold" in record:
        values["threshold"] = _cosine(record["threshold"], f"{name}: threshold")
    return Description(**values)


def _choice(value: Any, choices: Sequence[str], where: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise MalformedInputError(f"{where} {value!r:.60}, expected one of {', '.join(choices)}")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise MalformedInputError(f"{where}: expected a text of at most {_LONGEST_TEXT} letters")
    return value


def _size(value: Any, where: str) -> tuple[int, int]:
    sides = value if isinstance(value, list) else [value]
    whole = all(type(one) is int and 1 <= one <= _LARGEST_SIDE for one in sides)
    if len(sides) != 2 or not whole:
        raise MalformedInputError(
            f"{where} {value!r:.60}, expected [height, width] of 1 to {_LARGEST_SIDE} pixels"
        )
    return sides[0], sides[1]


def _cosine(value: Any, where: str) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not -1.0 <= value <= 1.0:
        raise MalformedInputError(f"{where} {value!r:.60}, expected a cosine of -1 to 1")
    return float(value)


def _numbers(value: Any, channels: int, where: str, *, positive: bool = False) -> tuple[float, ...]:
    """One finite number, or one per channel."""
    numbers = value if isinstance(value, list) else [value]
    sound = all(
        isinstance(one, (int, float)) and not isinstance(one, bool) and abs(one) <= _LARGEST_NUMBER
        for one in numbers
    )
    if not sound or len(numbers) not in {1, channels} or (positive and min(numbers) <= 0):
        what = "a number" if channels == 1 else f"a number, or {channels} of them"
        raise MalformedInputError(
            f"{where} {value!r:.60}, expected {what}{' above 0' if positive else ''}"
        )
    return tuple(float(one) for one in numbers)
