"""What the ledger keeps in memory is what the tables say, whatever was written in between."""

import asyncio
import gc
import tempfile
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import StepClock
from hypothesis import example, given, settings
from hypothesis import strategies as st
from searching import fewer
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.ledger.recent import Bounded, Recent

from skill_agent.errors import SkillAgentError
from skill_agent.values import (
    Belongings,
    Delta,
    LogEntry,
    Memory,
    MemoryChange,
    Message,
    Note,
    Purge,
    Session,
    ToolCall,
    Usage,
)

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SESSIONS = [f"session-{n}" for n in range(3)]
MESSAGES = [f"message-{n}" for n in range(12)]
MEMORIES = [f"memory-{n}" for n in range(5)]
KINDS = ("recalled", "compacted", "usage")

Step = tuple[str, int, int, str]


def session(number: int) -> Session:
    return Session(
        id=SESSIONS[number % 3], title="Talk", agent="kyra", created_at=START, updated_at=START
    )


def message(number: int, other: int, text: str) -> Message:
    asked = ToolCall(id="c", name="find", arguments={"text": text, "rows": [1, 2.5, None]})
    return Message(
        id=MESSAGES[number % 12],
        session=(*SESSIONS, "nowhere")[other % 4],
        turn=f"turn-{number % 5}",
        role=("user", "assistant", "tool")[number % 3],
        content=text,
        created_at=START + timedelta(microseconds=other),
        agent=(None, "kyra", "luke")[other % 3],
        tool_calls=(asked,) if other % 4 == 1 else (),
        usage=Usage(model="m", cost_usd=other / 7) if other % 5 == 2 else None,
        context="never stored",
    )


def memory(number: int, text: str) -> Memory:
    return Memory(
        id=MEMORIES[number % 5],
        content=text or "a fact",
        created_at=START,
        updated_at=START,
        metadata={"told": text} if number % 2 else {},
    )


async def step(ledger: DuckLedger, step: Step) -> None:
    """One write; those that the ledger refuses are a part of the game."""
    what, a, b, text = step
    where = SESSIONS[b % 3]
    match what:
        case "create":
            await ledger.create_session(session(a))
        case "say":
            await ledger.save_message(message(a, b, text))
        case "note":
            data = {"session": where, "memories": [MEMORIES[a % 5]], "block": text}
            kind = KINDS[b // 3 % 3]
            await ledger.note(kind, MESSAGES[a % 12] if b % 2 else where, actor="x", data=data)
        case "remember":
            kind = ("memory.created", "memory.pinned")[b % 2]
            change = MemoryChange(kind=kind, memory=memory(a, text), actor="x")
            await ledger.write_memories([change])
        case "take in":
            await ledger.import_memories([memory(a, text)], actor="x")
        case "rename":
            await ledger.rename_session(where, text or "no name", actor="x")
        case "agent":
            await ledger.set_session_agent(where, ("kyra", "luke")[a % 2])
        case "archive":
            await ledger.archive_session(where, actor="x")
        case "purge":
            notes = [row.seq for row in await ledger.log(kinds=KINDS)]
            await ledger.purge(purge_of(a, b, tuple(notes[a % 3 : a % 3 + 1])))
        case "import":
            await ledger.import_belongings([belongings_of(a, b, text)], actor="x")


def purge_of(a: int, b: int, notes: tuple[int, ...]) -> Purge:
    match b % 4:
        case 0:
            return Purge(messages=(MESSAGES[a % 12],), actor="x")
        case 1:
            return Purge(memories=(MEMORIES[a % 5],), notes=notes, actor="x")
        case 2:
            return Purge(titles={SESSIONS[a % 3]: "(erased)"}, notes=notes, actor="x")
    return Purge(sessions=(SESSIONS[a % 3],), actor="x")


def belongings_of(a: int, b: int, text: str) -> Belongings:
    data = {"session": SESSIONS[b % 3], "memories": [], "block": text}
    note = Note(kind=KINDS[a % 3], entity=MESSAGES[a % 12], actor="x", at=START, data=data)
    said = replace(message(a, b % 3, text), position=40 + a, context="")
    return Belongings(sessions=(session(b),), messages=(said,), notes=(note,) if b % 2 else ())


async def play(ledger: DuckLedger, together: list[Step], *, hurried: bool) -> None:
    """Steps at once, so that some share a commit; when hurried, nobody waits for the last."""
    tasks = [asyncio.ensure_future(step(ledger, one)) for one in together]
    if hurried:
        await asyncio.sleep(0)
        tasks[-1].cancel()
    for task in tasks:
        with suppress(SkillAgentError, asyncio.CancelledError):
            await task


async def answers(ledger: DuckLedger) -> dict[str, Any]:
    """Everything that may be answered from memory."""
    found: dict[str, Any] = {"memories": await ledger.memories_by_id(MEMORIES)}
    for name in SESSIONS:
        found[name] = await ledger.session(name), await ledger.messages(name)
        found[f"{name}, cut"] = (
            await ledger.messages(name, last=2),
            await ledger.messages(name, after=1, limit=2),
        )
    for name in (*SESSIONS, *MESSAGES, *MEMORIES):
        for kinds in ((), ("recalled",), KINDS):
            found[f"{name} {kinds}"] = await ledger.log(name, kinds=kinds)
    return found


async def news(ledger: DuckLedger) -> list[Delta]:
    last = await ledger.last_seq()
    return [await ledger.delta(after) for after in range(max(0, last - 6), last + 1)]


async def rows(ledger: DuckLedger, *, filtered: bool) -> list[list[LogEntry]]:
    """Rows of some kinds by asking for these kinds, or by asking for all."""
    found = []
    for after in range(await ledger.last_seq() + 1):
        kinds = ("recalled", "memory.created")
        if filtered:
            found.append(await ledger.log(kinds=kinds, after=after))
        else:
            everything = await ledger.log(after=after)
            found.append([row for row in everything if row.kind in kinds])
    return found


async def check(ledger: DuckLedger) -> None:
    warm, fresh = await answers(ledger), await news(ledger)
    assert await answers(ledger) == warm
    assert await rows(ledger, filtered=True) == await rows(ledger, filtered=False)
    ledger.forget()
    assert await answers(ledger) == warm
    assert await news(ledger) == fresh


async def run(groups: list[tuple[list[Step], bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = await DuckLedger.open(Path(folder) / "ledger.duckdb", StepClock())
        try:
            for number in range(2):
                await ledger.create_session(session(number))
            for at, (together, hurried) in enumerate(groups):
                await play(ledger, together, hurried=hurried)
                if at % 3 == 0:
                    await answers(ledger)
            await check(ledger)
            assert (await ledger.verify()).problems == ()
        finally:
            await ledger.close()


WRITES = ["say"] * 6 + ["note"] * 3 + ["create", "remember", "remember", "take in"]
RARE = ["rename", "agent", "archive", "purge", "import"]
STEPS = st.tuples(
    st.sampled_from(WRITES + RARE), st.integers(0, 23), st.integers(0, 23), st.text(max_size=6)
)
GROUPS = st.lists(st.tuples(st.lists(STEPS, min_size=1, max_size=5), st.booleans()), max_size=12)


@pytest.mark.deep
@given(groups=GROUPS)
@settings(max_examples=fewer(2))
@example(groups=[([("archive", 0, 0, ""), ("say", 0, 0, "late")], False)])
@example(groups=[([("say", 1, 0, "a"), ("say", 1, 0, "b")], False)])
@example(groups=[([("note", 0, 9, ""), ("say", 0, 0, ""), ("say", 0, 0, "")], False)])
@example(
    groups=[
        ([("note", 0, 11, "")], False),
        ([("create", 2, 0, ""), ("say", 0, 2, "")], False),
        ([("say", 3, 2, "")], False),
    ]
)
@example(groups=[([("create", 2, 0, ""), ("agent", 1, 2, ""), ("say", 0, 2, "x")], False)])
def test_answers_from_memory_are_those_of_the_tables(
    groups: list[tuple[list[Step], bool]],
) -> None:
    asyncio.run(run(groups))


def texts_in(held: object) -> str:
    """Every text that can be reached from an object."""
    seen: set[int] = set()
    found: list[str] = []
    waiting: list[object] = [held]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type) or callable(one):
            continue
        seen.add(id(one))
        if isinstance(one, str):
            found.append(one)
        waiting += gc.get_referents(one)
    return "\n".join(found)


async def test_a_purge_leaves_nothing_in_memory(tmp_path: Path) -> None:
    recent = Recent()
    ledger = await DuckLedger.open(tmp_path / "ledger.duckdb", StepClock(), recent=recent)
    try:
        await ledger.create_session(replace(session(0), title="zqtitle"))
        said = await ledger.save_message(replace(message(0, 0, "zqsaid"), session=SESSIONS[0]))
        data = {"session": SESSIONS[0], "memories": [], "block": "zqblock"}
        await ledger.note("recalled", said.id, actor="x", data=data)
        kept = MemoryChange(kind="memory.created", memory=memory(1, "zqfact"), actor="x")
        await ledger.write_memories([kept])
        await answers(ledger)
        before = texts_in(recent)
        assert all(word in before for word in ("zqtitle", "zqsaid", "zqblock", "zqfact"))
        await ledger.purge(Purge(sessions=(SESSIONS[0],), memories=(MEMORIES[1],), actor="x"))
        assert "zq" not in texts_in(recent)
    finally:
        await ledger.close()


async def test_memory_is_bounded(tmp_path: Path) -> None:
    recent = Recent(most=40_000)
    ledger = await DuckLedger.open(tmp_path / "ledger.duckdb", StepClock(), recent=recent)
    try:
        for number in range(30):
            talk = replace(session(0), id=f"s{number}")
            await ledger.create_session(talk)
            for place in range(3):
                one = replace(message(0, 0, "x" * 500), id=f"{number}-{place}", session=talk.id)
                await ledger.save_message(one)
            change = MemoryChange(
                kind="memory.created",
                memory=replace(memory(0, "y" * 500), id=f"k{number}"),
                actor="x",
            )
            await ledger.write_memories([change])
        names = [f"s{number}" for number in range(30)]
        talks = [await ledger.messages(name) for name in names]
        await ledger.memories_by_id([f"k{number}" for number in range(30)])
        assert [len(talk) for talk in talks] == [3] * 30
        assert 0 < recent.size <= 60_000
    finally:
        await ledger.close()


async def test_reads_and_writes_at_once_never_go_back(tmp_path: Path) -> None:
    ledger = await DuckLedger.open(tmp_path / "ledger.duckdb", StepClock())
    try:
        await ledger.create_session(session(0))

        async def talk() -> None:
            for number in range(40):
                one = replace(message(0, 0, "x"), id=f"m{number}", session=SESSIONS[0])
                saved = await ledger.save_message(one)
                there = await ledger.messages(SESSIONS[0])
                assert saved.position == number == there[-1].position
                assert (await must(ledger.session(SESSIONS[0]))).messages == number + 1

        async def look() -> None:
            seen = 0
            for _ in range(400):
                messages = await ledger.messages(SESSIONS[0])
                assert len(messages) >= seen
                seen = len(messages)
                ledger.forget()
                await asyncio.sleep(0)

        await asyncio.gather(talk(), look(), look())
    finally:
        await ledger.close()


async def must(asked: Awaitable[Session | None]) -> Session:
    found = await asked
    assert found is not None
    return found


class TestBounded:
    def test_what_was_not_asked_for_longest_goes_first(self) -> None:
        held: Bounded[str, str] = Bounded(10, len)
        for name in ("aa", "bb", "cc", "dd", "ee"):
            held.put(name, name)
        assert held.get("aa") == "aa"
        held.put("ff", "ff")
        assert (held.get("bb"), held.get("aa"), held.total, len(held)) == (None, "aa", 10, 5)

    def test_what_is_too_large_is_not_held(self) -> None:
        held: Bounded[str, str] = Bounded(10, len)
        held.put("a", "a")
        held.put("a", "aaa")
        assert (held.get("a"), held.total) == (None, 0)
