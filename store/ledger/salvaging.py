"""Sessions, messages, memories and notes made whole again from what could still be read.

Pure: rows with lost values and items of the index go in, what a new ledger takes comes out. Nothing
is invented: what has no text, or no name, is counted as missing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from skill_agent.identifiers import iso
from skill_agent.values import Belongings, IndexItem, Memory, Message, Note, Session, Source

from .records import (
    MEMORY_FIELDS,
    MESSAGE_FIELDS,
    Record,
    aware,
    from_row,
    log_entry,
    memory_value,
    message_value,
    stored_time,
    tells_of_change,
)
from .replay import fold

Row = Mapping[str, Any]
UNKNOWN_ORIGIN = ("import",)
"""Of what lost the mark of who wrote it: it is not taken for the person's own words."""
_TITLE = "(a conversation whose title was lost)"
_NAMED = {"kind", "entity"}
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of a table."""

    name: str
    found: int = 0
    from_index: int = 0
    """Of those found, the ones whose text only the index still had."""
    missing: int | None = None
    """None where nobody knows how many there were."""


@dataclass(slots=True)
class Salvage:
    """What was put together."""

    belongings: Belongings = field(default_factory=Belongings)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    problem: str = ""
    """Why the file itself gave nothing."""

    @property
    def empty(self) -> bool:
        there = self.belongings
        return not (there.sessions or there.messages or there.memories or there.notes)


class Pieces:
    """Everything that was read, and how it is joined. `lost` stands for a value that was not."""

    def __init__(
        self,
        tables: Mapping[str, Sequence[Row]],
        items: Iterable[IndexItem],
        lost: object,
    ) -> None:
        self._lost = lost
        self._tables = tables
        log = [row for row in map(self._known, tables.get("log", ())) if row.keys() >= _NAMED]
        self._log = sorted(log, key=lambda row: row.get("seq", 0))
        self._gone = {row["entity"] for row in log if row["kind"].endswith(".purged")}
        self._items = {one.id: one for one in items if one.id not in self._gone}
        self.from_index = {"messages": 0, "memories": 0}

    def put_together(self) -> Belongings:
        """All that is whole enough to be taken in."""
        messages = self._messages()
        return Belongings(
            sessions=tuple(self._sessions(messages)),
            messages=tuple(messages),
            memories=tuple(self._memories()),
            notes=tuple(self._notes()),
        )

    def known_to_log(self, begun: str, kinds: tuple[str, ...]) -> int:
        """How many entities the log tells of that were not erased."""
        named = {one["entity"] for one in self._log if one["kind"] in kinds or one["kind"] == begun}
        return len(named - self._gone)

    # -- messages and sessions ---------------------------------------------------------------

    def _messages(self) -> list[Message]:
        found: dict[str, Message] = {}
        for row in map(self._known, self._tables.get("messages", ())):
            item = self._items.get(row.get("id", ""))
            if (message := self._message(row, item)) is not None:
                found[message.id] = message
        for item in self._items.values():
            if item.kind == "turn" and item.id not in found and item.session:
                found[item.id] = _said(item)
                self.from_index["messages"] += 1
        return _in_order(found.values())

    def _message(self, row: dict[str, Any], item: IndexItem | None) -> Message | None:
        if "content" not in row and item is not None:
            row["content"] = item.text
            self.from_index["messages"] += 1
        if not {"id", "content"} <= row.keys():
            return None
        if item is not None:
            said = _said(item)
            for name in ("session", "role", "position", "agent"):
                row.setdefault(name, getattr(said, name))
            row.setdefault("created_at", stored_time(said.created_at))
        if "session" not in row:
            return None
        whole = {
            "turn": row["id"], "position": 0, "role": "user", "created_at": stored_time(_START),
            "agent": None, "tool_calls": "[]", "tool_call_id": None, "state": "complete",
            "usage": None, "client_context": "{}", "origins": json.dumps(UNKNOWN_ORIGIN),
            "outcome": None, "zone": None, **row,
        }  # fmt: skip
        try:
            told = from_row(tuple(whole[name] for name in MESSAGE_FIELDS), MESSAGE_FIELDS)
            return message_value(told)
        except (ValueError, TypeError, KeyError):
            return None

    def _sessions(self, messages: Sequence[Message]) -> list[Session]:
        told: dict[str, Record] = {}
        for row in self._log:
            if row["kind"].startswith("session.") and (new := _new(row)):
                told.setdefault(row["entity"], {}).update(new)
        for row in map(self._known, self._tables.get("sessions", ())):
            if "id" in row:
                told.setdefault(row["id"], {}).update(row)
        for message in messages:
            known = told.setdefault(message.session, {})
            known.setdefault("agent", message.agent or "")
            known.setdefault("created_at", message.created_at)
            known["updated_at"] = max(_time(known.get("updated_at")), message.created_at)
        return [_session(name, one) for name, one in told.items() if name not in self._gone]

    # -- memories and notes ------------------------------------------------------------------

    def _memories(self) -> list[Memory]:
        found: dict[str, Memory] = {}
        replayed = self._replayed()
        for row in map(self._known, self._tables.get("memories", ())):
            memory = _whole(row) if MEMORY_FIELDS[0] in row else None
            if memory is not None:
                found[memory.id] = memory
        for name, record in replayed.items():
            if name not in found and (memory := _value(record)) is not None:
                found[name] = memory
        for item in self._items.values():
            if item.kind == "memory" and item.id not in found:
                found[item.id] = _remembered(item)
                self.from_index["memories"] += 1
        return [one for name, one in found.items() if name not in self._gone]

    def _replayed(self) -> dict[str, Record]:
        """By the log; an entity whose rows are not all there may come out older, or not at all."""
        rows = [
            (one["entity"], one["kind"], one["payload"])
            for one in self._log
            if one["kind"].startswith("memory.") and one.get("payload") is not None
        ]
        try:
            return fold(rows)
        except (ValueError, TypeError, KeyError):
            return {}

    def _notes(self) -> list[Note]:
        notes: list[Note] = []
        for row in self._log:
            if tells_of_change(row["kind"]) or row.get("payload") is None or "logged_at" not in row:
                continue
            try:
                told = log_entry(
                    row.get("seq", 0), row["logged_at"], row["kind"], row["entity"],
                    row.get("actor", ""), row.get("reason", ""), row["payload"], "",
                )  # fmt: skip
            except (ValueError, TypeError, KeyError):
                continue
            if told.new is not None:
                notes.append(
                    Note(kind=told.kind, entity=told.entity, actor=told.actor, at=told.at,
                         data=told.new, reason=told.reason)
                )  # fmt: skip
        return notes

    def _known(self, row: Row) -> dict[str, Any]:
        """The values that could be read."""
        return {name: value for name, value in row.items() if value is not self._lost}


def _in_order(messages: Iterable[Message]) -> list[Message]:
    """Each session's messages at places of their own: what lost its place comes by its time."""
    ordered = sorted(messages, key=lambda one: (one.session, one.position, one.created_at, one.id))
    placed: list[Message] = []
    for one in ordered:
        before = placed[-1] if placed and placed[-1].session == one.session else None
        least = before.position + 1 if before else 0
        placed.append(one if one.position >= least else replace(one, position=least))
    return placed


def _said(item: IndexItem) -> Message:
    return Message(
        id=item.id,
        session=item.session or "",
        turn=item.id,
        role="user" if item.speaker == "user" else "assistant",
        content=item.text,
        created_at=item.created_at,
        agent=item.agent,
        position=item.position,
        origins=UNKNOWN_ORIGIN,
    )


def _remembered(item: IndexItem) -> Memory:
    return Memory(
        id=item.id,
        content=item.text,
        created_at=item.created_at,
        updated_at=item.created_at,
        memory_type=item.memory_type or "semantic",
        subject=item.subject,
        importance=item.importance,
        agent=item.agent,
        user=item.user,
        speaker=item.speaker,
        status=item.status,
        tier=item.tier,
        pinned=item.pinned,
        source=Source(session=item.session),
        expires_at=item.expires_at,
        related_to=item.related_to,
        origins=UNKNOWN_ORIGIN,
    )


def _session(name: str, known: Mapping[str, Any]) -> Session:
    return Session(
        id=name,
        title=str(known.get("title") or _TITLE),
        agent=str(known.get("agent") or ""),
        created_at=_time(known.get("created_at")),
        updated_at=max(_time(known.get("updated_at")), _time(known.get("created_at"))),
        archived=bool(known.get("archived", False)),
    )


def _whole(row: dict[str, Any]) -> Memory | None:
    """A memory whose row is whole but for what may be unknown."""
    known = {"origins": json.dumps(UNKNOWN_ORIGIN), **row}
    if any(name not in known for name in MEMORY_FIELDS):
        return None
    try:
        return memory_value(from_row(tuple(known[name] for name in MEMORY_FIELDS), MEMORY_FIELDS))
    except (ValueError, TypeError, KeyError):
        return None


def _value(record: Record) -> Memory | None:
    try:
        return memory_value(record)
    except (ValueError, TypeError, KeyError):
        return None


def _new(row: Row) -> Record:
    try:
        new = json.loads(row.get("payload") or "{}").get("new")
    except (ValueError, AttributeError):
        return {}
    return new if isinstance(new, dict) else {}


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else aware(value)
    try:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else aware(moment)
    except (TypeError, ValueError):
        return _START


def told_of(tally: Tally) -> dict[str, Any]:
    """As the log says it."""
    return {"found": tally.found, "from_index": tally.from_index, "missing": tally.missing}


def stamp(moment: datetime) -> str:
    """A moment as part of a file's name."""
    return "".join(one for one in iso(moment)[:19] if one.isdigit() or one == "T")
