"""What a person is about to name: a command at the beginning of a message, or something after `@`.

Text work only; what there is to choose from stands in `commands` and `naming`.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_COMMAND = re.compile(r"/([A-Za-z][\w-]*)?$")
_SENT = re.compile(r"/([A-Za-z][\w-]*)(?:\s+(.*))?", re.DOTALL)
_NAMED = re.compile(r"(?:^|[\s(\[\"'])@([^\s@]*)$")
_NEAR = 0.6


@dataclass(frozen=True, slots=True)
class Wish:
    """What is being named where the cursor is."""

    kind: Literal["command", "name"]
    typed: str
    row: int
    begin: int
    """Column of its `/` or `@`."""


def wish_at(text: str, row: int, column: int) -> Wish | None:
    """What the person names there; None where they just write."""
    line = text.split("\n")[row] if text else ""
    before = line[:column]
    if row == 0 and (found := _COMMAND.fullmatch(before)):
        return Wish("command", found[1] or "", 0, 0)
    if found := _NAMED.search(before):
        return Wish("name", found[1], row, column - len(found[1]) - 1)
    return None


@dataclass(frozen=True, slots=True)
class Command:
    """A message that is a command."""

    name: str
    rest: str = ""


def command_in(text: str) -> Command | None:
    """The command a message is; a path, two slashes and a blank before it are words."""
    found = _SENT.fullmatch(text.rstrip())
    return Command(found[1], (found[2] or "").strip()) if found else None


def as_words(text: str) -> str:
    """What is sent of a text that is none: two slashes at its beginning stand for one."""
    return text[1:] if text.startswith("//") and command_in(text[1:]) else text


def as_typed(text: str) -> str:
    """Words as the person has to type them, so that they are no command."""
    return f"/{text}" if command_in(text) else text


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was most likely meant; empty where there is none."""
    names = sorted(known)
    begun = [one for one in names if one.startswith(name.lower())]
    near = begun or difflib.get_close_matches(name.lower(), names, 1, _NEAR)
    return near[0] if near else ""
