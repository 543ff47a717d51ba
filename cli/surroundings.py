"""What a command stands in: which home, which streams, and how a home is opened.

Tests hand in another one as Typer's context object. No command reads a global of its own, and
nothing heavy is imported before a home is really opened.
"""

import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeVar

import typer

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.ports import Progress
    from skill_agent.workstation import Workstation

Result = TypeVar("Result")


class OpenHome(Protocol):
    """Opens a home and gives its runtime; `compose.open_home` or a test's own."""

    def __call__(
        self,
        path: Path | None = None,
        *,
        create: bool = False,
        hosting: bool = False,
        role: str = "script",
    ) -> "AbstractAsyncContextManager[Workstation]": ...


def _open_home(
    path: Path | None = None,
    *,
    create: bool = False,
    hosting: bool = False,
    role: str = "script",
) -> "AbstractAsyncContextManager[Workstation]":
    from .compose import open_home

    return open_home(path, create=create, hosting=hosting, role=role)


def _pull(name: str, home: "Home", progress: "Progress | None" = None) -> Path:
    from .compose import pull_model

    return pull_model(name, home, progress)


def _read_line(prompt: str) -> str:
    """One line from the terminal, asked on stderr; raises EOFError at its end."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything a command takes from outside."""

    path: Path | None = None
    """The home named by `--home`; None leaves it to the environment."""
    api: str = ""
    """Address of a home served somewhere else; empty for one on this machine."""
    open_home: OpenHome = _open_home
    stdin: BinaryIO | None = None
    """Where piped text comes from; None is the process's own standard input."""
    terminal: bool | None = None
    """Whether a person can be asked; None looks at stdin and stderr."""
    read_line: Callable[[str], str] = _read_line
    """Asks a person for one line."""
    pull: "Callable[[str, Home, Progress | None], Path]" = _pull
    """Fetches a model; raises NotFound or PullFailed."""

    @property
    def home(self) -> "Home":
        from skill_agent.files.home import find_home

        return find_home(self.path)

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
        answer = self.read_line(f"{question} [{'Y/n' if default else 'y/N'}] ").strip().lower()
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


def ready_home(around: Surroundings) -> "Home":
    """The home, made on first use: a person is asked, a script gets a line on stderr.

    No model is downloaded for a script. Raises NotFound when the person declines.
    """
    home = around.home
    if around.api:
        from .elsewhere import make_own_files

        return make_own_files(home)
    if home.exists:
        return home
    from .output import narrate

    if around.interactive:
        from skill_agent.errors import NotFound

        from .init import set_up

        narrate(f"There is no skill-agent home at {home.root} yet.")
        if not around.confirm("Set it up now?"):
            raise NotFound(f"no home at {home.root}", hint="ska init")
        set_up(around)
        return home
    from .compose import init_home

    narrate(f"Making a home at {home.root} (settings only; `ska init` also fetches a model).")
    init_home(home)
    return home


def with_runtime(ctx: typer.Context, work: "Callable[[Workstation], Awaitable[Result]]") -> Result:
    """Opens the home, made if need be, runs the work on its runtime and closes it again."""
    around = surroundings(ctx)
    role = ctx.find_root().invoked_subcommand or "script"
    return run_with(around, ready_home(around), work, role=role)


def run_with(
    around: Surroundings,
    home: "Home",
    work: "Callable[[Workstation], Awaitable[Result]]",
    *,
    role: str = "script",
) -> Result:
    """Runs the work on the runtime of a home; `role` is what the command is to its person."""
    import asyncio

    async def opened() -> Result:
        async with around.open_home(home.root, create=True, role=role) as runtime:
            return await work(runtime)

    return asyncio.run(opened())


def _is_terminal(stream: Any) -> bool:
    """False also for a stream that is missing or closed."""
    try:
        return bool(stream is not None and stream.isatty())
    except ValueError:
        return False
