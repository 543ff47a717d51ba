"""Every call of a model can be looked up: what was sent, by layer, what came back, for how long."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import OpenRuntime, StepClock
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.errors import ModelFailed, ModelUnavailable, StoreError
from skill_agent.events import Event, TextDelta, TurnFailed, TurnFinished
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.ports import ChatMessage, EndPart, ModelRequest, ToolSpec
from skill_agent.settings.schema import PrivacySettings
from skill_agent.turns.calls import CallLog, Recorder, Unasked
from skill_agent.turns.composition import Composition
from skill_agent.turns.fitting import Tokens
from skill_agent.values import Message, ModelCall, NewMemory, ToolCall, TurnRequest, Usage

DEPLOY = "Remember that I deploy on Fridays from the release branch"


async def said(runtime: Runtime, text: str, **wishes: object) -> Event:
    """The event that ends the turn."""
    return [event async for event in runtime.ask(text, **wishes)][-1]


async def calls_of(runtime: Runtime, text: str, **wishes: object) -> list[ModelCall]:
    return await runtime.turns.prompt((await said(runtime, text, **wishes)).turn)


def texts(call: ModelCall) -> dict[str, str]:
    """By layer, all that stands in the messages of it."""
    found: dict[str, list[str]] = {}
    for message in call.messages:
        for part in message.parts:
            found.setdefault(part.layer, []).append(message.content[part.start : part.end])
    return {name: "\n".join(several) for name, several in found.items()}


def asked(text: str = "Hi") -> Message:
    return Message(
        id=new_id(), session=new_id(), turn=new_id(), role="user", content=text,
        created_at=StepClock()(), agent="kyra",
    )  # fmt: skip


async def heard(model: Recorder, request: ModelRequest) -> None:
    async for _ in model.stream(request):
        pass


# -- what is kept ------------------------------------------------------------------------------


async def test_a_call_is_kept_as_it_was_sent_with_its_layers(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(["Noted.", "On Fridays."])
    async with open_runtime(model) as runtime:
        await runtime.memory.add(NewMemory("Prefers short answers", memory_type="user_profile"))
        await said(runtime, DEPLOY)
        await runtime.memory.settle()
        (call,) = await calls_of(runtime, "When do I deploy?")
        sent = model.requests[-1]
        assert [(m.role, m.content) for m in call.messages] == [
            (m.role, m.content) for m in sent.messages
        ]
        assert call.tools == tuple(tool.name for tool in sent.tools)
        assert call.parameters["temperature"] == sent.temperature
        assert call.parameters["max_tokens"] == sent.max_tokens
        layers = texts(call)
        assert "Kyra" in layers["identity"]
        assert "short answers" in layers["profile"]
        assert "deploy on Fridays" in layers["recalled"]
        assert layers["message"] == "When do I deploy?"
        named = {layer.name: layer for layer in call.layers}
        assert named.keys() == {*layers, "tools"} | ({"format"} & named.keys())
        assert all(layer.tokens >= 0 for layer in call.layers)
        assert "item" in named["recalled"].note and "search_memory" in named["tools"].note
        assert (call.text, call.finish, call.error) == ("On Fridays.", "stop", "")
        assert call.usage.prompt_tokens and not call.estimated


async def test_the_history_is_a_layer_and_a_word_of_it_no_message(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="tea")) as runtime:
        await said(runtime, "tea")
        (call,) = await calls_of(runtime, "tea", session="latest")
        layers = {layer.name: layer for layer in call.layers}
        assert texts(call)["message"] == "tea"
        assert layers["history"].note == "2 messages"
        assert call.messages[-1].parts[-1].layer == "message"


async def test_each_call_of_a_turn_with_tools_is_kept(open_runtime: OpenRuntime) -> None:
    wish = ToolCall(id="c", name="search_memory", arguments={"query": "deploy"})
    async with open_runtime(ScriptedModel([[wish], "Nothing found."])) as runtime:
        first, second = await calls_of(runtime, "Look for the deploy day")
        assert (first.purpose, second.purpose) == ("reply", "tools")
        assert first.tool_calls == (wish,) and first.finish == "tool_calls"
        assert [m.role for m in second.messages[-2:]] == ["assistant", "tool"]
        assert second.messages[-2].tool_calls == (wish,)
        exchange = next(layer for layer in second.layers if layer.name == "exchange")
        assert exchange.tokens > 0 and exchange.note == "2 messages"
        assert second.text == "Nothing found."


async def test_a_call_that_fails_or_is_stopped_is_kept_with_what_there_was(
    open_runtime: OpenRuntime,
) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([["Well, ", ModelFailed("it broke")], ["Half ", Gate(gate)]])
    async with open_runtime(model) as runtime:
        (call,) = await calls_of(runtime, "Hello")
        assert (call.text, call.error, call.finish) == ("Well, ", "it broke", "")
        assert call.estimated and call.tokens > 0
        begun = await runtime.turns.submit("And now?")
        with runtime.turns.subscribe(turn=begun.turn) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        assert await runtime.turns.prompt(begun.turn) == [], "it still runs"
        await runtime.turns.cancel(begun.turn)
        (call,) = await runtime.turns.prompt(begun.turn)
        assert (call.text, call.error) == ("Half ", "stopped before its end")


async def test_what_was_left_out_is_told_with_the_reason(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="word " * 300, context_window=2048)) as runtime:
        for _ in range(4):
            await said(runtime, "tell me more " * 20, session=None if not _ else "latest")
        (call,) = await calls_of(runtime, "And?", session="latest")
        assert any("earlier messages: the model's window is full" in one for one in call.left_out)
        (call,) = await calls_of(runtime, "And?", use_memory=False)
        assert "memories: none were looked for" in call.left_out


@pytest.mark.slow
async def test_what_was_found_and_not_sent_is_told(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        for number in range(30):
            await runtime.memory.add(f"Garden note {number}: the roses need {'water ' * 60}")
        await runtime.memory.settle()
        (call,) = await calls_of(runtime, "What do the roses in the garden need?")
        assert any("no room left for it" in one for one in call.left_out), call.left_out


async def test_credentials_are_taken_out(open_runtime: OpenRuntime) -> None:
    key = "sk-" + "a1B2" * 8
    told = {"query": "x", "api_key": "hunter2hunter2", "deep": [key]}
    wish = ToolCall(id="c", name="search_memory", arguments=told)
    async with open_runtime(ScriptedModel([[wish], f"It is {key}."])) as runtime:
        first, second = await calls_of(runtime, f"My key is {key}")
        whole = repr((first, second))
        assert key not in whole and "hunter2hunter2" not in whole
        assert texts(first)["message"] == "My key is [redacted: OpenAI key]"
        assert first.tool_calls[0].arguments == {
            "query": "x", "api_key": "[redacted: API key]", "deep": ["[redacted: OpenAI key]"],
        }  # fmt: skip


# -- sizes -------------------------------------------------------------------------------------


class Remote(ScriptedModel):
    """Tells how much it read, and cannot be asked to count."""

    def __init__(self, prompt_tokens: int) -> None:
        super().__init__([[EndPart(usage=Usage(prompt_tokens=prompt_tokens))]])
        self.info = replace(self.info, local=False)

    async def count_tokens(self, text: str) -> int:
        raise AssertionError("nothing is loaded to count for a remote model")


REQUEST = ModelRequest(
    messages=(
        ChatMessage(role="system", content="You are Kyra.\n\nAlways be kind."),
        ChatMessage(role="user", content="<summary>\nTea.\n</summary>"),
        ChatMessage(
            role="user", content="<recalled>\nIt is late.\n</recalled>\n\nlate\n\nBriefly."
        ),
    ),
    tools=(ToolSpec(name="t", description="does " * 30, parameters={"type": "object"}),),
)
MADE_OF = Composition(
    layers=(
        ("identity", "You are Kyra."), ("summary", "Tea."), ("message", "late"),
        ("recalled", "<recalled>\nIt is late.\n</recalled>"),
    ),
)  # fmt: skip


async def test_a_remote_models_sizes_are_guessed_and_sum_up_to_what_it_told() -> None:
    model = Recorder(Remote(1_000), asked(), StepClock())
    model.compose(MADE_OF)
    await heard(model, REQUEST)
    call = await model.told(model.calls[0], Tokens())
    assert call.estimated and abs(call.tokens - 1_000) <= len(call.layers)
    assert texts(call) == {
        "identity": "You are Kyra.",
        "rules": "\n\nAlways be kind.",
        "summary": "<summary>\nTea.\n</summary>",
        "recalled": "<recalled>\nIt is late.\n</recalled>",
        "message": "late",
        "hint": "\n\nBriefly.",
    }
    assert [layer.name for layer in call.layers] == [*texts(call), "tools"]


@pytest.mark.parametrize("whole", [1, 60, 5_000])
async def test_a_local_models_sizes_are_counted_and_the_rest_is_its_format(whole: int) -> None:
    scripted = ScriptedModel([[EndPart(usage=Usage(prompt_tokens=whole))]])
    model = Recorder(scripted, asked(), StepClock())
    model.compose(MADE_OF)
    await heard(model, REQUEST)
    call = await model.told(model.calls[0], Tokens())
    sizes = {layer.name: layer.tokens for layer in call.layers}
    texts_alone = sum(size for name, size in sizes.items() if name not in ("tools", "format"))
    assert not call.estimated and sizes["identity"] == 4
    assert call.tokens == max(whole, texts_alone)
    assert ("format" in sizes) == (whole == 5_000)


class Missing(ScriptedModel):
    """Not installed."""

    async def load(self) -> None:
        raise ModelUnavailable("it is not here")

    async def count_tokens(self, text: str) -> int:
        raise ModelUnavailable("it is not here")


async def test_a_prompt_can_be_looked_at_without_the_model(open_runtime: OpenRuntime) -> None:
    async with open_runtime(Missing()) as runtime:
        shown = await runtime.turns.preview("When do I deploy?")
        assert shown.estimated and texts(shown)["message"] == "When do I deploy?"
        sizes = {layer.name: layer.tokens for layer in shown.layers}
        assert sizes["message"] == 5


async def test_a_turn_that_asks_no_model_says_so() -> None:
    model = Recorder(Unasked(ScriptedModel()), asked(), StepClock())
    shown = await model.preview(Tokens())
    assert shown.purpose == "none" and "without a model" in shown.left_out[0]


# -- how long ----------------------------------------------------------------------------------


@pytest.mark.deep
async def test_calls_go_with_age_and_past_a_size(
    open_runtime: OpenRuntime, clock: StepClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILL_AGENT_PRIVACY_PROMPT_DAYS", "7")
    monkeypatch.setenv("SKILL_AGENT_PRIVACY_PROMPT_MB", "1")
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        old = (await said(runtime, "The first")).turn
        assert len(await runtime.turns.prompt(old)) == 1
        clock.advance(days=8)
        large = [(await said(runtime, f"{n} " + "x" * 400_000)).turn for n in range(3)]
        await runtime.settle()
        kept = [len(await runtime.turns.prompt(turn)) for turn in (old, *large)]
        assert kept == [0, 0, 1, 1]
        assert (await runtime.turns.get(old)).text == "Fine.", "the conversation stays"


@pytest.mark.parametrize("setting", ["PROMPT_DAYS", "PROMPT_MB"])
async def test_none_are_kept_where_a_limit_is_0(
    open_runtime: OpenRuntime, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        turn = (await said(runtime, "Before")).turn
    monkeypatch.setenv(f"SKILL_AGENT_PRIVACY_{setting}", "0")
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        assert await calls_of(runtime, "After") == []
        assert await runtime.turns.prompt(turn) == [], "what was kept before goes"
        assert (await runtime.turns.preview("And?")).messages, "a dry run needs nothing kept"


class FullDisk(DuckLedger):
    async def save_calls(self, *_: object, **__: object) -> None:
        raise StoreError("the disk is full")


async def test_a_call_that_cannot_be_written_is_a_line_in_the_log(
    tmp_path: Path, clock: StepClock, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await FullDisk.open(tmp_path / "ledger.duckdb", clock)
    log = CallLog(ledger, clock, Tokens(), PrivacySettings())
    message = asked()
    model = log.recorder(ScriptedModel(["Hello"]), message, seen=0)
    with caplog.at_level(logging.WARNING):
        await heard(model, REQUEST)
        log.ended(message.turn)
        await log.settle()
        await log.tidy()
    assert [record.message for record in caplog.records] == [
        "the prompts of a turn were not kept: the disk is full",
        "old prompts were not dropped: the disk is full",
    ]
    assert await log.of(message.turn) == []
    await ledger.close()


async def test_what_waits_is_written_before_the_home_is_closed(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(["Fine."])) as runtime:
        turn = (await said(runtime, "Hello")).turn
    async with open_runtime(ScriptedModel()) as runtime:
        assert [call.text for call in await runtime.turns.prompt(turn)] == ["Fine."]


# -- erased ------------------------------------------------------------------------------------


async def test_a_deleted_conversation_leaves_no_calls(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        gone, stays = await said(runtime, "The one"), await said(runtime, "The other")
        await runtime.conversations.delete(gone.session)
        assert await runtime.turns.prompt(gone.turn) == []
        assert len(await runtime.turns.prompt(stays.turn)) == 1


async def test_a_purge_takes_the_calls_since_what_it_erases_was_there(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        before = (await said(runtime, "Hello")).turn
        assert len(await runtime.turns.prompt(before)) == 1
        await said(runtime, "Remember that my code is quokka-4711")
        elsewhere = (await said(runtime, "Good morning")).turn
        await runtime.memory.settle()
        (memory,) = await runtime.memory.list()
        plan = await runtime.eraser.plan([memory.id])
        await runtime.eraser.erase([memory.id], expected=plan.digest)
        assert len(await runtime.turns.prompt(before)) == 1
        assert await runtime.turns.prompt(elsewhere) == [], "it may be told there in other words"


async def test_a_turn_that_runs_while_something_is_erased_leaves_no_call(
    open_runtime: OpenRuntime,
) -> None:
    gate = asyncio.Event()
    async with open_runtime(ScriptedModel([["Fine", Gate(gate)], "Again."])) as runtime:
        kept = await runtime.memory.add("The safe opens with 4711")
        begun = await runtime.turns.submit("What opens the safe?")
        with runtime.turns.subscribe(turn=begun.turn) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    plan = await runtime.eraser.plan([kept.id])
                    await runtime.eraser.erase([kept.id], expected=plan.digest)
                    gate.set()
                if isinstance(event, TurnFinished | TurnFailed):
                    break
        assert await runtime.turns.prompt(begun.turn) == []
        assert len(await calls_of(runtime, "And now?")) == 1


# -- looked at, and not sent -------------------------------------------------------------------


async def test_a_preview_is_what_is_sent_then_and_leaves_nothing(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    model = ScriptedModel(otherwise="Fine.")
    async with open_runtime(model) as runtime:
        await runtime.memory.add("I deploy on Fridays")
        await runtime.memory.settle()
        session = (await said(runtime, "Hello")).session
        for request in (
            TurnRequest("When do I deploy?", session=session),
            TurnRequest("When do I deploy?"),
            TurnRequest("@luke when do I deploy?"),
            TurnRequest("When do I deploy?", use_memory=False),
            TurnRequest("Remember that I like tea"),
        ):
            clock.now = clock.now.replace(second=0) + timedelta(minutes=1)
            counts, seq = await runtime.figures.counts(), await runtime.ledger.last_seq()
            asked_before = len(model.requests)
            shown = await runtime.turns.preview(request)
            await runtime.settle()
            assert await runtime.figures.counts() == counts
            assert await runtime.ledger.last_seq() == seq, "not even a note"
            assert len(model.requests) == asked_before
            assert shown.text == "" and shown.tokens > 0
            assert await runtime.ledger.calls(shown.turn) == []
            end = [event async for event in runtime.turns.ask(request)][-1]
            (call,) = await runtime.turns.prompt(end.turn)
            assert shown.messages == call.messages
            assert (shown.tools, shown.parameters) == (call.tools, call.parameters)
            assert (shown.left_out, shown.agent) == (call.left_out, call.agent)
