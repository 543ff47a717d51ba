"""The hot cache over a real ledger: never older than the last write, and no query on a hit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import OpenRuntime, StepClock
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.host.runtime import Runtime
from skill_agent.memory import life
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.hot import Hot, HotCache
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.told import ASK
from skill_agent.memory.rows import read_row
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Memory, MemoryChange, MemoryFilter, NewMemory, Purge


class Cached:
    """A book and the cache that hears of its writes."""

    def __init__(self, ledger: DuckLedger, clock: StepClock) -> None:
        async def no_index() -> Any:
            raise AssertionError("nothing here needs the index")

        self.ledger, self.clock = ledger, clock
        self.cache = HotCache(ledger, clock)
        projector = Projector(ledger, no_index)
        self.book = MemoryBook(ledger, projector, clock, "me", self.cache.changed)

    async def texts(self, agent: str | None = "kyra") -> set[str]:
        return {memory.content for memory in (await self.cache.of(agent, "me")).all}


@pytest.fixture
async def cached(tmp_path: Path, clock: StepClock) -> AsyncIterator[Cached]:
    ledger = await DuckLedger.open(tmp_path / "ledger.duckdb", clock)
    yield Cached(ledger, clock)
    await ledger.close()


async def test_a_hit_asks_the_ledger_nothing(cached: Cached) -> None:
    await cached.book.add(NewMemory("pinned", pinned=True))
    first = await cached.cache.of("kyra", "me")
    again = [await cached.cache.of("kyra", "me") for _ in range(5)]
    assert cached.cache.loads == 1
    assert all(one == first for one in again)


async def test_what_is_at_hand(cached: Cached) -> None:
    add = cached.book.add
    await add(NewMemory("I am careful", memory_type="identity", agent="kyra"))
    await add(NewMemory("I am bold", memory_type="identity", agent="max"))
    await add(NewMemory("lives in Oslo", memory_type="user_profile"))
    await add(NewMemory("lives in Rome", memory_type="user_profile", user="somebody"))
    await add(NewMemory("we use PEP 8", memory_type="shared"))
    await add(NewMemory("pinned fact", pinned=True, importance=3))
    await add(NewMemory("weighty", importance=9))
    await add(NewMemory("a secret", memory_type="agent_private", agent="max", pinned=True))
    await add(NewMemory("warm fact", importance=8))
    hot = await cached.cache.of("kyra", "me")

    def told(part: tuple[Memory, ...]) -> list[str]:
        return [memory.content for memory in part]

    assert told(hot.identity) == ["I am careful"]
    assert told(hot.profile) == ["lives in Oslo"]
    assert told(hot.team) == ["we use PEP 8"]
    assert {"pinned fact", "weighty"} <= set(told(hot.hot))
    assert not {"a secret", "warm fact", "I am bold", "lives in Rome"} & await cached.texts()
    assert "a secret" in await cached.texts("max")
    assert "a secret" in await cached.texts(None)


Write = Callable[[Cached, Memory], Awaitable[object]]


async def _added(cached: Cached, _old: Memory) -> None:
    await cached.book.add(NewMemory("new one", memory_type="user_profile"))


async def _pinned(cached: Cached, _old: Memory) -> None:
    warm = await cached.ledger.memories(MemoryFilter(memory_types=("semantic",)))
    await cached.book.pin(warm[0].id)


async def _purged(cached: Cached, old: Memory) -> None:
    await cached.ledger.purge(Purge(memories=(old.id,), actor="person"))
    cached.cache.clear()


async def _imported(cached: Cached, _old: Memory) -> None:
    row = {"content": "from a file", "memory_type": "shared"}
    memory = read_row(row, now=cached.clock(), user="me")
    await cached.ledger.import_memories([memory], actor="import")
    cached.cache.clear()


async def _rated(cached: Cached, old: Memory) -> None:
    less = replace(old, importance=2)
    await cached.book.write(
        [MemoryChange(kind="memory.rated", memory=less, actor="person", expected=old)]
    )


async def _expired(cached: Cached, _old: Memory) -> None:
    cached.clock.advance(days=2)


@pytest.mark.parametrize(
    "write",
    [
        _added,
        _pinned,
        _purged,
        _imported,
        _rated,
        _expired,
        lambda cached, old: cached.book.forget(old.id),
        lambda cached, old: cached.book.correct(old.id, "lives in Bergen"),
        lambda cached, old: cached.book.unpin(old.id),
    ],
    ids=["add", "pin", "purge", "import", "rate", "expire", "forget", "correct", "unpin"],
)
async def test_every_kind_of_write_is_seen_at_once(cached: Cached, write: Write) -> None:
    tomorrow = cached.clock() + timedelta(days=1)
    add = cached.book.add
    old = await add(NewMemory("lives in Oslo", memory_type="user_profile", pinned=True))
    await add(NewMemory("warm one", importance=5))
    await add(NewMemory("for a day", memory_type="user_profile", expires_at=tomorrow))
    before = await cached.cache.of("kyra", "me")
    await write(cached, old)
    after = await cached.cache.of("kyra", "me")
    assert after != before
    assert after == await HotCache(cached.ledger, cached.clock).of("kyra", "me")


async def test_a_write_that_changes_nothing_at_hand_keeps_the_cache(cached: Cached) -> None:
    await cached.texts()
    await cached.book.add(NewMemory("some warm fact", importance=5))
    await cached.book.add(NewMemory("luke's own", importance=9, agent="luke"))
    await cached.texts()
    assert cached.cache.loads == 1


async def test_identity_never_expires(cached: Cached) -> None:
    soon = cached.clock() + timedelta(hours=1)
    await cached.book.add(
        NewMemory("I am Kyra", memory_type="identity", agent="kyra", expires_at=soon)
    )
    cached.clock.advance(days=1)
    assert await cached.texts() == {"I am Kyra"}


async def test_a_load_that_a_write_overtakes_is_thrown_away(cached: Cached) -> None:
    async def writes() -> None:
        for number in range(20):
            await cached.book.add(NewMemory(f"fact {number}", memory_type="user_profile"))

    async def reads() -> list[Hot]:
        return [await cached.cache.of("kyra", "me") for _ in range(20)]

    await asyncio.gather(writes(), reads(), reads())
    assert len(await cached.texts()) == 20


# -- the same, seen from the prompt ----------------------------------------------------------


async def _said(runtime: Runtime, model: ScriptedModel, session: str | None) -> tuple[str, str]:
    async for event in runtime.ask("hello", session=session):
        session = event.session
    assert session is not None
    return session, "\n".join(one.content for one in model.requests[-1].messages)


async def test_a_running_session_forgets_and_learns_at_once(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        add = runtime.memory.add
        oslo = await add(NewMemory("lives in Oslo", memory_type="user_profile"))
        session, text = await _said(runtime, model, None)
        assert "Oslo" in text
        await add(NewMemory("likes tea", memory_type="user_profile"))
        _, later = await _said(runtime, model, session)
        assert later.startswith(text)
        assert later.count("Oslo") == 1
        assert "likes tea" in later
        bergen = await runtime.memory.correct(oslo.id, "lives in Bergen")
        _, text = await _said(runtime, model, session)
        assert "Bergen" in text
        assert "Oslo" not in text
        await runtime.memory.forget(bergen.id)
        _, text = await _said(runtime, model, session)
        assert "Bergen" not in text
        await add(NewMemory("I am never rude", memory_type="identity", agent="kyra"))
        _, text = await _said(runtime, model, session)
        assert "never rude" in text


async def test_an_expired_profile_leaves_a_running_session(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        soon = clock() + timedelta(hours=1)
        await runtime.memory.add(
            NewMemory("is on leave", memory_type="user_profile", expires_at=soon)
        )
        session, text = await _said(runtime, model, None)
        assert "on leave" in text
        clock.advance(hours=2)
        _, text = await _said(runtime, model, session)
        assert "on leave" not in text


async def test_a_dispute_is_told_with_both_sides_by_one_hit(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        red = await runtime.memory.add(NewMemory("My bicycle is red", speaker="user"))
        blue = await runtime.memory.add(NewMemory("Azure was what it got painted", speaker="user"))
        hidden = await runtime.memory.add(
            NewMemory("Green", memory_type="agent_private", agent="max")
        )
        now = red.created_at
        changes = life.disputing(
            blue, [red, hidden], now=now, actor="test", reason="colours", stored=True
        )
        await runtime.book.write(changes)
        await runtime.memory.settle()
        await _said(runtime, model, None)
        async for _ in runtime.ask("Which colour is my bicycle, is it red?"):
            pass
    block = model.requests[-1].messages[-1].content
    assert block.count("⚡DISPUTED") == 2
    assert "Azure" in block
    assert ASK in block
    assert "Green" not in block


async def test_writes_without_end_keep_nobody_waiting(cached: Cached) -> None:
    """A load that every time comes too late is given, though not kept."""
    await cached.book.add(NewMemory("lives in Oslo", memory_type="user_profile"))
    reading = asyncio.create_task(cached.texts())
    for number in range(200):
        await cached.book.add(NewMemory(f"fact {number}", memory_type="user_profile"))
        if reading.done():
            break
    assert reading.done()
    assert "lives in Oslo" in await reading
    await cached.book.add(NewMemory("the last one", memory_type="user_profile"))
    assert "the last one" in await cached.texts()
