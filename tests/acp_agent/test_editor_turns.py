"""What a turn tells an editor: words, thoughts, tools, plans, diffs, permissions, ends."""

import asyncio
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from acp.exceptions import RequestError
from acp.helpers import text_block
from an_editor import Editor, editing
from fakes import OpenRuntime
from skill_agent.cli.opening.home_files import init_home

from skill_agent.acp_agent.permissions import Permissions
from skill_agent.acp_agent.telling import Telling
from skill_agent.errors import ModelRejected, ModelUnavailable
from skill_agent.events import (
    AgentRouted,
    AgentsChanged,
    AgentWaking,
    AgentWrote,
    ApprovalAnswered,
    ApprovalAsked,
    BackupFailed,
    BridgeChanged,
    CollaborationChanged,
    Compacted,
    DiffShown,
    Event,
    HandedOff,
    HostFound,
    HostLost,
    InboxArrived,
    InboxChanged,
    JobRunChanged,
    MemoriesExtracted,
    MemoryRecalled,
    MemorySaved,
    MemoryUpdated,
    Notice,
    PlanStep,
    PlanTold,
    QuestionAnswered,
    QuestionAsked,
    SeatChanged,
    TaskChanged,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    WebhookFailing,
    WorkChanged,
)
from skill_agent.files.home import Home
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.ports import EndPart
from skill_agent.values import ToolCall, TurnRequest, Usage

URL = "http://127.0.0.1:9/" + "long/" * 40 + "?q=1"
FETCH = ToolCall(id="c1", name="http_get", arguments={"url": URL})
IDS: dict[str, Any] = {"session": "s", "turn": "t", "agent": "kyra"}


def asking() -> ScriptedModel:
    return ScriptedModel([(FETCH,), "Done."], otherwise="Well.")


async def ask(
    open_runtime: OpenRuntime, home: Home, answer: str | None
) -> tuple[Editor, list[str]]:
    """What an editor saw whose person gave this answer, and the rules stored by then."""
    async with (
        open_runtime(asking()) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        editor.answers = lambda _: answer
        session = (await conn.new_session(cwd="/")).session_id
        words = f"Look at {URL[:20]} please, with a tool"
        done = await conn.prompt(session_id=session, prompt=[text_block(words)])
        assert done.stop_reason == "end_turn" and editor.said() == "Done."
        return editor, await runtime.approvals.rules()


async def test_a_call_is_shown_whole_and_allowed_once(
    open_runtime: OpenRuntime, home: Home
) -> None:
    editor, rules = await ask(open_runtime, home, "once")
    ((call, options),) = editor.asked
    assert call.content and URL in call.content[0].content.text  # pyright: ignore
    assert [(one.option_id, one.kind) for one in options] == [
        ("once", "allow_once"), ("always", "allow_always"), ("deny", "reject_once")
    ]  # fmt: skip
    assert "http_get" in options[1].name and "127.0.0.1" in options[1].name
    assert rules == []
    ((name, told),) = editor.calls()
    assert name == call.tool_call_id
    assert [one.status for one in told] == ["pending", "in_progress", "failed"]
    assert told[0].kind == "fetch" and told[0].raw_input == {"url": URL}
    assert "not allowed" not in told[-1].raw_output  # it was tried, and nobody listens there


async def test_always_stores_the_rule_that_was_shown(open_runtime: OpenRuntime, home: Home) -> None:
    editor, rules = await ask(open_runtime, home, "always")
    ((_, options),) = editor.asked
    assert len(rules) == 1 and options[1].name == f"Allow always: {rules[0]}"


@pytest.mark.parametrize("answer", ["deny", "made up", None])
async def test_anything_else_denies(
    open_runtime: OpenRuntime, home: Home, answer: str | None
) -> None:
    editor, rules = await ask(open_runtime, home, answer)
    ((_, told),) = editor.calls()
    assert rules == [] and told[-1].status == "failed" and "not allowed" in told[-1].raw_output


async def test_answered_elsewhere_the_question_is_withdrawn(
    open_runtime: OpenRuntime, home: Home
) -> None:
    async with (
        open_runtime(asking()) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        withdrawn: list[object] = []
        conn._conn.add_observer(  # pyright: ignore
            lambda event: (
                withdrawn.append(event.message["params"])
                if event.message.get("method") == "$/cancel_request"
                else None
            )
        )
        session = (await conn.new_session(cwd="/")).session_id
        words = f"Look at {URL[:20]} please, with a tool"
        prompt = asyncio.create_task(conn.prompt(session_id=session, prompt=[text_block(words)]))
        await editor.until(lambda: editor.asked)
        (waiting,) = await runtime.approvals.waiting()
        await runtime.approvals.answer(waiting.id, "deny", by="the terminal")
        assert (await prompt).stop_reason == "end_turn" and editor.said() == "Done."
        assert len(withdrawn) == 1
        ((_, told),) = editor.calls()
        assert "by the terminal" in told[1].content[0].content.text


async def test_nobody_answers_in_time(open_runtime: OpenRuntime, home: Home) -> None:
    init_home(home)
    told = re.sub(r"(\[tools\]\n)", r"\1approval_timeout_s = 0.2\n", home.config.read_text())
    home.config.write_text(re.sub(r"\napproval_timeout_s = 300\S*", "", told))
    async with (
        open_runtime(asking()) as runtime,
        editing(runtime, home.editor_folders) as (conn, editor),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        words = f"Look at {URL[:20]} please, with a tool"
        done = await conn.prompt(session_id=session, prompt=[text_block(words)])
        assert done.stop_reason == "end_turn" and len(editor.asked) == 1
        ((_, told_of),) = editor.calls()
        assert "nobody answered in time" in told_of[1].content[0].content.text
        assert told_of[-1].status == "failed"


async def test_what_a_colleague_asks_for_is_asked_in_the_editor(
    open_runtime: OpenRuntime, home: Home
) -> None:
    goes_on = asyncio.Event()
    model = ScriptedModel([["I have it looked at. ", Gate(goes_on), "Done."], (FETCH,), "No."])
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (conn, editor),
    ):
        editor.answers = lambda _: "deny"
        session = (await conn.new_session(cwd="/")).session_id
        prompt = asyncio.create_task(conn.prompt(session_id=session, prompt=[text_block("Look")]))
        await editor.until(editor.said)
        (state,) = await runtime.turns.list()
        work = TurnRequest(f"Look at {URL[:20]} please, with a tool", parent=state.id)
        heard = [event async for event in runtime.turns.ask(work)]
        assert any(isinstance(one, ApprovalAnswered) and one.by == "the editor" for one in heard)
        goes_on.set()
        await prompt
        ((call, _),) = editor.asked
        ((name, told),) = editor.calls()
        assert name == call.tool_call_id and told[-1].status == "failed"


async def test_cancelled_while_it_asks(open_runtime: OpenRuntime, home: Home) -> None:
    async with (
        open_runtime(asking()) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        words = f"Look at {URL[:20]} please, with a tool"
        prompt = asyncio.create_task(conn.prompt(session_id=session, prompt=[text_block(words)]))
        await editor.until(lambda: editor.asked)
        await conn.cancel(session_id=session)
        assert (await prompt).stop_reason == "cancelled"
        assert await runtime.approvals.waiting() == []
        ((_, told),) = editor.calls()
        assert told[-1].status in ("completed", "failed")


async def test_ends_and_failures(open_runtime: OpenRuntime, home: Home) -> None:
    usage = Usage(model="scripted/model")
    model = ScriptedModel(
        [
            ["Long", EndPart(usage=usage, finish="length")],
            ["Some words ", ModelUnavailable("the model is away", hint="ska models list")],
            [ModelRejected("the key is wrong", hint="ska doctor")],
            "Fine.",
        ]
    )
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        done = await conn.prompt(session_id=session, prompt=[text_block("One")])
        assert done.stop_reason == "max_tokens"
        with pytest.raises(RequestError, match=r"the model is away \(ska models list\)") as why:
            await conn.prompt(session_id=session, prompt=[text_block("Two")])
        assert why.value.code == -32603 and "Some words" in editor.said()
        with pytest.raises(RequestError, match=r"the key is wrong \(ska doctor\)"):
            await conn.prompt(session_id=session, prompt=[text_block("Three")])
        seen = len(editor.updates)
        assert (await conn.prompt(session_id=session, prompt=[text_block("Four")])).usage
        del editor.updates[:seen]
        live = editor.said()
        await conn.load_session(cwd="/", session_id=session)
        asked = [one.content.text for one in editor.of("user_message_chunk")]
        assert asked == ["One", "Two", "Three", "Four"]
        assert editor.said().endswith(live) and "Some words" in editor.said()
        assert "the model is away" in editor.thought()


async def test_a_load_tells_tools_and_words_in_their_order(
    open_runtime: OpenRuntime, home: Home
) -> None:
    look = ToolCall(id="c1", name="search_memory", arguments={"query": "tea"})
    model = ScriptedModel([["Let me look. ", look], "You like tea."])
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        await conn.prompt(session_id=session, prompt=[text_block("Search memory: what do I like?")])
        live = order(editor)
        editor.updates.clear()
        await conn.load_session(cwd="/", session_id=session)
        assert order(editor)[1:] == live and order(editor)[0] == ("user_message_chunk", "")


def order(editor: Editor) -> list[tuple[str, str]]:
    """Words and calls as they came, pieces of one text as one."""
    found: list[tuple[str, str]] = []
    for _, one in editor.updates:
        kind = one.session_update
        if kind == "user_message_chunk":
            found.append((kind, ""))
        elif kind == "tool_call":
            found.append((kind, one.tool_call_id))
        elif kind == "agent_message_chunk":
            if found and found[-1][0] == kind:
                found[-1] = (kind, found[-1][1] + one.content.text)
            else:
                found.append((kind, one.content.text))
    return found


async def test_a_save_is_told_with_its_undo(open_runtime: OpenRuntime, home: Home) -> None:
    async with (
        open_runtime(ScriptedModel(otherwise="Noted.")) as runtime,
        editing(runtime, home.editor_folders) as (conn, editor),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        words = "Remember that we ship on Thursdays"
        await conn.prompt(session_id=session, prompt=[text_block(words)])
        (kept,) = [one async for one in _memories(runtime)]
        assert "Thursdays" in kept and "✓ remembered" in editor.thought()
        assert "ska memory forget" in editor.thought()


async def _memories(runtime: object):
    from skill_agent.values import MemoryFilter

    for one in await runtime.memory.list(MemoryFilter()):  # pyright: ignore
        if "Thursdays" in one.content:
            yield one.content


async def test_the_words_arrive_while_they_are_said(open_runtime: OpenRuntime, home: Home) -> None:
    goes_on = asyncio.Event()
    model = ScriptedModel([["A first sentence. ", "And ", Gate(goes_on), "more."]])
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        prompt = asyncio.create_task(conn.prompt(session_id=session, prompt=[text_block("Talk")]))
        await editor.until(lambda: "first" in editor.said())
        assert not prompt.done()
        goes_on.set()
        await prompt
        assert editor.said() == "A first sentence. And more."


# -- events, one by one -----------------------------------------------------------------------

TOLD: list[tuple[Event, str, str]] = [
    (TextDelta(**IDS, text="Hi \x1b[31mred"), "agent_message_chunk", "Hi [31mred"),
    (ThoughtDelta(**IDS, text="Hm"), "agent_thought_chunk", "Hm"),
    (ToolStarted(**IDS, call="c", tool="read_file", arguments={"p": "a\x1b"}), "tool_call", "a"),
    (
        ToolFinished(**IDS, call="c", tool="read_file", ok=True, result="x\x07y", seconds=0.1),
        "tool_call_update",
        "xy",
    ),
    (DiffShown(**IDS, path="a/b.py", before="1", after="2"), "tool_call_update", "/work/a/b.py"),
    (
        DiffShown(**IDS, path="/b.py", before="", after="2", call="c"),
        "tool_call_update",
        "/b.py",
    ),
    (PlanTold(**IDS, steps=(PlanStep(text="mend it", state="completed"),)), "plan", "completed"),
    (Notice(**IDS, level="warning", text="too long"), "agent_thought_chunk", "⚠ too long"),
    (Notice(**IDS, level="info", text="by the way"), "agent_thought_chunk", "by the way"),
    (
        MemorySaved(
            **IDS, memory_id="m", content="tea", memory_type="semantic", pinned=False, importance=5
        ),
        "agent_thought_chunk",
        "✓ remembered",
    ),
    (MemoryUpdated(**IDS, older="red", newer="blue", memory_id="m"), "agent_thought_chunk", "blue"),
    (MemoriesExtracted(**IDS, created=("a",)), "agent_thought_chunk", "1 new"),
    (Compacted(**IDS, messages=3, memories=1, summary="s"), "agent_thought_chunk", "summed up"),
    (
        AgentRouted(**IDS, came_from="luke", reason="skill_match", confidence=1.0),
        "agent_thought_chunk",
        "kyra answers instead of luke",
    ),
    (HandedOff(**IDS, came_from="luke", reason="code"), "agent_thought_chunk", "hands over"),
    (SeatChanged(**IDS, change="invited"), "agent_thought_chunk", "kyra"),
    (
        TaskChanged(**IDS, task="t", title="Look", status="completed", created_by="k", depth=1),
        "agent_thought_chunk",
        "Look",
    ),
    (
        CollaborationChanged(
            **IDS, collaboration="c", pattern="peer_review", goal="A text", status="active"
        ),
        "agent_thought_chunk",
        "A text",
    ),
    (
        AgentWrote(
            **IDS, message_id="m", to=None, channel="t", message_type="notification", content="Hey"
        ),
        "agent_thought_chunk",
        "Hey",
    ),
    (HostLost(pid=1), "agent_thought_chunk", "went away"),
    (HostFound(pid=2, here=False), "agent_thought_chunk", "connected again"),
    (BackupFailed(problem="disk"), "agent_thought_chunk", "backup failed"),
    (
        JobRunChanged(job="j", run="r", name="news", state="failed", late=False),
        "agent_thought_chunk",
        "news",
    ),
    (
        WorkChanged(work="w", kind="rebuild", title="Anew", state="running", progress=0.5),
        "agent_thought_chunk",
        "Anew",
    ),
    (QuestionAsked(question="q", text="Send it?", timeout_s=1.0), "agent_thought_chunk", "Send it"),
    (
        QuestionAnswered(question="q", action="cancel", by="person"),
        "agent_thought_chunk",
        "person",
    ),
    (BridgeChanged(bridge="telegram", state="unhealthy"), "agent_thought_chunk", "telegram"),
    (WebhookFailing(webhook="w", url="https://x", problem="500"), "agent_thought_chunk", "500"),
    (
        InboxArrived(item="i", sort="summary", title="A day", rings=True),
        "agent_thought_chunk",
        "A day",
    ),
    (InboxChanged(item="i", target="desktop", state="given_up"), "agent_thought_chunk", "desktop"),
    (TurnFinished(**IDS, message_id="m", text="So", usage=Usage()), "agent_message_chunk", "So"),
    (TurnFailed(**IDS, reason="error", message="x", text="Part"), "agent_message_chunk", "Part"),
    (TurnStarted(**IDS, message_id="m", text="hi", model="a/b"), "", ""),
    (MemoryRecalled(**IDS, items=(), tokens=0, budget=9, seconds=0.1), "", ""),
    (AgentWaking(name="Luke", number=1, of=2), "", ""),
    (AgentsChanged(agent="luke"), "", ""),
    (Notice(**IDS, level="info", text="reading the prompt (40 %)"), "", ""),
]  # fmt: skip
ELSEWHERE = {ApprovalAsked, ApprovalAnswered}
"""Shown above, with a real question behind them."""


def test_every_kind_of_event_is_shown_here() -> None:
    assert {type(one) for one, _, _ in TOLD} == {*get_args(Event)} - ELSEWHERE


@pytest.mark.parametrize(("event", "kind", "part"), TOLD, ids=lambda one: type(one).__name__)
async def test_an_event(event: Event, kind: str, part: str) -> None:
    editor = Editor()
    permissions = Permissions(None, editor, None, "s")  # pyright: ignore - nothing is asked
    telling = Telling(editor, "s", "/work", permissions)  # pyright: ignore
    if isinstance(event, ToolFinished) or (isinstance(event, DiffShown) and event.call):
        await telling.tell(ToolStarted(**IDS, call="c", tool="read_file", arguments={}))
    await telling.tell(event)
    if isinstance(event, TextDelta):
        await telling.tell(TurnFinished(**IDS, message_id="m", text=event.text, usage=Usage()))
    told = [one.model_dump_json(by_alias=True) for one in editor.of(kind)]
    assert bool(editor.updates) == bool(kind)
    assert part in "".join(told).replace("\\u001b", "!").replace("\\u0007", "!")


async def test_what_is_told_beside_the_words_does_not_tear_them_apart() -> None:
    editor = Editor()
    telling = Telling(editor, "s", "/work", Permissions(None, editor, None, "s"))  # pyright: ignore
    for event in (
        Notice(**IDS, level="info", text="first"),
        TextDelta(**IDS, text="| a | "),
        Notice(**IDS, level="warning", text="between"),
        TextDelta(**IDS, text="b |"),
        ToolStarted(**IDS, call="c", tool="t", arguments={}),
        Notice(**IDS, level="info", text="meanwhile"),
        TextDelta(**IDS, text="end"),
        Notice(**IDS, level="info", text="last"),
        TurnFinished(**IDS, message_id="m", text="| a | b |end", usage=Usage()),
    ):
        await telling.tell(event)
    told = [
        one.content.text.strip() if "chunk" in one.session_update else one.session_update
        for _, one in editor.updates
    ]
    assert told == [
        "first", "| a |", "b |", "⚠ between", "tool_call", "meanwhile", "end", "last",
        "tool_call_update",
    ]  # fmt: skip


async def test_a_diff_stays_with_its_call_when_that_ends() -> None:
    editor = Editor()
    telling = Telling(editor, "s", str(Path("/work")), Permissions(None, editor, None, "s"))  # pyright: ignore
    await telling.tell(ToolStarted(**IDS, call="c", tool="edit", arguments={}))
    await telling.tell(DiffShown(**IDS, path="a.py", before="1", after="2", call="c"))
    await telling.tell(
        ToolFinished(**IDS, call="c", tool="edit", ok=True, result="written", seconds=0.1)
    )
    ((_, told),) = editor.calls()
    assert [one.type for one in told[-1].content] == ["diff", "content"]
    assert told[-1].content[0].path == "/work/a.py"
