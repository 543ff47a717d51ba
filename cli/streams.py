"""The standard streams of the process, made so that no command must think of how they may fail.

A stream the caller closed becomes a file that holds nothing; what cannot be written to stdout is
told as an error of its own.
"""

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

from skill_agent.errors import SkillAgentError


class Unwritable(SkillAgentError):
    """What was to be shown cannot be written where stdout leads."""


class NobodyReads(BaseException):
    """Whoever read the output has gone. As KeyboardInterrupt, nothing but the outer wall handles
    it: Typer would make an exit code of its own of a BrokenPipeError."""


class Output(io.TextIOWrapper):
    """Standard output; raises Unwritable where it takes no more, NobodyReads where nobody does."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise _told(error) from None

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise _told(error) from None


def mend_streams() -> None:
    """Opens what is closed, and puts our own stdout in the place of Python's."""
    for descriptor in (0, 1, 2):  # a file of the home must never get the number of a stream
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        return
    sys.stdout = Output(
        open(sys.stdout.fileno(), "wb", closefd=False),  # noqa: SIM115
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=bool(sys.stdout.line_buffering),
    )


def silence(stream: TextIO) -> None:
    """What goes there goes nowhere from now on, so that the interpreter ends without a word."""
    with suppress(OSError, ValueError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, stream.fileno())
        os.close(sink)


def _told(error: OSError) -> NobodyReads | Unwritable:
    if isinstance(error, BrokenPipeError):
        return NobodyReads()
    return Unwritable(
        f"the output cannot be written: {error.strerror or error}",
        hint="is the disk full, or the file read-only? write somewhere else",
    )


def drop_typed_ahead() -> None:
    """What was typed before the question was shown answers nothing."""
    try:
        import termios

        if sys.stdin.isatty():
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
    except (ImportError, OSError, ValueError):  # no such terminals here, or no terminal at all
        return
