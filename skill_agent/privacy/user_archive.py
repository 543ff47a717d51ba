"""Writing a person's data as one zip file, whole and private.

Five JSON files: conversations, memories, profile, usage and a manifest with the format's version,
counts and digests. Reading it back is `user_reading`'s work.
"""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from skill_agent.conversations.client_context import context_record
from skill_agent.conversations.usage import usage_record
from skill_agent.errors import UsageError
from skill_agent.identifiers import iso
from skill_agent.text.redaction import Masker
from skill_agent.values import Message, Note, Session

FORMAT = 1
MANIFEST = "manifest.json"
SIGNED = "signed"
"""In the manifest, the signature over the rest of it."""
_OWN_FIELDS = frozenset(
    {
        "id", "turn", "position", "role", "created_at", "updated_at", "agent", "tool_call_id",
        "state", "kind", "entity", "actor", "at", "session", "media_type", "digest", "origin",
    }
)  # fmt: skip
PARTS = ("conversations.json", "memories.json", "profile.json", "usage.json")


class ArchiveWriter:
    """Writes the parts one after another; make one with `new_archive`."""

    def __init__(self, archive: zipfile.ZipFile, *, secrets: bool = False) -> None:
        self._archive = archive
        self._masker = Masker(own=_OWN_FIELDS, keep=secrets)
        self._digests: dict[str, str] = {}

    @contextmanager
    def part(self, name: str) -> Iterator["PartWriter"]:
        """A JSON object written key by key."""
        with self._archive.open(name, "w", force_zip64=True) as stream:
            part = PartWriter(stream, self._masker)
            yield part
            part.end()
        self._digests[name] = part.digest.hexdigest()

    @property
    def masked(self) -> int:
        """Credentials that were not written."""
        return self._masker.count

    def finish(
        self, user: str, counts: dict[str, int], now: datetime, sign: Callable[[Any], Any]
    ) -> None:
        """Writes the manifest; `sign` gives the signature of an object."""
        manifest: dict[str, Any] = {
            "product": "skill-agent",
            "format": FORMAT,
            "user": user,
            "created_at": iso(now),
            "counts": counts,
            "sha256": self._digests,
        }
        manifest[SIGNED] = sign(manifest)
        self._archive.writestr(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


class PartWriter:
    """One JSON object, streamed, without what the masker takes out."""

    def __init__(self, stream: IO[bytes], masker: Masker) -> None:
        self._stream, self._masker = stream, masker
        self._between = "{\n"
        self.digest = hashlib.sha256()

    def value(self, key: str, value: Any) -> None:
        self._write(f"{self._between}{json.dumps(key)}: {_json(self._masker(value))}")
        self._between = ",\n"

    def begin(self, key: str) -> None:
        """A list under this key; its rows follow with `rows`, then `close`."""
        self._write(f"{self._between}{json.dumps(key)}: [")
        self._between = "\n"

    def rows(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self._write(self._between + _json(self._masker(row)))
            self._between = ",\n"

    def close(self) -> None:
        self._write("\n]")
        self._between = ",\n"

    def end(self) -> None:
        self._write("\n}\n")

    def _write(self, text: str) -> None:
        data = text.encode("utf-8")
        self.digest.update(data)
        self._stream.write(data)


@contextmanager
def new_archive(target: Path, *, secrets: bool = False) -> Iterator[ArchiveWriter]:
    """The file appears whole, mode 0600, when the block ends; raises UsageError if there is one.
    Credentials are masked, unless `secrets`."""
    if target.exists():
        raise UsageError(f"{target} exists already", hint="name a file that does not exist")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                yield ArchiveWriter(archive, secrets=secrets)
            stream.flush()
            os.fsync(stream.fileno())
        _place(partial, target)
    except OSError as error:
        raise UsageError(f"{target} was not written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)


def _place(partial: Path, target: Path) -> None:
    """In one step, and never over another file where the disk knows hard links."""
    try:
        target.hardlink_to(partial)
    except FileExistsError:
        raise UsageError(f"{target} exists already", hint="name another file") from None
    except OSError:
        partial.replace(target)


def _json(value: Any) -> str:
    """One value, in one place: whatever an archive says goes through here."""
    return json.dumps(value, ensure_ascii=False)


def session_row(session: Session, messages: Iterable[Message]) -> dict[str, Any]:
    """A conversation with everything said in it."""
    return {
        "id": session.id,
        "title": session.title,
        "agent": session.agent,
        "created_at": iso(session.created_at),
        "updated_at": iso(session.updated_at),
        "archived": session.archived,
        "messages": [_message_row(message) for message in messages],
    }


def _message_row(message: Message) -> dict[str, Any]:
    usage, sent = message.usage, message.client_context
    return {
        "id": message.id,
        "turn": message.turn,
        "position": message.position,
        "role": message.role,
        "content": message.content,
        "client_context": context_record(sent) if sent else None,
        "created_at": iso(message.created_at),
        "agent": message.agent,
        "tool_calls": [asdict(call) for call in message.tool_calls],
        "tool_call_id": message.tool_call_id,
        "state": message.state,
        "usage": usage_record(usage) if usage else None,
        "origins": list(message.origins),
        "outcome": asdict(message.outcome) if message.outcome else None,
        "zone": message.zone,
    }


def note_row(note: Note) -> dict[str, Any]:
    """A row of the log that is no change of a memory, message or session."""
    return {
        "kind": note.kind,
        "entity": note.entity,
        "actor": note.actor,
        "at": iso(note.at),
        "reason": note.reason,
        "data": note.data,
    }
