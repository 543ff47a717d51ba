"""The same key never runs or keeps anything twice, not even across a crash."""

import asyncio
import sys
from pathlib import Path

import pytest
from fakes import OpenRuntime

from skill_agent.conversations.idempotency import Once
from skill_agent.errors import Conflict, ModelUnavailable, NotFound, UsageError
from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import NewMemory, TurnRequest

DIES = Path(__file__).with_name("dies_in_turn.py")


async def test_many_at_once_with_one_key_begin_one_turn(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(otherwise="hello")
    key = new_id()
    async with open_runtime(model) as runtime:
        given = await asyncio.gather(
            *(runtime.turns.submit(TurnRequest("hi", key=key)) for _ in range(20))
        )
        assert len(set(given)) == 1
        assert given[0].turn == key
        assert await runtime.drain(30, own=True)
        assert await runtime.turns.submit(TurnRequest("hi", key=key)) == given[0], "after its end"
        assert await runtime.turns.submit(TurnRequest("hi", key=key.upper())) == given[0]
        assert [m.role for m in await runtime.conversations.messages(given[0].session)] == [
            "user",
            "assistant",
        ]
        assert len(await runtime.conversations.list()) == 1
        assert len(model.requests) == 1
    async with open_runtime(model) as runtime:
        assert await runtime.turns.submit(TurnRequest("hi", key=key)) == given[0], (
            "in another process"
        )
        assert (await runtime.figures.counts())["messages"] == 2
        assert len(model.requests) == 1


async def test_a_key_with_another_text_is_refused(open_runtime: OpenRuntime) -> None:
    gate, key = asyncio.Event(), new_id()
    async with open_runtime(ScriptedModel([[Gate(gate), "hello"]])) as runtime:
        both = await asyncio.gather(
            runtime.turns.submit(TurnRequest("@kyra hi", key=key)),
            runtime.turns.submit(TurnRequest("bye", key=key)),
            return_exceptions=True,
        )
        assert isinstance(both[1], Conflict)
        with pytest.raises(Conflict):
            await runtime.turns.submit(TurnRequest("bye", key=key))
        with pytest.raises(Conflict):
            await anext(runtime.ask("bye", key=key))
        assert (await runtime.turns.get(key)).state == "running", "whoever was refused stops nobody"
        assert await runtime.turns.submit(TurnRequest("@kyra hi", key=key)) == both[0]
        gate.set()
        assert await runtime.drain(30, own=True)


@pytest.mark.parametrize("key", ["x", "", "0" * 32, "{0190b0a4-0000-7000-8000-000000000000}"])
async def test_a_key_must_be_an_id(open_runtime: OpenRuntime, key: str) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        with pytest.raises(UsageError, match="is no key"):
            await runtime.turns.submit(TurnRequest("hi", key=key))
        with pytest.raises(UsageError, match="is no key"):
            await runtime.memory.add(NewMemory("a fact", key=key))
        assert (await runtime.figures.counts())["messages"] == 0


async def test_a_refused_submit_leaves_its_key_free(open_runtime: OpenRuntime) -> None:
    key = new_id()
    async with open_runtime(ScriptedModel(["hello"])) as runtime:
        with pytest.raises(NotFound):
            await runtime.turns.submit(TurnRequest("hi", session="nowhere", key=key))
        assert (await runtime.turns.submit(TurnRequest("hi", key=key))).turn == key


async def test_who_leaves_while_it_begins_does_not_stop_it(open_runtime: OpenRuntime) -> None:
    key = new_id()
    async with open_runtime(ScriptedModel(["hello"])) as runtime:
        asking = asyncio.create_task(runtime.turns.submit(TurnRequest("hi", key=key)))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert (await runtime.turns.get(key)).state in ("running", "finished")
        assert await runtime.drain(30, own=True)
        assert (await runtime.turns.get(key)).state == "finished"


async def test_asking_again_gives_the_end_of_a_turn_that_ended(open_runtime: OpenRuntime) -> None:
    model, key = ScriptedModel(["hello there"]), new_id()
    async with open_runtime(model) as runtime:
        first = [event async for event in runtime.ask("hi", key=key)]
        assert [event async for event in runtime.ask("hi", key=key)] == first
    async with open_runtime(model) as runtime:
        (end,) = [event async for event in runtime.ask("hi", key=key)]
        assert isinstance(end, TurnFinished)
        assert end.text == "hello there"
        assert len(model.requests) == 1


async def test_leaving_while_it_is_asked_ends_the_turn(open_runtime: OpenRuntime) -> None:
    gate, key = asyncio.Event(), new_id()
    async with open_runtime(ScriptedModel([[Gate(gate), "hello"]])) as runtime:
        asking = asyncio.ensure_future(anext(runtime.ask("hi", key=key)))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert (await runtime.turns.get(key)).reason == "cancelled"


async def test_a_turn_cut_short_by_a_crash_has_failed_and_is_never_run_again(
    home: Home, open_runtime: OpenRuntime
) -> None:
    key, model = new_id(), ScriptedModel(otherwise="hello")
    died = await asyncio.create_subprocess_exec(sys.executable, str(DIES), str(home.root), key)
    assert await died.wait() == -9
    async with open_runtime(model) as runtime:
        task = await runtime.turns.get(key)
        assert (task.state, task.reason, task.id, task.text) == ("failed", "host_lost", key, "")
        again = await runtime.turns.submit(TurnRequest("hi", key=key))
        assert (again.turn, again.session, again.agent) == (key, task.session, task.agent)
        (end,) = [event async for event in runtime.ask("hi", key=key)]
        assert isinstance(end, TurnFailed)
        assert end.reason == "host_lost"
        assert model.requests == []
        assert [m.role for m in await runtime.conversations.messages(task.session)] == ["user"]
        fresh = [event async for event in runtime.ask("hi", session=task.session)]
        assert isinstance(fresh[-1], TurnFinished), "asking anew, with another key, works"


async def test_a_memory_with_a_key_is_kept_once(open_runtime: OpenRuntime) -> None:
    key = new_id()
    async with open_runtime(ScriptedModel()) as runtime:
        adds = (
            runtime.memory.add(NewMemory("I like tea", importance=7, key=key)) for _ in range(10)
        )
        kept = await asyncio.gather(*adds)
        assert {one.id for one in kept} == {key}
        assert all(one == kept[0] for one in kept)
        with pytest.raises(Conflict):
            await runtime.memory.add(NewMemory("I like coffee", key=key))
        assert len(await runtime.memory.list()) == 1
        assert (await runtime.memory.verify()).problems == ()
    async with open_runtime(ScriptedModel()) as runtime:
        assert await runtime.memory.add(NewMemory(" I like tea ", key=key)) == kept[0]
        created = await runtime.ledger.log(kinds=("memory.created",))
        assert len(created) == 1


async def test_what_fails_is_told_to_all_who_wait_and_may_be_tried_again() -> None:
    once, tried = Once(), 0

    async def fails() -> None:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0)
        raise ModelUnavailable("no")

    both = await asyncio.gather(
        once.run("k", 1, fails), once.run("k", 1, fails), return_exceptions=True
    )
    assert [type(one) for one in both] == [ModelUnavailable] * 2
    assert tried == 1
    with pytest.raises(ModelUnavailable):
        await once.run("k", 2, fails)
    assert tried == 2
    await once.close()
