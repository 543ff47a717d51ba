"""Links between notes as links between memories, where both came in."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from .found import Fact


class Links:
    """Gathered while notes are read; a note is stood for by its first section."""

    def __init__(self) -> None:
        self._first = dict[str, str]()
        """By a note's path without its end, ignoring case."""
        self._called = dict[str, str]()
        """A note's path, by another name of it."""
        self._links = list[tuple[str, str]]()

    def take(self, fact: Fact, name: str) -> None:
        """`name` is the id of what the fact becomes."""
        if not fact.note:
            return
        key = fact.note.casefold()
        self._first.setdefault(key, name)
        for called in fact.names:
            other = self._called.setdefault(called.casefold(), key)
            if len(PurePosixPath(key).parts) < len(PurePosixPath(other).parts):
                self._called[called.casefold()] = key
        self._links += [(name, link) for link in fact.links]

    def related(self) -> dict[str, Sequence[str]]:
        """Both ways, by memory; a link to what did not come in is none."""
        found = defaultdict[str, dict[str, None]](dict)
        for name, link in self._links:
            target = self._target(link.casefold())
            if target is not None and target != name:
                found[name][target] = None
                found[target][name] = None
        return {name: tuple(others) for name, others in found.items()}

    def _target(self, link: str) -> str | None:
        key = link if link in self._first else self._called.get(link)
        if key is None:
            key = self._called.get(PurePosixPath(link).name)
        return self._first.get(key) if key else None
