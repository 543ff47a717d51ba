"""What people do to memories: correcting, forgetting, disputes, and any past state rebuilt."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fakes import StepClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from searching import fewer
from shelf import Shelf

from skill_agent.errors import MemoryChanged, SkillAgentError, UsageError
from skill_agent.memory import life
from skill_agent.values import Memory, Message, NewMemory, Session, Source


@pytest.fixture
def shelf(tmp_path: Path, clock: StepClock) -> Shelf:
    return Shelf(tmp_path, clock)


async def test_a_correction_is_a_new_version_and_the_old_one_stays_readable(shelf: Shelf) -> None:
    async with shelf:
        old = await shelf.book.add(
            NewMemory("Deploys are on Fridays", subject="project.deploy", pinned=True)
        )
        new = await shelf.book.correct(old.id, "Deploys are on Mondays", reason="moved in May")
        assert (new.version, new.pinned, new.tier, new.subject) == (2, True, "hot", old.subject)
        left = await shelf.book.get(old.id)
        assert (left.status, left.tier, left.pinned) == ("superseded", "cold", False)
        assert left.superseded_by == new.id
        story = await shelf.book.story(old.id)
        assert [one.id for one in story.versions] == [old.id, new.id]
        assert [entry.kind for entry in story.entries] == [
            "memory.created", "memory.created", "memory.superseded",
        ]  # fmt: skip
        assert {entry.reason for entry in story.entries[1:]} == {"moved in May"}


async def test_what_was_replaced_cannot_be_corrected_or_restored(shelf: Shelf) -> None:
    async with shelf:
        old = await shelf.book.add("The deadline is in March")
        new = await shelf.book.correct(old.id, "The deadline is in April")
        with pytest.raises(UsageError, match="replaced already") as caught:
            await shelf.book.correct(old.id, "The deadline is in June")
        assert new.id in caught.value.hint
        with pytest.raises(UsageError, match="was replaced by"):
            await shelf.book.restore(old.id)
        with pytest.raises(UsageError, match="needs content"):
            await shelf.book.correct(new.id, "   ")
        assert await shelf.book.correct(new.id, "The deadline is in April") == new


async def test_forgotten_comes_back(shelf: Shelf) -> None:
    async with shelf:
        memory = await shelf.book.add(NewMemory("The cat is called Miso", pinned=True))
        gone = await shelf.book.forget(memory.id, reason="too private")
        assert (gone.status, gone.tier, gone.pinned) == ("archived", "cold", False)
        back = await shelf.book.restore(memory.id)
        assert (back.status, back.tier, back.pinned) == ("active", "hot", True)
        rows = await shelf.book.log(memory.id)
        assert [row.kind for row in rows][1:] == ["memory.archived", "memory.restored"]
        assert rows[1].reason == "too private"


async def test_a_dispute_is_decided_for_one_side(shelf: Shelf) -> None:
    async with shelf:
        await shelf.book.add("Unrelated")
        berlin, lisbon = await shelf.dispute("The user lives in Berlin", "The user lives in Lisbon")
        (found,) = await shelf.book.disputes()
        assert {one.id for one in found.memories} == {berlin.id, lisbon.id}
        right, wrong = await shelf.book.resolve(lisbon.id)
        assert (right.status, right.contradicts, right.version) == ("active", (), 2)
        assert (wrong.status, wrong.superseded_by) == ("superseded", lisbon.id)
        assert await shelf.book.disputes() == []
        with pytest.raises(UsageError, match="not disputed"):
            await shelf.book.resolve(lisbon.id)


async def test_both_sides_may_be_true(shelf: Shelf) -> None:
    async with shelf:
        tea, coffee = await shelf.dispute("The user likes tea", "The user likes coffee")
        both = await shelf.book.resolve(tea.id, both=True)
        assert [one.status for one in both] == ["active", "active"]
        assert {one.related_to for one in both} == {(tea.id,), (coffee.id,)}
        assert await shelf.book.disputes() == []


async def test_correcting_one_side_ends_the_dispute(shelf: Shelf) -> None:
    async with shelf:
        one, other = await shelf.dispute("The plan is A", "The plan is B")
        new = await shelf.book.correct(one.id, "The plan is C")
        assert (new.status, life.previous(new)) == ("active", (one.id, other.id))
        assert (await shelf.book.get(other.id)).superseded_by == new.id


async def test_correcting_one_side_into_something_else_leaves_the_other_standing(
    shelf: Shelf,
) -> None:
    async with shelf:
        one, other = await shelf.dispute("The user lives in Lisbon", "The user lives in Berlin")
        new = await shelf.book.correct(one.id, "I deploy on Mondays")
        assert (new.status, life.previous(new), new.subject) == ("active", (one.id,), None)
        left = await shelf.book.get(other.id)
        assert (left.status, left.contradicts, left.superseded_by) == ("active", (), None)
        assert await shelf.book.disputes() == []


async def test_what_was_never_pinned_comes_back_as_it_was(shelf: Shelf) -> None:
    async with shelf:
        plain = await shelf.book.add(NewMemory("The cat is grey", importance=5))
        hot = await shelf.book.add(NewMemory("The dog is called Rex", importance=9))
        pinned = await shelf.book.pin((await shelf.book.add("The bird sings")).id)
        unpinned = await shelf.book.unpin(pinned.id)
        for one in (plain, hot, unpinned):
            await shelf.book.forget(one.id)
            back = await shelf.book.restore(one.id[:13] if one is hot else one.id)
            assert (back.pinned, back.tier) == (one.pinned, one.tier)


async def test_forgetting_one_side_ends_the_dispute(shelf: Shelf) -> None:
    async with shelf:
        one, other = await shelf.dispute("The plan is A", "The plan is B")
        gone = await shelf.book.forget(one.id)
        assert (gone.status, gone.contradicts) == ("archived", ())
        left = await shelf.book.get(other.id)
        assert (left.status, left.contradicts) == ("active", ())
        assert await shelf.book.disputes() == []
        assert (await shelf.book.restore(one.id)).status == "active"


async def test_what_was_replaced_and_then_forgotten_stays_replaced(shelf: Shelf) -> None:
    async with shelf:
        old = await shelf.book.add("The deadline is in March")
        await shelf.book.correct(old.id, "The deadline is in April")
        await shelf.book.forget(old.id)
        with pytest.raises(UsageError, match="was replaced by"):
            await shelf.book.restore(old.id)


async def test_the_story_begins_with_the_sentence(shelf: Shelf) -> None:
    async with shelf:
        now = shelf.clock()
        await shelf.ledger.create_session(
            Session(id="s", title="t", agent="kyra", created_at=now, updated_at=now)
        )
        said = await shelf.ledger.save_message(
            Message(
                id="m", session="s", turn="t", role="user", content="I deploy on Fridays",
                created_at=now,
            )
        )  # fmt: skip
        memory = await shelf.book.add(
            NewMemory(
                "Deploys are on Fridays", source=Source(session="s", message_ids=("m", "gone"))
            )
        )
        data = {"session": "s", "memories": [memory.id], "block": "<recalled>…</recalled>"}
        await shelf.ledger.note("recalled", "m2", actor="kyra", data=data)
        story = await shelf.book.story(memory.id)
        assert [one.id for one in story.sources] == [said.id]
        assert [entry.kind for entry in story.entries] == ["memory.created", "recalled"]
        (access,) = (await shelf.ledger.accesses([memory.id], since=now)).values()
        assert (access.count, access.recent) == (1, 1)


async def test_two_changes_at_once_are_both_kept(shelf: Shelf) -> None:
    async with shelf:
        memory = await shelf.book.add("Something")
        await asyncio.gather(
            *(shelf.book.pin(memory.id) for _ in range(3)),
            *(shelf.book.forget(memory.id) for _ in range(3)),
        )
        end = await shelf.book.get(memory.id)
        assert end.status == "archived"
        assert (await shelf.ledger.verify()).problems == ()


async def test_a_batch_worked_out_from_an_old_state_is_refused_whole(shelf: Shelf) -> None:
    async with shelf:
        one, other = await shelf.book.add("One"), await shelf.book.add("Other")
        await shelf.book.pin(other.id)
        changes = life.decided(one, [other], now=shelf.clock(), actor="test", reason="")
        with pytest.raises(MemoryChanged):
            await shelf.book.write(changes)
        assert await shelf.book.get(one.id) == one


async def test_everything_written_is_told_to_who_asked(shelf: Shelf) -> None:
    async with shelf:
        memory = await shelf.book.add("Something")
        new = await shelf.book.correct(memory.id, "Something else")
        assert [(one.id, one.status) for one in shelf.written] == [
            (memory.id, "active"), (new.id, "active"), (memory.id, "superseded"),
        ]  # fmt: skip


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "pin", "unpin", "correct", "forget", "restore", "dispute", "keep",
                         "both", "write"]),
        st.integers(0, 7),
    ),
    min_size=1,
    max_size=14,
)  # fmt: skip


@settings(max_examples=fewer(4), suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_every_past_state_is_rebuilt_exactly(steps: list[tuple[str, int]]) -> None:
    async def live() -> None:
        with TemporaryDirectory() as folder:
            async with Shelf(Path(folder), StepClock()) as shelf:
                past: list[tuple[datetime, dict[str, Memory]]] = []
                for step, which in steps:
                    await _live(shelf, step, which)
                    past.append((shelf.clock(), {m.id: m for m in await shelf.book.list()}))
                for moment, state in past:
                    assert {m.id: m for m in await shelf.book.at(moment)} == state
                for (a, before), (b, after) in pairwise(past):
                    told = await shelf.book.difference(a, b)
                    assert {d.id for d in told} == {i for i in after if before.get(i) != after[i]}
                    assert all(d.memory == after[d.id] for d in told)
                assert (await shelf.ledger.verify()).problems == ()

    asyncio.run(live())


async def _live(shelf: Shelf, step: str, which: int) -> None:
    """One step in the life of whichever memory is meant; what cannot be is refused."""
    known = sorted(await shelf.book.list(), key=lambda one: one.id)
    book = shelf.book
    deeds: dict[str, Callable[[str], Awaitable[object]]] = {
        "pin": book.pin,
        "unpin": book.unpin,
        "correct": lambda one: book.correct(one, f"Version {which} of {one}"),
        "forget": book.forget,
        "restore": book.restore,
        "keep": book.resolve,
        "both": lambda one: book.resolve(one, both=True),
    }
    try:
        if step in deeds and known:
            await deeds[step](known[which % len(known)].id)
        elif step == "dispute":
            await shelf.dispute(f"Claim {which}", f"Other claim {which}")
        else:
            await book.add(NewMemory(f"Fact {which}", importance=1 + which))
    except SkillAgentError as problem:
        assert problem.hint
