"""Completion files are current, and TAB answers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.completion import get_completion_script

from fr3d.cli.program import COMPLETE, command_names

FOLDER = Path(__file__).parents[2] / "completions"
ENTRY = "from fr3d.cli import entry; entry()"


@pytest.mark.parametrize(
    ("shell", "name"), [("bash", "fr3d.bash"), ("zsh", "_fr3d"), ("fish", "fr3d.fish")]
)
def test_files_are_current(shell: str, name: str) -> None:
    script = get_completion_script(prog_name="fr3d", complete_var=COMPLETE, shell=shell)
    assert (FOLDER / name).read_text() == script.rstrip("\n") + "\n", (
        f"refresh with: {COMPLETE}=source_{shell} fr3d > completions/{name}"
    )


def tab(words: str, at: int) -> list[str]:
    """What bash is offered for word number `at`."""
    env = {**os.environ, "COMP_WORDS": words, "COMP_CWORD": str(at), COMPLETE: "complete_bash"}
    run = subprocess.run([sys.executable, "-c", ENTRY], env=env, capture_output=True, text=True)
    assert not run.stderr
    return run.stdout.split()


def test_commands_are_offered() -> None:
    assert tab("fr3d ", 1) == command_names()


def test_options_and_choices_are_offered() -> None:
    assert "--force" in tab("fr3d align --f", 2)
    assert tab("fr3d select --role ", 3) == ["gallery", "probe"]


def test_bash_function() -> None:
    bash, fr3d = shutil.which("bash"), shutil.which("fr3d", path=Path(sys.executable).parent)
    if not (bash and fr3d):
        pytest.skip("needs bash and the installed program")
    code = (
        f"source '{FOLDER / 'fr3d.bash'}'; COMP_WORDS=(fr3d ide); COMP_CWORD=1;"
        f"_fr3d_completion '{fr3d}'; echo ${{COMPREPLY[@]}}"
    )
    run = subprocess.run([bash, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "identify"
