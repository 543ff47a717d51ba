"""What a command stands in: which home, which streams, and how a home is opened.

Tests hand in another one as Typer's context object. No command reads a global of its own, and
nothing heavy is imported before a home is really opened.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import typer

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.ports import Progress
    from skill_agent.workstation import Workstation

    from .opening.options import OpenOptions


def _read_line(prompt: str) -> str:
    """One line from the terminal, asked on stderr; raises EOFError at its end."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


def _read_secret(prompt: str) -> str:
    """One line from the terminal that is not shown."""
    from getpass import getpass

    return getpass(prompt, stream=sys.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything a command takes from outside."""

    path: Path | None = None
    """The home named by `--home`; None leaves it to the environment."""
    api: str = ""
    """Address of a home served somewhere else; empty for one on this machine."""
    opening: "OpenOptions | None" = None
    """What stands in for the real parts when the home is opened; None is nothing."""
    stdin: BinaryIO | None = None
    """Where piped text comes from; None is the process's own standard input."""
    terminal: bool | None = None
    """Whether a person can be asked; None looks at stdin and stderr."""
    read_line: Callable[[str], str] = _read_line
    """Asks a person for one line."""
    read_secret: Callable[[str], str] = _read_secret
    """Asks a person for a line that nobody shall see."""
    pull: "Callable[[str, Home, Progress | None], Path] | None" = None
    """Fetches a model; None is the real thing."""

    chores: bool = True
    """Whether chores that are due are done by a process of their own after a command."""

    @property
    def home(self) -> "Home":
        from skill_agent.files.home import find_home

        return find_home(self.path)

    def open_home(
        self, *, role: str, hosting: bool = False
    ) -> "AbstractAsyncContextManager[Workstation]":
        """The workstation of the home, wherever that is; see `OpenOptions` for the rest."""
        if self.api:
            from .opening.home import open_remote
            from .opening.remote_home import key

            return open_remote(self.api, key(), role=role)
        from .opening.joining import joined
        from .opening.options import OpenOptions
        from .output import narrate

        options = self.opening or OpenOptions()
        return joined(self.home, replace(options, role=role, hosting=hosting, tell=narrate))

    @property
    def interactive(self) -> bool:
        """Whether questions make sense."""
        if self.terminal is not None:
            return self.terminal
        return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    def confirm(self, question: str, *, default: bool = True) -> bool:
        """A yes or no from the person; the default where nobody can be asked."""
        if not self.interactive:
            return default
        from .output import without_controls

        asked = without_controls(question)
        answer = self.read_line(f"{asked} [{'Y/n' if default else 'y/N'}] ").strip().lower()
        return default if not answer else answer in ("y", "yes")


def surroundings(ctx: typer.Context) -> Surroundings:
    """The surroundings the outermost command was given, or the real ones."""
    return ctx.find_object(Surroundings) or Surroundings()


def on_this_machine(ctx: typer.Context) -> Surroundings:
    """As `surroundings`, for a command that reads or writes a home's files itself; raises
    UsageError where the home is somewhere else."""
    around = surroundings(ctx)
    if around.api:
        from skill_agent.errors import UsageError

        raise UsageError(
            f"`{ctx.command_path}` works on the files of a home on this machine",
            hint="leave --api out, and unset SKILL_AGENT_API",
        )
    return around


def _is_terminal(stream: Any) -> bool:
    """False also for a stream that is missing or closed."""
    try:
        return bool(stream is not None and stream.isatty())
    except ValueError:
        return False
