"""A Typer group that lists its commands from a table and imports one only when it is called.

The one-line summaries stand in the table, so that `--help` costs no import; a test holds each
against the command's own help.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
import typer.core
import typer.main


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as the table knows it."""

    module: str
    """Module of this package whose `app` holds the command."""
    summary: str


class LazyGroup(typer.core.TyperGroup):
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

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the listing without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first(self.commands[name])) for name in self.commands])


def load(name: str, entry: Entry) -> Any:
    """The real command behind an entry, under the entry's name."""
    module = import_module(f".{entry.module}", __package__)
    command = typer.main.get_command(module.app)
    command.name = name
    return command


def _first(command: Any) -> str:
    return (command.short_help or command.help or "").strip().split("\n")[0].rstrip(".")
