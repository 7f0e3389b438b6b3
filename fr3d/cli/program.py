"""From the words of a command line to an exit status: the one place where errors become lines."""

import errno
import importlib
import inspect
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer._click.exceptions import ClickException, NoSuchOption, UsageError
from typer._completion_classes import completion_init

from fr3d import __version__
from fr3d.cli import console, main
from fr3d.errors import ExitStatus, Fr3dError

COMPLETE = "_FR3D_COMPLETE"

COMMANDS = {
    "Make and reconstruct": ("synth", "calibrate", "ps-reconstruct", "merge", "align"),
    "Learn": ("split", "select", "train", "export"),
    "Recognise": ("compare", "embed", "enroll", "identify"),
    "Measure and look": ("benchmark", "show", "info", "verify"),
}
"""Command names by help panel, in the order of the work; each lives in the module of its name."""

_OS_HINTS: dict[int, str] = {
    ExitStatus.MISSING: "is the path right, and may you read it?",
    ExitStatus.CANNOT_WRITE: "free some space, or choose another place with --output",
}

_RESUMING = ("synth", "ps-reconstruct", "align", "train", "select", "embed")

_EPILOG = "Each command does one step and can be chained in a shell script."


def command_names() -> list[str]:
    """All commands in the order of the work."""
    return [name for names in COMMANDS.values() for name in names]


def build_app(only: str | None = None) -> typer.Typer:
    """The Typer program.

    Args:
        only: load just this command, which is faster; None loads all.
    """
    app = typer.Typer(
        name="fr3d",
        help="3D face recognition from photometric stereo.",
        epilog=_EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_root)
    for panel, names in COMMANDS.items():
        for name in names:
            if only in (None, name):
                function = _function(name)
                app.command(name, help=_help(function), rich_help_panel=panel)(function)
    return app


def _help(function: Any) -> str | None:
    """Its docstring; on a pipe, plain text whose lines stay as they are written."""
    text = inspect.getdoc(function)
    if text is None or sys.stdout.isatty():
        return text
    first, *rest = text.split("\n\n")
    return "\n\n".join([first, *("\b\n" + paragraph for paragraph in rest)])


def _function(name: str) -> Any:
    module = name.replace("-", "_")
    return getattr(importlib.import_module(f"fr3d.cli.{module}"), module)


def _root(
    version: bool = typer.Option(False, "--version", "-V", help="Print the version and exit."),
) -> None:
    if version:
        raise typer.Exit(main(["--version"]))


def run(args: list[str]) -> int:
    """Run one command and turn whatever happens into an exit status.

    Args:
        args: the words after the program's name.
    """
    console.reset()
    if COMPLETE in os.environ:
        completion_init()
        build_app(_command_being_typed())(prog_name="fr3d", complete_var=COMPLETE)
    try:
        status = _invoke(args)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - the one place where errors become statuses
        return _report(error, args)
    return status


def _command_being_typed() -> str | None:
    """The command whose options a shell asks for, so that TAB loads no other."""
    words = (
        os.environ.get("COMP_WORDS", "").split()
        or os.environ.get("_TYPER_COMPLETE_ARGS", "").split()
    )
    complete = len(words) > 2 or os.environ.get("_TYPER_COMPLETE_ARGS", "").endswith(" ")
    return words[1] if complete and len(words) > 1 and words[1] in command_names() else None


def _invoke(args: Sequence[str]) -> int:
    only = args[0] if args and args[0] in command_names() else None
    command = typer.main.get_command(build_app(only))
    words = list(args) or ["--help"]
    try:
        with command.make_context("fr3d", words) as context:
            command.invoke(context)
    except typer.Exit as done:
        status = int(done.exit_code)
        return status if args or status else ExitStatus.USAGE
    return ExitStatus.OK


def _report(error: BaseException, args: Sequence[str]) -> int:
    if isinstance(error, OSError):
        _give_up_stdout()
    if isinstance(error, BrokenPipeError):
        return ExitStatus.READER_GONE
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitStatus.BUG
    message, hint, status = _explain(error, args)
    console.error(message, hint)
    if not isinstance(error, ClickException | KeyboardInterrupt):
        console.traceback_if_verbose(error)
    return status


def _give_up_stdout() -> None:
    """When stdout takes no more, let Python not try again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: BaseException, args: Sequence[str]) -> tuple[str, str, int]:
    """Message, hint and exit status."""
    if isinstance(error, Fr3dError):
        return error.message, error.hint or _hint_for(args), error.status
    if isinstance(error, ClickException):
        message = error.message if isinstance(error, NoSuchOption) else error.format_message()
        message = message.rstrip(".").replace("\n", " ")
        return message, _usage_hint(error, args), ExitStatus.USAGE
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        hint = _after_interruption(args)
        return "interrupted", hint, ExitStatus.INTERRUPTED
    if isinstance(error, MemoryError):
        hint = "try a smaller --size or --batch-size, or fewer --workers"
        return "memory ran out", hint, ExitStatus.UNAVAILABLE
    if isinstance(error, OSError) and (status := _os_status(error)):
        reason = str(error.strerror)
        reason = reason[:1].lower() + reason[1:]
        return f"{error.filename or 'output'}: {reason}", _OS_HINTS[status], status
    return (
        f"this is a bug in fr3d {__version__}: {type(error).__name__}: {error}",
        "run it again with -v for the traceback, and report that",
        ExitStatus.BUG,
    )


def _after_interruption(args: Sequence[str]) -> str:
    if args and args[0] in _RESUMING:
        return "finished work is kept: the same command line resumes"
    return "nothing half-done is left under the output's name"


def _os_status(error: OSError) -> int:
    if isinstance(
        error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError
    ) or error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
        return ExitStatus.MISSING
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS):
        return ExitStatus.CANNOT_WRITE
    return 0


def _hint_for(args: Sequence[str]) -> str:
    """What to do about an error that says no more."""
    known = args and args[0] in command_names()
    return f"fr3d {args[0]} --help shows the options" if known else "fr3d --help"


def _usage_hint(error: ClickException, args: Sequence[str]) -> str:
    import difflib

    if isinstance(error, NoSuchOption) and error.possibilities:
        typed = error.option_name
        return f"did you mean {difflib.get_close_matches(typed, error.possibilities, 1, 0)[0]}?"
    known = command_names()
    if args and not args[0].startswith("-") and args[0] not in known:
        near = difflib.get_close_matches(args[0], known, n=1)
        return f"did you mean fr3d {near[0]}?" if near else "fr3d --help lists the commands"
    context = getattr(error, "ctx", None) if isinstance(error, UsageError) else None
    return f"{context.command_path if context else 'fr3d'} --help shows the options"
