"""What is told of a turn as work: from memory while the host lives, from the ledger afterwards."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes import OpenRuntime

from skill_agent.conversations.turn_states import TurnBoard, folded, told
from skill_agent.errors import Closing, ModelUnavailable, NotFound
from skill_agent.events import Event, TextDelta, TurnFailed, TurnFinished, TurnStarted
from skill_agent.host.presence import CLIENT_HEADER, noting
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import Message, Submitted, ToolCall, TurnRequest, TurnState, Usage

AT = datetime(2026, 11, 21, tzinfo=UTC)
ASKED = Message(
    id="m1", session="s", turn="t", role="user", content="hi", created_at=AT, agent="kyra"
)
REPLY = replace(ASKED, id="m2", role="assistant", content="hello", usage=Usage(model="x/y"))
CALL = replace(REPLY, id="m3", content="", tool_calls=(ToolCall(id="c", name="t", arguments={}),))
RESULT = replace(ASKED, id="m4", role="tool", content="found", tool_call_id="c")


def test_a_turn_is_read_back_from_its_messages() -> None:
    assert folded([]) is None
    assert folded([REPLY]) is None, "nobody asked"
    lost = TurnState(
        id="t", state="interrupted", session="s", agent="kyra", started_at=AT, words="hi"
    )
    assert folded([ASKED]) == lost
    assert folded([ASKED, CALL, RESULT]) == lost, "the tools ran, the reply never came"
    whole = folded([ASKED, CALL, RESULT, REPLY])
    assert whole == replace(
        lost, state="finished", message_id="m2", text="hello", usage=Usage(model="x/y")
    )
    partial = folded([ASKED, replace(REPLY, state="partial", usage=None)])
    assert partial == replace(lost, state="failed", message_id="m2", text="hello")
    stopped_late = replace(REPLY, id="m5", state="partial")
    assert folded([ASKED, REPLY, stopped_late]) == folded([ASKED, REPLY]), "it was whole already"


def test_the_last_event_of_a_turn_can_be_told_from_its_task() -> None:
    finished = folded([ASKED, REPLY])
    assert finished
    event = told(finished)
    assert isinstance(event, TurnFinished)
    assert (event.turn, event.message_id, event.text) == ("t", "m2", "hello")
    assert (event.usage, event.finish) == (Usage(model="x/y"), "stop")
    cut = told(replace(finished, finish="length"))
    assert isinstance(cut, TurnFinished) and cut.finish == "length"
    interrupted = folded([ASKED])
    assert interrupted
    event = told(interrupted)
    assert isinstance(event, TurnFailed)
    assert (event.reason, event.hint) == ("host_lost", "ask again")
    event = told(replace(interrupted, state="failed", reason="limit", problem="enough"))
    assert isinstance(event, TurnFailed)
    assert (event.reason, event.message, event.hint) == ("limit", "enough", "")


def test_the_board_keeps_so_many_ended_turns() -> None:
    board = TurnBoard(most=3)
    for n in range(10):
        board.began(replace(ASKED, turn=f"{n}"))
    for n in range(8):
        end = TurnFinished(
            session="s", turn=f"{n}", agent="kyra", message_id="m", text="x", usage=Usage(),
            finish="length",
        )  # fmt: skip
        board.heard(TextDelta(session="s", turn=end.turn, agent="kyra", text="x"))
        board.heard(end)
        board.heard(replace(end, text="a second end counts for nothing"))
    board.left("9")
    assert [one.id for one in board.states(10)] == ["8", "7", "6", "5"]
    assert [one.state for one in board.states(2)] == ["running", "finished"]
    assert [one.finish for one in board.states(2)] == ["stop", "length"]
    assert board.running == {"8"}
    assert board.get("9") is None


async def test_a_task_runs_then_is_finished_and_so_it_is_after_reopening(
    open_runtime: OpenRuntime,
) -> None:
    gate = asyncio.Event()
    model = ScriptedModel(["one", [Gate(gate), "hello ", "there"]])
    async with open_runtime(model) as runtime:
        first = [event async for event in runtime.ask("before")][-1]
        submitted = await runtime.turns.submit("hi")
        running = await runtime.turns.get(submitted.turn)
        assert (running.state, running.agent, running.text) == ("running", submitted.agent, "")
        assert running.session == submitted.session
        assert [one.id for one in await runtime.turns.list()] == [submitted.turn, first.turn]
        assert not await runtime.drain(0.01, own=True)
        gate.set()
        assert await runtime.drain(30, own=True)
        finished = await runtime.turns.get(submitted.turn)
        assert (finished.state, finished.text) == ("finished", "hello there")
        assert finished.usage
        assert finished.started_at == running.started_at
        assert len(await runtime.turns.list(limit=1)) == 1
    async with open_runtime(ScriptedModel()) as runtime:
        again = await runtime.turns.get(submitted.turn)
        assert again.ended_at is not None and finished.ended_at is not None
        assert replace(again, ended_at=finished.ended_at) == finished
        assert await runtime.turns.list() == []
        with pytest.raises(NotFound, match="there is no turn"):
            await runtime.turns.get(new_id())


async def test_only_what_others_began_is_waited_for_at_the_end(
    open_runtime: OpenRuntime,
) -> None:
    gate = asyncio.Event()
    async with open_runtime(ScriptedModel([[Gate(gate)], [Gate(gate), "hello"]])) as runtime:
        await runtime.turns.submit("mine")
        assert await runtime.drain(30)
        submitted: list[Submitted] = []

        async def served(_scope: object, _receive: object, _send: object) -> None:
            submitted.append(await runtime.turns.submit("theirs"))

        app = noting(served, runtime._presence)
        await app({"headers": [(CLIENT_HEADER, b"chat/1")]}, _nothing, _nothing)
        assert not await runtime.drain(0.01)
        await runtime.turns.cancel(submitted[0].turn)
        assert await runtime.drain(30)


async def _nothing(*_: object) -> Any:
    return {}


async def test_a_failed_task_says_why(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel([["well ", ModelUnavailable("gone away", hint="later")]])
    async with open_runtime(model) as runtime:
        end = [event async for event in runtime.ask("hi")][-1]
        task = await runtime.turns.get(end.turn)
        assert (task.state, task.text) == ("failed", "well ")
        assert (task.reason, task.problem, task.hint) == ("model_unavailable", "gone away", "later")
    async with open_runtime(model) as runtime:
        again = await runtime.turns.get(end.turn)
        assert replace(again, ended_at=task.ended_at) == task


async def test_closing_ends_turns_as_such_and_everybody_hears_it(open_runtime: OpenRuntime) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([["so far ", Gate(gate)], [Gate(gate)]])
    heard: list[Event] = []
    async with open_runtime(model) as runtime:

        async def listen() -> None:
            with runtime.turns.subscribe() as events:
                async for event in events:
                    await asyncio.sleep(0.002)
                    heard.append(event)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        talking = await runtime.turns.submit("hi")
        waiting = await runtime.turns.submit(TurnRequest("and then?", session=talking.session))
        with runtime.turns.subscribe(turn=talking.turn) as events:
            while not isinstance(await events.next(), TextDelta):
                pass
        await runtime.end_turns()
        await asyncio.wait_for(listening, 10)
        with pytest.raises(Closing):
            await runtime.turns.submit("one more")
        assert await runtime.turns.submit(TurnRequest("hi", key=talking.turn)) == talking, (
            "it is known"
        )
        assert (await runtime.turns.get(talking.turn)).reason == "host_closed"
    ends = {event.turn: event for event in heard if isinstance(event, TurnFailed)}
    assert {end.reason for end in ends.values()} == {"host_closed"}
    assert ends[talking.turn].text == "so far "
    assert ends[talking.turn].message_id
    assert waiting.turn in ends
    assert waiting.turn not in {one.turn for one in heard if isinstance(one, TurnStarted)}
    async with open_runtime(model) as runtime:
        (*_, kept) = await runtime.conversations.messages(talking.session)
        assert (kept.content, kept.state) == ("so far ", "partial")


async def test_a_listener_who_does_not_read_holds_up_closing_only_briefly(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(["hello"])) as runtime:
        deaf = runtime.turns.subscribe()
        async for _ in runtime.ask("hi"):
            pass
        await asyncio.wait_for(runtime.end_turns(), 5)
        assert [event async for event in deaf][-1].turn, "what waits can still be read"


async def test_late_and_many_listeners_of_a_turn_hear_all_of_it(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(["one two three"])) as runtime:
        submitted = await runtime.turns.submit("hi")
        assert await runtime.drain(30, own=True)
        for _ in range(2):
            with runtime.turns.subscribe(turn=submitted.turn) as events:
                kinds = []
                async for event in events:
                    kinds.append(type(event))
                    if isinstance(event, TurnFinished):
                        break
            assert kinds[0] is TurnStarted
            assert TextDelta in kinds
        with runtime._turns.subscribe(after=runtime._turns.position - 1) as events:
            assert isinstance(await events.next(), TurnFinished)
