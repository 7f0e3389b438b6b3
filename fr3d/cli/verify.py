"""fr3d verify: is a file what it should be?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fr3d.cli.options import Json, Quiet, Verbose

if TYPE_CHECKING:
    from fr3d.artifacts.integrity import Check


def verify(
    source: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Maps, faces, embeddings, folders of parts; galleries, runs, tables, models, "
            "lights (.json) and lists of rejects.",
        ),
    ],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Check files: structure, digests, identities, values, history.

    Of maps, faces and embeddings every row is read: its digest is computed
    anew, numbers must be finite (or unknown where they may be), normals unit
    vectors under the mask. Other files are opened with the checks that their
    own commands make. The exit status is 65 when anything is wrong.

    Examples:
      fr3d verify maps.h5
      fr3d verify maps.h5.parts faces.h5 gallery.faiss --json
    """
    from fr3d.cli.console import emit_table, say
    from fr3d.errors import MalformedInputError

    rows, failed = [], []
    for path in source:
        try:
            checks = _checks(path)
        except MalformedInputError as error:
            rows.append(_row(path, "structure", 1, 1))
            failed.append((error.message, error.hint))
            continue
        for check in checks:
            rows.append(_row(path, check.name, check.of, check.wrong))
            if check.wrong:
                failed.append((f"{path}: {check.name}: {check.first}", "make the file again"))
    emit_table(rows, ["file", "check", "of", "wrong"], as_json=json)
    if failed:
        message, hint = failed[0]
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        raise MalformedInputError(message + more, hint)
    say(f"verified {len(source)} files, {len(rows)} checks: nothing is wrong")


def _row(path: Path, check: str, of: int, wrong: int) -> dict[str, str | int]:
    return {"file": str(path), "check": check, "of": of, "wrong": wrong}


def _checks(path: Path) -> "list[Check]":
    from fr3d.artifacts import integrity
    from fr3d.artifacts.files import artifact_kind, list_files
    from fr3d.artifacts.schema import FORMATS
    from fr3d.artifacts.store import open_artifact

    folder_of_parts = path.is_dir() and not (path / "config.json").exists()
    if folder_of_parts or path.suffix.lower() == ".h5":
        kind = artifact_kind(list_files(path)[0])
        if kind in FORMATS:
            return integrity.verify(open_artifact(path, kind))
    if path.is_file() and path.suffix.lower() == ".json":
        from fr3d.photometric.lights import read_lights

        return [integrity.Check("lights", len(read_lights(path).directions))]
    if path.name.lower().endswith(".rejects.csv"):
        from fr3d.artifacts.tables import read_table

        columns = ("subject_id", "session_id", "reason")
        return [integrity.Check("structure", len(read_table(path, columns)))]
    from fr3d.evaluation.report.contents import describe

    describe(path)
    return [integrity.Check("structure", 1)]
