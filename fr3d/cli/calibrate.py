"""fr3d calibrate: photographs of a ball, or many sessions, become a rig's lights."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fr3d.cli.options import DryRun, Force, Json, Output, Quiet, Transfer, Verbose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fr3d.artifacts.rows import Reject
    from fr3d.photometric.calibration.folder import BallFolder
    from fr3d.photometric.calibration.result import CalibratedLight
    from fr3d.photometric.transfer import Transfer as Curve

_COLUMNS = (
    "light",
    "source",
    "zenith",
    "azimuth",
    "intensity",
    "residual",
    "uncertainty_deg",
    "intensity_spread",
)


def calibrate(
    *,
    source: Annotated[
        Path,
        typer.Argument(help="Folder of photographs of a ball; with --rig or --faces, of captures."),
    ] = Path("ball"),
    output: Output = Path("lights.json"),
    ball: Annotated[
        Literal["chrome", "diffuse"],
        typer.Option(help="A mirror ball gives directions; a matte one intensities as well."),
    ] = "chrome",
    rig: Annotated[
        bool, typer.Option("--rig", help="Pool intensities over the sessions of a rig instead.")
    ] = False,
    faces: Annotated[
        bool,
        typer.Option(
            "--faces",
            help="Pool over sessions the directions that faces under unknown lights show.",
        ),
    ] = False,
    mask: Annotated[
        Path | None,
        typer.Option(
            help="Picture that is white on the ball.",
            show_default="the picture with 'mask' in its name; else the ball is looked for",
        ),
    ] = None,
    directions: Annotated[
        Path | None,
        typer.Option(
            help="Light file with known directions; only intensities are fitted.",
            show_default="with --rig each capture's own; else fitted",
        ),
    ] = None,
    transfer: Transfer = "linear",
    json: Json = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find where a rig's lights stand and how bright they are.

    Photographs of a ball, one a light, are taken in numeric order. A chrome
    ball mirrors each light; a diffuse one of even grey is shaded by it. With
    --rig, unshadowed skin of many sessions with known directions tells how
    bright the flashes are against one another; with --faces, the shading of
    many faces tells where unknown lights stand, to a few degrees. The lights
    go to OUTPUT, which ps-reconstruct takes with --lights, and a table of
    them to standard output.

    Examples:
      fr3d calibrate chrome/ -o lights.json
      fr3d calibrate grey/ --ball diffuse --directions lights.json -o lit.json
      fr3d calibrate raw/ --rig -o rig.json
      fr3d calibrate raw/ --faces -o guess.json
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.cli.console import emit_table, say
    from fr3d.errors import UsageError
    from fr3d.photometric import transfer as curves
    from fr3d.photometric.calibration.result import light_document, write_light_file

    if transfer == "auto":
        raise UsageError(
            "--transfer auto needs sessions with known lights, which are sought here",
            "choose linear, srgb or gamma:2.2",
        )
    how = curves.Transfer(transfer)
    if rig and faces:
        raise UsageError("--rig needs known directions, --faces finds them", "choose one of them")
    if (rig or faces) and (ball != "chrome" or mask is not None):
        raise UsageError(
            "--rig and --faces look at sessions, not at a ball", "leave out --ball and --mask"
        )
    if faces and directions is not None:
        raise UsageError("--faces finds directions itself", "leave out --directions, or use --rig")
    if not rig and ball == "chrome" and directions is not None:
        raise UsageError(
            "a chrome ball tells directions alone", "leave out --directions, or use --ball diffuse"
        )
    check_output(output, force or dry_run)
    if rig:
        lights, record = _from_sessions(source, directions, how)
    elif faces:
        lights, record = _from_faces(source, how)
    else:
        lights, record = _from_ball(source, ball, mask, directions, how)
    if not dry_run:
        write_light_file(output, light_document(lights, record), force)
    _warn(lights)
    verb = "would write" if dry_run else "calibrated"
    say(f"{verb} {len(lights)} lights{_condition(lights)} -> {output}")
    emit_table(_rows(lights), _COLUMNS, json)


def _from_ball(
    folder: Path, kind: str, mask: Path | None, directions: Path | None, transfer: "Curve"
) -> "tuple[Sequence[CalibratedLight], dict[str, Any]]":
    from fr3d.cli.console import warn
    from fr3d.photometric.calibration.balls import chrome_lights, diffuse_lights
    from fr3d.photometric.calibration.folder import list_folder, locate_ball, misfit

    listed = list_folder(folder, mask)
    known = _read_directions(directions)
    ball = locate_ball(listed, transfer)
    if reason := misfit(listed, ball, transfer):
        warn(reason)
    lights = (
        chrome_lights(listed, ball, transfer, warn)
        if kind == "chrome"
        else diffuse_lights(listed, ball, transfer, known)
    )
    outline = {name: round(getattr(ball, name), 3) for name in ("x", "y", "radius")}
    record = {"method": f"{kind} ball", "transfer": transfer.name, "ball": outline}
    if directions is not None:
        record["directions"] = directions.name
    return lights, record | {"inputs": _digest(listed)}


def _from_sessions(
    root: Path, directions: Path | None, transfer: "Curve"
) -> "tuple[Sequence[CalibratedLight], dict[str, Any]]":
    from fr3d.cli.console import progress, warn
    from fr3d.photometric.calibration.sessions import rig_lights, spread_evenly
    from fr3d.photometric.capture import find_captures

    captures = spread_evenly(find_captures([root], directions))
    with progress(len(captures), "reading sessions") as bar:
        result = rig_lights(captures, transfer, advance=bar.advance)
    _tell(result.rejected, len(captures))
    pooled = result.pooled
    moved = float(pooled.direction_spread_deg.max())
    if moved > 3:
        warn(f"directions differ by {moved:.1f} degrees between sessions; their mean is written")
    return result.lights, {
        "method": "sessions",
        "transfer": transfer.name,
        "sessions": pooled.sessions,
        "residual": round(pooled.residual, 6),
    }


def _from_faces(
    root: Path, transfer: "Curve"
) -> "tuple[Sequence[CalibratedLight], dict[str, Any]]":
    from fr3d.alignment.finder import YunetFinder
    from fr3d.cli.console import progress
    from fr3d.photometric.calibration.sessions import estimated_lights, spread_evenly
    from fr3d.photometric.capture import find_captures

    captures = spread_evenly(find_captures([root], estimate=True))
    with progress(len(captures), "reading sessions") as bar:
        lights, rejected = estimated_lights(captures, transfer, YunetFinder(), bar.advance)
    _tell(rejected, len(captures))
    used = len(captures) - len(rejected)
    return lights, {"method": "faces", "transfer": transfer.name, "sessions": used}


def _tell(rejected: "Sequence[Reject]", total: int) -> None:
    from fr3d.cli.console import detail, warn

    for reject in rejected:
        detail(f"not used: {reject.subject_id}/{reject.session_id}: {reject.reason}")
    if rejected:
        warn(f"{len(rejected)} of {total} sessions could not be used; see --verbose")


def _read_directions(path: Path | None) -> Any:
    from fr3d.photometric.lights import read_lights

    return None if path is None else read_lights(path).directions


def _digest(folder: "BallFolder") -> dict[str, str]:
    from fr3d.artifacts.provenance import sha256_file

    return {path.name: sha256_file(path) for path in folder.files}


def _rows(lights: "Sequence[CalibratedLight]") -> "list[dict[str, Any]]":
    import numpy as np

    from fr3d.geometry.lights import angles

    rows = []
    for number, light in enumerate(lights):
        zenith, azimuth = (float(v) for v in angles(light.direction))
        rows.append(
            {
                "light": number,
                "source": light.source or None,
                "zenith": round(zenith, 4),
                "azimuth": round(azimuth, 4),
                "intensity": float(np.mean(light.intensity)),
                "residual": light.residual,
                "uncertainty_deg": light.uncertainty_deg,
                "intensity_spread": light.intensity_spread,
            }
        )
    return rows


def _condition(lights: "Sequence[CalibratedLight]") -> str:
    value = _gain(lights)
    return "" if value is None else f" (condition {value:.1f})"


def _gain(lights: "Sequence[CalibratedLight]") -> float | None:
    import numpy as np

    from fr3d.photometric.lights import Lights

    if len(lights) < 3:
        return None
    directions = np.stack([light.direction for light in lights])
    return Lights(directions, np.ones(len(directions))).condition


def _warn(lights: "Sequence[CalibratedLight]") -> None:
    from fr3d.cli.console import warn

    condition = _gain(lights)
    if condition is None:
        warn(f"{len(lights)} lights: normals need at least 3")
    elif condition > 5:
        warn(f"the lights stand close together (condition {condition:.1f}): normals will be noisy")
