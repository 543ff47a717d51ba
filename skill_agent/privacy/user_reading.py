"""The rows of an archive as values, each one checked; a few at a time, as often as asked for.

What the values may become here is `distrust`'s to say, unless the archive is believed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from skill_agent.conversations.client_context import unmixed
from skill_agent.errors import UsageError
from skill_agent.identifiers import parse_time
from skill_agent.memory.rows import read_row, whole
from skill_agent.text.checks import sound_moment
from skill_agent.values import (
    Attachment,
    Belongings,
    CallOutcome,
    ClientContext,
    Image,
    Memory,
    Message,
    MessageState,
    Note,
    Origin,
    Role,
    Session,
    ToolCall,
    Usage,
)

from .archive_file import ArchiveFile, Wrong

Made = TypeVar("Made")

_LARGEST_TALK, _LARGEST_ROW = 64 * 1024**2, 1024**2
_LONGEST_ZONE = 64
"""Bytes of a conversation with its pictures, and of a memory, a note or a tool call."""
_TOGETHER, _MOST_TOGETHER = 4 * 1024**2, 2_000
"""Bytes, and number, of rows that are made into values at a time."""
_TALKS, _MEMORIES, _USAGE = "conversations.json", "memories.json", "usage.json"


class _Call(msgspec.Struct):
    id: str
    name: str
    arguments: msgspec.Raw
    problem: str = ""


class _Image(msgspec.Struct):
    media_type: str
    data: str


class _Attachment(msgspec.Struct):
    text: str
    origin: Origin
    name: str = ""


class _Sent(msgspec.Struct):
    instructions: str
    earlier: str
    exchanges: int
    digest: str
    images: list[_Image] = []
    attachments: list[_Attachment] = []


class _Message(msgspec.Struct):
    id: str
    turn: str
    position: int
    role: Role
    content: str
    created_at: str
    agent: str | None
    tool_calls: list[_Call]
    tool_call_id: str | None
    state: MessageState
    usage: Usage | None
    client_context: _Sent | msgspec.UnsetType | None = msgspec.UNSET
    """Versions that had no such field wrote what it holds before the words."""
    origins: list[Origin] = []
    outcome: CallOutcome | None = None
    zone: str = ""


class _Talk(msgspec.Struct):
    id: str
    title: str
    agent: str
    created_at: str
    updated_at: str
    archived: bool
    messages: list[_Message]


class _Note(msgspec.Struct):
    kind: str
    entity: str
    actor: str
    at: str
    reason: str
    data: msgspec.Raw


@dataclass(slots=True)
class _Places:
    """What must be there once only."""

    sessions: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What a file holds, checked while it is read; each reading begins at its beginning."""

    file: ArchiveFile
    now: datetime
    user: str
    """Whose it becomes: what was the exporter's own."""

    def __iter__(self) -> Iterator[Belongings]:
        """Raises UsageError at the first value that is not what it should be."""
        with self.file.told():
            yield from self._talks()
            yield from self._memories()
            yield from self._notes(_USAGE)

    def _talks(self) -> Iterator[Belongings]:
        places = _Places()
        for key, many in self._rows(_TALKS, ("sessions", "notes"), _LARGEST_TALK):
            if key == "notes":
                yield Belongings(notes=tuple(_made(many, _Note, _note)))
                continue
            talks = list(_made(many, _Talk, _talk))
            for session, messages in talks:
                _check_places(places, session, messages)
            yield Belongings(
                sessions=tuple(session for session, _ in talks),
                messages=tuple(one for _, messages in talks for one in messages),
            )

    def _memories(self) -> Iterator[Belongings]:
        for _, many in self._rows(_MEMORIES, ("memories",), _LARGEST_ROW):
            yield Belongings(memories=tuple(_made(many, dict[str, Any], self._memory)))

    def _notes(self, part: str) -> Iterator[Belongings]:
        for _, many in self._rows(part, ("notes",), _LARGEST_ROW):
            yield Belongings(notes=tuple(_made(many, _Note, _note)))

    def _rows(
        self, part: str, keys: tuple[str, ...], most: int
    ) -> Iterator[tuple[str, "list[_Row]"]]:
        """The rows of a part, as many of one key at a time as may be held together."""
        held, size, of = list[_Row](), 0, ""
        number = dict.fromkeys(keys, 0)
        for key, raw in self.file.rows(part, keys, most=most):
            full = size + len(raw) > _TOGETHER or len(held) >= _MOST_TOGETHER
            if held and (key != of or full):
                yield of, held
                held, size = [], 0
            number[key] += 1
            held.append(_Row(f"{key}, row {number[key]}", raw))
            of, size = key, size + len(raw)
        if held:
            yield of, held

    def _memory(self, row: dict[str, Any]) -> Memory:
        whose = row["user"]
        read = whole(read_row(row, now=self.now, user=self.user))
        exporter = self.file.manifest.get("user")
        return replace(read, user=self.user if whose == exporter else whose)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    raw: bytes


def _made(many: "list[_Row]", kind: Any, make: Callable[[Any], Made]) -> Iterator[Made]:
    """What is made of each row; an error names the row."""
    decoder = msgspec.json.Decoder(kind)
    for row in many:
        try:
            yield make(decoder.decode(row.raw))
        except UsageError as error:
            raise Wrong(f"{row.name}: {error.message}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Wrong(f"{row.name}: {type(error).__name__} {error}"[:200]) from None


def _check_places(places: _Places, session: Session, messages: tuple[Message, ...]) -> None:
    if session.id in places.sessions:
        raise Wrong("two sessions have the same id")
    places.sessions.add(session.id)
    here = {one.id for one in messages}
    if len({one.position for one in messages}) < len(messages) or len(here) < len(messages):
        raise Wrong("two messages have the same place or id")
    if not here.isdisjoint(places.messages):
        raise Wrong("two messages have the same place or id")
    places.messages |= here


def _talk(row: _Talk) -> tuple[Session, tuple[Message, ...]]:
    session = Session(
        id=row.id,
        title=row.title,
        agent=row.agent,
        created_at=_moment(row.created_at),
        updated_at=_moment(row.updated_at),
        messages=len(row.messages),
        archived=row.archived,
    )
    return session, tuple(_message(row.id, one) for one in row.messages)


def _message(session: str, row: _Message) -> Message:
    if not 0 <= row.position < 2**31:
        raise ValueError(f"message {row.id} stands at {row.position}")
    sent, words = _said(row)
    return Message(
        id=row.id,
        session=session,
        turn=row.turn,
        role=row.role,
        content=words,
        client_context=sent,
        created_at=_moment(row.created_at),
        agent=row.agent,
        tool_calls=tuple(
            ToolCall(
                id=call.id,
                name=call.name,
                arguments=_object(call.arguments),
                problem=call.problem,
            )
            for call in row.tool_calls
        ),
        tool_call_id=row.tool_call_id,
        state=row.state,
        usage=row.usage,
        position=row.position,
        origins=tuple(dict.fromkeys(row.origins)),
        outcome=row.outcome,
        zone=row.zone[:_LONGEST_ZONE],
    )


def _said(row: _Message) -> tuple[ClientContext | None, str]:
    """What came beside the words, and the words; older versions wrote both as one text."""
    sent = row.client_context
    if isinstance(sent, msgspec.UnsetType):
        return unmixed(row.content) if row.role == "user" else (None, row.content)
    if sent is None:
        return None, row.content
    context = ClientContext(
        instructions=sent.instructions,
        earlier=sent.earlier,
        exchanges=sent.exchanges,
        digest=sent.digest,
        images=tuple(Image(media_type=one.media_type, data=one.data) for one in sent.images),
        attachments=tuple(
            Attachment(one.text, origin=one.origin, name=one.name) for one in sent.attachments
        ),
    )
    return context, row.content


def _note(row: _Note) -> Note:
    return Note(
        kind=row.kind,
        entity=row.entity,
        actor=row.actor,
        at=_moment(row.at),
        reason=row.reason,
        data=_object(row.data),
    )


def _object(raw: msgspec.Raw) -> dict[str, Any]:
    if len(raw) > _LARGEST_ROW:
        raise ValueError(f"an object of more than {_LARGEST_ROW:,} bytes")
    return msgspec.json.decode(raw, type=dict[str, Any])


def _moment(text: str) -> datetime:
    return sound_moment(parse_time(text))
