"""Whether the ledger is whole: the chain, the contents it seals, and every table against it.

Blocking; reads in batches so that memory stays bounded. Nothing is repaired here. Rows cut off
the end of the log together with everything they said elsewhere leave no trace to find.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, TypeVar

from skill_agent.errors import StoreError
from skill_agent.identifiers import iso
from skill_agent.values import VerifyReport

from .chain import Head, link, seal
from .contents import Contents, Row
from .erasure import ERASED, emptied_by
from .records import (
    MEMORY_FIELDS,
    MESSAGE_FIELDS,
    MESSAGES_IN,
    OWN_KINDS,
    aware,
    from_row,
    message_digest,
    named_entities,
)
from .replay import fold

MOST_PROBLEMS = 100
"""Further ones are counted, not listed."""

Left = TypeVar("Left")
Right = TypeVar("Right")


def verify(contents: Contents) -> VerifyReport:
    """Checks everything; each problem names the log row or the entity it was found at."""
    walk = _Walk()
    problems = [
        *_schema(contents),
        *walk.log(contents),
        *_memories(contents),
        *_messages(contents),
        *_sessions(contents),
    ]
    listed = problems[:MOST_PROBLEMS]
    if len(problems) > len(listed):
        listed.append(f"… and {len(problems) - len(listed)} more problems")
    rows, memories, messages = map(contents.count, ("log", "memories", "messages"))
    return VerifyReport(rows=rows, memories=memories, messages=messages, problems=tuple(listed))


def _schema(contents: Contents) -> Iterator[str]:
    if what := contents.schema_problem():
        yield f"meta: {what}"


class _Walk:
    """One pass over the log in order of sequence."""

    def __init__(self) -> None:
        self.purged: set[str] = set()
        self._explained: list[tuple[int, int]] = []
        self._emptied: dict[int, str] = {}
        self._head = Head()

    def log(self, contents: Contents) -> Iterator[str]:
        mentions = groupby(contents.mentions(), key=lambda row: row[0])
        stated = ((seq, [entity for _, entity in group]) for seq, group in mentions)
        found: list[str] = []
        for seq, expected, written in joined(self._rows(contents, found), stated):
            yield from found
            found.clear()
            # A row that was emptied still names what it was about and still stands.
            if seq not in self._emptied and sorted(expected or []) != (written or []):
                yield f"mentions: do not agree with log row {seq}"
        yield from found
        explained = {seq for first, last in self._explained for seq in range(first, last + 1)}
        for seq, entity in self._emptied.items():
            if seq not in explained and entity not in self.purged:
                yield f"log row {seq} ({entity}): its content is missing and no purge explains it"

    def _rows(self, contents: Contents, found: list[str]) -> Iterator[tuple[int, list[str]]]:
        """Gives (seq, entities named there) for the rows that name any; problems go to `found`."""
        for row in contents.log():
            found.extend(
                f"log row {row[0]} ({row[2]} of {row[3]}): {what}" for what in self._row(row)
            )
            kind, payload = row[2], row[6]
            if not kind.startswith(OWN_KINDS) and (named := _named(payload)):
                yield row[0], named
            self._head = Head(row[0], row[10])

    def _row(self, row: tuple[Any, ...]) -> Iterator[str]:
        seq, at, kind, entity, actor, reason, payload, nonce, digest, prev_hash, row_hash = row
        if seq != self._head.seq + 1:
            yield f"its number does not follow {self._head.seq}"
        if prev_hash != self._head.hash:
            yield "it is not linked to the row before it"
        if _link(seq, at, kind, entity, actor, reason, digest, prev_hash) != row_hash:
            yield "the row was altered"
        if payload is not None:
            if nonce is None or seal(payload, nonce) != digest:
                yield "its content was altered"
        elif kind not in MESSAGES_IN:
            self._emptied[seq] = entity
        if kind == ERASED:
            self._explained += emptied_by(payload)
        elif kind.endswith(".purged"):
            self.purged.add(entity)


def _link(seq: int, at: Any, *parts: str) -> str:
    try:
        return link(seq, aware(at), *parts)
    except StoreError:
        return ""


def _named(payload: str | None) -> list[str]:
    if payload is None:
        return []
    try:
        return named_entities(json.loads(payload).get("new"))
    except (ValueError, AttributeError):
        return []


def _memories(contents: Contents) -> Iterator[str]:
    for memory_id, history, row in _beside(contents.memory_log(), contents.memories()):
        for what in _memory(history, row):
            yield f"memory {memory_id}: {what}"


def _memory(history: list[Any] | None, row: tuple[Any, ...] | None) -> Iterator[str]:
    if history is None:
        yield "it stands in its table, but the log does not know it"
        return
    try:
        expected = next(iter(fold(change[:3] for change in history).values()), None)
    except (ValueError, TypeError, KeyError):
        yield "its log cannot be replayed"
        return
    if expected is None or row is None:
        if expected is not None:
            yield "the log knows it, but it is missing from its table"
        elif row is not None:
            yield "it was purged, but still stands in its table"
        return
    try:
        stated = from_row(row, MEMORY_FIELDS)
    except ValueError:
        yield "its row cannot be read"
        return
    wrong = [name for name in MEMORY_FIELDS if stated[name] != expected[name]]
    begun = _since_purge(history)
    if row[-2:] != (begun[0][3], begun[-1][3]):
        wrong.append("seq")
    if wrong:
        yield f"{', '.join(wrong)} differ from what its log leads to"


def _since_purge(history: list[Any]) -> list[Any]:
    """The rows since the entity last began: an erased one may come back with an import."""
    purges = [place for place, row in enumerate(history) if row[1].endswith(".purged")]
    return history[purges[-1] + 1 :] if purges else history


def _missing(history: list[Any] | None, row: tuple[Any, ...] | None) -> str:
    """What is wrong where the log or the table has nothing of an entity; empty where that is right,
    since it was purged."""
    if history is None:
        return "it stands in its table, but the log does not know it"
    if row is not None:
        return "it was purged, but still stands in its table"
    return "the log knows it, but it is missing from its table" if _since_purge(history) else ""


def _messages(contents: Contents) -> Iterator[str]:
    for message_id, history, row in _beside(contents.message_log(), contents.messages()):
        if what := _message(history, row):
            yield f"message {message_id}: {what}"


def _message(history: list[Any] | None, row: tuple[Any, ...] | None) -> str:
    standing = _since_purge(history or [])
    if row is None or not standing:
        return _missing(history, row)
    known = standing[-1][2:]
    *fields, nonce, seq = row
    try:
        digest = message_digest(from_row(tuple(fields), MESSAGE_FIELDS), nonce or "")
    except (ValueError, StoreError):
        return "its row cannot be read"
    return "" if (digest, seq) == known else "it differs from what was saved"


def _sessions(contents: Contents) -> Iterator[str]:
    for session_id, history, row in _beside(contents.session_log(), contents.sessions()):
        if what := _session(history, row):
            yield f"session {session_id}: {what}"


def _session(history: list[Any] | None, row: tuple[Any, ...] | None) -> str:
    standing = _since_purge(history or [])
    if row is None or not standing:
        return _missing(history, row)
    expected: dict[str, Any] = {}
    try:
        for _, _, payload, _ in standing:
            expected.update(json.loads(payload)["new"] if payload is not None else {})
    except (ValueError, TypeError, KeyError):
        return "its log cannot be replayed"
    _, title, agent, created_at, updated_at, messages, archived, seq, counted, latest = row
    expected.update(seq=standing[-1][3], messages=counted or 0)
    if latest is not None:
        expected["updated_at"] = max(expected.get("updated_at", ""), iso(aware(latest)))
    stated = {
        "title": title,
        "agent": agent,
        "created_at": iso(aware(created_at)),
        "updated_at": iso(aware(updated_at)),
        "messages": messages,
        "archived": archived,
        "seq": seq,
    }
    wrong = [name for name, value in stated.items() if expected.get(name) != value]
    return f"{', '.join(wrong)} differ from what its log leads to" if wrong else ""


def _beside(
    log: Iterator[Row], table: Iterator[Row]
) -> Iterator[tuple[str, list[Row] | None, Row | None]]:
    """By entity, its rows of the log and its row of a table."""
    histories = ((entity, list(rows)) for entity, rows in groupby(log, key=lambda row: row[0]))
    return joined(histories, ((row[0], row) for row in table))


def joined(
    left: Iterable[tuple[Any, Left]], right: Iterable[tuple[Any, Right]]
) -> Iterator[tuple[Any, Left | None, Right | None]]:
    """Full outer join of two streams in order of their keys."""
    ones, others = iter(left), iter(right)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], None
            one = next(ones, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = next(others, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(ones, None), next(others, None)
