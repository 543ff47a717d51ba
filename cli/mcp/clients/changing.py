"""What setting up a client, or taking it back, does to its file: first thought out, then done.

Between the two a person is asked, and the file may change: it is read and thought out again under a
lock, and what would be another change than the one shown is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from skill_agent.errors import ConfigError, Conflict

from . import files
from .command import served
from .documents import Document
from .files import Found
from .known import Client, Scope, switched_off, words_of

State = Literal["absent", "same", "ours", "foreign"]
"""What stands under the name: nothing, what is wanted, another command of ours, somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file as it is and as it would be."""

    found: Found
    state: State
    after: bytes | None
    """None: there would be no file."""
    off: bool = False
    """What stands there is switched off."""
    restores: Path | None = None
    """What was kept, and is there again afterwards."""

    @property
    def changes(self) -> bool:
        return self.after != self.found.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done."""

    change: Change
    backup: Path | None = None
    """Where the file as it was is kept."""


Thought = Callable[[Found], Change]


def putting(client: Client, name: str, words: Sequence[str]) -> Thought:
    """How the entry is put into a file."""

    def thought(found: Found) -> Change:
        document = Document.of(client, found)
        there = document.servers.get(name)
        entry = client.entry(words)
        state = _state(there, words, client)
        if state == "same":
            return Change(found=found, state=state, after=found.raw, off=switched_off(there))
        if state == "ours" and isinstance(there, dict):
            entry = _kept(there, entry)
        made = document.with_server(name, entry)
        return Change(found=found, state=state, after=found.encoded(made.text))

    return thought


def taking(client: Client, name: str) -> Thought:
    """How it is taken out of one."""

    def thought(found: Found) -> Change:
        if found.raw is None:
            return Change(found=found, state="absent", after=None)
        document = Document.of(client, found)
        there = document.servers.get(name)
        if there is None:
            return Change(found=found, state="absent", after=found.raw)
        if served(words_of(there)) is None:
            return Change(found=found, state="foreign", after=found.raw)
        kept = files.backups(found)
        for backup in kept:
            raw = _if_it_was(client, backup, found, name, there)
            if raw is not None:
                return Change(found=found, state="ours", after=raw, restores=backup)
        made = _pruned(document.without_server(name), document.container, found, kept[-1:])
        ours = not kept and made.text.strip() in ("", "{}")
        return Change(found=found, state="ours", after=None if ours else found.encoded(made.text))

    return thought


def do(shown: Change, think: Thought, *, scope: Scope) -> Done:
    """Does what was shown; raises Conflict where it would be something else by now."""
    with files.alone(shown.found):
        change = think(files.read(shown.found.file))
        if change.state == "foreign" and change != shown:
            raise Conflict(
                f"{shown.found.file} has changed meanwhile, and another server has that name now",
                hint="see what is there, and run it again",
            )
        if not change.changes:
            return Done(change=change)
        files.check_writable(change.found)
        backup = _kept_beside(change)
        if change.after is None:
            files.remove(change.found)
        else:
            files.write(change.found, change.after, private=scope == "user")
        if change.restores:
            change.restores.unlink(missing_ok=True)
        return Done(change=change, backup=backup)


def _kept_beside(change: Change) -> Path | None:
    """Keeps the file as it was before our first change; a change of our own entry is none."""
    if change.restores or change.after is None:
        return None
    if change.state == "ours" and files.backups(change.found):
        return None
    return files.keep(change.found)


def snippet(client: Client, name: str, words: Sequence[str]) -> str:
    """What to put into a file by hand."""
    return Document(client, "", "").with_server(name, client.entry(words)).text


def _state(there: Any, words: Sequence[str], client: Client) -> State:
    if there is None:
        return "absent"
    if served(words_of(there)) is None:
        return "foreign"
    fits = all(there.get(name, value) == value for name, value in client.first.items())
    return "same" if fits and words_of(there) == tuple(words) else "ours"


def _kept(there: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Our entry with what the person added to the one that is there."""
    return {**there, **{name: there.get("env", one) if name == "env" else one
                        for name, one in entry.items()}}  # fmt: skip


def _if_it_was(
    client: Client, backup: Path, found: Found, name: str, entry: dict[str, Any]
) -> bytes | None:
    """What was kept, if the file is that with our entry and nothing else; None otherwise."""
    try:
        before = files.read(backup)
        was = Document.of(client, before)
        if name not in was.servers and was.with_server(name, entry).text == found.text:
            return before.raw
    except ConfigError:
        pass  # what was kept cannot be read as such a file: it is no help here
    return None


def _pruned(made: Document, path: Sequence[str], found: Found, kept: Sequence[Path]) -> Document:
    """Without the objects that were made for our entry and hold nothing now."""
    before = None
    if kept:
        try:
            before = Document.of(made.client, files.read(kept[0]))
            before.has(path)
        except ConfigError:
            return made
    for depth in range(len(path), 0, -1):
        if before is not None and before.has(path[:depth]):
            break
        made = made.without_empty(path[:depth])
    return made
