"""Sessions and messages in the ledger; blocking, within the ledger's thread.

A message's text stands only in its own row: the log row beside it carries the digest. Nothing is
erased here, archiving included.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Any

from skill_agent.errors import NotFound, StoreError
from skill_agent.values import Message, Session

from .chain import canonical, seal
from .history import among, mentioning
from .journal import Journal
from .records import (
    MESSAGE_COLUMNS,
    MESSAGE_FIELDS,
    SESSION_COLUMNS,
    changes,
    from_row,
    message_record,
    message_value,
    session_record,
    session_value,
    stored_time,
    to_row,
    without_blanks,
)

MESSAGES_IN = ("message.saved", "message.imported")
"""Kinds of log rows that seal a message which stands in the table."""

_MARKS = ", ".join("?" * (len(MESSAGE_FIELDS) + 2))


class Conversations:
    """Reads and writes of sessions and their messages."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._database = journal.database

    # -- sessions ----------------------------------------------------------------------------

    def create(self, session: Session) -> Session:
        """Idempotent for the same session; raises StoreError if the id stands for another."""
        known = self.session(session.id)
        if known:
            if (known.agent, known.created_at) != (session.agent, session.created_at):
                raise StoreError(f"Session {session.id} exists already.", hint="Use a fresh id.")
            return known
        created = replace(session, messages=0)
        with self._journal.write() as draft:
            payload = {"old": None, "new": session_record(created)}
            entry = draft.note("session.created", created.id, "person", "", payload)
            self._database.run(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
                [
                    created.id,
                    created.title,
                    created.agent,
                    stored_time(created.created_at),
                    stored_time(created.updated_at),
                    created.archived,
                    entry.seq,
                ],
            )
        return created

    def session(self, session_id: str) -> Session | None:
        row = self._database.first(
            f"SELECT {SESSION_COLUMNS} FROM sessions WHERE id = ?", [session_id]
        )
        return session_value(row) if row else None

    def sessions(self, limit: int, offset: int, archived: bool) -> list[Session]:
        """Either those on the list or the archived ones."""
        rows = self._database.rows(
            f"SELECT {SESSION_COLUMNS} FROM sessions WHERE archived = ? "
            "ORDER BY updated_at DESC, seq DESC LIMIT ? OFFSET ?",
            [archived, limit, offset],
        )
        return [session_value(row) for row in rows]

    def change(self, kind: str, session_id: str, actor: str, **fields: Any) -> None:
        """Sets some of title, agent, archived; writes nothing if they are so already."""
        session = self.session(session_id)
        if session is None:
            raise NotFound(f"There is no session {session_id}.", hint="Run: ska sessions list")
        old, new = changes(session_record(session), session_record(replace(session, **fields)))
        if not new:
            return
        with self._journal.write() as draft:
            entry = draft.note(kind, session_id, actor, "", {"old": old, "new": new})
            assignments = ", ".join(f"{name} = ?" for name in new)
            self._database.run(
                f"UPDATE sessions SET {assignments}, seq = ? WHERE id = ?",
                [*new.values(), entry.seq, session_id],
            )

    # -- messages ----------------------------------------------------------------------------

    def save(self, message: Message) -> Message:
        """Appends a message; saving the same one again gives back the stored one."""
        if stored := self.message(message.id):
            if message_record(replace(message, position=stored.position)) != message_record(stored):
                raise StoreError(
                    f"Message {message.id} exists with other content.", hint="Use a fresh id."
                )
            return stored
        position = self._next_position(message.session)
        if position is None:
            raise StoreError(
                f"Message {message.id} belongs to no known session ({message.session}).",
                hint="Create the session first.",
            )
        placed = replace(message, position=position)
        record, nonce = message_record(placed), token_hex(16)
        with self._journal.write() as draft:
            digest = message_digest(record, nonce)
            actor = "person" if placed.role == "user" else placed.agent or placed.role
            entry = draft.seal("message.saved", placed.id, actor, digest)
            self._database.run(
                f"INSERT INTO messages VALUES ({_MARKS})",
                [*to_row(record, MESSAGE_FIELDS), nonce, entry.seq],
            )
            self._database.run(
                "UPDATE sessions SET messages = messages + 1, updated_at = greatest(updated_at, ?) "
                "WHERE id = ?",
                [stored_time(entry.at), placed.session],
            )
        return placed

    def _next_position(self, session_id: str) -> int | None:
        """After the last message, of which a purge may have left fewer than were said; None for
        an unknown session."""
        row = self._database.first(
            "SELECT (SELECT max(position) FROM messages WHERE session = ?) FROM sessions "
            "WHERE id = ?",
            [session_id, session_id],
        )
        return None if row is None else int(-1 if row[0] is None else row[0]) + 1

    def message(self, message_id: str) -> Message | None:
        return next(iter(self._select("WHERE id = ?", [message_id])), None)

    def by_id(self, ids: Sequence[str]) -> dict[str, Message]:
        """Those that exist, without their data blocks."""
        if not ids:
            return {}
        return {one.id: one for one in self._select(f"WHERE {among('id', ids)}", list(ids))}

    def messages(self, session_id: str, last: int) -> list[Message]:
        """In order, each with the data block that was sent beside it."""
        if last <= 0:
            found = self._select("WHERE session = ? ORDER BY position", [session_id])
        else:
            found = self._select(
                "WHERE session = ? ORDER BY position DESC LIMIT ?", [session_id, last]
            )[::-1]
        sent = self._contexts(session_id)
        return [replace(one, **sent[one.id]) if one.id in sent else one for one in found]

    def _contexts(self, session_id: str) -> dict[str, dict[str, Any]]:
        """By message, what its `recalled` row says; a purged row says nothing any more."""
        seqs = mentioning(self._database, session_id)
        # Any further condition would cost DuckDB the index, so the rest is sorted out here.
        rows = self._database.rows(
            f"SELECT seq, kind, entity, payload FROM log WHERE {among('seq', seqs)}", seqs
        )
        sent = (
            (message, json.loads(payload)["new"])
            for _, kind, message, payload in sorted(rows)
            if kind == "recalled" and payload is not None
        )
        return {
            message: {"context": data.get("block", ""), "recalled": tuple(data.get("memories", ()))}
            for message, data in sent
        }

    def search(self, text: str, limit: int, agent: str | None) -> list[Message]:
        """Literal text, any case; for an agent its own words and the sessions it holds."""
        sessions = "SELECT id FROM sessions WHERE NOT archived"
        condition, values = f"session IN ({sessions})", [text]
        if agent is not None:
            condition += f" AND (agent = ? OR session IN ({sessions} AND agent = ?))"
            values += [agent, agent]
        return self._select(
            f"WHERE contains(lower(content), lower(?)) AND {condition} ORDER BY seq DESC LIMIT ?",
            [*values, limit],
        )

    def _select(self, rest: str, values: list[Any]) -> list[Message]:
        rows = self._database.rows(f"SELECT {MESSAGE_COLUMNS} FROM messages {rest}", values)
        return [message_value(from_row(row, MESSAGE_FIELDS)) for row in rows]


def message_digest(record: dict[str, Any], nonce: str) -> str:
    """What the log keeps of a message."""
    return seal(canonical(without_blanks(record)), nonce)
