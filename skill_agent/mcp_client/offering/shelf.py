"""What of the servers' tools stands in the prompt of one agent's conversation.

What stands on it stays there in its order, so that the prompt's beginning does; a search adds to
its end. A tool that has become another one, or is gone, is no longer what stood there.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from skill_agent.ports import Tool

from .borrowed import Sound
from .finding import Found

MOST = 100
"""Tools of servers in one prompt; providers take 128 of all kinds."""
AT_FIRST = 0.7
"""Of its room what is filled unasked, where not all fits; the rest is for what is searched for."""
SEARCH = 80
"""Tokens that `find_tool` takes itself."""
_CHARS_PER_TOKEN = 4


def size_of(tool: Sound) -> int:
    """Tokens its description takes, about."""
    spec = tool.spec
    told = json.dumps([spec.name, spec.description, spec.parameters], ensure_ascii=False)
    return len(told.encode("utf-8", "replace")) // _CHARS_PER_TOKEN + 1


@dataclass(slots=True)
class Shelf:
    """Of one agent in one conversation."""

    room: int
    """Tokens."""
    most: int = MOST
    servers: set[str] = field(default_factory=set)
    """Those whose tools were looked at."""
    tools: dict[str, Sound] = field(default_factory=dict)
    searching: bool = False
    """There is more than stands here."""
    told: set[str] = field(default_factory=set)
    """What the person was told in this conversation."""

    @property
    def used(self) -> int:
        return sum(map(size_of, self.tools.values()))

    def renew(self, known: Mapping[str, Sound], servers: set[str]) -> None:
        """Takes tools of these servers as they are now; a tool keeps its place."""
        for name, tool in [*self.tools.items()]:
            if tool.found.server not in servers:
                continue
            if (now := known.get(name)) is None or now.problem:
                del self.tools[name]
            elif now.found.digest != tool.found.digest:
                self.tools[name] = now

    def fits(self, tools: Sequence[Sound]) -> bool:
        """Whether all of them have room beside what stands here."""
        new = [one for one in tools if one.name not in self.tools]
        many = len(self.tools) + len(new) > self.most
        return not many and self.used + sum(map(size_of, new)) <= self.room

    def search(self) -> None:
        """From now on there is more than stands here."""
        if not self.searching:
            self.searching = True
            self.room -= SEARCH

    def fill(self, tools: Sequence[Sound], share: float = 1.0) -> list[Sound]:
        """Puts on what has room, in this order; gives the rest."""
        used, limit, rest = self.used, int(self.room * share), list[Sound]()
        for tool in tools:
            if tool.name in self.tools:
                continue
            size = size_of(tool)
            if used + size > limit or len(self.tools) >= self.most:
                rest.append(tool)
                continue
            self.tools[tool.name] = tool
            used += size
        return rest

    def add(self, tools: Sequence[Sound]) -> Found:
        """What a search found."""
        there = [one.name for one in tools if one.name in self.tools]
        rest = {one.name for one in self.fill(tools)}
        new = [one.name for one in tools if one.name not in rest and one.name not in there]
        return Found(there=there, added=new, unfit=sorted(rest))


class UntilUsed(Mapping[str, Tool]):
    """Tools for a small model: none once one of them has given something, for it would go on."""

    def __init__(self, tools: Mapping[str, Tool], used: Callable[[], bool]) -> None:
        self._tools, self._used = tools, used

    def __getitem__(self, name: str) -> Tool:
        if self._used():
            raise KeyError(name)
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(()) if self._used() else iter(self._tools)

    def __len__(self) -> int:
        return 0 if self._used() else len(self._tools)


class OnShelf(Mapping[str, Tool]):
    """What stands on a shelf as the tools of one turn, also what is put there while it runs."""

    def __init__(
        self, shelf: Shelf, make: Callable[[Sound], Tool], search: Tool | None = None
    ) -> None:
        """`search` stands before all others, for they may become more."""
        self._shelf, self._make = shelf, make
        self._first = {search.spec.name: search} if search else {}
        self._made: dict[str, tuple[Sound, Tool]] = {}

    def __getitem__(self, name: str) -> Tool:
        if name in self._first:
            return self._first[name]
        tool = self._shelf.tools[name]
        made = self._made.get(name)
        if made is None or made[0] is not tool:
            made = self._made[name] = tool, self._make(tool)
        return made[1]

    def __iter__(self) -> Iterator[str]:
        yield from self._first
        yield from [*self._shelf.tools]

    def __len__(self) -> int:
        return len(self._first) + len(self._shelf.tools)
