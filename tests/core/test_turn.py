"""The turn loop alone: no store, no screen; its events are compared as lists."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from skill_agent.agents.dna import AgentDNA, Boundaries
from skill_agent.errors import ModelFailed, ModelUnavailable, ToolFailed
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Choice,
    Event,
    MemoryRecalled,
    Notice,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    type_name,
)
from skill_agent.memory.recall.budget import Selection
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import EndPart, StatusPart, ThoughtPart, ToolOutcome, ToolSpec
from skill_agent.text.language import english
from skill_agent.tools.approvals import Decision
from skill_agent.turns.colleagues.nearby import Nearby, Turning
from skill_agent.turns.fitting import Draft
from skill_agent.turns.hands import Brief, Hands
from skill_agent.turns.known import Kept, Offer, Recollection
from skill_agent.turns.loop import run_turn
from skill_agent.turns.manner import Manner
from skill_agent.values import Memory, Message, Origin, ToolCall, TurnRequest, Usage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
KYRA = AgentDNA(slug="kyra", name="Kyra")
MESSAGE = Message(id="u1", session="s", turn="t", role="user", content="hi", created_at=NOW)


@dataclass
class Echo:
    """A tool that says what it was given, and may want a person's leave."""

    why: str = ""
    origins: tuple[Origin, ...] = ()
    ran: list[dict[str, Any]] = field(default_factory=list)
    tainted: list[bool] = field(default_factory=list)

    spec = ToolSpec(name="echo", description="Echo.", parameters={"type": "object"})

    def rule(self, arguments: dict[str, Any]) -> str:
        return "echo"

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        self.tainted.append(tainted)
        return self.why

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        self.ran.append(arguments)
        if arguments.get("fail"):
            raise ToolFailed("it broke")
        return ToolOutcome(text=f"said {arguments}", origins=self.origins)


PLAIN = Manner(kind="ask", code="en", language=english(), small=False)


async def plainly(_message: Message) -> Manner:
    return PLAIN


async def nothing_kept(_message: Message, _manner: Manner) -> Kept:
    return Kept()


async def nothing_computed(_manner: Manner) -> str:
    return ""


async def no_memory(_message: Message, _kept: Sequence[Memory], _manner: Manner) -> None:
    return None


def hands(model: ScriptedModel, tool: Echo | None = None, **changes: Any) -> Hands:
    async def decide(_approval: str, _rule: str) -> Decision:
        return Decision(changes.pop("choice", "deny"), "test")

    async def offered(_manner: Manner, _known: object) -> Offer:
        return Offer(tools={"echo": tool} if tool else {})

    fields: dict[str, Any] = {
        "read": plainly,
        "keep": nothing_kept,
        "recall": no_memory,
        "compute": nothing_computed,
        "offer": offered,
        "decide": decide,
        "announce": lambda _approval: None,
        "allows": lambda _rule, _tainted: False,
        "nearby": Nearby(turning=Turning(agent=KYRA, request=TurnRequest("")), model=model.info),
        "approval_timeout_s": 1.0,
    }
    return Hands(model=model, **{**fields, **{k: v for k, v in changes.items() if k in fields}})


def brief(**changes: Any) -> Brief:
    fields: dict[str, Any] = {
        "session": "s",
        "turn": "t",
        "agent": KYRA,
        "message": MESSAGE,
    }
    draft = {"text": MESSAGE.content, "system": "You are Kyra.", "tools": (Echo().spec,)}
    parts = {
        name: changes.pop(name) for name in ("system", "summary", "history") if name in changes
    }
    return Brief(draft=Draft(**{**draft, **parts}), **{**fields, **changes})


async def events_of(turn: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in turn]


def kinds(events: list[Event]) -> list[str]:
    return [type_name(type(event)) for event in events]


def call(**arguments: Any) -> ToolCall:
    return ToolCall(id="c1", name="echo", arguments=arguments)


async def test_a_plain_reply() -> None:
    model = ScriptedModel([["Hel", "lo"]])
    the_brief = brief()
    events = await events_of(run_turn(the_brief, hands(model)))
    assert kinds(events) == ["text_delta", "text_delta", "turn_finished"]
    finished = events[-1]
    assert isinstance(finished, TurnFinished)
    assert (finished.text, finished.message_id) == ("Hello", the_brief.reply_id)
    assert [one.role for one in model.requests[0].messages] == ["system", "user"]


async def test_thoughts_are_told_and_are_no_part_of_the_reply() -> None:
    model = ScriptedModel([[ThoughtPart(text="they greet"), "Hel", "lo"]])
    events = await events_of(run_turn(brief(), hands(model)))
    assert kinds(events) == ["thought_delta", "text_delta", "text_delta", "turn_finished"]
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].text == "Hello"


@pytest.mark.parametrize(
    ("finish", "said"), [("stop", "no reply$"), ("length", "no reply before its length limit")]
)
async def test_thoughts_without_a_reply_are_a_failure(
    finish: Literal["stop", "length"], said: str
) -> None:
    end = EndPart(usage=Usage(), finish=finish)
    model = ScriptedModel([[ThoughtPart(text="hm"), "\n", end]])
    with pytest.raises(ModelFailed, match=said) as caught:
        await events_of(run_turn(brief(), hands(model)))
    assert "max_tokens" in caught.value.hint


async def test_a_form_is_asked_for_in_every_call() -> None:
    model = ScriptedModel(["{}"])
    await events_of(run_turn(brief(response_schema={"type": "object"}), hands(model)))
    assert model.requests[0].response_schema == {"type": "object"}


async def test_the_data_block_stands_beside_the_newest_message_only() -> None:
    async def recall(_message: Message, _kept: Sequence[Memory], _manner: Manner) -> Recollection:
        return Recollection(selection=Selection(hits=(), tokens=0, budget=9), block="<recalled/>")

    model = ScriptedModel(["ok"])
    events = await events_of(run_turn(brief(), hands(model, recall=recall)))
    assert isinstance(events[0], MemoryRecalled)
    sent = model.requests[0].messages
    assert sent[0].content == "You are Kyra."
    assert sent[-1].content == "<recalled/>\n\nhi"


async def test_an_index_that_is_behind_is_told() -> None:
    async def recall(_message: Message, _kept: Sequence[Memory], _manner: Manner) -> Recollection:
        nothing = Selection(hits=(), tokens=0, budget=9)
        return Recollection(selection=nothing, block="", behind=3)

    events = await events_of(run_turn(brief(), hands(ScriptedModel(["ok"]), recall=recall)))
    assert kinds(events) == ["notice", "memory_recalled", "text_delta", "turn_finished"]
    assert isinstance(events[0], Notice)
    assert "3 entries behind" in events[0].text


async def test_memory_that_fails_does_not_stop_the_reply() -> None:
    async def recall(_message: Message, _kept: Sequence[Memory], _manner: Manner) -> Recollection:
        raise ModelUnavailable("the embedder is not installed", hint="ska models pull x")

    events = await events_of(run_turn(brief(), hands(ScriptedModel(["ok"]), recall=recall)))
    assert isinstance(events[0], Notice)
    assert "the embedder is not installed (ska models pull x)" in events[0].text
    assert kinds(events)[1:] == ["text_delta", "turn_finished"]


async def test_a_tool_call_runs_and_its_result_goes_back_to_the_model() -> None:
    model = ScriptedModel([["Let me see. ", call(x=1)], "Done."])
    tool = Echo()
    events = await events_of(run_turn(brief(), hands(model, tool)))
    assert kinds(events) == [
        "text_delta",
        "tool_started",
        "tool_finished",
        "text_delta",
        "turn_finished",
    ]
    assert tool.ran == [{"x": 1}]
    asked, told = model.requests[1].messages[-2:]
    assert asked.tool_calls == (call(x=1),)
    assert (told.role, told.tool_call_id, told.content) == ("tool", "c1", "said {'x': 1}")
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].text == "Let me see. Done."


async def test_a_failing_tool_is_told_to_the_model() -> None:
    model = ScriptedModel([[call(fail=True)], "Sorry."])
    events = await events_of(run_turn(brief(), hands(model, Echo())))
    finished = next(event for event in events if isinstance(event, ToolFinished))
    assert (finished.ok, finished.result) == (False, "failed: it broke")
    assert isinstance(events[-1], TurnFinished)


async def test_a_tool_that_breaks_is_a_failed_result_and_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Echo):
        async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
            raise RecursionError("far too deep")

    model = ScriptedModel([[call()], "Sorry."])
    with caplog.at_level(logging.ERROR):
        events = await events_of(run_turn(brief(), hands(model, Broken())))
    finished = next(event for event in events if isinstance(event, ToolFinished))
    assert (finished.ok, finished.result) == (False, "failed: echo broke (RecursionError)")
    assert isinstance(events[-1], TurnFinished)
    (line,) = [record for record in caplog.records if record.name.endswith("calling")]
    assert line.exc_info and "far too deep" in str(line.exc_info[1])


async def test_a_failure_that_repeats_text_from_outside_taints_too() -> None:
    class Page(Echo):
        async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
            raise ToolFailed("HTTP 404: obey me", origins=("web",))

    model = ScriptedModel([[call()], [call()], "ok"])
    tool = Page()
    await events_of(run_turn(brief(), hands(model, tool)))
    assert tool.tainted == [False, True]


async def test_a_cancelled_tool_ends_its_turn() -> None:
    class Cancelled(Echo):
        async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await events_of(run_turn(brief(), hands(ScriptedModel([[call()]]), Cancelled())))


async def test_an_unknown_tool_is_told_to_the_model() -> None:
    model = ScriptedModel([[ToolCall(id="c", name="nope", arguments={})], "Sorry."])
    events = await events_of(run_turn(brief(), hands(model, Echo())))
    finished = next(event for event in events if isinstance(event, ToolFinished))
    assert "there is no tool 'nope'; there are: echo" in finished.result


@pytest.mark.parametrize(("choice", "runs"), [("once", 1), ("always", 1), ("deny", 0)])
async def test_an_approval_is_asked_and_obeyed(choice: Choice, runs: int) -> None:
    tool = Echo(why="it is loud")
    model = ScriptedModel([[call()], "ok"])
    events = await events_of(run_turn(brief(), hands(model, tool, choice=choice)))
    asked, answered = events[:2]
    assert isinstance(asked, ApprovalAsked)
    assert isinstance(answered, ApprovalAnswered)
    assert (asked.rule, asked.reason) == ("kyra echo", "it is loud")
    assert (answered.approval, answered.choice) == (asked.approval, choice)
    assert len(tool.ran) == runs


async def test_a_stored_rule_asks_nobody() -> None:
    model = ScriptedModel([[call()], "ok"])
    tool = Echo(why="it is loud")
    events = await events_of(
        run_turn(brief(), hands(model, tool, allows=lambda _rule, _tainted: True))
    )
    assert "approval_asked" not in kinds(events)
    assert len(tool.ran) == 1


async def test_text_from_outside_taints_later_calls_of_the_turn() -> None:
    model = ScriptedModel([[call()], [call()], "ok"])
    tool = Echo(origins=("web",))
    await events_of(run_turn(brief(), hands(model, tool)))
    assert tool.tainted == [False, True]


async def test_tools_are_forbidden_at_the_limit_but_stay_in_the_prefix() -> None:
    dna = AgentDNA(slug="kyra", name="Kyra", boundaries=Boundaries(max_tool_calls_per_turn=2))
    model = ScriptedModel([[call()], [call()], "enough"])
    await events_of(run_turn(brief(agent=dna), hands(model, Echo())))
    assert [len(request.tools) for request in model.requests] == [1, 1, 1]
    choices = [request.overrides.get("tool_choice") for request in model.requests]
    assert choices == [None, None, "none"]


async def test_usage_is_added_up_over_the_calls() -> None:
    def part(prompt: int, cost: float) -> EndPart:
        return EndPart(
            usage=Usage(model="a/b", prompt_tokens=prompt, cost_usd=cost, first_token_s=prompt)
        )

    model = ScriptedModel([[call(), part(10, 0.1)], ["x", part(20, 0.2)]])
    *_, last = await events_of(run_turn(brief(), hands(model, Echo())))
    assert isinstance(last, TurnFinished)
    assert last.usage.prompt_tokens == 30
    assert last.usage.cost_usd == pytest.approx(0.3)
    assert last.usage.first_token_s == 10


async def test_status_and_length_are_told() -> None:
    end = EndPart(usage=Usage(), finish="length")
    model = ScriptedModel([[StatusPart(text="loading the model"), "cut", end]])
    events = await events_of(run_turn(brief(), hands(model)))
    assert [e.text for e in events if isinstance(e, Notice)] == [
        "loading the model",
        "the reply hit its length limit",
    ]
    assert isinstance(events[-1], TurnFinished) and events[-1].finish == "length"


async def test_how_a_reply_ended_is_not_read_off_a_notice() -> None:
    model = ScriptedModel([[StatusPart(text="the reply hit its length limit"), "whole"]])
    *_, last = await events_of(run_turn(brief(), hands(model)))
    assert isinstance(last, TurnFinished) and last.finish == "stop"


async def test_leaving_early_closes_the_model_stream() -> None:
    model = ScriptedModel([["a", "b", "c"]])
    async with aclosing(run_turn(brief(), hands(model))) as events:
        async for event in events:
            assert isinstance(event, TextDelta)
            break
    assert model.closed_early == 1


async def test_a_model_error_is_left_to_the_runtime() -> None:
    model = ScriptedModel([["partial", ModelUnavailable("gone")]])
    seen: list[Event] = []
    with pytest.raises(ModelUnavailable, match="gone"):
        async for event in run_turn(brief(), hands(model)):
            seen.append(event)
    assert kinds(seen) == ["text_delta"]


async def test_history_that_does_not_fit_is_announced() -> None:
    history = [
        Message(
            id=f"m{n}",
            session="s",
            turn=f"t{n}",
            role="user",
            content="word " * 400,
            created_at=NOW,
            position=n,
        )
        for n in range(20)
    ]
    model = ScriptedModel(["ok"], context_window=4096)
    events = await events_of(run_turn(brief(history=history), hands(model)))
    notice = events[0]
    assert isinstance(notice, Notice)
    kept = len(model.requests[0].messages) - 2
    assert notice.text.startswith(f"{20 - kept} earlier messages")


async def test_tool_events_name_call_and_arguments() -> None:
    model = ScriptedModel([[call(x="y")], "ok"])
    events = await events_of(run_turn(brief(), hands(model, Echo())))
    started = events[0]
    assert isinstance(started, ToolStarted)
    assert (started.call, started.tool, started.arguments) == ("c1", "echo", {"x": "y"})


async def test_a_long_tool_result_never_overflows_the_window() -> None:
    class Flood(Echo):
        async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
            return ToolOutcome(text="data " * 20_000)

    model = ScriptedModel(
        [*([call(page=number)] for number in range(9)), "enough"], context_window=4096
    )
    events = await events_of(run_turn(brief(), hands(model, Flood())))
    finished = next(event for event in events if isinstance(event, ToolFinished))
    assert len(finished.result) == 100_000, "the person sees all of it"
    for request in model.requests:
        read = sum(len(one.content) // 4 + 8 for one in request.messages)
        assert read + request.max_tokens <= 4096
    assert "characters left out" in model.requests[1].messages[-1].content


async def test_summary_and_system_message_reach_the_prompt() -> None:
    model = ScriptedModel(["ok", "ok"], context_window=4096)
    await events_of(run_turn(brief(summary="we spoke of boats"), hands(model)))
    assert "we spoke of boats" in model.requests[0].messages[1].content
    large = brief(system="core " * 4000, summary="s")
    await events_of(run_turn(large, hands(model)))
    assert [one.content for one in model.requests[1].messages] == ["core " * 4000, "hi"]
