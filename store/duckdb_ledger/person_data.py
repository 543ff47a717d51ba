"""Conversations and notes of another ledger taken in as they were; blocking.

Ids, positions and times are kept; only the log's own times say when the import was. What exists
already is left alone, so an import may be repeated. Messages come in under `message.imported`:
nothing that waits for new messages takes them for such.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Any

from skill_agent.errors import StoreError
from skill_agent.identifiers import iso
from skill_agent.values import Belongings, BelongingsResult, ImportResult, Message, Note, Session

from ..ledger.chain import canonical
from ..ledger.journal import Journal
from ..ledger.records import (
    MESSAGE_FIELDS,
    OWN_KINDS,
    Record,
    aware,
    from_row,
    message_digest,
    message_record,
    message_value,
    named_entities,
    session_record,
    session_value,
    stored_time,
    tells_of_change,
    to_row,
)
from .database import Database
from .memory_import import import_memories
from .schema import MESSAGE_COLUMNS, SESSION_COLUMNS

_ARRANGED = ("position", "origins")
"""What a message gets where it is kept; it says nothing else by them."""


def import_belongings(
    database: Database, journal: Journal, parts: Iterable[Belongings], actor: str
) -> BelongingsResult:
    """All of it in one transaction, or nothing."""
    nothing = ImportResult()
    done = BelongingsResult(sessions=nothing, messages=nothing, memories=nothing, notes=nothing)
    with journal.together():
        for part in parts:
            done = BelongingsResult(
                sessions=_both(done.sessions, _sessions(database, journal, part.sessions, actor)),
                messages=_both(done.messages, _messages(database, journal, part.messages, actor)),
                memories=_both(
                    done.memories, import_memories(database, journal, part.memories, actor)
                ),
                notes=_both(done.notes, _notes(database, journal, part.notes)),
            )
    return done


def _both(one: ImportResult, other: ImportResult) -> ImportResult:
    return ImportResult(
        added=one.added + other.added,
        skipped=one.skipped + other.skipped,
        conflicts=(*one.conflicts, *other.conflicts),
    )


def _sessions(
    database: Database, journal: Journal, sessions: Sequence[Session], actor: str
) -> ImportResult:
    rows = database.chosen(SESSION_COLUMNS, "sessions", [one.id for one in sessions])
    known = {row[0]: session_value(row) for row in rows}
    added, conflicts = 0, list[str]()
    for session in sessions:
        other = known.setdefault(session.id, session)
        if other is session:
            _add_session(database, journal, session, actor)
            added += 1
        elif other.created_at != session.created_at:
            conflicts.append(session.id)
    skipped = len(sessions) - added - len(conflicts)
    return ImportResult(added=added, skipped=skipped, conflicts=tuple(conflicts))


def _add_session(database: Database, journal: Journal, session: Session, actor: str) -> None:
    with journal.write() as draft:
        payload = {"old": None, "new": session_record(replace(session, messages=0))}
        entry = draft.note("session.imported", session.id, actor, "", payload)
        times = stored_time(session.created_at), stored_time(session.updated_at)
        database.run(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
            [session.id, session.title, session.agent, *times, session.archived, entry.seq],
        )


def _messages(
    database: Database, journal: Journal, messages: Sequence[Message], actor: str
) -> ImportResult:
    """Those whose place in the session another message has are conflicts, not moved."""
    ids = [one.id for one in messages]
    known = {
        row[0]: message_record(message_value(from_row(row, MESSAGE_FIELDS)))
        for row in database.chosen(MESSAGE_COLUMNS, "messages", ids)
    }
    taken = _places(database, journal, sorted({one.session for one in messages}))
    fresh: list[Record] = []
    conflicts = list[str]()
    for record in map(message_record, messages):
        place = (record["session"], record["position"])
        if record["id"] in known:
            if _said(known[record["id"]]) != _said(record):
                conflicts.append(record["id"])
        elif place in taken:
            conflicts.append(record["id"])
        else:
            known[record["id"]] = record
            taken.add(place)
            fresh.append(record)
    if fresh:
        _add_messages(database, journal, fresh, actor)
    skipped = len(messages) - len(fresh) - len(conflicts)
    return ImportResult(added=len(fresh), skipped=skipped, conflicts=tuple(conflicts))


def _said(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in _ARRANGED}


def _places(database: Database, journal: Journal, sessions: list[str]) -> set[tuple[str, int]]:
    there = {row[0] for row in database.chosen("id", "sessions", sessions)}
    if lost := [name for name in sessions if name not in there]:
        raise StoreError(
            f"Messages belong to a session that is not there: {lost[0]}.",
            hint="Import the sessions with them.",
        )
    rows = database.chosen("session, position", "messages", sessions, column="session")
    return {(session, position) for session, position in rows}


def _add_messages(database: Database, journal: Journal, records: list[Record], actor: str) -> None:
    import pyarrow as pa

    nonces, seqs = list[str](), list[int]()
    with journal.write() as draft:
        for record in records:
            nonces.append(token_hex(16))
            digest = message_digest(record, nonces[-1])
            seqs.append(draft.seal("message.imported", record["id"], actor, digest).seq)
        columns: dict[str, Any] = {}
        rows = zip(*(to_row(record, MESSAGE_FIELDS) for record in records), strict=True)
        shapes = {"position": pa.int32(), "created_at": pa.timestamp("us")}
        for name, values in zip(MESSAGE_FIELDS, rows, strict=True):
            columns[name] = pa.array(values, shapes.get(name, pa.string()))
        columns["nonce"], columns["seq"] = pa.array(nonces), pa.array(seqs, pa.int64())
        with database.table("new_messages", pa.table(columns)):
            database.run("INSERT INTO messages BY NAME SELECT * FROM new_messages")
            database.run("""
                UPDATE sessions SET messages = (
                    SELECT count(*) FROM messages WHERE messages.session = sessions.id)
                WHERE id IN (SELECT session FROM new_messages)""")


def _notes(database: Database, journal: Journal, notes: Sequence[Note]) -> ImportResult:
    known = _known_notes(database, journal, notes)
    fresh = [note for note in notes if _key(note) not in known]
    pairs: list[tuple[str, int]] = []
    with journal.write() as draft:
        for note in fresh:
            if tells_of_change(note.kind):
                raise StoreError(f"{note.kind!r} is no note.", hint="Export it again.")
            payload = {"old": None, "new": note.data, "at": iso(note.at)}
            entry = draft.note(note.kind, note.entity, note.actor, note.reason, payload)
            pairs += [(name, entry.seq) for name in named_entities(note.data)]
        if pairs:
            _add_mentions(database, journal, pairs)
    return ImportResult(added=len(fresh), skipped=len(notes) - len(fresh))


def _add_mentions(database: Database, journal: Journal, pairs: list[tuple[str, int]]) -> None:
    import pyarrow as pa

    names, seqs = zip(*pairs, strict=True)
    table = pa.table({"entity": pa.array(names, pa.string()), "seq": pa.array(seqs, pa.int64())})
    with database.table("new_mentions", table):
        database.run("INSERT INTO mentions SELECT * FROM new_mentions")


def _key(note: Note) -> tuple[str, str, str, str]:
    return note.kind, note.entity, iso(note.at), canonical(note.data)


def _known_notes(
    database: Database, journal: Journal, notes: Sequence[Note]
) -> set[tuple[str, str, str, str]]:
    found = set[tuple[str, str, str, str]]()
    entities = sorted({note.entity for note in notes})
    for kind, entity, at, payload in database.chosen(
        "kind, entity, logged_at, payload", "log", entities, column="entity"
    ):
        if payload is not None and not kind.startswith(OWN_KINDS):
            said = json.loads(payload)
            found.add((kind, entity, said.get("at") or iso(aware(at)), canonical(said["new"])))
    return found
