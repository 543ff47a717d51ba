"""What is kept of tasks: erased with what it is about, quick to list, and sound whatever a log
holds."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from fakes import OpenRuntime
from giving import engine, task

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.team.tasks.records import KIND, TaskRecords
from skill_agent.values import AgentTask, NewMemory, Purge, TurnRequest

SECRET = "quokka-4711"


def holders(home: Home) -> list[Path]:
    """The files of the ledger that hold it."""
    files = [one for one in home.root.rglob("*") if one.is_file()]
    return [one for one in files if SECRET.encode() in one.read_bytes()]


async def test_it_goes_with_its_own_conversation(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise=f"It is {SECRET}.")) as runtime:
        done = await engine(runtime).run(task(f"What is {SECRET}?", context=SECRET))
        await runtime.settle()
        await runtime.ledger.purge(Purge(sessions=(done.id,), actor="person"))
        rows = await runtime.ledger.log(done.id, kinds=(KIND,))
        assert rows and all(SECRET not in str(one.new) for one in rows)
        assert await runtime.tasks.list() == []
        assert (await runtime.memory.verify()).problems == ()


async def test_it_goes_with_the_conversation_that_it_came_from(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Well.")) as runtime:
        asked = await runtime.turns.submit(TurnRequest("hello"))
        await runtime.drain(10, own=True)
        done = await engine(runtime).run(task(SECRET, conversation=asked.session))
        await runtime.ledger.purge(Purge(sessions=(asked.session,), actor="person"))
        rows = await runtime.ledger.log(done.id, kinds=(KIND,))
        assert rows and all(SECRET not in str(one.new) for one in rows)
        assert await runtime.tasks.list() == []


@pytest.mark.deep
async def test_no_byte_stays_of_a_memory_that_a_task_repeats(
    open_runtime: OpenRuntime, home: Home
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Well.")) as runtime:
        memory = await runtime.memory.add(NewMemory(f"The code is {SECRET}"))
        await engine(runtime).run(task(f"Try this. The code is {SECRET}"))
        assert (await runtime.tasks.list())[0].instructions.endswith(SECRET)
        plan = await runtime.eraser.plan([memory.id])
        await runtime.eraser.erase([memory.id], expected=plan.digest)
        assert await runtime.tasks.list() == []
    assert holders(home) == []


@pytest.mark.deep
async def test_ten_thousand_are_listed_quickly(open_runtime: OpenRuntime, clock: Any) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        records = TaskRecords(runtime.ledger)
        for first in range(0, 10_000, 1_000):  # those that wait share a commit
            many = (_kept(number, clock()) for number in range(first, first + 1_000))
            await asyncio.gather(*(records.save(one) for one in many))
        await records.list(limit=1)
        began = time.process_time()
        newest = await records.list(limit=50)
        assert [one.title for one in newest[:2]] == ["Number 9999", "Number 9998"]
        assert [one.id for one in await records.list(agent="ada", limit=5)] == [
            one.id for one in newest if one.assigned_to == "ada"
        ][:5]
        assert len(await records.list(status="failed", limit=50)) == 10
        assert await records.open() == []
        before = newest[-1].created_at, newest[-1].id
        assert (await records.list(limit=1, before=before))[0].title == "Number 9949"
        assert (await records.find(newest[0].id[:20])).title == "Number 9999"
        assert time.process_time() - began < 2.0


def _kept(number: int, at: Any) -> AgentTask:
    return AgentTask(
        id=f"{number:08x}-0000-7000-8000-{number:012x}",
        assigned_to="ada" if number % 7 == 0 else "luke",
        created_by="person",
        title=f"Number {number}",
        instructions="Look at it",
        status="failed" if number % 1000 == 0 else "completed",
        result="Done. " * 20,
        created_at=at,
    )


async def test_no_note_stands_in_the_way(open_runtime: OpenRuntime) -> None:
    good = {"made": "2026-11-30T09:00:00.000000Z", "of": ["luke", "pending", None]}
    odd: list[Any] = [
        None, 7, "x", [], {}, {"made": 3}, {"made": "never"}, {**good, "of": [1, 2, 3]},
        {**good, "of": {}}, {**good, "made": "9" * 27}, good, {**good, "open": True, "dead": True},
        {**good, "open": True, "title": 4, "allowance": {"x": 1}, "created_at": "yesterday"},
        {**good, "status": "odd", "origins": 3, "created_at": good["made"]},
    ]  # fmt: skip
    async with open_runtime(ScriptedModel(otherwise="Done.")) as runtime:
        for number, data in enumerate(odd):
            await runtime.ledger.note(KIND, f"odd{number}", actor="x", data=data)
        done = await engine(runtime).run(task())
        assert await runtime.tasks.list() == [done]
        assert await runtime.tasks.list(dead=True) == []
    async with open_runtime(ScriptedModel(otherwise="Done.")) as runtime:
        assert await runtime.tasks.list() == [done]
