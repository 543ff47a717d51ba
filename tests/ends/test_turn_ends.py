"""How turns end: by our limits, whatever the model does; told once, and kept as told."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from fakes import OpenRuntime
from skill_agent.cli.talk.render import EXIT_CODES

from skill_agent.api.answers.chat_frames import STATUS
from skill_agent.conversations.turn_ends import ENDED
from skill_agent.conversations.unfinished import CUT_SHORT, Unfinished, UnfinishedReplies
from skill_agent.events import (
    Event,
    Notice,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
)
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Answer, Pause, ScriptedModel
from skill_agent.ports import EndPart, ModelRequest, ThoughtPart
from skill_agent.values import ClientTool, FailureReason, ToolCall, TurnRequest, Usage
from skill_agent.workstation.past import past_of

DIES = Path(__file__).parents[1] / "core" / "dies_in_turn.py"
HERE = "search_memory"


def looking(query: str, *, call: str = "c1", **more: Any) -> ToolCall:
    return ToolCall(id=call, name=HERE, arguments={"query": query}, **more)


WHERE = TurnRequest("Where is it?", agent="kyra")


async def told_by(runtime: Runtime, request: TurnRequest | str = WHERE) -> list[Event]:
    return [event async for event in runtime.turns.ask(request)]


def shown(events: Sequence[Event]) -> str:
    return "".join(one.text for one in events if isinstance(one, TextDelta))


def warnings(events: Sequence[Event]) -> str:
    return "\n".join(
        one.text for one in events if isinstance(one, Notice) and one.level == "warning"
    )


async def kept(runtime: Runtime, events: Sequence[Event]) -> None:
    """One end, whose text is what was shown, and which the ledger tells the same way."""
    ends = [one for one in events if isinstance(one, TurnFinished | TurnFailed)]
    assert len(ends) == 1 and events[-1] is ends[0]
    end = ends[0]
    assert end.text == shown(events)
    started: set[str] = set()
    for event in events:
        if isinstance(event, ToolStarted):
            started.add(event.call)
        if isinstance(event, ToolFinished):
            assert event.call in started
    (state,) = [one for one in await runtime.turns.of_session(end.session) if one.id == end.turn]
    rows = await runtime.ledger.log(end.turn, kinds=(ENDED,))
    assert len(rows) == 1
    assert state.state == ("finished" if isinstance(end, TurnFinished) else "failed")
    assert "\n".join(state.notices) == warnings(events)
    messages = await runtime.ledger.turn(end.turn)
    replies = [one for one in messages if one.role == "assistant" and not one.tool_calls]
    if end.text.strip():
        assert [one.content for one in replies] == [end.text]
    assert [one.outcome is not None for one in messages if one.role == "tool"] == [True] * sum(
        isinstance(one, ToolFinished) for one in events
    )


async def test_a_page_of_a_conversation_has_the_ends_of_its_turns(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes, it is.")) as runtime:
        session = (await told_by(runtime))[-1].session
        for said in ("And then?", "And after that?"):
            await told_by(runtime, TurnRequest(said, session=session))
        first, second, third = (await past_of(runtime, session)).turns.values()
        newest = await past_of(runtime, session, last=3)
        assert newest.turns == {third.id: third}
        earlier = await past_of(runtime, session, last=3, before=newest.messages[0])
        assert earlier.turns == {second.id: second}
        oldest = await past_of(runtime, session, last=3, before=earlier.messages[0])
        assert oldest.turns == {first.id: first}
        assert await runtime.turns.of_session(session, newest=3) == [second, third]


async def test_a_model_that_never_stops_calling_is_stopped(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(otherwise=[looking("deployment")])
    async with open_runtime(model) as runtime:
        events = await told_by(runtime)
        assert isinstance(events[-1], TurnFailed) and events[-1].reason == "limit"
        assert "agents.kyra.boundaries" in events[-1].hint
        assert len([one for one in model.requests if one.purpose != "title"]) < 9
        assert sum(isinstance(one, ToolFinished) and one.ok for one in events) == 3
        await kept(runtime, events)


async def test_calls_at_once_count_each(open_runtime: OpenRuntime) -> None:
    many = [looking(f"part {number}", call="same") for number in range(40)]
    model = ScriptedModel([many, many, "Enough of that."])
    async with open_runtime(model) as runtime:
        events = await told_by(runtime)
        limit = runtime.directory.get("kyra").boundaries.max_tool_calls_per_turn
        assert sum(isinstance(one, ToolFinished) and one.ok for one in events) == limit
        calls = [one.call for one in events if isinstance(one, ToolStarted)]
        assert len(set(calls)) == len(calls) == 80
        assert isinstance(events[-1], TurnFinished) and events[-1].text == "Enough of that."
        await kept(runtime, events)


async def test_each_reply_may_call_anew_up_to_the_limit(open_runtime: OpenRuntime) -> None:
    numbers = iter(range(1000))

    def next_call(_request: ModelRequest) -> list[Any]:
        return ["So far. ", looking(f"part {next(numbers)}")]

    model = ScriptedModel(otherwise=next_call)
    async with open_runtime(model) as runtime:
        events = await told_by(runtime)
        end = events[-1]
        assert isinstance(end, TurnFinished) and end.finish == "limit"
        assert end.text.startswith("So far. ") and "past the limits" in warnings(events)
        limit = runtime.directory.get("kyra").boundaries.max_tool_calls_per_turn
        assert len(model.requests) == limit + 2
        await kept(runtime, events)


@pytest.mark.parametrize(
    "step", ["word " * 50, ThoughtPart(text="hm " * 50)], ids=["words", "thoughts"]
)
async def test_a_reply_without_end_is_ended(open_runtime: OpenRuntime, step: Any) -> None:
    model = ScriptedModel([["Well, ", *[step] * 2_000]])
    async with open_runtime(model) as runtime:
        events = await told_by(runtime, TurnRequest("Go on.", options={"max_tokens": 200}))
        end = events[-1]
        assert isinstance(end, TurnFinished) and end.finish == "limit"
        assert len(end.text) < 200 * 16 + 1_000 and model.closed_early == 1
        await kept(runtime, events)


async def test_a_reply_that_takes_too_long_is_ended(home: Home, open_runtime: OpenRuntime) -> None:
    model = ScriptedModel([["Slowly ", *["so ", Pause(0.05)] * 200]])
    async with open_runtime(ScriptedModel()):
        pass
    settings = home.config.read_text()
    home.config.write_text(settings.replace("[models]", "[models]\nreply_timeout_s = 0.3", 1))
    async with open_runtime(model) as runtime:
        events = await told_by(runtime)
        end = events[-1]
        assert isinstance(end, TurnFinished) and end.finish == "limit"
        assert end.text.startswith("Slowly so") and "limits of one reply" in warnings(events)
        await kept(runtime, events)


ODD_CALLS: dict[str, ToolCall] = {
    "unknown tool": ToolCall(id="c1", name="fly_to_the_moon", arguments={}),
    "no name": ToolCall(id="c1", name="", arguments={}),
    "a name no provider takes": ToolCall(id="c1", name="Search memory!\n{}", arguments={}),
    "unreadable": looking("x", problem='the arguments are no JSON object: \'{"query": "a\''),
    "no id": looking("x", call=""),
    "other arguments": ToolCall(id="c1", name=HERE, arguments={"q": 3, "\ud83d": ["\ude00"]}),
    "arguments of other kinds": ToolCall(id="c1", name=HERE, arguments={"query": {"a": None}}),
    "an address that is none": ToolCall(id="c1", name="http_get", arguments={"url": "http://[::1"}),
    "an address of another kind": ToolCall(id="c1", name="http_get", arguments={"url": 7}),
}


@pytest.mark.parametrize("odd", ODD_CALLS.values(), ids=ODD_CALLS)
async def test_the_model_is_told_of_its_mistake(open_runtime: OpenRuntime, odd: ToolCall) -> None:
    model = ScriptedModel([[odd], "Then without."])
    async with open_runtime(model) as runtime:
        events = await told_by(runtime)
        assert isinstance(events[-1], TurnFinished) and events[-1].text == "Then without."
        result = model.requests[-1].messages[-1]
        assert result.role == "tool" and result.content
        await kept(runtime, events)
        again = await told_by(runtime, TurnRequest("And now?", session=events[-1].session))
        assert isinstance(again[-1], TurnFailed), "the script is used up; the prompt could be built"


ENDS: dict[str, tuple[Answer, str, str]] = {
    "nothing": ([EndPart(usage=Usage())], "failed", "gave no reply"),
    "blanks": (["  \n "], "failed", "gave no reply"),
    "thoughts": ([ThoughtPart(text="hm")], "failed", "thought and gave no reply"),
    "withheld": ([EndPart(usage=Usage(), finish="filtered")], "failed", "content filter"),
    "withheld from there": (
        ["Half of", EndPart(usage=Usage(), finish="filtered")], "filtered", "content filter",
    ),
    "broken off": (["Half of", EndPart(usage=Usage(), finish="cut")], "cut", "broke off"),
    "too long": (["Half of", EndPart(usage=Usage(), finish="length")], "length", "length limit"),
    "half a character": (["Good \ud83d day"], "stop", ""),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "finish", "said"), ENDS.values(), ids=ENDS)
async def test_an_end_is_what_it_is(
    open_runtime: OpenRuntime, answer: Answer, finish: str, said: str
) -> None:
    async with open_runtime(ScriptedModel([answer])) as runtime:
        events = await told_by(runtime)
        end = events[-1]
        if isinstance(end, TurnFailed):
            assert finish == "failed" and said in end.message
        else:
            assert isinstance(end, TurnFinished) and end.finish == finish
            assert said in warnings(events)


async def test_a_client_s_tools_are_for_the_client(open_runtime: OpenRuntime) -> None:
    call = ToolCall(id="w1", name="get_weather", arguments={"city": "Graz"})
    odd = ToolCall(id="w1", name="get_weather", arguments={}, problem="no JSON object")
    model = ScriptedModel(
        [[odd], ["Let me see. ", call, ToolCall(id="x", name=HERE, arguments={})]]
    )
    tool = ClientTool(name="get_weather", parameters={"type": "object", "properties": {}})
    async with open_runtime(model) as runtime:
        request = TurnRequest("How is it in Graz?", client_tools=(tool,), tool_choice="required")
        events = await told_by(runtime, request)
        end = events[-1]
        assert isinstance(end, TurnFinished)
        assert (end.finish, end.tool_calls, end.text) == ("tool_calls", (call,), "Let me see. ")
        assert [one.name for one in model.requests[0].tools] == ["get_weather"]
        assert model.requests[0].overrides["tool_choice"] == "required"


async def test_who_stops_a_turn_is_kept(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(otherwise=["Let me think ", *["and think ", Pause(0.02)] * 500])
    async with open_runtime(model) as runtime:
        begun = await runtime.turns.submit("Think.")
        with runtime.turns.subscribe(turn=begun.turn) as heard:
            while not isinstance(await heard.next(), TextDelta):
                pass
            assert await runtime.turns.cancel(begun.turn)
        state = await runtime.turns.get(begun.turn)
        assert (state.state, state.reason) == ("failed", "cancelled")
        (again,) = await runtime.turns.of_session(begun.session)
        assert (again.reason, again.text) == ("cancelled", state.text)
        assert state.text.startswith("Let me think")
        left = await runtime.turns.submit("Think more.")
    async with open_runtime(model) as runtime:
        states = {one.id: one for one in await runtime.turns.of_session(left.session)}
        assert states[left.turn].reason == "host_closed"


@pytest.mark.deep
async def test_a_stop_at_the_last_moment_comes_too_late(open_runtime: OpenRuntime) -> None:
    """Stopped again and again in the moment of its end, a turn has one end."""
    for wait in range(0, 30):
        async with open_runtime(ScriptedModel(["All of it."])) as runtime:
            begun = await runtime.turns.submit("Say it.")
            with runtime.turns.subscribe(turn=begun.turn) as heard:
                for _ in range(wait):
                    await asyncio.sleep(0)
                stops = [asyncio.create_task(runtime.turns.cancel(begun.turn)) for _ in range(3)]
                events = [await heard.next()]
                while not isinstance(events[-1], TurnFinished | TurnFailed):
                    events.append(await heard.next())
                await asyncio.gather(*stops)
            await kept(runtime, events)


def shows_and_dies(home: Home, key: str) -> None:
    ran = subprocess.run(
        [sys.executable, str(DIES), str(home.root), key, "shows"], capture_output=True, text=True
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr


@pytest.mark.deep
async def test_what_a_killed_process_had_shown_is_kept(
    home: Home, open_runtime: OpenRuntime
) -> None:
    key = new_id()
    async with open_runtime(ScriptedModel(["Yes."])) as runtime:
        await told_by(runtime)
    await asyncio.to_thread(shows_and_dies, home, key)
    for opening in ("first", "second"):
        async with open_runtime(ScriptedModel()) as runtime:
            state = await runtime.turns.get(key)
            assert (state.state, state.reason, state.problem) == ("failed", "host_lost", CUT_SHORT)
            assert state.text == "Half of it. ", opening
            messages = await runtime.ledger.turn(key)
            assert [(one.role, one.state) for one in messages] == [
                ("user", "complete"),
                ("assistant", "partial"),
            ]
            assert len(await runtime.ledger.log(key, kinds=(ENDED,))) == 1
            assert not [*home.unfinished.iterdir()]
            assert (await runtime.memory.verify()).problems == ()


async def test_a_turn_killed_before_a_word_has_its_end_too(
    home: Home, open_runtime: OpenRuntime
) -> None:
    key = new_id()
    ran = await asyncio.to_thread(subprocess.run, [sys.executable, str(DIES), str(home.root), key])
    assert ran.returncode == -signal.SIGKILL
    async with open_runtime(ScriptedModel()) as runtime:
        state = await runtime.turns.get(key)
        assert (state.reason, state.text, state.message_id) == ("host_lost", "", None)


def test_an_unreadable_file_of_a_reply_is_put_away(tmp_path: Path) -> None:
    replies = UnfinishedReplies(tmp_path)
    replies.keep(Unfinished(session="s", turn="t", agent="kyra", text="Half", origins=("web",)))
    for name, text in {"a": "{", "b": "[]", "c": '{"session": 1}', "d": "{}"}.items():
        (tmp_path / f"{name}.json").write_text(text)
    assert [one.text for one in replies.left()] == ["Half"]
    assert sorted(one.suffix for one in tmp_path.iterdir()) == [".json"] + [".unreadable"] * 4
    replies.drop("t")
    assert replies.left() == []


async def test_a_turn_goes_on_where_its_reply_cannot_be_kept_in_a_file(
    home: Home, open_runtime: OpenRuntime
) -> None:
    async with open_runtime(ScriptedModel(["Still here."])) as runtime:
        home.unfinished.parent.mkdir(exist_ok=True)
        home.unfinished.write_text("in the way")
        events = await told_by(runtime)
        assert isinstance(events[-1], TurnFinished) and events[-1].text == "Still here."


def test_every_reason_has_its_exit_code_and_its_status() -> None:
    assert EXIT_CODES.keys() == STATUS.keys() == set(get_args(FailureReason))
