"""The last events of this process in order, each with its number, for whoever comes late.

Bounded by count and by weight; nothing here is kept on disk, and nobody is told anything.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from skill_agent.events import (
    ApprovalAsked,
    Event,
    MemoryRecalled,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    to_bytes,
)

MOST_EVENTS = 20_000
MOST_WEIGHT = 32 * 1024 * 1024
"""Bytes, as `Entry.weight` estimates them."""
OVERHEAD = 700
"""Bytes an event takes beside its texts, its JSON included."""


PIECES = (TextDelta, ThoughtDelta)
"""Events that are pieces of one text: neighbours of a kind may be told as one."""


class Entry:
    """One published event: its number, and its JSON once somebody asked for it."""

    __slots__ = ("_data", "event", "first", "seq", "weight")

    def __init__(self, seq: int, event: Event, *, first: int | None = None) -> None:
        self.seq, self.event = seq, event
        self.first = seq if first is None else first
        """The number of the first of the text pieces that were merged into it."""
        self.weight = OVERHEAD + 2 * _length(event)
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """`events.to_json` as one line of UTF-8; made once, however many listen."""
        if self._data is None:
            self._data = to_bytes(self.event)
        return self._data


def _length(event: Event) -> int:
    """About how many characters the event carries."""
    match event:
        case TextDelta() | ThoughtDelta() | TurnFinished() | TurnFailed():
            return len(event.text)
        case TurnStarted():
            return len(event.text) + sum(len(one.text) for one in event.attachments)
        case ToolFinished():
            return len(event.result)
        case ToolStarted() | ApprovalAsked():
            return sum(len(str(value)) for value in event.arguments.values())
        case MemoryRecalled():
            return sum(len(item.content) + OVERHEAD for item in event.items)
        case _:
            return OVERHEAD


def merged(entries: list[Entry]) -> Entry:
    """Neighbouring pieces of one turn's text or thoughts as one; it carries the last one's
    number."""
    first, last = entries[0], entries[-1]
    if first is last or not isinstance(first.event, PIECES):
        return first
    text = "".join(one.event.text for one in entries if isinstance(one.event, PIECES))
    return Entry(last.seq, replace(first.event, text=text), first=first.first)


class Journal:
    """A ring of entries numbered from 1 without holes."""

    def __init__(self, *, most: int = MOST_EVENTS, weight: int = MOST_WEIGHT) -> None:
        self._most, self._most_weight = most, weight
        self._ring: deque[Entry] = deque()
        self._by_turn: dict[str, deque[Entry]] = {}
        self._weight = 0
        self.last = 0
        """The number of the newest event; 0 before there is one."""

    @property
    def first(self) -> int:
        """The number of the oldest event still held; `last + 1` while it holds none."""
        return self.last + 1 - len(self._ring)

    def add(self, event: Event) -> Entry:
        self.last += 1
        entry = Entry(self.last, event)
        self._ring.append(entry)
        self._by_turn.setdefault(event.turn, deque()).append(entry)
        self._weight += entry.weight
        while len(self._ring) > self._most or (
            self._weight > self._most_weight and len(self._ring) > 1
        ):
            self._evict()
        return entry

    def _evict(self) -> None:
        oldest = self._ring.popleft()
        self._weight -= oldest.weight
        of_turn = self._by_turn[oldest.event.turn]
        of_turn.popleft()
        if not of_turn:
            del self._by_turn[oldest.event.turn]

    def after(self, seq: int, *, turn: str | None = None) -> Iterator[Entry]:
        """What is held with a higher number, in order; of one turn, where that is given."""
        if turn is None:
            return islice(self._ring, max(seq + 1 - self.first, 0), None)
        held: Iterable[Entry] = self._by_turn.get(turn, ())
        return (entry for entry in held if entry.seq > seq)
