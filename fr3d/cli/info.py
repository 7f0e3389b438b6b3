"""fr3d info: what is in a file?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from fr3d.cli.options import Json, Quiet, Verbose


def info(
    *,
    source: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Maps, faces, embeddings, galleries, runs, split tables, ONNX models.",
        ),
    ],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Tell what files hold and how they were made.

    Kind, rows, people, datasets with type, shape and unit, quality,
    attributes, rejected captures, and the history of the steps so far. The
    file is validated on the way.

    Examples:
      fr3d info faces.h5
      fr3d info gallery.faiss runs/concat3 model.onnx
      fr3d info maps.h5 --json | python -m json.tool
    """
    from json import dumps

    from fr3d.cli.console import emit_table, emit_text
    from fr3d.evaluation.report.contents import describe

    found = [describe(path) for path in source]
    if json:
        emit_text("".join(dumps(fields, ensure_ascii=False) + "\n" for fields in found))
        return
    rows = [
        {"file": fields["file"], "field": name, "value": value}
        for fields in found
        for key, content in fields.items()
        if key != "file"
        for name, value in _lines(key, content)
    ]
    columns = ["file", "field", "value"] if len(found) > 1 else ["field", "value"]
    emit_table(rows, columns, as_json=False)


def _lines(name: str, content: Any) -> list[tuple[str, Any]]:
    """Spread nested fields over lines: `datasets.normal`, `history.1`."""
    if isinstance(content, dict):
        return [line for key, value in content.items() for line in _lines(f"{name}.{key}", value)]
    if isinstance(content, list) and name == "history":
        return [(f"{name}.{number}", value) for number, value in enumerate(content, 1)]
    if isinstance(content, list):
        return [(name, ", ".join(str(value) for value in content))]
    return [(name, content)]
