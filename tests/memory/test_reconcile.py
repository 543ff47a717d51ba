"""What was kept at once is compared with what was there before, the next time somebody looks."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import StepClock
from memory_home import MemoryHome, memory_home

from skill_agent.memory.contradictions.reconcile import NOTE
from skill_agent.values import MemoryChange, MemoryFilter, NewMemory


@pytest.fixture
async def home(tmp_path: Path, clock: StepClock) -> AsyncIterator[MemoryHome]:
    async with memory_home(tmp_path, clock) as opened:
        yield opened


async def test_a_new_order_replaces_the_pinned_old_one(home: MemoryHome) -> None:
    old = await home.book.add(NewMemory("I deploy on Fridays", pinned=True))
    new = await home.book.add(NewMemory("I now deploy on Mondays", pinned=True))
    looked = await home.reconciler.catch_up()
    assert looked.superseded == (old.id,)
    assert (await home.book.get(old.id)).superseded_by == new.id
    kept = await home.book.get(new.id)
    assert (kept.pinned, kept.version, kept.status) == (True, 2, "active")


async def test_without_a_word_of_change_both_stand_in_dispute(home: MemoryHome) -> None:
    await home.book.add("I have two children")
    await home.reconciler.catch_up()
    new = await home.book.add("I have three children")
    assert (await home.reconciler.catch_up()).disputed == (new.id,)
    assert len((await home.book.disputes())[0].memories) == 2


async def test_a_memory_told_by_the_person_replaces_what_was_read(home: MemoryHome) -> None:
    (read,) = (await home.take("The user deploys on Fridays", "The user likes tea")).created[:1]
    await home.book.settle()
    told = await home.book.add(NewMemory("I deploy on Fridays", pinned=True))
    assert (await home.reconciler.catch_up()).superseded == (read.id,)
    assert (await home.book.get(told.id)).pinned


async def test_what_agrees_is_left_alone(home: MemoryHome) -> None:
    for text in ("I like tea", "I like coffee", "The office is in Porto"):
        await home.book.add(text)
    looked = await home.reconciler.catch_up()
    assert (looked.looked_at, looked.superseded, looked.disputed) == (3, (), ())


async def test_nothing_is_looked_at_twice_nor_by_the_next_process(
    tmp_path: Path, clock: StepClock
) -> None:
    async with memory_home(tmp_path, clock) as home:
        await home.book.add("I have two children")
        assert (await home.reconciler.catch_up()).looked_at == 1
        assert (await home.reconciler.catch_up()).looked_at == 0
        assert len(await home.ledger.log(kinds=(NOTE,))) == 1
    async with memory_home(tmp_path, clock) as home:
        assert (await home.reconciler.catch_up()).looked_at == 0
        await home.book.add("I have three children")
        assert len((await home.reconciler.catch_up()).disputed) == 1


async def test_what_another_process_kept_is_looked_at(tmp_path: Path, clock: StepClock) -> None:
    async with memory_home(tmp_path, clock) as home:
        old = await home.book.add("I deploy on Fridays")
        await home.book.add("I now deploy on Mondays")
    async with memory_home(tmp_path, clock) as home:
        assert (await home.reconciler.catch_up()).superseded == (old.id,)


async def test_imports_and_extractions_are_passed_over(home: MemoryHome) -> None:
    rows = [{"id": "a", "content": "I have two children"},
            {"id": "b", "content": "I have three children"}]  # fmt: skip
    await home.book.import_rows(rows)
    await home.take("The user lives in Porto")
    assert (await home.reconciler.catch_up()).looked_at == 0


async def test_a_new_order_is_compared_with_imports(home: MemoryHome) -> None:
    await home.book.import_rows([{"id": "a", "content": "I deploy on Fridays"}])
    await home.book.settle()
    await home.book.add("I now deploy on Mondays")
    assert (await home.reconciler.catch_up()).superseded == ("a",)


async def test_both_true_stays_settled(home: MemoryHome) -> None:
    one = await home.book.add("I have two children")
    other = await home.book.add("I have three children")
    await home.reconciler.catch_up()
    await home.book.resolve(one.id, both=True)
    third = await home.book.add("I have a garden")
    assert (await home.reconciler.catch_up()).disputed == ()
    assert {(await home.book.get(m.id)).status for m in (one, other, third)} == {"active"}


async def test_private_memories_of_one_agent_do_not_touch_anothers(home: MemoryHome) -> None:
    mine = {"memory_type": "agent_private", "pinned": True}
    await home.book.add(NewMemory("The surprise is on Friday", agent="kyra", **mine))
    await home.book.add(NewMemory("The surprise is on Monday now", agent="luke", **mine))
    assert (await home.reconciler.catch_up()).superseded == ()


async def test_many_are_looked_at_bit_by_bit(home: MemoryHome) -> None:
    for number in range(7):
        await home.book.add(f"Shelf {number} holds jars")
    seen = []
    while (looked := await home.reconciler.catch_up(limit=3)).looked_at:
        seen.append((looked.looked_at, looked.behind))
    assert seen == [(3, True), (3, True), (1, False)]


async def test_a_correction_is_not_taken_for_a_contradiction(home: MemoryHome) -> None:
    old = await home.book.add("I have two children")
    new = await home.book.correct(old.id, "I have three children")
    assert (await home.reconciler.catch_up()).disputed == ()
    assert (await home.book.get(new.id)).status == "active"


async def test_what_somebody_else_wrote_replaces_nothing_of_the_persons(home: MemoryHome) -> None:
    asked = {"pinned": True, "importance": 9}
    old = await home.book.add(NewMemory("I deploy on Fridays", **asked))
    again = await home.book.add("I have two children")
    for text in ("I now deploy on Mondays", "I have two children"):
        new = home.book.made(NewMemory(text))
        brought = replace(new, origins=("web",))
        await home.book.write(
            [MemoryChange(kind="memory.created", memory=brought, actor="remember")]
        )
    looked = await home.reconciler.catch_up()
    assert old.id not in looked.superseded and again.id not in looked.superseded
    assert (await home.book.get(old.id)).status == "disputed"
    assert (await home.book.get(again.id)).status == "active"
    assert (await home.book.list(MemoryFilter(pinned=True))) == [await home.book.get(old.id)]
