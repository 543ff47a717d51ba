"""Where a passphrase comes from: a file, the environment, or a person who is asked without echo.

Never from the command line, which others on the machine can read.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from skill_agent.errors import UsageError

from ..surroundings import Surroundings

VARIABLE = "SKA_BACKUP_PASSPHRASE"

PassphraseFileOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="Its first line is the passphrase."),
]


def new_passphrase(around: Surroundings, file: Path | None, *, encrypt: bool) -> str:
    """For a backup that is made; empty where none is wanted. Raises UsageError for one that cannot
    be had, is too short, or was typed differently the second time."""
    from skill_agent.backups.sealing import checked_passphrase

    if given := _given(file):
        return checked_passphrase(given)
    if not encrypt:
        return ""
    if not around.interactive:
        raise UsageError(
            "there is no terminal to ask for a passphrase",
            hint=f"--passphrase-file FILE, or {VARIABLE} in the environment",
        )
    first = checked_passphrase(around.read_secret("Passphrase for this backup: "))
    if around.read_secret("The same again: ") != first:
        raise UsageError("these are two different passphrases", hint="try again")
    return first


def known_passphrase(around: Surroundings, file: Path | None, *, encrypted: bool) -> str:
    """For a backup that is there; empty for one that needs none, or where nobody can be asked."""
    if not encrypted:
        return ""
    if given := _given(file):
        return given
    return around.read_secret("Passphrase of the backup: ") if around.interactive else ""


def _given(file: Path | None) -> str:
    if file is None:
        return os.environ.get(VARIABLE, "")
    from skill_agent.files.private import read_text

    lines = read_text(file.expanduser()).splitlines()
    if not lines or not lines[0]:
        raise UsageError(f"the first line of {file} is empty", hint="write the passphrase there")
    return lines[0]
