"""What the ledger read or wrote lately, kept in memory so that a turn asks the database little.

Everything in the ledger changes by log rows, and every committed row is heard here, in order, on
the ledger's own thread, before anybody is told of it: so an answer from here is what the tables
say. What is not certain is forgotten. Nothing is decided and no SQL is run here; any thread may
read.
"""

import json
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Any, Generic, TypeVar

from skill_agent.conversations.client_context import as_read
from skill_agent.values import IndexItem, LogEntry, Memory, Message, Session

from .chain import Entry
from .index_items import memory_item, turn_item
from .records import named_entities, tells_of_change
from .replay import fold

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_CHARACTERS = 8_000_000
"""Of messages, and half as many of memories; some 16 to 24 MB when full."""
_MOST_SESSIONS = 1_000
_MOST_LOGS = 1_000_000
_MOST_ROWS = 1_024
"""New messages that are kept for the index, which is some behind at the most."""
_FRAME = 500
"""Characters a value takes beside its texts."""

Answers = dict[tuple[str, ...], tuple[LogEntry, ...]]
"""Whole answers about one entity, by the kinds that were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A message as it was written, its place in the log, and its session at that time."""

    message: Message
    seq: int
    at: datetime
    session: Session


@dataclass(frozen=True, slots=True)
class _Talk:
    """All messages of a session, and how many characters they take."""

    messages: tuple[Message, ...] = ()
    size: int = _FRAME

    def plus(self, message: Message) -> "_Talk":
        return _Talk((*self.messages, message), self.size + _message_size(message))

    def told(self, message_id: str, data: dict[str, Any]) -> "_Talk | None":
        """With the block that was sent beside one of them; None if that is not among them (yet)."""
        if all(one.id != message_id for one in self.messages):
            return None
        size, messages = self.size, list(self.messages)
        for at, one in enumerate(messages):
            if one.id == message_id:
                messages[at] = replace(one, **sent_with(data))
                size += _message_size(messages[at]) - _message_size(one)
        return _Talk(tuple(messages), size)


class Recent:
    """The memory of one open ledger."""

    def __init__(self, owner: str = "me", *, most: int = MOST_CHARACTERS) -> None:
        self._owner = owner
        self._sessions: Bounded[str, Session] = Bounded(_MOST_SESSIONS, lambda _: 1)
        self._talks: Bounded[str, _Talk] = Bounded(most, lambda talk: talk.size)
        self._memories: Bounded[str, Memory] = Bounded(most // 2, _memory_size)
        self._logs: Bounded[str, Answers] = Bounded(_MOST_LOGS, _answers_size)
        self._since = 0
        self._newest: dict[str, int] = {}
        self._rows: deque[tuple[int, IndexItem | None]] = deque()
        self._rows_since = 0

    @property
    def size(self) -> int:
        """Characters held, about."""
        return self._talks.total + self._memories.total + self._logs.total

    def begin(self, seq: int) -> None:
        """Forgets everything; `seq` is the last log row there is."""
        self.forget()
        self._since = self._rows_since = seq
        self._newest = {}

    def forget(self) -> None:
        """Drops every text that is held."""
        for held in (self._sessions, self._talks, self._memories, self._logs):
            held.clear()
        self._rows_since = max([self._rows_since, *(seq for seq, _ in self._rows)])
        self._rows = deque()

    # -- answers -----------------------------------------------------------------------------

    def session(self, session_id: str) -> Session | None:
        return self._sessions.get(session_id)

    def talk(self, session_id: str) -> tuple[Message, ...] | None:
        """All messages of a session in order, each with the block that was sent beside it."""
        talk = self._talks.get(session_id)
        return talk.messages if talk is not None else None

    def memories(self, ids: Sequence[str]) -> dict[str, Memory]:
        """Those of the ids that are held."""
        found = ((one, self._memories.get(one)) for one in ids)
        return {one: memory for one, memory in found if memory is not None}

    def log(
        self, entity: str | None, kinds: tuple[str, ...], after: int, limit: int
    ) -> list[LogEntry] | None:
        """The rows, where they are known to be all; None where the database must be asked."""
        if kinds and after >= self._since:
            newest = self._newest
            if all(newest.get(kind, 0) <= after for kind in kinds):
                return []
        answers = self._logs.get(entity) if entity is not None else None
        if answers is None or (rows := answers.get(kinds)) is None:
            return None
        return [row for row in rows if row.seq > after][: max(limit, 0)]

    def news(self, after: int, limit: int) -> list[IndexItem] | None:
        """What the index has to learn since `after`, where that is new messages and memories of no
        session and nothing else; None where the database must be asked."""
        rows, since = self._rows, self._rows_since
        if after < since:
            return None
        fresh = [item for seq, item in sorted(rows, key=_by_seq) if seq > after]
        return [item for item in fresh if item] if len(fresh) < limit else None

    # -- read from the tables, on the ledger's thread ----------------------------------------

    def keep_session(self, session: Session) -> None:
        self._sessions.put(session.id, session)

    def keep_talk(self, session_id: str, messages: Sequence[Message]) -> None:
        size = _FRAME + sum(map(_message_size, messages))
        self._talks.put(session_id, _Talk(tuple(messages), size))

    def keep_memories(self, memories: Iterable[Memory]) -> None:
        for memory in memories:
            self._memories.put(memory.id, memory)

    def keep_log(self, entity: str, kinds: tuple[str, ...], rows: Sequence[LogEntry]) -> None:
        """A whole answer, from the log's beginning."""
        self._logs.put(entity, {**(self._logs.get(entity) or {}), kinds: tuple(rows)})

    # -- written, on the ledger's thread -----------------------------------------------------

    def hear(
        self, entries: Sequence[Entry], created: Iterable[Session], saved: Sequence[Saved]
    ) -> None:
        """What one transaction did, once it is on disk."""
        for session in created:
            self.keep_session(session)
            self.keep_talk(session.id, ())
        for one in saved:
            self._hear_message(one)
        for entry in entries:
            self._hear_row(entry)
        if any(entry.kind.endswith((".purged", ".imported")) for entry in entries):
            self.forget()
        for entry in entries:
            if (item := _made_alone(entry)) is not None:
                self._hear_item(entry.seq, item)
            elif _is_unlike_talk(entry.kind):
                self._rows_since = max(self._rows_since, entry.seq)

    def _hear_message(self, saved: Saved) -> None:
        message, session = saved.message, self._sessions.get(saved.message.session)
        if session is not None:
            latest = max(session.updated_at, saved.at)
            self.keep_session(replace(session, messages=session.messages + 1, updated_at=latest))
        if (talk := self._talks.get(message.session)) is not None:
            self._talks.put(message.session, talk.plus(message))
        self._hear_item(saved.seq, self._item(saved))

    def _hear_item(self, seq: int, item: IndexItem | None) -> None:
        rows = deque(self._rows, maxlen=_MOST_ROWS)
        if len(rows) == _MOST_ROWS:
            self._rows_since = rows[0][0]
        rows.append((seq, item))
        self._rows = rows

    def _hear_row(self, entry: Entry) -> None:
        self._newest[entry.kind] = entry.seq
        if entry.kind.startswith("memory."):
            self._memories.drop(entry.entity)
        elif entry.kind.startswith("session.") and entry.kind != "session.created":
            self._sessions.drop(entry.entity)
        self._drop_answers(entry.entity, entry.kind)
        if entry.payload and not tells_of_change(entry.kind):
            self._hear_note(entry, json.loads(entry.payload)["new"])

    def _hear_note(self, entry: Entry, data: Any) -> None:
        for name in named_entities(data):
            self._drop_answers(name, entry.kind)
            if entry.kind == "recalled" and (talk := self._talks.get(name)) is not None:
                self._hold_talk(name, talk.told(entry.entity, data))

    def _hold_talk(self, session_id: str, talk: _Talk | None) -> None:
        if talk is None:
            self._talks.drop(session_id)
        else:
            self._talks.put(session_id, talk)

    def _drop_answers(self, entity: str, kind: str) -> None:
        if (answers := self._logs.get(entity)) is None:
            return
        left = {kinds: rows for kinds, rows in answers.items() if kinds and kind not in kinds}
        self._logs.put(entity, left)

    def _item(self, saved: Saved) -> IndexItem | None:
        if saved.session.archived or saved.message.role not in ("user", "assistant"):
            return None
        if not saved.message.content.strip():
            return None
        return turn_item(saved.message, saved.seq, saved.session.agent, self._owner)


class Bounded(Generic[Key, Value]):
    """A mapping that holds at most so much in all, as `size` counts it; what was not asked for
    longest goes first, and a value above a quarter of all is not held. Any thread may call."""

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self._most, self._size = most, size
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()
        self.total = 0
        """Of what is held now."""

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Value | None:
        """What is held, which then counts as just used."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Key, value: Value) -> None:
        """Holds a value, in place of the key's last one."""
        size = self._size(value)
        with self._lock:
            self._drop(key)
            if size * 4 > self._most:
                return
            self._held[key] = (value, size)
            self.total += size
            while self.total > self._most:
                _, (_, gone) = self._held.popitem(last=False)
                self.total -= gone

    def drop(self, key: Key) -> None:
        """Forgets a key, held or not."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._held.clear()
            self.total = 0

    def _drop(self, key: Key) -> None:
        if (found := self._held.pop(key, None)) is not None:
            self.total -= found[1]


def sent_with(data: Any) -> dict[str, Any]:
    """The fields of a message that its `recalled` row tells, as far as it does."""
    said = data if isinstance(data, dict) else {}
    block, memories = said.get("block"), said.get("memories")
    named = memories if isinstance(memories, list | tuple) else ()
    return {
        "context": block if isinstance(block, str) else "",
        "recalled": tuple(one for one in named if isinstance(one, str)),
    }


def _by_seq(row: tuple[int, IndexItem | None]) -> int:
    return row[0]


def _made_alone(entry: Entry) -> IndexItem | None:
    """A new memory as the index holds it, unless its place in a session has to be looked up."""
    if entry.kind != "memory.created" or not entry.payload:
        return None
    [record] = fold([(entry.entity, entry.kind, entry.payload)]).values()
    return None if record["source_session"] else memory_item(record, entry.seq, {})


def _is_unlike_talk(kind: str) -> bool:
    """Whether a row means more to the index than a message at the end of a talk."""
    return tells_of_change(kind) and kind not in ("message.saved", "session.created")


def _message_size(message: Message) -> int:
    calls = sum(len(repr(call)) for call in message.tool_calls)
    sent = message.client_context
    shown = sum(len(image.data) for image in sent.images) if sent else 0
    return _FRAME + len(as_read(message)) + len(message.context) + calls + shown


def _memory_size(memory: Memory) -> int:
    told = len(repr(memory.metadata)) if memory.metadata else 0
    return 2 * _FRAME + len(memory.content) + told + 40 * len(memory.source.message_ids)


def _answers_size(answers: Answers) -> int:
    return sum(_FRAME + sum(map(_row_size, rows)) for rows in answers.values())


def _row_size(row: LogEntry) -> int:
    return _FRAME + len(repr(row.new)) + len(repr(row.old))
