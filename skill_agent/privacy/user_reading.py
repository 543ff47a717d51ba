"""Reading what `user_archive` wrote, with suspicion: nothing is unpacked to disk, every value is
checked, and a file that is not whole gives nothing at all.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, get_args

from skill_agent.conversations.client_context import unmixed
from skill_agent.errors import UsageError
from skill_agent.identifiers import parse_time
from skill_agent.memory.rows import read_row
from skill_agent.values import (
    Belongings,
    ClientContext,
    Image,
    Memory,
    Message,
    MessageState,
    Note,
    Role,
    Session,
    ToolCall,
    Usage,
)

from .user_archive import FORMAT, MANIFEST, PARTS

Made = TypeVar("Made")

_LARGEST = 2 * 1024**3
"""Bytes of all parts together; they are read into memory."""
_MOST_SQUEEZED = 200
"""Times a part may be larger than its packed form; conversations reach 20."""
_ALWAYS_FINE = 10 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What a file held, checked."""

    user: str
    belongings: Belongings


def read_archive(path: Path, *, now: datetime, user: str) -> Archive:
    """Everything in the file, each value checked; the exporter's own become `user`'s.

    Raises UsageError for what is no whole archive of ours; nothing is kept of it then.
    """
    try:
        parts = _parts(path)
        return _archive(parts, now, user)
    except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise _unreadable(path, str(error)) from None
    except _Wrong as error:
        raise _unreadable(path, str(error)) from None


class _Wrong(Exception):
    """What is wrong with the file, in words."""


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is not a whole export of a user's data: {why}. Nothing was imported.",
        hint="make it again with: ska user export",
    )


def _parts(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        names = sorted(entry.filename for entry in entries)
        if names != sorted((*PARTS, MANIFEST)):
            raise _Wrong(f"it should hold {', '.join((*PARTS, MANIFEST))} and nothing else")
        if sum(entry.file_size for entry in entries) > _LARGEST:
            raise _Wrong("its contents are too large")
        raw = {entry.filename: _bytes(archive, entry) for entry in entries}
    manifest = _object(MANIFEST, raw[MANIFEST])
    if manifest.get("product") != "skill-agent" or not isinstance(manifest.get("sha256"), dict):
        raise _Wrong("its manifest is not ours")
    if manifest.get("format") != FORMAT:
        raise _Wrong(f"it has format {manifest.get('format')!r}, this program knows {FORMAT}")
    for name in PARTS:
        if hashlib.sha256(raw[name]).hexdigest() != manifest["sha256"].get(name):
            raise _Wrong(f"{name} is not as it was written")
    return {MANIFEST: manifest, **{name: _object(name, raw[name]) for name in PARTS}}


def _bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Not one byte more than the entry says it holds."""
    if entry.flag_bits & 1:
        raise _Wrong("it is encrypted")
    squeezed = entry.file_size > max(entry.compress_size, 1) * _MOST_SQUEEZED
    if squeezed and entry.file_size > _ALWAYS_FINE:
        raise _Wrong(f"{entry.filename} unpacks to far more than conversations would")
    try:
        with archive.open(entry) as stream:
            return stream.read(entry.file_size)
    except Exception as error:  # zlib and zipfile raise what they like for damaged bytes
        raise _Wrong(f"{entry.filename} is damaged ({error})") from None


def _object(name: str, raw: bytes) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON number")

    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=refuse)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"{name} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise _Wrong(f"{name} is no JSON object")
    return value


def _archive(parts: dict[str, Any], now: datetime, user: str) -> Archive:
    exporter = parts[MANIFEST].get("user")

    def memory(row: dict[str, Any]) -> Memory:
        whose = _text(row["user"], None)
        read = read_row(row, now=now, user=user)
        return replace(read, user=user if whose == exporter else whose)

    talks = parts["conversations.json"]
    sessions = _each(talks, "sessions", _session)
    messages = [one for many in _each(talks, "sessions", _messages) for one in many]
    notes = [*_each(talks, "notes", _note), *_each(parts["usage.json"], "notes", _note)]
    _check_places(sessions, messages)
    found = Belongings(
        sessions=tuple(sessions),
        messages=tuple(messages),
        memories=tuple(_each(parts["memories.json"], "memories", memory)),
        notes=tuple(notes),
    )
    return Archive(user=str(exporter), belongings=found)


def _each(part: dict[str, Any], key: str, make: Callable[[dict[str, Any]], Made]) -> list[Made]:
    """What is made of each row under a key; an error names the row."""
    rows = part.get(key)
    if not isinstance(rows, list):
        raise _Wrong(f"{key} is no list")
    made: list[Made] = []
    for number, row in enumerate(rows, 1):
        try:
            made.append(make(_typed(row, dict)))
        except UsageError as error:
            raise _Wrong(f"{key}, row {number}: {error.message}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            said = f"{key}, row {number}: {type(error).__name__} {error}"
            raise _Wrong(said[:200]) from None
    return made


def _check_places(sessions: list[Session], messages: list[Message]) -> None:
    places = {(one.session, one.position) for one in messages}
    ids = {one.id for one in messages}
    if len({one.id for one in sessions}) < len(sessions):
        raise _Wrong("two sessions have the same id")
    if len(places) < len(messages) or len(ids) < len(messages):
        raise _Wrong("two messages have the same place or id")


def _session(row: dict[str, Any]) -> Session:
    return Session(
        id=_text(row["id"]),
        title=_text(row["title"]),
        agent=_text(row["agent"]),
        created_at=parse_time(row["created_at"]),
        updated_at=parse_time(row["updated_at"]),
        messages=len(row["messages"]),
        archived=_typed(row["archived"], bool),
    )


def _messages(row: dict[str, Any]) -> list[Message]:
    return [_message(row["id"], one) for one in row["messages"]]


def _message(session: str, row: dict[str, Any]) -> Message:
    role, state, position = row["role"], row["state"], _typed(row["position"], int)
    if role not in get_args(Role) or state not in get_args(MessageState) or position < 0:
        raise ValueError(f"message {row['id']}")
    usage = row["usage"]
    sent, words = _said(row)
    return Message(
        id=_text(row["id"]),
        session=session,
        turn=_text(row["turn"]),
        role=role,
        content=words,
        client_context=sent,
        created_at=parse_time(row["created_at"]),
        agent=_text(row["agent"], None),
        tool_calls=tuple(
            ToolCall(
                id=_text(call["id"]),
                name=_text(call["name"]),
                arguments=_typed(call["arguments"], dict),
            )
            for call in row["tool_calls"]
        ),
        tool_call_id=_text(row["tool_call_id"], None),
        state=state,
        usage=Usage(**usage) if usage else None,
        position=position,
    )


def _said(row: dict[str, Any]) -> tuple[ClientContext | None, str]:
    """What a client program sent, and the words; older versions wrote both as one text."""
    words = _text(row["content"])
    if "client_context" not in row:
        return unmixed(words) if row["role"] == "user" else (None, words)
    if (sent := row["client_context"]) is None:
        return None, words
    return (
        ClientContext(
            instructions=_text(sent["instructions"]),
            earlier=_text(sent["earlier"]),
            exchanges=_typed(sent["exchanges"], int),
            digest=_text(sent["digest"]),
            images=tuple(
                Image(media_type=_text(one["media_type"]), data=_text(one["data"]))
                for one in _typed(sent.get("images", []), list)
            ),
        ),
        words,
    )


def _note(row: dict[str, Any]) -> Note:
    return Note(
        kind=_text(row["kind"]),
        entity=_text(row["entity"]),
        actor=_text(row["actor"]),
        at=parse_time(row["at"]),
        reason=_text(row["reason"]),
        data=_typed(row["data"], dict),
    )


def _text(value: Any, *instead: None) -> Any:
    """A text, or None where that is allowed."""
    if value is None and instead:
        return None
    return _typed(value, str)


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, found {value!r}"[:100])
    return value
