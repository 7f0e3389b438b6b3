"""fr3d split: people into partitions, sessions into roles."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fr3d.cli.options import AllowLeak, DryRun, Force, Output, Quiet, Seed, Verbose

if TYPE_CHECKING:
    import pandas as pd

_PEOPLE = "People"
_Size = Annotated[
    float | None, typer.Option(help="Share or number of people.", rich_help_panel=_PEOPLE)
]


def split(
    *,
    sessions: Annotated[
        Path, typer.Argument(help="Aligned faces or maps, or a CSV of subject_id,session_id.")
    ] = Path("faces.h5"),
    output: Output = Path("split.csv"),
    train: _Size = None,
    val: _Size = None,
    calibration: _Size = None,
    test: _Size = None,
    distractor: _Size = None,
    unknown: Annotated[
        float | None,
        typer.Option(
            help="Share or number of test people who are never enrolled.",
            show_default="half, of few people ten in 48",
            rich_help_panel=_PEOPLE,
        ),
    ] = None,
    gallery_sessions: Annotated[
        str,
        typer.Option(
            help="Sessions of each enrolled person in the gallery: a number, or a pattern of "
            "session ids such as 'gallery_*'."
        ),
    ] = "1",
    stratify: Annotated[
        str, typer.Option(help="Attributes that all partitions share alike, by commas.")
    ] = "",
    attributes: Annotated[
        Path | None,
        typer.Option(help="CSV of attributes by subject_id, or by subject_id and session_id."),
    ] = None,
    min_sessions: Annotated[
        int, typer.Option(help="People with fewer sessions go to 'dirty'.", min=1)
    ] = 1,
    folds: Annotated[
        int, typer.Option(help="Divide train and val people into so many folds.", min=0)
    ] = 0,
    repeats: Annotated[int, typer.Option(help="Columns of folds, each drawn anew.", min=1)] = 1,
    allow_leak: AllowLeak = None,
    seed: Seed = 0,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Divide people into partitions and sessions into roles.

    No person is in two partitions. A size below 1 is a share of the people,
    from 1 on a number of them; sizes not given share the rest. Test people
    are enrolled with some sessions and probed with the others, or never
    enrolled; calibration people never are.

    Examples:
      fr3d split faces.h5 -o split.csv
      fr3d split --stratify gender,spectacles --gallery-sessions 2 --seed 7
      fr3d split --train 0.5 --test 40 --unknown 20 --folds 5 --repeats 3
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.artifacts.tables import write_table
    from fr3d.cli.console import say
    from fr3d.protocols.leaks import check_leaks, find_leaks
    from fr3d.protocols.split import SplitPlan, make_split

    check_output(output, force or dry_run)
    table, digests = _read(sessions, attributes)
    count, pattern = _gallery(gallery_sessions)
    plan = SplitPlan(
        sizes={
            "train": train,
            "val": val,
            "calibration": calibration,
            "test": test,
            "distractor": distractor,
        },
        stratify=tuple(name.strip() for name in stratify.split(",") if name.strip()),
        gallery_count=count,
        gallery_pattern=pattern,
        unknown=unknown,
        min_sessions=min_sessions,
        folds=folds,
        repeats=repeats,
        seed=seed,
    )
    result = make_split(table, plan)
    leaks = find_leaks(result, digests=digests)
    _warn_leaks([leak.message for leak in check_leaks(leaks, str(sessions), allow_leak or ())])
    if not dry_run:
        write_table(result, output, force)
    say(_summary(result, "would write" if dry_run else "wrote", output))
    _warn_of_few(result)


def _warn_of_few(table: "pd.DataFrame") -> None:
    """Say now what a later step will refuse."""
    from fr3d.cli.console import warn
    from fr3d.gallery.calibration import people_needed, smallest_rate

    people = table.groupby("partition")["subject_id"].nunique()
    calibration = int(people.get("calibration", 0))
    if 0 < calibration < people_needed(0.1):
        rate = math.ceil(1000 * smallest_rate(calibration)) / 1000
        warn(
            f"{calibration} calibration people: enroll can promise no smaller rate than "
            f"--fpir {rate:g}"
        )


def _read(
    sessions: Path, attributes: Path | None
) -> "tuple[pd.DataFrame, dict[tuple[str, str], str]]":
    """The table of sessions and, from an artifact, digests of what each shows."""
    from fr3d.artifacts.tables import read_table
    from fr3d.protocols.attributes import join_attributes, session_table
    from fr3d.protocols.copying import open_sessions
    from fr3d.protocols.leaks import content_digests

    digests: dict[tuple[str, str], str] = {}
    if sessions.suffix == ".csv" or str(sessions) == "-":
        table = read_table(sessions)
    else:
        artifact = open_sessions([sessions])
        table, digests = session_table(artifact), content_digests(artifact)
    if attributes:
        extra = read_table(attributes, require=("subject_id",))
        table = join_attributes(table, extra, str(attributes))
    return table, digests


def _gallery(sessions: str) -> tuple[int, str]:
    return (int(sessions), "") if sessions.isdecimal() else (1, sessions)


def _warn_leaks(messages: Sequence[str]) -> None:
    from fr3d.cli.console import warn

    for message in messages:
        warn(f"leak allowed: {message}")


def _summary(table: "pd.DataFrame", verb: str, output: Path) -> str:
    from fr3d.protocols.table import PARTITIONS, enrolled_people, unknown_people

    parts = []
    for name in PARTITIONS:
        rows = table[table["partition"] == name]
        if rows.empty:
            continue
        text = f"{name} {rows['subject_id'].nunique()} people, {len(rows)} sessions"
        if name == "test":
            known, unknown = enrolled_people(table, name), unknown_people(table, name)
            text += f" ({len(known)} enrolled, {len(unknown)} unknown)"
        parts.append(text)
    return f"{verb} {output}: {'; '.join(parts)}"
