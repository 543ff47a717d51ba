"""Whoever edits the file behind the ledger's back is found, and the place is named."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest
from skill_agent.store.ledger.replay import fold

from skill_agent.values import MemoryChange


@pytest.fixture
async def filled(ledger, make):
    """A closed ledger with rows of every kind."""
    session = await ledger.create_session(make.session(id="session-1"))
    await ledger.save_message(make.message(session, "one", id="message-1"))
    await ledger.save_message(make.message(session, "two", id="message-2"))
    (memory,) = await ledger.write_memories([make.created(id="memory-1")])
    await ledger.import_memories([make.memory(id="memory-2")], actor="user")
    pinned = replace(memory, pinned=True)
    await ledger.write_memories([MemoryChange(kind="memory.pinned", memory=pinned, actor="user")])
    data = {"session": "session-1", "memories": ["memory-1"]}
    await ledger.note("recalled", "message-1", actor="kyra", data=data)
    await ledger.note("usage", "message-1", actor="kyra", data={"session": "session-1"})
    assert (await ledger.verify()).problems == ()
    await ledger.close()


def edited(path, sql: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


TAMPERING = [
    ("UPDATE log SET payload = replace(payload, 'Fact', 'Myth') WHERE seq = 4", "log row 4"),
    ("UPDATE log SET reason = 'because' WHERE seq = 2", "log row 2"),
    ("UPDATE log SET actor = 'nobody' WHERE seq = 1", "log row 1"),
    ("UPDATE log SET logged_at = logged_at + INTERVAL 1 DAY WHERE seq = 3", "log row 3"),
    ("UPDATE log SET kind = 'memory.unpinned' WHERE seq = 6", "log row 6"),
    ("UPDATE log SET digest = repeat('0', 64) WHERE seq = 5", "log row 5"),
    ("UPDATE log SET hash = repeat('0', 64) WHERE seq = 5", "log row 6"),
    ("UPDATE log SET payload = NULL, nonce = NULL WHERE seq = 4", "log row 4"),
    ("DELETE FROM log WHERE seq = 3", "log row 4"),
    ("DELETE FROM log WHERE seq = 6", "memory memory-1"),
    ("UPDATE messages SET content = 'won' WHERE id = 'message-1'", "message message-1"),
    ("UPDATE messages SET role = 'assistant' WHERE id = 'message-2'", "message message-2"),
    ("UPDATE messages SET nonce = NULL WHERE id = 'message-2'", "message message-2"),
    ("UPDATE messages SET tool_calls = 'no JSON' WHERE id = 'message-2'", "message message-2"),
    ("DELETE FROM messages WHERE id = 'message-1'", "message message-1"),
    ("UPDATE memories SET content = 'other' WHERE id = 'memory-2'", "memory memory-2: content"),
    ("UPDATE memories SET pinned = false WHERE id = 'memory-1'", "memory memory-1: pinned"),
    ("UPDATE memories SET seq = 4 WHERE id = 'memory-1'", "memory memory-1: seq"),
    ("UPDATE memories SET metadata = '{' WHERE id = 'memory-1'", "memory memory-1"),
    ("DELETE FROM memories WHERE id = 'memory-1'", "memory memory-1"),
    ("UPDATE memories SET id = 'memory-3' WHERE id = 'memory-2'", "memory memory-3"),
    ("UPDATE sessions SET title = 'x'", "session session-1: title"),
    ("UPDATE sessions SET messages = 3", "session session-1: messages"),
    ("UPDATE sessions SET updated_at = created_at", "session session-1: updated_at"),
    ("DELETE FROM sessions", "session session-1"),
    ("DELETE FROM mentions", "log row 7"),
    ("INSERT INTO mentions VALUES ('memory-2', 8)", "log row 8"),
]


@pytest.mark.parametrize(("sql", "named"), TAMPERING, ids=[sql for sql, _ in TAMPERING])
async def test_an_edit_is_found_and_named(filled, ledger_path, open_ledger, sql, named):
    edited(ledger_path, sql)
    ledger = await open_ledger()
    problems = (await ledger.verify()).problems
    assert any(problem.startswith(named) or named in problem for problem in problems), problems
    assert len(problems) <= 6


async def test_an_inserted_row_is_found(filled, ledger_path, open_ledger):
    edited(
        ledger_path,
        "INSERT INTO log SELECT 9, logged_at, kind, 'memory-2', actor, reason, payload, nonce, "
        "digest, prev_hash, hash FROM log WHERE seq = 6",
    )
    ledger = await open_ledger()
    problems = (await ledger.verify()).problems
    assert any("log row 9" in problem for problem in problems)
    assert any("memory memory-2" in problem for problem in problems)


async def test_an_emptied_row_is_whole_only_if_a_purge_says_so(filled, ledger_path, open_ledger):
    """Payload and nonce go, the digest stays, and the chain still verifies."""
    ledger = await open_ledger()

    def purge() -> None:
        with ledger._journal.write() as draft:
            draft.note("memory.purged", "memory-1", "user", "", {"old": None, "new": {}})
            ledger._database.run(
                "UPDATE log SET payload = NULL, nonce = NULL "
                "WHERE entity = 'memory-1' AND kind <> 'memory.purged'"
            )
            ledger._database.run("DELETE FROM memories WHERE id = 'memory-1'")

    before = await ledger.last_seq()
    await ledger._run("purge", purge)
    assert (await ledger.verify()).problems == ()
    assert (await ledger.delta(before)).removed == ("memory-1",)
    assert {entry.new is None for entry in await ledger.log("memory-1")} == {True, False}


async def test_many_problems_are_counted_not_listed(open_ledger, ledger_path, make):
    ledger = await open_ledger()
    await ledger.import_memories([make.memory() for _ in range(300)], actor="user")
    await ledger.close()
    edited(ledger_path, "UPDATE memories SET importance = 1")
    problems = (await (await open_ledger()).verify()).problems
    assert len(problems) == 101
    assert problems[-1] == "… and 200 more problems"


async def test_verify_counts_what_it_saw(filled, open_ledger):
    report = await (await open_ledger()).verify()
    assert (report.rows, report.memories, report.messages) == (8, 2, 2)


async def test_a_clock_that_goes_back_leaves_a_whole_ledger(ledger, make, clock):
    await ledger.write_memories([make.created("late")])
    late = clock.now
    clock.now -= timedelta(hours=1)
    await ledger.write_memories([make.created("early")])
    assert (await ledger.verify()).problems == ()
    assert [m.content for m in await ledger.state_at(late)] == ["late", "early"]
    assert [m.content for m in await ledger.state_at(late - timedelta(minutes=1))] == [
        "late",
        "early",
    ]


def test_folding_forgets_the_purged_and_the_emptied():
    rows = [("a", "memory.created", '{"new": {"id": "a"}}'), ("b", "memory.created", None)]
    assert list(fold(rows)) == ["a"]
    assert fold([*rows, ("a", "memory.purged", "{}")]) == {}
    with suppress(StopIteration):
        next(iter(fold([])))
