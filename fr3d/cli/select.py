"""fr3d select: the rows of a partition or role as a new file."""

from pathlib import Path
from typing import Annotated

import typer

from fr3d.cli.options import DryRun, Force, OptionalOutput, Partition, Quiet, Role, Split, Verbose


def select(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Maps, faces or embeddings; several files or a folder of parts.",
            show_default="faces.h5",
        ),
    ] = None,
    output: OptionalOutput = None,
    split: Split = Path("split.csv"),
    partition: Partition = "test",
    role: Role = None,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Copy the rows of a partition or role into a new file.

    Works on maps, faces and embeddings. The output is named after the role,
    or the partition.

    Examples:
      fr3d select faces.h5 --role probe -o probe.h5
      fr3d select embeddings.h5 --partition calibration
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.artifacts.provenance import Step, sha256_file
    from fr3d.cli.console import say
    from fr3d.protocols.copying import copy_rows, open_sessions
    from fr3d.protocols.selection import choose, rejects_of, select_rows
    from fr3d.protocols.table import read_split

    output = output or Path(f"{role or partition}.h5")
    check_output(output, force or dry_run)
    artifact = open_sessions(source or [Path("faces.h5")])
    table = read_split(split)
    chosen = choose(table, [partition], [role] if role else [])
    rows = select_rows(artifact, chosen)
    rejected = rejects_of(artifact, table, chosen)
    if not dry_run:
        step = Step(
            "select",
            {"partition": partition, "role": role or ""},
            {artifact.name: artifact.sha256, split.name: sha256_file(split)},
        )
        copy_rows(artifact, rows, output, step, rejected=rejected, force=force)
    failed = f", {len(rejected)} captures rejected earlier" if rejected else ""
    verb = "would write" if dry_run else "wrote"
    say(f"{verb} {output}: {len(rows)} of {len(artifact)} rows{failed}")
