"""fr3d merge: parts of shards, or finished files, become one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fr3d.cli.options import DryRun, Force, OptionalOutput, Quiet, Verbose

if TYPE_CHECKING:
    from fr3d.artifacts.merging import PartSet

_PARTS = ".parts"


def merge(
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of parts of one run, or finished files of one kind.",
            show_default="maps.h5.parts",
        ),
    ] = None,
    output: OptionalOutput = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the folders of parts once they are joined.")
    ] = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Join the parts of shards, or finished files, into one file.

    Parts that 'fr3d ps-reconstruct --shard' sealed give the very bytes of a
    run without shards, and their rejects one OUTPUT.rejects.csv. They may lie
    in one folder that all machines share, or in several. A part that is
    missing is named with the shard that makes it.

    Finished maps, faces or embeddings are put one after the other. They must
    have been made with the same options; smaller maps are padded.

    Examples:
      fr3d merge maps.h5.parts
      fr3d merge node1/maps.h5.parts node2/maps.h5.parts -o maps.h5 --remove
      fr3d merge monday.h5 tuesday.h5 -o week.h5
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.artifacts.merging import find_part_set

    sources = source or [Path("maps.h5" + _PARTS)]
    target = output or _named_by(sources)
    check_output(target, force or dry_run)
    parts = find_part_set(sources)
    if parts is None:
        _combine(sources, target, remove=remove, force=force, dry_run=dry_run)
    else:
        _join(parts, target, remove=remove, force=force, dry_run=dry_run)


def _named_by(sources: list[Path]) -> Path:
    """The output that a folder of parts belongs to."""
    from fr3d.errors import UsageError

    first = sources[0]
    if len(sources) > 1 or first.suffix != _PARTS:
        raise UsageError("the output has no name", "give one with --output")
    return first.with_suffix("")


def _join(parts: "PartSet", output: Path, *, remove: bool, force: bool, dry_run: bool) -> None:
    from fr3d.artifacts.merging import merge_parts
    from fr3d.cli.console import say

    if dry_run:
        say(f"would join {len(parts.paths)} parts -> {output}")
        return
    count = len(parts.paths)
    done = merge_parts(parts, output, force=force, remove=remove)
    rejects = len(done.rejected)
    note = f", {rejects} rejected: see {output}.rejects.csv" if rejects else ""
    say(f"joined {count} parts: {done.rows} of {done.rows + rejects} captures -> {output}{note}")


def _combine(
    sources: list[Path], output: Path, *, remove: bool, force: bool, dry_run: bool
) -> None:
    from fr3d.artifacts.combining import combine, write_combination
    from fr3d.artifacts.files import artifact_kind, list_files
    from fr3d.artifacts.store import open_artifact
    from fr3d.cli.console import say, warn
    from fr3d.errors import UsageError

    if remove:
        raise UsageError("--remove is for folders of parts of one run", "leave it out")
    files = [list_files(source) for source in sources]
    whole = combine([open_artifact(paths, artifact_kind(paths[0])) for paths in files])
    for path in whole.mostly_padding:
        warn(f"{path}: its maps fill less than half of the others' size")
    if not dry_run:
        write_combination(whole, output, force=force)
    verb = "would merge" if dry_run else "merged"
    rejects = f", {len(whole.rejected)} captures rejected earlier" if whole.rejected else ""
    say(f"{verb} {len(sources)} files: {whole.rows} rows -> {output}{rejects}")
