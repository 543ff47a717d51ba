"""The memory screen over a real ledger and index: what its keys find, show and change."""

import asyncio

import pytest
import stage_book
from skill_agent.tui.frame.help import KeyHelp
from skill_agent.tui.memory.dialogs import EditDialog, EraseDialog, ForgetDialog
from skill_agent.tui.memory.dispute_dialog import DisputeDialog
from skill_agent.tui.memory.screen import MemoryScreen
from stage import Ids, StageRuntime, make, opener, refuser
from textual.events import Key
from textual.widgets import Input, Static, TextArea

from skill_agent.errors import HomeBusy, StoreError
from skill_agent.events import MemoriesExtracted, MemorySaved
from skill_agent.host.runtime import Runtime
from skill_agent.memory import life
from skill_agent.memory.book import MemoryBook
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Memory, MemoryFilter, NewMemory


async def dispute(runtime: Runtime) -> tuple[Memory, Memory]:
    """Two memories of which one must be wrong: the older, the newer."""
    old = await runtime.memory.add(NewMemory("Deploys happen on Fridays", reason="told so"))
    new = await runtime.memory.add("Deploys happen on Mondays")
    changes = life.disputing(
        new, [old], now=new.created_at, actor="test", reason="another day", stored=True
    )
    assert isinstance(runtime.memory, MemoryBook)
    newer, older = await runtime.memory.write(changes)
    return older, newer


def runtime_of(seat) -> Runtime:
    assert seat.app.runtime is not None
    return seat.app.runtime


async def ready(seat) -> Runtime:
    await seat.until(lambda: seat.app.runtime is not None and seat.talk.figures.member.slug)
    return runtime_of(seat)


def texts(seat) -> list[str]:
    return [one.content for one in seat.memory.listing.memories]


@pytest.mark.deep
async def test_it_lists_newest_first_and_searches_without_blocking_what_one_types(
    sit, open_runtime
) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        runtime = await ready(seat)
        await runtime.memory.add("The office is in Lisbon")
        await runtime.memory.add("Deploys happen on Fridays")
        await seat.look(2)
        assert texts(seat) == ["Deploys happen on Fridays", "The office is in Lisbon"]
        await seat.press("slash", *"lisbon")
        assert seat.memory.query_one(Input).value == "lisbon"
        await seat.until(lambda: texts(seat)[:1] == ["The office is in Lisbon"])
        await seat.until(lambda: "Lisbon" in seat.told())
        await seat.press("escape")
        await seat.until(lambda: len(texts(seat)) == 2)
        assert seat.memory.query_one(Input).value == ""
        await seat.press("down")
        await seat.until(lambda: seat.memory.listing.has_focus)
        await seat.press("up", "up")
        await seat.until(lambda: seat.memory.query_one(Input).has_focus)


async def test_what_is_typed_right_after_the_slash_is_no_command(sit) -> None:
    async with sit(StageRuntime(memory=stage_book.shelf())) as seat:
        screen = await seat.look(7)
        for char in "/pfEs/x":
            seat.app.post_message(Key("slash" if char == "/" else char, char))
        await seat.until(lambda: screen.query_one(Input).value == "pfEs/x")
        assert seat.app.screen is screen


@pytest.mark.deep
async def test_filters_step_through_types_agents_and_states(sit, open_runtime) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        book = (await ready(seat)).memory
        await book.add("Plain fact")
        await book.add(NewMemory("Lint first", memory_type="procedural", agent="luke"))
        pinned = await book.add(NewMemory("Always so", pinned=True))
        gone = await book.add("Old wiki")
        await book.forget(gone.id)
        await seat.look(3)
        assert set(texts(seat)) == {"Plain fact", "Lint first", "Always so"}
        await seat.press("s")
        await seat.until(lambda: texts(seat) == ["Always so"])
        await seat.press("S", "S", "S")
        await seat.until(lambda: texts(seat) == ["Old wiki"])
        await seat.press("slash", *"WIKI")
        await seat.until(lambda: texts(seat) == ["Old wiki"])
        await seat.press("enter", "x")
        await seat.until(lambda: len(texts(seat)) == 3)
        await seat.press("t", "t", "t")
        await seat.until(lambda: texts(seat) == ["Lint first"])
        await seat.press("x", "a")
        await seat.until(lambda: set(texts(seat)) == {"Plain fact", "Always so"})
        await seat.press("d")
        await seat.until(lambda: texts(seat) == [])
        none = seat.memory.query_one("#page-none", Static)
        await seat.until(lambda: "Nothing matches" in str(none.render()))
        await seat.press("x")
        await seat.until(lambda: pinned.content in texts(seat))


async def test_what_to_review_is_a_filter_of_its_own(sit, open_runtime) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        book = (await ready(seat)).memory
        await book.add("Fine")
        await book.add(NewMemory("Doubtful", metadata={"review": True}))
        await seat.look(2)
        await seat.press("v")
        await seat.until(lambda: texts(seat) == ["Doubtful"])
        await seat.press("v")
        await seat.until(lambda: len(texts(seat)) == 2)


@pytest.mark.deep
async def test_correcting_writes_a_new_version_and_its_story_tells_why(sit, open_runtime) -> None:
    model = ScriptedModel(["Noted."])
    async with sit(lambda: open_runtime(model)) as seat:
        runtime = await ready(seat)
        await seat.say("Remember that I deploy on Fridays")
        await seat.until(lambda: "Noted." in seat.shown())
        await seat.press(*"half a draft")
        await seat.look()
        assert "Remember that I deploy on Fridays" in seat.told(), "the sentence it came from"
        await seat.press("e")
        await seat.at(EditDialog)
        seat.app.screen.query_one(TextArea).text = "I deploy on Mondays"
        await seat.press("tab", *"moved", "ctrl+s")
        await seat.until(lambda: texts(seat) == ["I deploy on Mondays"])
        await seat.until(lambda: "moved" in seat.told() and "Versions" in seat.told())
        (new,) = await runtime.memory.list(MemoryFilter(statuses=("active",)))
        (old,) = await runtime.memory.list(MemoryFilter(statuses=("superseded",)))
        assert (new.content, new.version, old.superseded_by) == ("I deploy on Mondays", 2, new.id)
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.talk)
        assert seat.talk.composer.text == "half a draft" and seat.talk.composer.has_focus


@pytest.mark.deep
async def test_settling_a_dispute_decides_it_in_the_ledger(sit, open_runtime) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        runtime = await ready(seat)
        older, newer = await dispute(runtime)
        await seat.look(2)
        await seat.press("d", "enter")
        await seat.at(DisputeDialog)
        await seat.press("escape")
        await seat.at(MemoryScreen)
        assert len(await runtime.memory.disputes()) == 1, "later is no decision"
        await seat.press("enter")
        await seat.at(DisputeDialog)
        await seat.press("2", "enter")
        await seat.until(lambda: seat.app.screen is seat.memory)
        right, wrong = await runtime.memory.get(older.id), await runtime.memory.get(newer.id)
        assert (right.status, wrong.status) == ("active", "superseded")
        assert wrong.superseded_by == right.id
        await seat.press("x", "escape")
        await seat.until(lambda: seat.talk.figures.disputed == 0)


async def test_both_may_be_true(sit, open_runtime) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        runtime = await ready(seat)
        older, newer = await dispute(runtime)
        await seat.look(2)
        await seat.press("w")
        await seat.at(DisputeDialog)
        await seat.press("b")
        await seat.until(lambda: seat.app.screen is seat.memory)
        states = {(await runtime.memory.get(one.id)).status for one in (older, newer)}
        assert states == {"active"}


@pytest.mark.deep
async def test_pin_forget_and_take_back(sit, open_runtime) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        book = (await ready(seat)).memory
        one = await book.add("Keep me")
        await seat.look()
        await seat.press("p")
        await seat.until(lambda: seat.memory.listing.memories[0].pinned)
        await seat.press("p")
        await seat.until(lambda: not seat.memory.listing.memories[0].pinned)
        await seat.press("f")
        await seat.at(ForgetDialog)
        await seat.press("escape")
        await seat.at(MemoryScreen)
        assert (await book.get(one.id)).status == "active"
        await seat.press("delete")
        await seat.at(ForgetDialog)
        await seat.press("enter")
        await seat.until(lambda: texts(seat) == [])
        assert (await book.get(one.id)).status == "archived"
        await seat.press("S", "S")
        await seat.until(lambda: texts(seat) == ["Keep me"])
        await seat.press("r")
        await seat.until(lambda: texts(seat) == [])
        assert (await book.get(one.id)).status == "active"


@pytest.mark.deep
async def test_erasing_takes_the_word_for_it_and_leaves_nothing(sit, open_runtime) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        runtime = await ready(seat)
        await runtime.memory.add("The office is in Lisbon")
        secret = await runtime.memory.add("The code of the safe is 4711")
        await seat.look(2)
        await seat.press("E")
        await seat.at(EraseDialog)
        await seat.press("y", "enter", "escape")
        await seat.until(lambda: seat.app.screen is seat.memory)
        assert (await runtime.memory.get(secret.id)).status == "active"
        await seat.press("E")
        await seat.at(EraseDialog)
        await seat.press(*"erase", "enter")
        await seat.until(lambda: texts(seat) == ["The office is in Lisbon"])
        assert await runtime.ledger.memory(secret.id) is None


@pytest.mark.deep
async def test_from_a_recalled_item_to_its_story_and_back(sit, open_runtime) -> None:
    model = ScriptedModel(["Noted.", "On Fridays."])
    async with sit(lambda: open_runtime(model), size=(120, 30)) as seat:
        runtime = await ready(seat)
        await runtime.memory.add("The office is in Lisbon")
        await seat.say("Remember that I deploy on Fridays")
        await seat.until(lambda: "Noted." in seat.shown())
        await seat.press(*"draft", "f6", "enter")
        await seat.at(MemoryScreen)
        await seat.until(lambda: seat.memory.story.shown)
        assert "deploy on Fridays" in seat.told()
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.talk)
        assert seat.talk.composer.text == "draft"
        await seat.press("escape")
        assert seat.talk.composer.has_focus


@pytest.mark.deep
async def test_what_is_saved_meanwhile_appears_and_the_choice_stays(sit, open_runtime) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        runtime = await ready(seat)
        for number in range(3):
            await runtime.memory.add(f"Fact {number}")
        await seat.look(3)
        await seat.press("down")
        await seat.until(lambda: seat.memory.listing.chosen.content == "Fact 1")
        new = await runtime.memory.add("Fact 3")
        ids: Ids = {"session": "s", "turn": "t", "agent": "kyra"}
        runtime._bus.publish(
            MemorySaved(**ids, memory_id=new.id, content=new.content, memory_type="semantic",
                        pinned=False, importance=8)
        )  # fmt: skip
        await seat.until(lambda: texts(seat)[0] == "Fact 3")
        await seat.settled()
        assert seat.memory.listing.chosen.content == "Fact 1"
        runtime._bus.publish(MemoriesExtracted(**ids, created=(new.id,)))
        await seat.settled()
        assert seat.memory.listing.chosen.content == "Fact 1"


@pytest.mark.deep
async def test_ten_thousand_are_fetched_as_one_goes_down(sit) -> None:
    runtime = StageRuntime(memory=stage_book.many(10_000))
    async with sit(runtime) as seat:
        await seat.look(1)
        assert len(texts(seat)) == 200
        await seat.press("end")
        await seat.until(lambda: len(texts(seat)) == 400)
        await seat.press("end")
        await seat.until(lambda: len(texts(seat)) >= 600)
        await seat.press("slash", *"fact number 9999")
        await seat.until(lambda: "best first" in str(
            seat.memory.query_one("#page-count", Static).render()
        ))  # fmt: skip


@pytest.mark.deep
async def test_before_the_home_is_open_it_waits_calmly(sit) -> None:
    gate = asyncio.Event()
    runtime = StageRuntime(memory=stage_book.shelf())
    async with sit(opener(runtime, gate=gate), ready=False) as seat:
        await seat.press(*"draft", "f5")
        await seat.at(MemoryScreen)
        none = seat.memory.query_one("#page-none", Static)
        await seat.until(lambda: "Waking" in str(none.render()))
        await seat.press(*"epfrwtasdvx", "tab", "enter")
        gate.set()
        await seat.until(lambda: len(texts(seat)) == 7)
        await seat.press("ctrl+l")
        await seat.until(lambda: seat.app.screen is seat.talk)
        assert seat.talk.composer.text == "draft"


async def test_a_home_that_does_not_open_is_said_here_too(sit) -> None:
    busy = HomeBusy("process 4242 has this home open", pid=4242, hint="close it there")
    gate = asyncio.Event()
    async with sit(refuser(busy, then=StageRuntime(), gate=gate), ready=False) as seat:
        await seat.press("f5")
        await seat.at(MemoryScreen)
        gate.set()
        none = seat.memory.query_one("#page-none", Static)
        await seat.until(lambda: "process 4242" in str(none.render()))


async def test_a_store_that_fails_is_told_in_place_and_loses_no_text(sit) -> None:
    book = stage_book.shelf()
    async with sit(StageRuntime(memory=book)) as seat:
        await seat.look(7)
        await seat.press("e")
        await seat.at(EditDialog)
        await seat.press("!", "ctrl+s")
        dialog = seat.app.screen
        await seat.until(lambda: dialog.query_one(".problem").display)
        assert dialog.query_one(TextArea).text.endswith("!")
        await seat.press("escape")
        await seat.settled()
        assert seat.app.screen is dialog, "one is asked before a change is thrown away"
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.memory)
        book.fails = StoreError("disk I/O error", hint="ska doctor")
        await seat.press("t")
        none = seat.memory.query_one("#page-none", Static)
        await seat.until(lambda: "disk I/O error" in str(none.render()))
        book.fails = None
        await seat.press("x")
        await seat.until(lambda: len(texts(seat)) == 7)


async def test_an_empty_home_says_how_to_begin(sit) -> None:
    async with sit(StageRuntime(memory=stage_book.book())) as seat:
        await seat.look(0)
        none = seat.memory.query_one("#page-none", Static)
        await seat.until(lambda: "Remember that" in str(none.render()))
        await seat.press("tab", "tab", "enter", "e", "c", "f1")
        await seat.at(KeyHelp)


async def test_what_was_just_saved_is_taken_back_by_the_keys_that_are_told(sit) -> None:
    shelf = stage_book.shelf()
    memory = shelf.memories[0]
    saved = make(
        MemorySaved, memory_id=memory.id, content=memory.content, memory_type="semantic",
        pinned=False, importance=5,
    )  # fmt: skip
    async with sit(StageRuntime([[saved, "Noted."]], memory=shelf)) as seat:
        await seat.say("remember it")
        await seat.until(lambda: seat.talk.figures.written)
        assert f"Saved to memory: {memory.content}" in seat.shown()
        assert "undo: F6→Enter→f" in seat.shown()
        await seat.press("f6", "enter")
        await seat.at(MemoryScreen)
        await seat.until(lambda: seat.memory.story.shown)
        await seat.press("f")
        await seat.until(lambda: isinstance(seat.app.screen, ForgetDialog))
        assert memory.content in str(seat.app.screen.query_one(".content").render())
