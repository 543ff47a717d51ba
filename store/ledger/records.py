"""Ledger values to records to table rows and back, and what log rows tell by their kinds.

A record is the JSON-ready dict of a value (times as ISO 8601 text, tuples as lists): what log
payloads hold and what digests cover. A row is a tuple in the order of the `*_FIELDS` below.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from skill_agent.conversations.client_context import context_record, context_value, unmixed
from skill_agent.conversations.usage import usage_record
from skill_agent.identifiers import iso, parse_time
from skill_agent.values import (
    CallOutcome,
    LogEntry,
    Memory,
    Message,
    Origin,
    Session,
    Source,
    ToolCall,
    Usage,
)

from .chain import canonical, seal

Record = dict[str, Any]

OWN_KINDS = ("memory.", "message.", "session.")
"""How kinds of rows begin that stand for changes of tables; the rest are notes."""
MESSAGES_IN = ("message.saved", "message.imported")
"""Kinds of log rows that seal a message which stands in the table."""

MEMORY_FIELDS = (
    "id", "content", "created_at", "updated_at", "memory_type", "subject", "importance",
    "confidence", "agent", "user", "speaker", "status", "tier", "pinned", "source_session",
    "source_messages", "source_type", "extraction_model", "version", "superseded_by",
    "contradicts", "related_to", "expires_at", "metadata", "origins",
)  # fmt: skip

MESSAGE_FIELDS = (
    "id", "session", "turn", "position", "role", "content", "created_at", "agent",
    "tool_calls", "tool_call_id", "state", "usage", "client_context", "origins", "outcome", "zone",
)  # fmt: skip

SESSION_FIELDS = ("id", "title", "agent", "created_at", "updated_at", "messages", "archived")

_TIMES = frozenset({"created_at", "updated_at", "expires_at"})
_JSON = frozenset(
    {
        "source_messages",
        "contradicts",
        "related_to",
        "tool_calls",
        "metadata",
        "usage",
        "client_context",
        "origins",
        "outcome",
    }
)
_EMPTY = {list: "[]", dict: "{}"}
_SHAPED_MEMORY = _TIMES | _JSON | {"source_session"}
_PLAIN_MEMORY = tuple(name for name in MEMORY_FIELDS if name not in _SHAPED_MEMORY)


def tells_of_change(kind: str) -> bool:
    """Whether such a row stands for a change of a table, or for an erasure."""
    return kind.startswith(OWN_KINDS) or kind.endswith(".purged")


def named_entities(data: Any) -> list[str]:
    """What a note's data names under `memories`, `sessions` and `session`, each once."""
    if not isinstance(data, dict):
        return []
    lists = (data.get("memories"), data.get("sessions"))
    named = [name for one in lists if isinstance(one, list | tuple) for name in one]
    named.append(data.get("session"))
    return list(dict.fromkeys(name for name in named if isinstance(name, str)))


def stored_time(moment: datetime) -> datetime:
    """As TIMESTAMP columns hold it: UTC without the zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def aware(moment: datetime) -> datetime:
    """A TIMESTAMP read back, with its zone again."""
    return moment.replace(tzinfo=UTC)


def memory_record(memory: Memory) -> Record:
    """The whole state of a memory."""
    return {
        "id": memory.id,
        "content": memory.content,
        "created_at": iso(memory.created_at),
        "updated_at": iso(memory.updated_at),
        "memory_type": memory.memory_type,
        "subject": memory.subject,
        "importance": memory.importance,
        "confidence": float(memory.confidence),
        "agent": memory.agent,
        "user": memory.user,
        "speaker": memory.speaker,
        "status": memory.status,
        "tier": memory.tier,
        "pinned": memory.pinned,
        "source_session": memory.source.session,
        "source_messages": list(memory.source.message_ids),
        "source_type": memory.source_type,
        "extraction_model": memory.extraction_model,
        "version": memory.version,
        "superseded_by": memory.superseded_by,
        "contradicts": list(memory.contradicts),
        "related_to": list(memory.related_to),
        "expires_at": iso(memory.expires_at) if memory.expires_at else None,
        # Through JSON once, so that what is compared later is what JSON can hold.
        "metadata": json.loads(canonical(memory.metadata)) if memory.metadata else {},
        "origins": list(memory.origins),
    }


def memory_value(record: Record) -> Memory:
    """The memory a complete record describes."""
    expires = record["expires_at"]
    return Memory(
        **{name: record[name] for name in _PLAIN_MEMORY},
        created_at=parse_time(record["created_at"]),
        updated_at=parse_time(record["updated_at"]),
        expires_at=parse_time(expires) if expires else None,
        source=Source(
            session=record["source_session"], message_ids=tuple(record["source_messages"])
        ),
        contradicts=tuple(record["contradicts"]),
        related_to=tuple(record["related_to"]),
        metadata=dict(record["metadata"]),
        origins=tuple(record["origins"]),
    )


def message_record(message: Message) -> Record:
    """Everything a message says, its position included; its context is the recall's to tell."""
    usage, sent = message.usage, message.client_context
    return {
        "id": message.id,
        "session": message.session,
        "turn": message.turn,
        "position": message.position,
        "role": message.role,
        "content": message.content,
        "created_at": iso(message.created_at),
        "agent": message.agent,
        "tool_calls": [_call_record(call) for call in message.tool_calls],
        "tool_call_id": message.tool_call_id,
        "state": message.state,
        "usage": usage_record(usage) if usage else None,
        "client_context": context_record(sent) if sent else {},
        "origins": list(message.origins),
        "outcome": asdict(message.outcome) if message.outcome else None,
        "zone": message.zone or None,
    }


def _call_record(call: ToolCall) -> Record:
    told = {"id": call.id, "name": call.name, "arguments": call.arguments}
    return {**told, "problem": call.problem} if call.problem else told


def message_value(record: Record) -> Message:
    """The message a complete record describes; older ones have what a client program sent in their
    content, and nothing of it beside."""
    plain, sent = {**record}, record["client_context"]
    if sent is None and record["role"] == "user":
        plain["client_context"], plain["content"] = unmixed(record["content"])
    else:
        plain["client_context"] = context_value(sent) if sent else None
    plain["created_at"] = parse_time(record["created_at"])
    plain["tool_calls"] = tuple(ToolCall(**call) for call in record["tool_calls"])
    plain["usage"] = Usage(**record["usage"]) if record["usage"] else None
    plain["outcome"] = CallOutcome(**record["outcome"]) if record["outcome"] else None
    plain["zone"] = record["zone"] or ""
    stated = record["origins"]
    plain["origins"] = _once(plain) if stated is None else tuple(stated)
    return Message(**plain)


def _once(plain: Record) -> tuple[Origin, ...]:
    """Origins of a message from before they were written down, as far as it shows them."""
    if plain["role"] == "tool":
        return ("tool",)
    return ("client",) if plain["client_context"] else ()


def message_digest(record: Record, nonce: str) -> str:
    """What the log keeps of a message."""
    return seal(canonical(without_blanks(record)), nonce)


def session_record(session: Session) -> Record:
    """A session's own state; how many messages it has is counted, not told."""
    return {
        "title": session.title,
        "agent": session.agent,
        "created_at": iso(session.created_at),
        "updated_at": iso(session.updated_at),
        "archived": session.archived,
    }


def session_value(row: tuple[Any, ...]) -> Session:
    """From a row of SESSION_FIELDS."""
    fields = dict(zip(SESSION_FIELDS, row, strict=True))
    fields["created_at"] = aware(fields["created_at"])
    fields["updated_at"] = aware(fields["updated_at"])
    return Session(**fields)


def log_entry(
    seq: int,
    at: datetime,
    kind: str,
    entity: str,
    actor: str,
    reason: str,
    payload: str | None,
    row_hash: str,
) -> LogEntry:
    """A log row as it is read; one that was emptied says nothing, and so does one whose content is
    no object: whatever was once written, nobody who reads it stumbles."""
    said: Record = {"old": None, "new": None}
    if payload is not None:
        said = json.loads(payload)
        said["new"] = said["new"] if isinstance(said["new"], dict) else None
    return LogEntry(
        seq=seq,
        # A row that was imported tells when it really happened.
        at=parse_time(said["at"]) if "at" in said else aware(at),
        kind=kind,
        entity=entity,
        actor=actor,
        reason=reason or said.get("reason", ""),
        old=said["old"],
        new=said["new"],
        hash=row_hash,
    )


def to_row(record: Record, fields: tuple[str, ...]) -> list[Any]:
    """A record's values as their columns hold them."""
    return [_to_column(name, record[name]) for name in fields]


def from_row(row: tuple[Any, ...], fields: tuple[str, ...]) -> Record:
    """The record that `to_row` was given; further columns of the row are ignored."""
    return {name: _from_column(name, value) for name, value in zip(fields, row, strict=False)}


def without_blanks(record: Record) -> Record:
    """Only what is said: None and empty containers are left out, so fields may be added later."""
    return {
        name: value
        for name, value in record.items()
        if value is not None and value != [] and value != {}
    }


def changes(old: Record, new: Record) -> tuple[Record, Record]:
    """The fields that differ, as they were and as they are."""
    names = [name for name in new if old.get(name) != new[name]]
    return {name: old.get(name) for name in names}, {name: new[name] for name in names}


def _to_column(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return stored_time(parse_time(value))
    if name in _JSON:
        return canonical(value) if value else _EMPTY[type(value)]
    return value


def _from_column(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return iso(aware(value))
    if name in _JSON:
        # Most of them are empty; decoding all is half of what reading a ledger costs.
        return [] if value == "[]" else {} if value == "{}" else json.loads(value)
    return value
