"""Typer groups that import, or make, a command only when it is called.

The one-line summaries stand in the table, so that `--help` costs no import; a test holds each
against the command's own help.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
import typer.core
import typer.main
from typer.models import CommandInfo

from .latest import with_latest
from .picking import with_picks
from .plain_parameters import made_plain

COMPLETES = "_SKA_COMPLETE"
"""Set by a shell that asks what could come next."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as the table knows it."""

    module: str
    """Module of this package whose `app` holds the command."""
    summary: str


class _Listed(typer.core.TyperGroup):
    """A group whose help says of each command its whole first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the listing; a stand-in costs no import."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first(self.commands[name])) for name in self.commands])


class LazyGroup(_Listed):
    """Holds a stand-in for each command; the real one is loaded on `get_command`."""

    entries: Mapping[str, Entry] = MappingProxyType({})

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        own = dict(self.commands)
        stand_ins = {
            name: typer.core.TyperCommand(name, help=entry.summary, short_help=entry.summary)
            for name, entry in self.entries.items()
        }
        self.commands = {**stand_ins, **own}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The real command, imported now; None for an unknown name."""
        entry = self.entries.get(cmd_name)
        return load(cmd_name, entry) if entry else super().get_command(ctx, cmd_name)


class LateTyper(typer.Typer):
    """A group that makes a command of a function only when that command is asked for."""

    def __init__(self, **attributes: Any) -> None:
        self.later = Later()
        super().__init__(cls=type("Group", (LateGroup,), {"later": self.later}), **attributes)

    def command(self, name: str | None = None, **attributes: Any) -> Any:
        """As Typer's; the command is kept aside."""
        decorator = super().command(name, **attributes)

        def register(function: Any) -> Any:
            decorator(function)
            self.later.add(self.registered_commands.pop())
            return function

        return register


class Later(Mapping[str, Any]):
    """Commands by name, each made when it is looked up."""

    def __init__(self) -> None:
        self._described: dict[str, CommandInfo] = {}
        self._made: dict[str, Any] = {}

    def add(self, described: CommandInfo) -> None:
        function = getattr(described.callback, "__name__", "")
        self._described[described.name or typer.main.get_command_name(function)] = described

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            made = typer.main.get_command_from_info(
                self._described[name], pretty_exceptions_short=False, rich_markup_mode=None
            )
            self._made[name] = _ready(made)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._described)

    def __len__(self) -> int:
        return len(self._described)


class LateGroup(_Listed):
    """The group of a `LateTyper`."""

    later: Later

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = self.later


def load(name: str, entry: Entry) -> Any:
    """The real command behind an entry, under the entry's name."""
    app = import_module(f".{entry.module}", __package__).app
    late = isinstance(app, LateTyper)
    command = typer.main.get_group(app) if late else typer.main.get_command(app)
    command.name = name
    return _ready(command)


def _ready(command: Any) -> Any:
    """A command as it is run, or as a shell asks it what could come next."""
    command = with_latest(with_picks(command))
    if COMPLETES in os.environ:
        from .completing import with_values

        return with_values(command)
    return made_plain(command)


def _first(command: Any) -> str:
    return (command.short_help or command.help or "").strip().split("\n")[0].rstrip(".")
