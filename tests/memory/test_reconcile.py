"""What was kept at once is compared with what was there before, the next time somebody looks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import StepClock
from memory_home import MemoryHome, memory_home

from skill_agent.errors import ModelUnavailable, UsageError
from skill_agent.memory.contradictions.asking import able_to_judge
from skill_agent.memory.contradictions.reconcile import NOTE, Reconciler
from skill_agent.memory.recall.told import data_block
from skill_agent.memory.recall.updates import KIND
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.values import MemoryChange, MemoryFilter, ModelInfo, NewMemory


@pytest.fixture
async def home(tmp_path: Path, clock: StepClock) -> AsyncIterator[MemoryHome]:
    async with memory_home(tmp_path, clock) as opened:
        yield opened


async def test_a_new_order_replaces_the_pinned_old_one(home: MemoryHome) -> None:
    old = await home.book.add(NewMemory("I deploy on Fridays", pinned=True))
    new = await home.book.add(NewMemory("I deploy on Mondays instead", pinned=True))
    looked = await home.reconciler.catch_up()
    assert looked.superseded == (old.id,)
    assert (await home.book.get(old.id)).superseded_by == new.id
    kept = await home.book.get(new.id)
    assert (kept.pinned, kept.version, kept.status) == (True, 2, "active")


async def test_what_is_denied_is_in_dispute(home: MemoryHome) -> None:
    await home.book.add("I have children")
    await home.reconciler.catch_up()
    new = await home.book.add("I have no children")
    assert (await home.reconciler.catch_up()).disputed == (new.id,)
    assert len((await home.book.disputes())[0].memories) == 2


async def test_without_a_word_of_change_both_stand_and_wait(home: MemoryHome) -> None:
    old = await home.book.add("I have two children")
    await home.reconciler.catch_up()
    new = await home.book.add("I have three children")
    looked = await home.reconciler.catch_up()
    assert (looked.disputed, looked.updated) == ((), ((old.id, new.id),))
    (told,) = await home.book.updates()
    assert (told.state, told.by, told.older.id, told.newer.id) == (
        "waiting", "code", old.id, new.id
    )  # fmt: skip


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
        assert len((await home.reconciler.catch_up()).updated) == 1


async def test_what_another_process_kept_is_looked_at(tmp_path: Path, clock: StepClock) -> None:
    async with memory_home(tmp_path, clock) as home:
        old = await home.book.add("I deploy on Fridays")
        await home.book.add("I deploy on Mondays instead")
    async with memory_home(tmp_path, clock) as home:
        assert (await home.reconciler.catch_up()).superseded == (old.id,)


async def test_imports_are_passed_over(home: MemoryHome) -> None:
    rows = [{"id": "a", "content": "I have two children"},
            {"id": "b", "content": "I have three children"}]  # fmt: skip
    await home.book.import_rows(rows)
    assert (await home.reconciler.catch_up()).looked_at == 0


async def test_what_was_read_brings_up_to_date_what_was_told(home: MemoryHome) -> None:
    old = await home.book.add("My vet is Dr. Lamb")
    (read,) = (await home.take(home.candidate("My vet is now Dr. Shaw", private=False))).created
    looked = await home.reconciler.catch_up()
    assert looked.updated == ((old.id, read.id),)
    assert {(await home.book.get(one)).status for one in (old.id, read.id)} == {"active"}


async def test_a_new_order_is_compared_with_imports(home: MemoryHome) -> None:
    await home.book.import_rows([{"id": "a", "content": "I deploy on Fridays"}])
    await home.book.settle()
    await home.book.add("I deploy on Mondays instead")
    assert (await home.reconciler.catch_up()).superseded == ("a",)


async def test_both_true_stays_settled(home: MemoryHome) -> None:
    one = await home.book.add("I have two children")
    other = await home.book.add("I have three children")
    await home.reconciler.catch_up()
    await home.book.resolve(one.id, both=True)
    assert await home.book.updates() == []
    third = await home.book.add("I have a garden")
    assert (await home.reconciler.catch_up()).updated == ()
    assert {(await home.book.get(m.id)).status for m in (one, other, third)} == {"active"}


async def test_private_memories_of_one_agent_do_not_touch_anothers(home: MemoryHome) -> None:
    mine = {"memory_type": "agent_private", "pinned": True}
    await home.book.add(NewMemory("The surprise is on Friday", agent="kyra", **mine))
    await home.book.add(NewMemory("The surprise is on Monday instead", agent="luke", **mine))
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
    for text in ("I deploy on Mondays instead", "I have two children"):
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


# -- updates -------------------------------------------------------------------------------------

OLD, NEW = "My sister trains in the old gym", "Since May she does it in the new hall by the river"
"""Of which code is not certain."""


async def updated(home: MemoryHome) -> tuple[str, str]:
    old = await home.book.add("The choir sings in the old gym")
    await home.book.add("The soup is hot")
    new = await home.book.add("The choir was relocated, the old gym is in repair")
    assert (await home.reconciler.catch_up()).updated == ((old.id, new.id),)
    return old.id, new.id


async def test_the_newer_one_stands_first_and_the_older_is_marked(home: MemoryHome) -> None:
    old, new = await updated(home)
    found = await home.book.search("Where does the choir sing, in the old gym?")
    ids = [one.hit.item.id for one in found]
    assert ids.index(new) < ids.index(old)
    marked = {one.hit.item.id: one.hit.until for one in found}
    assert marked[old] == (await home.book.get(new)).created_at
    assert marked[new] is None
    line = data_block([one.hit for one in found], home.clock())
    assert "no longer so since 2026-11-20" in line


async def test_undo_lets_both_stand_as_before_and_is_never_noticed_again(home: MemoryHome) -> None:
    _, new = await updated(home)
    await home.book.resolve(new, undo=True)
    assert await home.book.updates() == []
    found = await home.book.search("Where does the choir sing, in the old gym?")
    assert {one.hit.until for one in found} == {None}
    with pytest.raises(UsageError, match="nothing"):
        await home.book.resolve(new, undo=True)
    await home.ledger.note(NOTE, "memory", actor="test", data={"up_to": 0})
    again = Reconciler(
        ledger=home.ledger, writer=home.book, projector=home.projector, clock=home.clock,
        user="me", updates=home.updates,
    )  # fmt: skip
    assert (await again.catch_up()).updated == ()


async def test_a_person_decides_which_is_right(home: MemoryHome) -> None:
    old, new = await updated(home)
    await home.book.resolve(new)
    assert (await home.book.get(old)).superseded_by == new
    back = await home.book.resolve(new, undo=True)
    assert {one.id: one.status for one in back} == {old: "active", new: "active"}
    with pytest.raises(UsageError, match="taken back"):
        await home.book.resolve(old, undo=True)


async def test_what_code_replaced_is_taken_back_with_its_pin(home: MemoryHome) -> None:
    old = await home.book.add(NewMemory("I deploy on Fridays", pinned=True))
    new = await home.book.add("I deploy on Mondays instead")
    await home.reconciler.catch_up()
    await home.book.resolve(new.id, undo=True)
    back = await home.book.get(old.id)
    assert (back.status, back.pinned, back.tier, back.superseded_by) == (
        "active",
        True,
        "hot",
        None,
    )
    assert (await home.reconciler.catch_up()).superseded == ()


async def test_updates_outlive_the_process_and_name_no_words(
    tmp_path: Path, clock: StepClock
) -> None:
    async with memory_home(tmp_path, clock) as home:
        old, new = await updated(home)
    async with memory_home(tmp_path, clock) as home:
        assert [(one.older.id, one.newer.id) for one in await home.book.updates()] == [(old, new)]
        (row,) = await home.ledger.log(kinds=(KIND,))
        assert "choir" not in f"{row.new} {row.reason}"


async def test_a_note_about_what_is_gone_or_says_nonsense_is_passed_over(home: MemoryHome) -> None:
    await home.ledger.note(KIND, "x", actor="t", data={"memories": ["x", "y"], "state": "updated"})
    for data in ({}, {"memories": "xy", "state": "updated"}, {"memories": ["a", "b"], "state": 3}):
        await home.ledger.note(KIND, "x", actor="t", data=data)
    assert await home.book.updates() == []
    old, _ = await updated(home)
    await home.book.forget(old)
    assert await home.book.updates() == []


async def asked(home: MemoryHome, model: ScriptedModel) -> list[str]:
    """What becomes of a pair a model is asked about, as states."""
    await home.book.add(OLD)
    await home.book.add(OLD.replace("gym", "gym and in the new hall by the river"))
    await home.book.settle()
    await home.reconciler.catch_up()
    await home.reconciler.judge(model)
    return [one.state for one in await home.book.updates()]


async def test_a_models_yes_brings_up_to_date_and_retires_nothing(home: MemoryHome) -> None:
    model = ScriptedModel(otherwise="yes")
    assert await asked(home, model) == ["updated"]
    (told,) = await home.book.updates()
    assert (told.by, told.probability) == (model.info.name, 1.0)
    assert {one.status for one in await home.book.list()} == {"active"}
    assert model.requests[-1].background
    count = len(model.requests)
    assert await home.reconciler.judge(model) == 0
    assert len(model.requests) == count


async def test_a_models_no_and_nonsense_change_nothing(home: MemoryHome) -> None:
    assert await asked(home, ScriptedModel(otherwise="no")) == []


@pytest.mark.parametrize("said", ["perhaps", "", "{}", "yes and no"])
async def test_a_model_that_talks_nonsense_is_asked_again_later(
    home: MemoryHome, said: str
) -> None:
    assert await asked(home, ScriptedModel(otherwise=said)) == []
    assert await home.reconciler.judge(ScriptedModel(otherwise="yes")) > 0
    assert [one.state for one in await home.book.updates()] == ["updated"]


async def test_a_model_that_fails_is_asked_again_later(home: MemoryHome) -> None:
    assert await asked(home, ScriptedModel(otherwise=[ModelUnavailable("it is not there")])) == []
    assert await home.reconciler.judge(ScriptedModel(otherwise="yes")) > 0
    assert [one.state for one in await home.book.updates()] == ["updated"]


async def test_stopped_in_between_it_goes_on_where_it_was(tmp_path: Path, clock: StepClock) -> None:
    async with memory_home(tmp_path, clock) as home:
        for place in ("gym", "gym and in the new hall", "gym and in the cellar"):
            await home.book.add(OLD.replace("gym", place))
        await home.book.settle()
        await home.reconciler.catch_up()
        reached, never = asyncio.Event(), asyncio.Event()

        def waits(_: ModelRequest) -> list[Gate]:
            reached.set()
            return [Gate(never)]

        judging = asyncio.create_task(home.reconciler.judge(ScriptedModel(["yes", waits])))
        await reached.wait()
        judging.cancel()
        await asyncio.gather(judging, return_exceptions=True)
        (first,) = await home.book.updates()
    async with memory_home(tmp_path, clock) as home:
        again = ScriptedModel(otherwise="no")
        await home.reconciler.judge(again)
        assert [one.newer for one in await home.book.updates()] == [first.newer]
        assert all(first.newer.content not in told(one).split("New")[1] for one in again.requests)


def told(request: ModelRequest) -> str:
    return request.messages[-1].content


@pytest.mark.parametrize("provider", ["embedded", "openai"])
def test_only_a_model_able_to_judge_is_asked(provider: str) -> None:
    small = ModelInfo(name=f"{provider}/x", provider=provider, size_bytes=1_000_000_000)
    assert able_to_judge(small) is (provider == "openai")
    assert able_to_judge(replace(small, size_bytes=5_000_000_000))
