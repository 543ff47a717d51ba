"""Which folder a command means, and how what lies there is told; light, for `status` and `doctor`
look there too."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import ConfigError, UsageError
from skill_agent.files.home import Home
from skill_agent.text.clock import local, minute_of

from ..output import narrate

if TYPE_CHECKING:
    from skill_agent.backups.shelf import Shelf
    from skill_agent.settings.schema import BackupSettings
    from skill_agent.values import Backup

WhichArgument = Annotated[
    str, typer.Argument(metavar="[WHICH]", help="Id, its beginning, a path, or `latest`.")
]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="Look here for backups.")
]


def backup_settings(home: Home) -> "BackupSettings":
    """The settings of a home that may be broken or gone: then the defaults."""
    from skill_agent.files.private import read_text
    from skill_agent.settings.parsing import parse_settings
    from skill_agent.settings.schema import BackupSettings

    try:
        text = read_text(home.config) if home.exists else ""
        return parse_settings(text, str(home.config), dict(os.environ))[0].backup
    except ConfigError as problem:
        narrate(f"warning: {problem.message}; the default settings are used")
        return BackupSettings()


def shelf_of(home: Home, folder: Path | None) -> "Shelf":
    """The folder that was named, else the one of the home's settings."""
    from skill_agent.backups.shelf import Shelf, folder_of

    if folder is not None:
        return Shelf(folder.expanduser().absolute())
    return Shelf(folder_of(home, backup_settings(home)))


def moment(text: str) -> datetime:
    """A time as a person writes it, of their own clock unless it says otherwise."""
    try:
        said = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return said if said.tzinfo else said.replace(tzinfo=local(datetime.now(UTC)).tzinfo)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no time", hint="for example 2026-11-30 or 2026-11-30T09:00:00Z"
        ) from None


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{count / 1_000:.0f} kB"


def when(backup: "Backup") -> str:
    """By the person's clock."""
    return minute_of(backup.at)
