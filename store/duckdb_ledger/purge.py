"""Erasing for good what rows say, in one transaction; blocking, within the ledger's thread.

Rows keep their place, digest and hash, so the chain still verifies. That no old byte stays in the
file is `rewrite`'s work; what belongs to a memory is the core's to work out.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from skill_agent.values import Purge, PurgeResult, Session

from ..ledger.erasure import ERASED, note_emptied, note_purges
from ..ledger.journal import Draft, Journal
from ..ledger.records import (
    MEMORY_FIELDS,
    from_row,
    session_record,
    session_value,
    stored_time,
    without_blanks,
)
from .database import Database
from .model_calls import drop_calls_since_what_goes
from .projected import drop_projections_of
from .schema import MEMORY_COLUMNS, SESSION_COLUMNS

_ROWS_ABOUT_MEMORIES = """
    SELECT seq FROM log WHERE starts_with(kind, 'memory.') AND kind <> 'memory.purged'
    AND entity IN (SELECT name FROM gone_memories)"""
_ROWS_ABOUT_MESSAGES = """
    SELECT seq FROM log WHERE NOT ends_with(kind, '.purged')
    AND entity IN (SELECT name FROM gone_messages)"""
_ROWS_ABOUT_TITLES = """
    SELECT seq FROM log WHERE starts_with(kind, 'session.') AND kind <> 'session.purged'
    AND entity IN (SELECT name FROM new_titles)"""
_ROWS_ABOUT_SESSIONS = """
    SELECT seq FROM log WHERE NOT ends_with(kind, '.purged')
    AND entity IN (SELECT name FROM gone_sessions)
    UNION SELECT seq FROM mentions WHERE entity IN (SELECT name FROM gone_sessions)"""


def purge(database: Database, journal: Journal, wanted: Purge) -> PurgeResult:
    """Erases what there still is of it and says how much that was."""
    sessions = _there(database, "sessions", wanted.sessions)
    messages = _there(database, "messages", wanted.messages)
    with database.names("gone_sessions", sessions):
        inside = "SELECT id FROM messages WHERE session IN (SELECT name FROM gone_sessions)"
        messages = sorted({*messages, *(row[0] for row in database.rows(inside))})
    memories = _there(database, "memories", wanted.memories)
    titles = {name: wanted.titles[name] for name in _there(database, "sessions", wanted.titles)}
    with (
        database.names("gone_memories", memories),
        database.names("gone_messages", messages),
        database.names("gone_sessions", sessions),
        database.names("new_titles", list(titles)),
        journal.write() as draft,
    ):
        rows = _rows_to_empty(database, wanted.notes)
        changed = _changed_sessions(database, titles)
        restated = _empty(database, rows)
        note_purges(draft, wanted, memories, messages, sessions)
        _delete(database)
        drop_calls_since_what_goes(database, rows)
        _restate_sessions(database, draft, changed, titles, wanted.actor)
        _restate_memories(database, draft, restated, wanted.actor)
        if rows:
            note_emptied(draft, rows, wanted.actor)
    return PurgeResult(
        memories=len(memories), messages=len(messages), sessions=len(sessions), rows=len(rows)
    )


def _there(database: Database, table: str, ids: Iterable[str]) -> list[str]:
    return sorted(row[0] for row in database.chosen("id", table, list(ids)))


@contextmanager
def _numbers(database: Database, table: str, numbers: Sequence[int]) -> Iterator[None]:
    import pyarrow as pa

    with database.table(table, pa.table({"number": pa.array(numbers, pa.int64())})):
        yield


def _rows_to_empty(database: Database, notes: Sequence[int]) -> list[int]:
    with _numbers(database, "asked", notes):
        sql = f"""
            SELECT seq FROM log WHERE payload IS NOT NULL AND kind <> '{ERASED}' AND seq IN (
                {_ROWS_ABOUT_MEMORIES} UNION {_ROWS_ABOUT_MESSAGES} UNION {_ROWS_ABOUT_TITLES}
                UNION {_ROWS_ABOUT_SESSIONS} UNION SELECT number FROM asked)
            ORDER BY seq"""
        return [row[0] for row in database.rows(sql)]


def _changed_sessions(database: Database, titles: dict[str, str]) -> list[Session]:
    """Those that stay, but lose messages or a title."""
    rows = database.rows(f"""
        SELECT {SESSION_COLUMNS} FROM sessions
        WHERE id NOT IN (SELECT name FROM gone_sessions) AND (
            id IN (SELECT name FROM new_titles) OR id IN (
                SELECT session FROM messages WHERE id IN (SELECT name FROM gone_messages)))
        ORDER BY id""")
    return [
        replace(session, title=titles.get(session.id, session.title))
        for session in map(session_value, rows)
    ]


def _empty(database: Database, rows: list[int]) -> list[str]:
    """Takes payload and nonce off the rows; gives the memories that stay but lost a part of
    their story."""
    with _numbers(database, "emptied", rows):
        told = database.rows("""
            SELECT DISTINCT entity FROM log WHERE seq IN (SELECT number FROM emptied)
            AND starts_with(kind, 'memory.') AND kind <> 'memory.purged'
            AND entity NOT IN (SELECT name FROM gone_memories)
            AND entity IN (SELECT id FROM memories) ORDER BY entity""")
        kinds = database.rows(
            "SELECT DISTINCT kind FROM log WHERE seq IN (SELECT number FROM emptied)"
        )
        drop_projections_of(database, {row[0] for row in kinds})
        database.run(
            "UPDATE log SET payload = NULL, nonce = NULL WHERE seq IN (SELECT number FROM emptied)"
        )
        database.run("""
            DELETE FROM mentions WHERE seq IN (SELECT number FROM emptied) AND (
                entity IN (SELECT name FROM gone_memories)
                OR entity IN (SELECT name FROM gone_messages)
                OR entity IN (SELECT name FROM gone_sessions))""")
    return [row[0] for row in told]


def _delete(database: Database) -> None:
    for table in ("memories", "messages", "sessions"):
        database.run(f"DELETE FROM {table} WHERE id IN (SELECT name FROM gone_{table})")


def _restate_sessions(
    database: Database, draft: Draft, sessions: list[Session], titles: dict[str, str], actor: str
) -> None:
    """Rows that say how the sessions stand, for what led there may be erased."""
    for session in sessions:
        new = session_record(session)
        if session.id not in titles:
            del new["title"]
        entry = draft.note("session.emptied", session.id, actor, "", {"old": None, "new": new})
        database.run(
            "UPDATE sessions SET title = ?, updated_at = ?, seq = ?, messages = "
            "(SELECT count(*) FROM messages WHERE session = ?) WHERE id = ?",
            [session.title, stored_time(session.updated_at), entry.seq, session.id, session.id],
        )


def _restate_memories(database: Database, draft: Draft, ids: list[str], actor: str) -> None:
    for name in ids:
        sql = f"SELECT {MEMORY_COLUMNS} FROM memories WHERE id = ?"
        record = from_row(database.rows(sql, [name])[0], MEMORY_FIELDS)
        payload = {"old": None, "new": without_blanks(record)}
        entry = draft.note("memory.restated", name, actor, "", payload)
        database.run("UPDATE memories SET seq = ? WHERE id = ?", [entry.seq, name])
