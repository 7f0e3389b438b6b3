"""The command line: `main(argv)` runs one command and returns its exit status."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: its words, without the program's name; those of the process by default.

    Returns:
        The exit status, see `fr3d.errors.ExitStatus`.
    """
    import sys

    from fr3d import __version__

    args = list(sys.argv[1:] if argv is None else argv)
    if args in (["--version"], ["-V"]):  # answered without loading Typer
        sys.stdout.write(f"fr3d {__version__}\n")
        return 0
    from fr3d.cli.program import run

    return run(args)


def entry() -> None:
    """The installed program."""
    import sys

    sys.exit(main())
