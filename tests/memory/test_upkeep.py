"""Tiers, expiry, consolidation: what is tidied, what is left alone, and that it may be redone."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import StepClock
from shelf import Shelf

from skill_agent.memory.book import MemoryBook
from skill_agent.memory.care.consolidate import Consolidator
from skill_agent.memory.care.expiry import Expiry, due
from skill_agent.memory.care.tiers import fading, tier_of
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.memory.summaries.keeping import SummaryKeeper
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Access, Memory, MemoryChange, Message

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LIMITS = {"episodic": 180}


def memory(**fields: Any) -> Memory:
    plain: dict[str, Any] = {
        "id": "m", "content": "x", "created_at": NOW, "updated_at": NOW, "importance": 5,
    }  # fmt: skip
    return Memory(**{**plain, **fields})


@pytest.fixture
def shelf(tmp_path: Path, clock: StepClock) -> Shelf:
    return Shelf(tmp_path, clock)


def consolidator(shelf: Shelf) -> Consolidator:
    return Consolidator(shelf.ledger, shelf.book, shelf.projector, shelf.clock, "me")


async def keep(shelf: Shelf, content: str, *, days: int = 0, **fields: Any) -> Memory:
    """A memory as old as that."""
    then = shelf.clock.now - timedelta(days=days)
    made = memory(id=content, content=content, created_at=then, updated_at=then, **fields)
    change = MemoryChange(kind="memory.created", memory=made, actor="test")
    return (await shelf.book.write([change]))[0]


@pytest.mark.parametrize(
    ("fields", "access", "days", "tier"),
    [
        ({}, Access(), 0, "warm"),
        ({"pinned": True, "importance": 1}, Access(), 900, "hot"),
        ({"memory_type": "identity", "importance": 1}, Access(), 900, "hot"),
        ({"importance": 9}, Access(), 900, "hot"),
        ({}, Access(count=11, recent=11), 900, "hot"),
        ({}, Access(count=10, recent=10), 900, "warm"),
        ({"tier": "hot"}, Access(count=99), 900, "warm"),
        ({"importance": 2}, Access(), 91, "cold"),
        ({"importance": 2}, Access(), 89, "warm"),
        ({"importance": 3}, Access(), 91, "warm"),
        ({"importance": 2}, Access(count=2), 91, "warm"),
        ({"status": "superseded", "pinned": True}, Access(), 0, "cold"),
        ({"tier": "cold"}, Access(), 0, "cold"),
        ({"tier": "cold", "pinned": True}, Access(), 0, "hot"),
    ],
)
def test_the_tier_follows_use_and_weight(
    fields: dict[str, Any], access: Access, days: int, tier: str
) -> None:
    one = memory(**{"created_at": NOW - timedelta(days=days), **fields})
    assert tier_of(one, access, NOW) == tier


@pytest.mark.parametrize("fields", [{"pinned": True}, {"memory_type": "identity"}])
def test_what_is_protected_never_fades(fields: dict[str, Any]) -> None:
    old = NOW - timedelta(days=900)
    assert not fading(memory(importance=1, created_at=old, **fields), Access(), NOW)
    assert fading(memory(importance=1, created_at=old), Access(), NOW)


@pytest.mark.parametrize(
    ("fields", "days", "why"),
    [
        ({"memory_type": "episodic"}, 181, "180 days"),
        ({"memory_type": "episodic"}, 179, ""),
        ({"memory_type": "episodic", "importance": 8}, 900, ""),
        ({"memory_type": "episodic", "pinned": True}, 900, ""),
        ({}, 900, ""),
        ({"expires_at": NOW}, 1, "until"),
        ({"expires_at": NOW, "pinned": True}, 1, "until"),
        ({"expires_at": NOW + timedelta(seconds=1)}, 900, ""),
        ({"expires_at": NOW, "memory_type": "identity"}, 1, ""),
        ({"expires_at": NOW, "status": "archived"}, 1, ""),
    ],
)
def test_what_runs_out_and_why(fields: dict[str, Any], days: int, why: str) -> None:
    told = due(memory(**{"created_at": NOW - timedelta(days=days), **fields}), NOW, LIMITS)
    assert (why in told) if why else told == ""


async def test_what_ran_out_is_archived_and_can_come_back(shelf: Shelf) -> None:
    async with shelf:
        await keep(shelf, "a walk", days=200, memory_type="episodic")
        await keep(shelf, "a fact", days=200)
        expiry = Expiry(shelf.ledger, shelf.book, shelf.clock, LIMITS)
        dry = await expiry.run(dry_run=True)
        assert [one.id for one in dry.expired] == ["a walk"]
        assert (await shelf.book.get("a walk")).status == "active"
        assert [one.id for one in (await expiry.run()).expired] == ["a walk"]
        assert (await expiry.run()).expired == ()
        gone = await shelf.book.get("a walk")
        assert (gone.status, gone.tier) == ("archived", "cold")
        rows = await shelf.book.log("a walk")
        assert [row.kind for row in rows] == ["memory.created", "memory.expired", "expired"]
        assert (await shelf.book.restore("a walk")).status == "active"


async def test_running_out_ends_a_dispute(shelf: Shelf) -> None:
    async with shelf:
        soon = {"status": "disputed", "expires_at": shelf.clock.now}
        await keep(shelf, "a", contradicts=("b", "c"), **soon)
        await keep(shelf, "b", contradicts=("a",), status="disputed")
        await keep(shelf, "c", contradicts=("a", "d"), status="disputed")
        await keep(shelf, "d", contradicts=("c",), status="disputed")
        expiry = Expiry(shelf.ledger, shelf.book, shelf.clock, LIMITS)
        assert [one.status for one in (await expiry.run(dry_run=True)).expired] == ["archived"]
        assert [one.id for one in (await expiry.run()).expired] == ["a"]
        found = {one.id: (one.status, one.contradicts) for one in await shelf.book.list()}
        assert found == {
            "a": ("archived", ()), "b": ("active", ()),
            "c": ("disputed", ("d",)), "d": ("disputed", ("c",)),
        }  # fmt: skip


async def test_near_duplicates_become_one(shelf: Shelf) -> None:
    async with shelf:
        twin = "the production database is PostgreSQL in Frankfurt"
        await keep(shelf, twin, importance=5)
        await keep(shelf, f"{twin}.", importance=7)
        await keep(shelf, f"{twin} ", agent="luke")
        await keep(shelf, "the cat is called Miso")
        tidy = consolidator(shelf)
        dry = await tidy.run(dry_run=True)
        assert dry.count("merged") == 1
        assert all(one.status == "active" for one in await shelf.book.list())
        report = await tidy.run()
        assert (report.count("merged"), report.left_alone) == (1, 0)
        gone = await shelf.book.get(twin)
        assert (gone.status, gone.superseded_by) == ("superseded", f"{twin}.")
        assert (await tidy.run()).actions == ()
        assert (await shelf.ledger.verify()).problems == ()


@pytest.mark.parametrize(
    "other", ["the meeting room is on floor 3", "the meeting room is not on floor 2"]
)
async def test_what_differs_in_a_figure_or_a_not_is_no_duplicate(shelf: Shelf, other: str) -> None:
    async with shelf:
        await keep(shelf, "the meeting room is on floor 2")
        await keep(shelf, other)
        assert (await consolidator(shelf).run()).count("merged") == 0


async def events(shelf: Shelf, count: int, **fields: Any) -> list[str]:
    # A day's distance keeps them within one month of the test's clock.
    made = [
        await keep(shelf, f"event {n} was a walk", days=45 - n // 4, memory_type="episodic",
                   importance=4, **fields)
        for n in range(count)
    ]  # fmt: skip
    return [one.id for one in made]


async def test_old_small_events_become_a_summary_that_points_back(shelf: Shelf) -> None:
    async with shelf:
        ids = await events(shelf, 5)
        young = await keep(shelf, "a young event", days=2, memory_type="episodic", importance=4)
        big = await keep(shelf, "a big event", days=45, memory_type="episodic", importance=6)
        report = await consolidator(shelf).run()
        assert report.count("summarised") == 5
        (summary,) = [m for m in await shelf.book.list() if m.source_type == "consolidation"]
        assert summary.metadata["previous"] == ids
        assert all(one in summary.content for one in ids)
        assert {(await shelf.book.get(one)).superseded_by for one in ids} == {summary.id}
        for one in (young, big):
            assert (await shelf.book.get(one.id)).status == "active"
        assert (await consolidator(shelf).run()).count("summarised") == 0


async def test_a_model_tells_the_summary_and_may_not_invent_figures(shelf: Shelf) -> None:
    async with shelf:
        ids = await events(shelf, 3)
        model = ScriptedModel(['{"summary": "Walks 0, 1 and 2 were taken."}'])
        await consolidator(shelf).run(model=model)
        (summary,) = [m for m in await shelf.book.list() if m.source_type == "consolidation"]
        assert summary.content == "Walks 0, 1 and 2 were taken."
        assert ids[0] in model.requests[-1].messages[-1].content


async def test_an_invented_figure_falls_back_to_the_events_own_words(shelf: Shelf) -> None:
    async with shelf:
        ids = await events(shelf, 3)
        model = ScriptedModel(['{"summary": "They walked 4711 miles."}'])
        await consolidator(shelf).run(model=model)
        (summary,) = [m for m in await shelf.book.list() if m.source_type == "consolidation"]
        assert ids[0] in summary.content


class MeddlingBook(MemoryBook):
    """Pins a memory in the very moment before the next write."""

    victim = ""

    async def write(self, changes: Sequence[MemoryChange]) -> list[Memory]:
        if victim := self.victim:
            self.victim = ""
            await self.pin(victim)
        return await super().write(changes)


async def test_a_memory_changed_meanwhile_is_left_alone(shelf: Shelf) -> None:
    async with shelf:
        ids = await events(shelf, 4)
        book = MeddlingBook(shelf.ledger, shelf.projector, shelf.clock, "me")
        book.victim = ids[2]
        tidy = Consolidator(shelf.ledger, book, shelf.projector, shelf.clock, "me")
        report = await tidy.run()
        assert (report.count("summarised"), report.left_alone) == (0, 1)
        assert (await shelf.book.get(ids[2])).pinned
        assert {(await shelf.book.get(one)).status for one in ids} == {"active"}


async def test_writers_beside_a_consolidation_lose_nothing(shelf: Shelf) -> None:
    async with shelf:
        ids = await events(shelf, 24)

        async def pin_all() -> None:
            for one in ids[::5]:
                await shelf.book.pin(one)

        await asyncio.gather(consolidator(shelf).run(), pin_all())
        for one in ids[::5]:
            kinds = [row.kind for row in await shelf.book.log(one)]
            assert "memory.pinned" in kinds
        assert (await shelf.ledger.verify()).problems == ()


async def all_of(messages: Sequence[Message], _agent: str) -> list[Message]:
    return list(messages)


def summaries(shelf: Shelf) -> SummaryKeeper:
    return SummaryKeeper(
        ledger=shelf.ledger, writer=shelf.book, clock=shelf.clock, user="me", readable=all_of
    )


async def no_model() -> None:
    return None


async def test_the_status_counts_what_was_done(shelf: Shelf, clock: StepClock) -> None:
    async with shelf:
        await events(shelf, 3)
        expiry = Expiry(shelf.ledger, shelf.book, shelf.clock, LIMITS)
        upkeep = Upkeep(
            shelf.ledger, consolidator(shelf), summaries(shelf), expiry, shelf.clock, no_model
        )
        before = await upkeep.status("consolidate")
        assert (before.runs, before.last_run, before.is_running) == (0, None, False)
        assert before.next_run == (await shelf.ledger.log(limit=1))[0].at + timedelta(hours=6)
        await upkeep.consolidate_unasked()
        after = await upkeep.status("consolidate")
        assert (after.runs, after.totals["summarised"], after.total_deleted) == (1, 3, 3)
        assert (after.interval_hours, after.total_cleanups) == (6, 1)
        assert after.last_run is not None and after.last_run == after.last_run_time
        assert after.next_run - after.last_run == timedelta(hours=6)
        clock.advance(hours=7)
        await upkeep.consolidate_unasked()
        again = await upkeep.status("consolidate")
        assert (again.runs, again.totals["summarised"]) == (2, 3)
