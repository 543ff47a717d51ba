"""Sessions and messages in the ledger; blocking, within the ledger's thread.

A message's text stands only in its own row: the log row beside it carries the digest. Nothing is
erased here, archiving included.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from secrets import token_hex
from typing import Any

from skill_agent.errors import NotFound, StoreError
from skill_agent.values import FoundSession, Message, Session

from ..ledger.journal import Draft, Journal
from ..ledger.recent import Saved, sent_with
from ..ledger.records import (
    MESSAGE_FIELDS,
    aware,
    changes,
    from_row,
    message_digest,
    message_record,
    message_value,
    session_record,
    session_value,
    stored_time,
    to_row,
)
from .database import Database
from .history import among, mentioning
from .model_calls import drop_calls_of_session
from .schema import MESSAGE_COLUMNS, MESSAGE_TEXT, SESSION_COLUMNS


class Conversations:
    """Reads and writes of sessions and their messages."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal
        self._recent = journal.recent

    # -- sessions ----------------------------------------------------------------------------

    def create(self, session: Session) -> Session:
        """Idempotent for the same session; raises StoreError if the id stands for another."""
        with self._journal.write() as draft:
            if known := self._session(draft, session.id):
                if (known.agent, known.created_at) != (session.agent, session.created_at):
                    raise StoreError(
                        f"Session {session.id} exists already.", hint="Use a fresh id."
                    )
                return known
            created = replace(session, messages=0)
            payload = {"old": None, "new": session_record(created)}
            entry = draft.note("session.created", created.id, "person", "", payload)
            times = stored_time(created.created_at), stored_time(created.updated_at)
            draft.add(
                "sessions",
                (created.id, created.title, created.agent, *times, 0, created.archived, entry.seq),
            )
            if mentioning(self._database, created.id):
                # Notes told of it before it was there: what it holds is not certain to be nothing.
                draft.put_in()
                draft.changed.add(created.id)
            else:
                moments = {"created_at": aware(times[0]), "updated_at": aware(times[1])}
                draft.created[created.id] = replace(created, **moments)
        return created

    def session(self, session_id: str) -> Session | None:
        if found := self._read_session(session_id):
            self._recent.keep_session(found)
        return found

    def _session(self, draft: Draft, session_id: str) -> Session | None:
        """As `session`, within a transaction: what may yet be undone is not kept."""
        known = draft.created.get(session_id)
        if known is None and session_id not in draft.changed:
            known = self._recent.session(session_id)
        return known or self._read_session(session_id)

    def _read_session(self, session_id: str) -> Session | None:
        row = self._database.first(
            f"SELECT {SESSION_COLUMNS} FROM sessions WHERE id = ?", [session_id]
        )
        return session_value(row) if row else None

    def sessions(
        self, limit: int, offset: int, archived: bool, before: tuple[datetime, str] | None
    ) -> list[Session]:
        """Either those on the list or the archived ones."""
        condition, values = page_after("updated_at", before)
        rows = self._database.rows(
            f"SELECT {SESSION_COLUMNS} FROM sessions WHERE archived = ?{condition} "
            "ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?",
            [archived, *values, limit, offset],
        )
        return [session_value(row) for row in rows]

    def find(
        self,
        text: str,
        names: Mapping[str, str],
        limit: int,
        before: tuple[datetime, str] | None,
    ) -> list[FoundSession]:
        """Those on the list, each with the place in its newest message that holds the text."""
        titled, values = _titled(text, names)
        page, rest = page_after("updated_at", before)
        said = MESSAGE_TEXT
        rows = self._database.rows(
            f"WITH told AS (SELECT session, max(seq) AS newest FROM messages "
            f"WHERE contains(lower({said}), lower(?)) GROUP BY session), "
            f"found AS (SELECT {SESSION_COLUMNS}, newest FROM sessions "
            "LEFT JOIN told ON told.session = sessions.id "
            f"WHERE NOT archived AND (newest IS NOT NULL OR ({titled})){page} "
            "ORDER BY updated_at DESC, id DESC LIMIT ?) "
            f"SELECT {SESSION_COLUMNS}, (SELECT {_AROUND} FROM messages "
            "WHERE seq = newest) FROM found ORDER BY updated_at DESC, id DESC",
            [text, *values, *rest, limit, text],
        )
        return [
            FoundSession(**asdict(session_value(row[:-1])), hit=" ".join((row[-1] or "").split()))
            for row in rows
        ]

    def change(self, kind: str, session_id: str, actor: str, **fields: Any) -> None:
        """Sets some of title, agent, archived; writes nothing if they are so already."""
        with self._journal.write() as draft:
            draft.put_in()
            session = self._read_session(session_id)
            if session is None:
                raise NotFound(f"There is no session {session_id}.", hint="Run: ska sessions list")
            old, new = changes(session_record(session), session_record(replace(session, **fields)))
            if not new:
                return
            draft.created.pop(session_id, None)
            draft.changed.add(session_id)
            entry = draft.note(kind, session_id, actor, "", {"old": old, "new": new})
            if new.get("archived"):
                drop_calls_of_session(self._database, session_id)
            assignments = ", ".join(f"{name} = ?" for name in new)
            self._database.run(
                f"UPDATE sessions SET {assignments}, seq = ? WHERE id = ?",
                [*new.values(), entry.seq, session_id],
            )

    # -- messages ----------------------------------------------------------------------------

    def save(self, message: Message) -> Message:
        """Appends a message; saving the same one again gives back the stored one."""
        import duckdb

        try:
            return self._append(message)
        except duckdb.ConstraintException:
            # Ids are hardly ever met twice; to look for each beforehand would cost every save.
            stored = self.message(message.id)
            if stored is None:
                raise
        if message_record(replace(message, position=stored.position)) != message_record(stored):
            raise StoreError(
                f"Message {message.id} exists with other content.", hint="Use a fresh id."
            )
        return stored

    def begin(self, session: Session, message: Message) -> Message:
        """A session with its first message, both or neither."""
        with self._journal.together():
            self.create(session)
            return self._append(message)

    def _append(self, message: Message) -> Message:
        with self._journal.write() as draft:
            session = self._session(draft, message.session)
            if session is None:
                raise StoreError(
                    f"Message {message.id} belongs to no known session ({message.session}).",
                    hint="Create the session first.",
                )
            placed = replace(message, position=self._next_position(draft, message.session))
            record, nonce = message_record(placed), token_hex(16)
            actor = "person" if placed.role == "user" else placed.agent or placed.role
            digest = message_digest(record, nonce)
            entry = draft.seal("message.saved", placed.id, actor, digest)
            row = to_row(record, MESSAGE_FIELDS)
            draft.add("messages", (*row, nonce, entry.seq))
            stored = message_value(from_row(tuple(row), MESSAGE_FIELDS))
            at = aware(stored_time(entry.at))
            draft.saved.append(Saved(message=stored, seq=entry.seq, at=at, session=session))
        return placed

    def _next_position(self, draft: Draft, session_id: str) -> int:
        """After the last message, of which a purge may have left fewer than were said."""
        for one in reversed(draft.saved):
            if one.message.session == session_id:
                return one.message.position + 1
        if (talk := self._recent.talk(session_id)) is not None:
            return talk[-1].position + 1 if talk else 0
        sql = "SELECT max(position) FROM messages WHERE session = ?"
        ((last,),) = self._database.rows(sql, [session_id])
        return 0 if last is None else int(last) + 1

    def message(self, message_id: str) -> Message | None:
        return next(iter(self._select("WHERE id = ?", [message_id])), None)

    def by_id(self, ids: Sequence[str]) -> dict[str, Message]:
        """Those that exist, without their data blocks."""
        if not ids:
            return {}
        return {one.id: one for one in self._select(f"WHERE {among('id', ids)}", list(ids))}

    def messages(
        self, session_id: str, last: int = 0, after: int = -1, limit: int = 0
    ) -> list[Message]:
        """In order, each with the data block that was sent beside it; `last` and `limit` of 0 or
        less are none."""
        condition, values = "WHERE session = ? AND position > ?", [session_id, after]
        if last <= 0:
            found = self._select(
                f"{condition} ORDER BY position LIMIT ?", [*values, limit if limit > 0 else None]
            )
        else:
            found = self._select(f"{condition} ORDER BY position DESC LIMIT ?", [*values, last])
            found = found[::-1][: limit if limit > 0 else None]
        return _with(self._contexts(session_id) if found else {}, found)

    def talk(self, session_id: str) -> list[Message]:
        """All of them; kept in memory from now on, unless a block waits for a message to come."""
        found = self._select("WHERE session = ? ORDER BY position", [session_id])
        sent = self._contexts(session_id)
        talk = _with(sent, found)
        if sent.keys() <= {one.id for one in found}:
            self._recent.keep_talk(session_id, talk)
        return talk

    def turn(self, turn_id: str) -> list[Message]:
        """A turn's messages, each as `messages` gives it."""
        # Most turns asked for are new ones; one column tells that at a quarter of the cost.
        if not self._database.rows("SELECT seq FROM messages WHERE turn = ? LIMIT 1", [turn_id]):
            return []
        found = self._select("WHERE turn = ? ORDER BY session, position", [turn_id])
        return _with(self._contexts(found[0].session) if found else {}, found)

    def open_turns(self) -> list[Message]:
        """Messages of persons after the first note of an end, whose turn has none itself."""
        return self._select(
            """WHERE role = 'user'
            AND seq > (SELECT min(seq) FROM log WHERE kind = 'turn_ended')
            AND seq IN (SELECT seq FROM log WHERE kind = 'message.saved')
            AND turn NOT IN (SELECT entity FROM log WHERE kind = 'turn_ended')
            ORDER BY seq""",
            [],
        )

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
        return {message: sent_with(data) for message, data in sent}

    def search(self, text: str, limit: int, agent: str | None) -> list[Message]:
        """Literal text, any case; for an agent its own words and the sessions it holds. Of a
        message and its copies in branches the oldest."""
        sessions = "SELECT id FROM sessions WHERE NOT archived"
        condition, values = f"session IN ({sessions})", [text]
        if agent is not None:
            condition += f" AND (agent = ? OR session IN ({sessions} AND agent = ?))"
            values += [agent, agent]
        return self._select(
            f"WHERE contains(lower({MESSAGE_TEXT}), lower(?)) AND {condition} "
            "QUALIFY row_number() OVER (PARTITION BY role, created_at, content ORDER BY seq) = 1 "
            "OR seq NOT IN (SELECT seq FROM log WHERE kind = 'message.imported') "
            "ORDER BY seq DESC LIMIT ?",
            [*values, limit],
        )

    def _select(self, rest: str, values: list[Any]) -> list[Message]:
        rows = self._database.rows(f"SELECT {MESSAGE_COLUMNS} FROM messages {rest}", values)
        return [message_value(from_row(row, MESSAGE_FIELDS)) for row in rows]


def _with(sent: dict[str, dict[str, Any]], messages: list[Message]) -> list[Message]:
    """The messages, each with what was sent beside it."""
    return [replace(one, **sent[one.id]) if one.id in sent else one for one in messages]


_BEFORE, _SHOWN = 40, 200
"""Characters shown before what was found, and in all."""
_AROUND = (
    f"substr({MESSAGE_TEXT}, greatest(strpos(lower({MESSAGE_TEXT}), lower(?)) - {_BEFORE}, 1), "
    f"{_SHOWN})"
)


def _titled(text: str, names: Mapping[str, str]) -> tuple[str, list[Any]]:
    """A condition, and its values: each word stands in the title or in the agent's names."""
    conditions, values = list[str](), list[Any]()
    for word in text.lower().split():
        called = [slug for slug, name in names.items() if word in f"{slug} {name}".lower()]
        conditions.append(f"(contains(lower(title), ?) OR {among('agent', called)})")
        values += [word, *called]
    return " AND ".join(conditions), values


def page_after(column: str, before: tuple[datetime, str] | None) -> tuple[str, list[Any]]:
    """The rest of a condition, and its values: only rows after one that was had, where a listing
    goes down by that column and then by id."""
    if before is None:
        return "", []
    return f" AND ({column}, id) < (?, ?)", [stored_time(before[0]), before[1]]
