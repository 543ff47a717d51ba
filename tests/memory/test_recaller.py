"""What comes back from a search: successors, sources, other names, times; over real stores."""

from collections.abc import AsyncIterator

import pytest
from fakes import OpenRuntime, StepClock

from skill_agent.events import MemoryRecalled
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import NewMemory, Search


@pytest.fixture
async def runtime(open_runtime: OpenRuntime) -> AsyncIterator[Runtime]:
    async with open_runtime(ScriptedModel(otherwise="understood")) as opened:
        yield opened


async def found(runtime: Runtime, query: str, **how: object) -> list[str]:
    hits = await runtime.memory.search(Search(query, **how))  # type: ignore[arg-type]
    return [one.hit.item.text for one in hits]


async def recalled(runtime: Runtime, text: str, session: str | None = None) -> MemoryRecalled:
    events = [event async for event in runtime.ask(text, session=session)]
    return next(event for event in events if isinstance(event, MemoryRecalled))


async def test_a_replaced_memory_comes_after_what_replaced_it(runtime: Runtime) -> None:
    old = await runtime.memory.add("the release train leaves on Fridays at noon")
    middle = await runtime.memory.correct(old.id, "the release train leaves on Mondays")
    await runtime.memory.correct(middle.id, "we ship continuously")
    everything = ["we ship continuously", middle.content, old.content]
    query = "release train leaves Fridays noon"
    cold = await runtime.memory.search(Search(query, cold=True))
    assert [one.hit.item.text for one in cold] == everything
    assert [one.hit.score for one in cold] == sorted((one.hit.score for one in cold), reverse=True)
    assert old.content not in await found(runtime, query)


async def test_a_replaced_memory_never_enters_a_prompt(runtime: Runtime) -> None:
    old = await runtime.memory.add("the release train leaves on Fridays at noon")
    await runtime.memory.correct(old.id, "the release train leaves on Mondays")
    event = await recalled(runtime, "When does the release train leave, Fridays at noon?")
    assert [item.content for item in event.items] == ["the release train leaves on Mondays"]


async def test_a_question_by_another_name_finds_what_is_told_of_the_first(
    runtime: Runtime,
) -> None:
    await runtime.memory.import_rows(
        [
            {"content": "The team calls Robert 'Bob'."},
            {"content": "Robert waters the ficus."},
            {"content": "The kettle stands beside the printer."},
        ]
    )
    assert (await found(runtime, "Bob", limit=2))[1] == "Robert waters the ficus."


async def test_a_time_in_the_question_favours_and_never_filters(
    runtime: Runtime, clock: StepClock
) -> None:
    await runtime.memory.import_rows(
        [
            {"content": "lunch with the auditors", "created_at": "2026-11-11T12:00:00Z"},
            {"content": "lunch with the architects", "created_at": "2026-03-02T12:00:00Z"},
            {"content": "lunch with the poets", "created_at": "2026-03-02T12:00:00Z"},
        ]
    )
    there = await found(runtime, "who was at lunch last week?")
    assert there[0] == "lunch with the auditors"
    assert len(there) == 3
    (first, *_) = await runtime.memory.search("who was at lunch last week?")
    assert first.hit.signals["time"] == 1
    assert "of the time the question names" in first.hit.reason


async def test_an_irrelevant_pin_does_not_top_a_search_but_enters_a_prompt(
    runtime: Runtime,
) -> None:
    await runtime.memory.add(NewMemory("never call before nine", pinned=True))
    await runtime.memory.add("the otter lives in the harbour basin")
    assert (await found(runtime, "where does the otter live"))[0].startswith("the otter")
    event = await recalled(runtime, "where does the otter live in the harbour")
    assert {item.content: item.score >= 0.95 for item in event.items} == {
        "never call before nine": True, "the otter lives in the harbour basin": False,
    }  # fmt: skip


async def test_a_memory_whose_sentence_stands_in_the_conversation_is_not_sent_again(
    runtime: Runtime,
) -> None:
    text = "Remember this: the otter lives in the harbour basin"
    events = [event async for event in runtime.ask(text)]
    session = events[0].session
    again = await recalled(runtime, "where in the harbour does the otter live?", session)
    assert [item.reason for item in again.items] == ["already in this conversation"]
    elsewhere = await recalled(runtime, "where in the harbour does the otter live?")
    assert [item.kind for item in elsewhere.items] == ["memory"]


async def test_the_note_of_a_recall_says_what_entered_and_why(runtime: Runtime) -> None:
    kept = await runtime.memory.add(NewMemory("the otter lives in the harbour basin", pinned=True))
    await recalled(runtime, "where does the otter live?")
    note = (await runtime.memory.log(kept.id))[-1]
    assert note.kind == "recalled"
    assert note.new is not None
    assert note.new["memories"] == [kept.id]
    assert note.new["scores"][0] >= 0.95
    assert note.new["reasons"] == ["pinned"]


async def test_every_signal_is_told(runtime: Runtime) -> None:
    await runtime.memory.add("the otter lives in the harbour basin")
    (hit,) = await runtime.memory.search("where does the otter live?")
    named = {"semantic", "recency", "importance", "continuity", "relationship", "evidence",
             "cosine", "covered", "second", "time", "speaker", "linked"}  # fmt: skip
    assert named <= hit.hit.signals.keys()
