"""What can go wrong for a user, and the exit status of each."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses of the program; 64-78 follow BSD sysexits."""

    OK = 0
    BUG = 1
    USAGE = 2
    REQUIREMENT = 3
    MALFORMED = 65
    MISSING = 66
    UNAVAILABLE = 69
    CANNOT_WRITE = 73
    INTERRUPTED = 130
    READER_GONE = 141


class Fr3dError(Exception):
    """An error that the user can mend: one line, and a hint how.

    Args:
        message: lower case, no full stop, the file's name first, found against expected.
        hint: what to do about it, or empty.
    """

    status = ExitStatus.BUG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["Fr3dError"], tuple[str, str]]:
        """Cross process borders with the hint."""
        return type(self), (self.message, self.hint)


class UsageError(Fr3dError):
    """Options that do not fit together."""

    status = ExitStatus.USAGE


class RequirementNotMetError(Fr3dError):
    """A figure stayed below what `--require` asks."""

    status = ExitStatus.REQUIREMENT


class MalformedInputError(Fr3dError):
    """An input is there but is not what it should be."""

    status = ExitStatus.MALFORMED


class MissingInputError(Fr3dError):
    """An input is not there or cannot be read."""

    status = ExitStatus.MISSING


class UnavailableError(Fr3dError):
    """A device or an optional package is not there."""

    status = ExitStatus.UNAVAILABLE


class CannotWriteError(Fr3dError):
    """An output exists already or cannot be written."""

    status = ExitStatus.CANNOT_WRITE


def cannot_read(path: object, error: OSError) -> MissingInputError:
    """The error to raise when the operating system refused to open or read an input.

    Args:
        path: the input, as the user named it.
        error: what the system said.
    """
    reason = error.strerror or str(error)
    return MissingInputError(
        f"{path}: cannot be read: {reason[:1].lower()}{reason[1:]}",
        "is the path right, and may you read it?",
    )
