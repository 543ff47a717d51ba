"""The interchange form of memories: one JSON object a row, for import and export.

`content` is needed; `id, memory_type, subject, importance, agent, speaker, created_at, session,
metadata` and the further fields an export writes are optional.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, get_args
from uuid import UUID, uuid5

from skill_agent.errors import UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.text.checks import sound_moment, sound_text
from skill_agent.values import (
    MEMORY_TYPES,
    ORIGINS,
    Memory,
    MemoryStatus,
    Source,
    SourceType,
    Tier,
    all_origins,
)

_NAMESPACE = UUID("5b0e8d0c-6d0a-5c0e-9a55-2f6f0d3c7a11")
_LONGEST_ID, _MOST_VERSIONS, _DEEPEST = 200, 2**31, 32
_SHOWN = 120
"""Characters of a value that an error repeats."""
_STATUSES, _TIERS, _SOURCES = get_args(MemoryStatus), get_args(Tier), get_args(SourceType)


def memory_row(memory: Memory) -> dict[str, Any]:
    """A memory as the object an export writes and an import reads."""
    return {
        "id": memory.id,
        "content": memory.content,
        "memory_type": memory.memory_type,
        "subject": memory.subject,
        "importance": memory.importance,
        "confidence": memory.confidence,
        "agent": memory.agent,
        "user": memory.user,
        "speaker": memory.speaker,
        "status": memory.status,
        "tier": memory.tier,
        "pinned": memory.pinned,
        "session": memory.source.session,
        "source": {
            "session": memory.source.session,
            "message_ids": list(memory.source.message_ids),
        },
        "source_type": memory.source_type,
        "extraction_model": memory.extraction_model,
        "version": memory.version,
        "superseded_by": memory.superseded_by,
        "contradicts": list(memory.contradicts),
        "related_to": list(memory.related_to),
        "created_at": iso(memory.created_at),
        "updated_at": iso(memory.updated_at),
        "expires_at": iso(memory.expires_at) if memory.expires_at else None,
        "origins": list(memory.origins),
        "metadata": memory.metadata,
    }


def read_rows(
    rows: Iterable[dict[str, Any]],
    *,
    now: datetime,
    user: str,
    size: int,
    refused: Callable[[UsageError], None] | None = None,
) -> Iterator[list[Memory]]:
    """Memories in chunks of `size`; raises UsageError for a bad row, or tells `refused` of it and
    goes on."""
    chunk: list[Memory] = []
    seen: Counter[str] = Counter()
    for row in rows:
        try:
            chunk.append(read_row(row, now=now, user=user, seen=seen))
        except UsageError as error:
            if refused is None:
                raise
            refused(error)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def read_row(
    row: dict[str, Any], *, now: datetime, user: str, seen: "Counter[str] | None" = None
) -> Memory:
    """One row as a memory; raises UsageError naming the key and what was expected.

    `seen` counts rows without an id, so that two equal lines of a file stay two memories.
    """
    if not isinstance(row, dict):
        raise UsageError(f"expected an object, found {type(row).__name__}")
    _check_shape(row)
    content = _text(row, "content")
    if not content or not content.strip():
        raise UsageError("content: expected a non-empty text")
    kind = _one_of(row, "memory_type", MEMORY_TYPES, "semantic")
    created = _time(row, "created_at") or now
    source = row.get("source") or {}
    agent = _text(row, "agent")
    if kind in ("agent_private", "identity") and not agent:
        raise UsageError(f"agent: a row of type {kind} needs one")
    memory = Memory(
        id=_text(row, "id") or _made_id(row, seen if seen is not None else Counter()),
        content=content.strip(),
        created_at=created,
        updated_at=_time(row, "updated_at") or created,
        memory_type=kind,  # type: ignore[arg-type]
        subject=_text(row, "subject"),
        importance=_importance(row),
        confidence=float(row.get("confidence", 1.0)),
        agent=agent,
        user=_text(row, "user") or (user if kind == "user_profile" else None),
        speaker=_text(row, "speaker"),
        status=_one_of(row, "status", _STATUSES, "active"),  # type: ignore[arg-type]
        tier=_one_of(row, "tier", _TIERS, "warm"),  # type: ignore[arg-type]
        pinned=bool(row.get("pinned", kind == "identity")),
        source=Source(
            session=_text(row, "session") or source.get("session"),
            message_ids=tuple(source.get("message_ids", ())),
        ),
        source_type=row.get("source_type", "import"),
        extraction_model=_text(row, "extraction_model"),
        version=int(row.get("version", 1)),
        superseded_by=_text(row, "superseded_by"),
        contradicts=tuple(row.get("contradicts", ())),
        related_to=tuple(row.get("related_to", ())),
        expires_at=_time(row, "expires_at"),
        origins=all_origins(row.get("origins") or ()),
        metadata=_mapping(row, "metadata"),
    )
    return whole(memory)


def whole(memory: Memory) -> Memory:
    """A memory made elsewhere as the ledger can keep it, its times in UTC; raises UsageError."""
    if not memory.id.strip() or not memory.content.strip():
        raise UsageError("a memory needs an id and content")
    if len(memory.id) > _LONGEST_ID:
        raise UsageError(f"id: longer than {_LONGEST_ID} characters")
    if not 1 <= memory.importance <= 10:
        raise UsageError(f"importance: expected 1 to 10, found {memory.importance}")
    if not 0 <= memory.confidence <= 1:
        raise UsageError(f"confidence: expected a number from 0 to 1, found {memory.confidence}")
    if not 1 <= memory.version < _MOST_VERSIONS:
        raise UsageError(f"version: expected a whole number, found {memory.version}")
    if memory.memory_type in ("agent_private", "identity") and not memory.agent:
        raise UsageError(f"agent: a memory of type {memory.memory_type} needs one")
    for text in (memory.id, memory.content, memory.subject, memory.agent, memory.speaker):
        sound_text(text or "")
    ends = memory.expires_at
    return replace(
        memory,
        created_at=sound_moment(memory.created_at, "created_at"),
        updated_at=sound_moment(memory.updated_at, "updated_at"),
        expires_at=sound_moment(ends, "expires_at") if ends else None,
    )


def _check_shape(row: dict[str, Any]) -> None:
    """Raises UsageError for a value whose type cannot mean what its key says."""
    if _deeper_than(_DEEPEST, row):
        raise UsageError(f"lists and objects lie more than {_DEEPEST} deep in one another")
    for key, (expected, fits) in _SHAPES.items():
        if (value := row.get(key)) is not None and not fits(value):
            raise UsageError(f"{key}: expected {expected}, found {_shown(value)}")
    try:
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise UsageError("half of a surrogate pair: no valid Unicode text") from None
    except ValueError:
        raise UsageError("a number that JSON cannot say") from None


def _deeper_than(levels: int, value: object) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(levels - 1, one) for one in inner)


def _is_source(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    session, messages = value.get("session"), value.get("message_ids", [])
    return (session is None or isinstance(session, str)) and _are_texts(messages)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_origins(value: object) -> bool:
    return _are_texts(value) and set(value) <= {*ORIGINS}  # type: ignore[arg-type]


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


_SHAPES: Mapping[str, tuple[str, Callable[[object], bool]]] = MappingProxyType(
    {
        "confidence": ("a number from 0 to 1", _is_share),
        "pinned": ("true or false", lambda value: isinstance(value, bool)),
        "version": (
            "a whole number",
            lambda value: type(value) is int and 0 < value < _MOST_VERSIONS,
        ),
        "source": ("an object with session and message_ids", _is_source),
        "source_type": ("one of " + ", ".join(_SOURCES), lambda value: value in _SOURCES),
        "contradicts": ("a list of ids", _are_texts),
        "related_to": ("a list of ids", _are_texts),
        "origins": ("a list out of " + ", ".join(ORIGINS), _are_origins),
    }
)


def _made_id(row: dict[str, Any], seen: "Counter[str]") -> str:
    """An id from the row's own bytes, so that importing a file twice adds nothing."""
    canonical = json.dumps(row, sort_keys=True, ensure_ascii=False)
    seen[canonical] += 1
    return str(uuid5(_NAMESPACE, f"{seen[canonical]}:{canonical}"))


def _text(row: dict[str, Any], key: str) -> str | None:
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value
    if key == "id" and type(value) is int:
        return str(value)
    raise UsageError(f"{key}: expected a text, found {_shown(value)}")


def _one_of(row: dict[str, Any], key: str, choices: tuple[str, ...], default: str) -> str:
    value = row.get(key)
    if value is None or value == "":
        return default
    if value not in choices:
        raise UsageError(f"{key}: {_shown(value)} is not one of {', '.join(choices)}")
    return value


def _time(row: dict[str, Any], key: str) -> datetime | None:
    value = row.get(key)
    if value in (None, ""):
        return None
    try:
        return sound_moment(parse_time(value), key)
    except (ValueError, AttributeError, TypeError):
        raise UsageError(f"{key}: expected an ISO 8601 time, found {_shown(value)}") from None


def _importance(row: dict[str, Any]) -> int:
    value = row.get("importance", 5)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10:
        raise UsageError(f"importance: expected a whole number from 1 to 10, found {_shown(value)}")
    return value


def _mapping(row: dict[str, Any], key: str) -> dict[str, Any]:
    value = row.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{key}: expected an object, found {_shown(value)}")
    return value


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]
