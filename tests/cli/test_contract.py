"""What holds for every command: help, examples, one spelling, statuses, light start-up."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from fr3d.cli import main, program
from fr3d.errors import ExitStatus

ROOT = Path(__file__).parents[2]
HEAVY = ["torch", "numpy", "pandas", "scipy", "faiss", "cv2", "h5py", "timm", "onnxruntime"]
NAMES = program.command_names()
TREE = typer.main.get_command(program.build_app())


def options(name: str) -> dict:
    """Options of a command by their long spelling."""
    params = TREE.commands[name].params
    return {max(p.opts, key=len): p for p in params if p.opts[0].startswith("-")}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help(name: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, flag]) == 0
    out, err = capsys.readouterr()
    assert f"fr3d {name}" in out
    assert not err


@pytest.mark.parametrize("name", NAMES)
def test_help_ends_with_examples_that_parse(name: str) -> None:
    """Every example names options that exist."""
    text = inspect.cleandoc(TREE.commands[name].callback.__doc__)
    assert text[0].isupper()
    examples = text.partition("Examples:")[2]
    lines = re.findall(rf"fr3d {name}\b(.*)", examples)
    assert lines, "no example"
    known = {o for p in TREE.commands[name].params for o in p.opts}
    for line in lines:
        used = {w.split("=")[0] for w in line.split("|")[0].split() if re.match(r"--?[a-z]", w)}
        assert used <= known, line


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_help_and_common_ones_exist(name: str) -> None:
    for long, option in options(name).items():
        assert option.help, f"{long} has no help"
        assert long.startswith("--"), long
    assert {"--quiet", "--verbose"} <= set(options(name))
    if "--force" in options(name):
        assert "--dry-run" in options(name) or name == "show"


def test_the_same_option_has_the_same_words_everywhere() -> None:
    seen: dict[str, tuple] = {}
    for name in NAMES:
        for long, option in options(name).items():
            words = (tuple(sorted(option.opts)), option.help, option.is_flag)
            assert seen.setdefault(long, words) == words, f"{name} {long}"


def test_a_short_letter_means_one_thing() -> None:
    seen: dict[str, str] = {}
    for name in NAMES:
        for long, option in options(name).items():
            for short in (o for o in option.opts if not o.startswith("--")):
                assert seen.setdefault(short, long) == long, f"{name} {short}"


def test_the_table_in_options_is_true() -> None:
    """The list at the head of options.py names the commands of each shared option."""
    from fr3d.cli import options as module

    rows = re.findall(r"([a-z-]+)  +((?:[a-z-]+ ?)+)", module.__doc__)
    listed = {f"--{o}": w.split() for o, w in rows if w.strip() not in ("all", "all writers")}
    for long, commands in listed.items():
        assert sorted(commands) == sorted(n for n in NAMES if long in options(n)), long


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"]])
def test_start_up_is_light(words: list[str]) -> None:
    code = (
        "import sys; from fr3d.cli import main; status = main(sys.argv[2:]);"
        "loaded = [m for m in sys.argv[1].split(',') if m in sys.modules];"
        "sys.exit(f'loaded {loaded}' if loaded or status else 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, ",".join(HEAVY), *words], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from fr3d import __version__

    for flag in ("--version", "-V"):
        assert main([flag]) == 0
        assert capsys.readouterr().out == f"fr3d {__version__}\n"


def test_nothing_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ExitStatus.USAGE
    assert "ps-reconstruct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says", "hint"),
    [
        (["algin"], "No such command 'algin'", "did you mean fr3d align?"),
        (["align", "--forse"], "No such option: --forse", "did you mean --force?"),
        (["align", "-j", "many"], "'many' is not a valid int", "fr3d align --help"),
    ],
)
def test_wrong_usage(words: list, says: str, hint: str, capsys: pytest.CaptureFixture) -> None:
    assert main(words) == ExitStatus.USAGE
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("fr3d: error: ")
    assert says in err
    assert f"\n\nhint: {hint}" in err


def test_a_bug_is_one_line_and_a_traceback_with_v(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(verbose: bool = False) -> None:
        raise ZeroDivisionError("oh")

    def loaded(name: str) -> object:
        from typing import Annotated

        from fr3d.cli import options as shared

        broken.__annotations__["verbose"] = shared.Verbose
        assert Annotated
        return broken

    monkeypatch.setattr(program, "_function", loaded)
    assert main(["info"]) == ExitStatus.BUG
    err = capsys.readouterr().err
    assert "this is a bug in fr3d" in err
    assert "Traceback" not in err
    assert main(["info", "-v"]) == ExitStatus.BUG
    assert "Traceback" in capsys.readouterr().err


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "_function", lambda name: interrupted)
    assert main(["info"]) == ExitStatus.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_a_reader_that_goes_away() -> None:
    """`fr3d ... | head` ends with 141 and without a word."""
    code = (
        "import sys; from fr3d.cli import console, program;"
        "program._function = lambda _: lambda: [console.emit_text('x' * 99999) for i in range(9)];"
        "sys.exit(program.run(['info']))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None
    run.stdout.read(10)
    run.stdout.close()
    assert run.wait(60) == ExitStatus.READER_GONE
    assert run.stderr is not None
    assert run.stderr.read() == b""
    run.stderr.close()


def test_stdout_on_a_full_device() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-c", "from fr3d.cli import entry; entry()", "align", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
        )
    assert run.returncode == ExitStatus.CANNOT_WRITE
