"""What is erased is gone from every row and every byte, and the chain still proves the rest."""

import random
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.ledger.chain import Head, canonical, link, seal
from skill_agent.store.ledger.erasure import ranges_of
from skill_agent.store.ledger.records import stored_time

from skill_agent.errors import StoreError
from skill_agent.values import (
    Belongings,
    MemoryChange,
    MemoryFilter,
    ModelCall,
    Note,
    PromptMessage,
    Purge,
    Source,
    ToolCall,
    Usage,
)

SECRET = "My locker code is quokka-4711"
MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def bytes_of(folder: Path) -> bytes:
    """Every byte of every file; the ledgers among them are closed."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


@pytest.fixture
async def told(ledger, make):
    """A ledger with a secret in a memory, a message, a title, a data block and a reason."""
    session = await ledger.create_session(make.session(id="s1", title=SECRET))
    other = await ledger.create_session(make.session(id="s2", title="Weather"))
    await ledger.save_message(make.message(session, f"Remember: {SECRET}", id="m1", turn="t1"))
    await ledger.save_message(
        make.message(session, "Kept.", id="m2", turn="t1", role="assistant", agent="kyra")
    )
    await ledger.save_message(make.message(other, "What is my code?", id="m3", turn="t2"))
    await ledger.save_message(
        make.message(other, "It is quokka-4711.", id="m4", turn="t2", role="assistant")
    )
    await ledger.save_message(make.message(session, "Thanks", id="m5", turn="t3"))
    secret = make.memory(
        SECRET, id="secret", source=Source(session="s1", message_ids=("m1",)), pinned=True
    )
    await ledger.write_memories([MemoryChange(kind="memory.created", memory=secret, actor="kyra")])
    await ledger.write_memories([make.created("The gym opens at six", id="gym")])
    archived = replace(secret, status="archived")
    why = "quokka is out of date"
    await ledger.write_memories(
        [MemoryChange(kind="memory.archived", memory=archived, actor="person", reason=why)]
    )
    data = {"session": "s2", "memories": ["secret", "gym"], "block": f"- {SECRET}"}
    seq = await ledger.note("recalled", "m3", actor="kyra", data=data)
    await ledger.note("usage", "t2", actor="kyra", data={"session": "s2", "model": "x"})
    await keep_call(ledger, make, "t2")
    return seq


async def keep_call(ledger, make, turn, *, seen=0, session="s2"):
    call = ModelCall(
        id=f"call of {turn}",
        turn=turn,
        session=session,
        agent="kyra",
        model="x",
        created_at=MORNING,
        messages=(PromptMessage(role="user", content=f"<recalled>{SECRET}</recalled>"),),
        text="It is quokka-4711.",
    )
    await ledger.save_calls([call], seen=seen, before=MORNING, most_bytes=10_000)
    return call


def erasing(seq: int) -> Purge:
    return Purge(
        memories=("secret",),
        messages=("m1", "m2", "m4"),
        notes=(seq,),
        titles={"s1": "(erased)"},
        actor="person",
        reason="my right",
    )


async def test_calls_of_models_go_with_what_they_may_repeat(ledger, make, told):
    kept = await ledger.calls("t2")
    assert [call.text for call in kept] == ["It is quokka-4711."]
    assert (await ledger.verify()).problems == ()
    unrelated = await ledger.write_memories([make.created("The pool is closed")])
    seen = await ledger.last_seq()
    await ledger.purge(Purge(memories=(unrelated[0].id,), actor="person"))
    assert await ledger.calls("t2") == kept, "it was written before that was there"
    await keep_call(ledger, make, "t4", seen=seen)
    assert await ledger.calls("t4") == [], "its turn began before something was erased"
    now = await ledger.last_seq()
    again = await keep_call(ledger, make, "t5", seen=now)
    assert await ledger.calls("t5") == [again]
    await ledger.purge(erasing(told))
    assert await ledger.calls("t2") == await ledger.calls("t5") == []
    assert (await ledger.verify()).problems == ()


async def test_nothing_of_it_stays_in_rows_or_bytes(ledger, ledger_path, told, open_ledger):
    before = await ledger.last_seq()
    assert await ledger.calls("t2")
    done = await ledger.purge(erasing(told))
    assert (done.memories, done.messages, done.problem) == (1, 3, "")
    assert (await ledger.verify()).problems == ()
    assert await ledger.memory("secret") is None
    assert await ledger.message("m1") is None
    assert [one.id for one in await ledger.messages("s2")] == ["m3"]
    assert (await ledger.messages("s2"))[0].context == ""
    assert (await ledger.session("s1")).title == "(erased)"
    assert (await ledger.session("s1")).messages == 1
    assert (await ledger.counts())["memories"] == 1
    delta = await ledger.delta(before)
    assert set(delta.removed) == {"secret", "m1", "m2", "m4"}
    assert delta.items == ()
    assert all(entry.new is None for entry in (await ledger.log("secret"))[:-1])
    await ledger.close()
    assert b"quokka" not in bytes_of(ledger_path.parent)
    again = await open_ledger()
    assert (await again.verify()).problems == ()
    assert [m.id for m in await again.memories(MemoryFilter())] == ["gym"]
    assert again.warnings == ()


async def test_what_was_before_does_not_come_back_through_the_past(ledger, told, clock):
    late = clock()
    await ledger.purge(erasing(told))
    assert [m.id for m in await ledger.state_at(late)] == ["gym"]
    assert [m.id for m in await ledger.state_at(clock())] == ["gym"]


async def test_a_purge_reason_is_read_back_and_purging_twice_is_nothing(ledger, told):
    await ledger.purge(erasing(told))
    assert (await ledger.log("secret"))[-1].reason == "my right"
    seq = await ledger.last_seq()
    again = await ledger.purge(erasing(told))
    assert (again.memories, again.messages) == (0, 0)
    assert (await ledger.verify()).problems == ()
    assert await ledger.last_seq() <= seq + 2


async def test_writing_goes_on_after_a_purge(ledger, make, told):
    await ledger.purge(erasing(told))
    session = await ledger.session("s1")
    saved = await ledger.save_message(make.message(session, "More", id="m6"))
    assert saved.position == 3, "a place is not given twice"
    await ledger.rename_session("s1", "Gym", actor="person")
    await ledger.write_memories([make.created("new", id="new")])
    assert (await ledger.verify()).problems == ()


async def test_a_whole_session_goes_with_everything_about_it(ledger, ledger_path, told):
    await ledger.purge(Purge(sessions=("s2", "unknown"), actor="person"))
    assert await ledger.session("s2") is None
    assert await ledger.message("m3") is None
    assert [e.new for e in await ledger.log(kinds=("recalled", "usage"))] == [None, None]
    assert (await ledger.verify()).problems == ()
    assert await ledger.memory("secret") is not None


async def test_a_memory_whose_past_is_erased_stands_as_it_is_now(ledger, make, ledger_path):
    (first,) = await ledger.write_memories([make.created(SECRET, id="note")])
    better = replace(first, content="The locker is in the hall")
    await ledger.write_memories(
        [MemoryChange(kind="memory.corrected", memory=better, actor="person")]
    )
    await ledger.write_memories(
        [MemoryChange(kind="memory.pinned", memory=replace(better, pinned=True), actor="person")]
    )
    found = (await ledger.occurrences([SECRET]))[SECRET]
    assert set(found.changes.values()) == {"note"}
    await ledger.purge(Purge(notes=tuple(found.changes), actor="person"))
    assert await ledger.memory("note") == replace(better, pinned=True)
    assert await ledger.state_at(first.created_at.replace(year=2027)) == [
        replace(better, pinned=True)
    ]
    assert (await ledger.verify()).problems == ()
    await ledger.close()
    assert b"quokka" not in bytes_of(ledger_path.parent)


async def test_occurrences_ignore_case_and_spaces_and_look_everywhere(ledger, make, told):
    session = await ledger.session("s2")
    call = ToolCall(id="c", name="remember", arguments={"content": 'my LOCKER\n code "is"\tquokka'})
    await ledger.save_message(make.message(session, "", id="tool", tool_calls=(call,)))
    await ledger.note("compacted", "s1", actor="kyra", data={"summary": "locker\ncode is known"})
    found = await ledger.occurrences([SECRET, 'locker code "is" quokka', "locker code", "nowhere"])
    assert found[SECRET].memories == {"secret"}
    assert found[SECRET].messages == {"m1"}
    assert found[SECRET].notes == {told}
    assert found[SECRET].titles == {"s1"}
    assert found['locker code "is" quokka'].messages == {"tool"}
    assert len(found["locker code"].notes) == 2
    assert found["nowhere"].messages == frozenset()


@pytest.mark.parametrize(("phrase", "hits"), [("47", False), ("4711", True), ("QUOKKA", True)])
async def test_a_short_phrase_is_a_word(ledger, make, phrase, hits):
    await ledger.write_memories([make.created(SECRET, id="secret")])
    assert bool((await ledger.occurrences([phrase]))[phrase].memories) == hits


async def test_an_erased_memory_may_come_back_with_an_import(ledger, make, told):
    secret, message = await ledger.memory("secret"), await ledger.message("m1")
    session = await ledger.session("s1")
    before = await ledger.last_seq()
    await ledger.purge(Purge(memories=("secret",), sessions=("s1",), actor="person"))
    belongings = Belongings(sessions=(session,), messages=(message,), memories=(secret,))
    await ledger.import_belongings([belongings], actor="import")
    assert await ledger.memory("secret") == secret
    assert await ledger.message("m1") == message
    assert (await ledger.verify()).problems == ()
    delta = await ledger.delta(before)
    assert {"secret", "m1"} <= {item.id for item in delta.items}
    assert not {"secret", "m1"} & set(delta.removed)


async def test_belongings_keep_ids_times_and_places_and_may_come_twice(ledger, make, clock):
    session = make.session(id="old", title="Then", messages=2)
    asked = make.message(
        session, "Q", id="q", position=4, tool_calls=(ToolCall(id="c", name="n", arguments={}),)
    )
    told = make.message(
        session, "A", id="a", position=7, role="assistant", state="partial", usage=Usage(model="m")
    )
    note = Note(
        kind="usage", entity="t", actor="kyra", at=session.created_at, data={"session": "old"}
    )
    belongings = Belongings(
        sessions=(session,), messages=(told, asked), memories=(make.memory(),), notes=(note,)
    )
    done = await ledger.import_belongings([belongings], actor="import")
    assert (done.sessions.added, done.messages.added, done.memories.added) == (1, 2, 1)
    assert await ledger.messages("old") == [asked, told]
    assert await ledger.session("old") == session
    (entry,) = await ledger.log(kinds=("usage",))
    assert entry.at == session.created_at
    again = await ledger.import_belongings([belongings], actor="import")
    assert (again.sessions.skipped, again.messages.skipped, again.notes.skipped) == (1, 2, 1)
    assert (await ledger.verify()).problems == ()
    await ledger.save_message(make.message(session, "More"))
    assert (await ledger.verify()).problems == ()
    other = replace(belongings, messages=(replace(told, content="B"), replace(asked, id="new")))
    conflicts = (await ledger.import_belongings([other], actor="import")).messages.conflicts
    assert conflicts == ("a", "new")


async def test_belongings_that_do_not_fit_leave_nothing(ledger, make):
    session = make.session()
    homeless = make.message(make.session(), "?")
    with pytest.raises(StoreError, match="session"):
        await ledger.import_belongings(
            [Belongings(sessions=(session,), messages=(homeless,))], actor="import"
        )
    bad = Note(kind="memory.created", entity="x", actor="x", at=session.created_at, data={})
    with pytest.raises(StoreError, match="no note"):
        await ledger.import_belongings(
            [Belongings(sessions=(session,), memories=(make.memory(),), notes=(bad,))],
            actor="import",
        )
    assert await ledger.counts() == {"sessions": 0, "messages": 0, "memories": 0, "log": 0}
    assert (await ledger.import_belongings([Belongings()], actor="x")).notes.added == 0


async def test_a_row_of_an_older_ledger_keeps_its_hashed_reason(ledger, make, clock, open_ledger):
    (memory,) = await ledger.write_memories([make.created("The bus is late", id="bus")])

    def as_before() -> None:
        head: Head = ledger._journal.head
        payload = canonical({"old": {"pinned": False}, "new": {"pinned": True}})
        at, why = clock(), "because of quokka"
        digest = seal(payload, "ab")
        parts = (head.seq + 1, at, "memory.pinned", "bus", "person", why, digest, head.hash)
        seq, _, kind, entity, actor, reason, digest, before = parts
        row = [seq, stored_time(at), kind, entity, actor, reason, payload, "ab", digest, before]
        ledger._database.run(
            f"INSERT INTO log VALUES ({', '.join('?' * 11)})", [*row, link(*parts)]
        )
        ledger._database.run("UPDATE memories SET pinned = true, seq = ?", [seq])

    await ledger._run("write as before", as_before)
    await ledger.close()
    again = await open_ledger()
    assert (await again.verify()).problems == ()
    assert (await again.log("bus"))[-1].reason == "because of quokka"
    found = (await again.occurrences(["quokka"]))["quokka"]
    assert found.fixed == {2}
    change = MemoryChange(
        kind="memory.unpinned", memory=replace(memory, pinned=False), actor="p", reason="newer"
    )
    await again.write_memories([change])
    assert [entry.reason for entry in await again.log("bus")] == ["", "because of quokka", "newer"]
    column = "SELECT reason FROM log ORDER BY seq"
    rows = await again._run("read", lambda: again._database.rows(column))
    assert [row[0] for row in rows] == ["", "because of quokka", ""]
    await again.purge(Purge(memories=("bus",), actor="person"))
    assert (await again.verify()).problems == ()


async def test_an_emptied_row_no_purge_names_is_found(ledger, told, open_ledger, ledger_path):
    import duckdb

    await ledger.purge(Purge(memories=("secret",), actor="person"))
    await ledger.close()
    with duckdb.connect(str(ledger_path)) as connection:
        connection.execute("UPDATE log SET payload = NULL, nonce = NULL WHERE seq = ?", [told])
    problems = (await (await open_ledger()).verify()).problems
    assert any(f"log row {told}" in one for one in problems)


async def test_an_owed_rewriting_is_done_at_the_next_opening(
    ledger, ledger_path, told, open_ledger
):
    """As after a crash between the purge's commit and the rewriting."""
    from skill_agent.store.duckdb_ledger.purge import purge
    from skill_agent.store.duckdb_ledger.rewrite import owe

    def only_commit() -> None:
        owe(ledger._database)
        purge(ledger._database, ledger._journal, erasing(told))

    await ledger._run("purge", only_commit)
    await ledger.close()
    leftovers = [
        ledger_path.with_name(ledger_path.name + rest)
        for rest in (".anew", ".anew.partial", ".wal.spare", ".wal.damaged-1")
    ]
    for file in leftovers:
        file.write_bytes(SECRET.encode())
    again = await open_ledger()
    assert not any(file.exists() for file in leftovers)
    assert (await again.verify()).problems == ()
    await again.close()
    assert sorted(file.name for file in ledger_path.parent.iterdir()) == [
        ledger_path.name,
        f"{ledger_path.name}.anchor",
    ]
    assert b"quokka" not in bytes_of(ledger_path.parent)


COMMITTED_AND_KILLED = """
import asyncio, os, sys
from datetime import UTC, datetime
from skill_agent.values import MemoryChange
from skill_agent.values import Purge
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.duckdb_ledger.purge import purge
from skill_agent.store.duckdb_ledger.rewrite import owe
from skill_agent.values import Memory

async def main():
    ledger, now = await DuckLedger.open(sys.argv[1]), datetime.now(UTC)
    memory = Memory(id="secret", content="quokka", created_at=now, updated_at=now)
    change = MemoryChange(kind="memory.created", memory=memory, actor="u")
    await ledger.write_memories([change])
    def work():
        owe(ledger._database)
        purge(ledger._database, ledger._journal, Purge(memories=("secret",), actor="u"))
        os.kill(os.getpid(), 9)
    await ledger._run("erase", work)

asyncio.run(main())
"""


async def test_killed_right_after_the_commit(tmp_path, open_ledger):
    """What was erased then still stands in the write-ahead log."""
    path = tmp_path / "k" / "ledger.duckdb"
    assert killed_by_itself(path) == -9
    ledger = await open_ledger(path)
    assert ledger.warnings == ()
    assert await ledger.memory("secret") is None
    assert (await ledger.verify()).problems == ()
    await ledger.close()
    assert b"quokka" not in bytes_of(path.parent)


def killed_by_itself(path: Path) -> int:
    return subprocess.run([sys.executable, "-c", COMMITTED_AND_KILLED, str(path)]).returncode


async def test_a_refused_rewriting_is_told_and_owed(ledger, ledger_path, told, open_ledger):
    """The new file's place is taken by a folder that cannot be removed."""
    blocked = ledger_path.with_name(ledger_path.name + ".anew")
    (blocked / "in").mkdir(parents=True)
    done = await ledger.purge(erasing(told))
    assert "bytes are still there" in done.problem
    assert await ledger.memory("secret") is None
    await ledger.close()
    again = await open_ledger()
    assert "bytes are still there" in again.warnings[0]
    await again.close()
    (blocked / "in").rmdir()
    blocked.rmdir()
    last = await open_ledger()
    assert last.warnings == ()
    await last.close()
    assert b"quokka" not in bytes_of(ledger_path.parent)


def test_ranges():
    assert list(ranges_of([1, 2, 3, 5, 7, 8])) == [(1, 3), (5, 5), (7, 8)]
    assert list(ranges_of([])) == []


ERASER = """
import asyncio, sys
from datetime import UTC, datetime
from skill_agent.values import Purge
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.values import Memory

async def main():
    ledger = await DuckLedger.open(sys.argv[1])
    now = datetime.now(UTC)
    for run in range(1000):
        await ledger.import_memories([
            Memory(id=f"{sys.argv[2]}-{run}-{n}", content=f"quokka {n} " + "x" * 400,
                created_at=now, updated_at=now) for n in range(400)], actor="u")
        await ledger.import_memories([
            Memory(id=f"keep-{sys.argv[2]}-{run}", content="kept", created_at=now, updated_at=now)
        ], actor="u")
        print("keep", f"keep-{sys.argv[2]}-{run}", flush=True)
        await ledger.purge(Purge(actor="u",
            memories=tuple(f"{sys.argv[2]}-{run}-{n}" for n in range(400))))
        print("purged", run, flush=True)

asyncio.run(main())
"""


def killed(path: Path, run: str, seconds: float) -> set[str]:
    """Lets an eraser work for a while, kills it, and gives what it promised to keep."""
    command = [sys.executable, "-c", ERASER, str(path), run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        lines = process.stdout.read().split("\n")[:-1]
    return {line.split()[1] for line in lines if line.startswith("keep")}


@pytest.mark.deep
async def test_kill_during_purges(tmp_path, open_ledger):
    """The file is whole each time, and one more opening and purge finishes the work."""
    path, dice, kept = tmp_path / "k" / "ledger.duckdb", random.Random(), set[str]()
    for number in range(8):
        kept |= killed(path, f"r{number}", dice.uniform(0.0, 0.4))
    ledger: DuckLedger = await open_ledger(path)
    assert (await ledger.verify()).problems == ()
    there = {m.id for m in await ledger.memories(MemoryFilter(limit=1_000_000))}
    assert kept <= there
    rest = tuple(name for name in there if not name.startswith("keep"))
    assert (await ledger.purge(Purge(memories=rest, actor="u"))).problem == ""
    assert (await ledger.verify()).problems == ()
    await ledger.close()
    assert b"quokka" not in bytes_of(path.parent)
