"""Reading all of what a person names, once, before anything of it is kept."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from skill_agent.text.language import language_of
from skill_agent.values import PastRequest, PastSource

from .found import Fact, Item, Items, LeftOut, Talk
from .links import Links
from .readers import chatgpt, claude, claude_code, letta, mem0, notes
from .taking import Taking
from .tree import Tree

READERS = MappingProxyType(
    {
        "chatgpt": chatgpt.read,
        "claude": claude.read,
        "claude-code": claude_code.read,
        "mem0": mem0.read,
        "letta": letta.read,
        "markdown": notes.read,
        "obsidian": notes.read,
    }
)
_TITLES, _TASTED, _TASTE = 5, 200, 400
"""Titles that are told; conversations and memories, and characters of each, whose language is."""
_MOST_ITEMS, _MOST_CHARACTERS = 500, 2_000_000
"""What comes in with one write."""


@dataclass(slots=True)
class Survey:
    """What there is."""

    wanted: PastRequest
    stamp: str
    left: LeftOut = field(default_factory=LeftOut)
    roles: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    sessions: dict[str, int] = field(default_factory=dict)
    """How many lines each has."""
    memories: set[str] = field(default_factory=set)
    titles: list[str] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None
    links: Links = field(default_factory=Links)

    def take(self, item: Item, taking: Taking) -> None:
        """Counts something that was found."""
        if isinstance(item, Talk):
            self._talk(item, taking)
        else:
            name = taking.memory_id(item)
            self.memories.add(name)
            self.links.take(item, name)
            self._taste(item.text)
            self._title(item.text)
            self._date(item.at)

    def _talk(self, talk: Talk, taking: Taking) -> None:
        name = taking.session_id(talk)
        if name in self.sessions:
            self.left.count("conversations that are in it twice")
            return
        self.sessions[name] = len(talk.lines)
        self.roles.update(one.role for one in talk.lines)
        self._taste(talk.first_said)
        self._title(talk.title or talk.first_said)
        for one in (talk.at, *(line.at for line in talk.lines)):
            self._date(one)

    def _title(self, said: str) -> None:
        if len(self.titles) < _TITLES:
            self.titles.append(" ".join(said.split())[:80])

    def _taste(self, said: str) -> None:
        if self.languages.total() < _TASTED and said.strip():
            self.languages[language_of(said[:_TASTE])] += 1

    def _date(self, at: datetime | None) -> None:
        if at is not None:
            self.first = min(self.first or at, at)
            self.last = max(self.last or at, at)


def surveyed(tree: Tree, survey: Survey, taking: Taking) -> Iterator[int]:
    """Takes all of it into the survey; gives at times how many things that were."""
    for number, item in enumerate(items_of(tree, taking.source, survey.left), 1):
        survey.take(item, taking)
        if number % _MOST_ITEMS == 0:
            yield number


def items_of(tree: Tree, source: PastSource, left: LeftOut) -> Items:
    return READERS[source](tree, left)


def slices(items: Items) -> Iterator[list[Item]]:
    """As many at a time as one write may hold; a conversation is never parted, and comes once."""
    held, size, seen = list[Item](), 0, set[str]()
    for item in items:
        if isinstance(item, Talk):
            if item.id in seen:
                continue
            seen.add(item.id)
        held.append(item)
        size += _size(item)
        if len(held) >= _MOST_ITEMS or size >= _MOST_CHARACTERS:
            yield held
            held, size = [], 0
    if held:
        yield held


def _size(item: Item) -> int:
    if isinstance(item, Fact):
        return len(item.text) + 500
    return sum(len(one.text) + 500 for one in item.lines)
