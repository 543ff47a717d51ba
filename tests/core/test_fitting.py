"""Whatever the history, prompt and reply fit the window; what is left out goes in its order."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from skill_agent.errors import ModelUnavailable
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import ToolSpec
from skill_agent.turns.fitting import PER_MESSAGE, Draft, Fit, Guess, Tokens, fit, most, reply_room
from skill_agent.turns.prompt import conversation
from skill_agent.values import Message, ToolCall

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TOOLS = (ToolSpec(name="t", description="d" * 200, parameters={"type": "object"}),)


class Bytes(ScriptedModel):
    """A token a byte, the worst there is; keeps count of how often it was asked."""

    asked = 0

    async def count_tokens(self, text: str) -> int:
        self.asked += 1
        return most(text)


class Broken(ScriptedModel):
    async def count_tokens(self, text: str) -> int:
        raise ModelUnavailable("not installed")


def message(number: int, text: str, role: str = "user", context: str = "") -> Message:
    calls = (ToolCall(id="c", name="t", arguments={"x": text}),) if role == "call" else ()
    said_by: Any = "assistant" if calls else role
    return Message(
        id=f"m{number}", session="s", turn=f"t{number // 3}", content="" if calls else text,
        role=said_by, created_at=NOW, position=number, context=context,
        tool_calls=calls,
    )  # fmt: skip


def size(fitted: Fit, text: str) -> int:
    """Tokens of the prompt as it is really sent, templates and tools included."""
    sent = conversation(
        fitted.system, fitted.history, text=text, block=fitted.block, summary=fitted.summary
    )
    tools = sum(len(json.dumps([t.name, t.description, t.parameters])) for t in TOOLS)
    calls = sum(
        most(json.dumps([[c.name, c.arguments] for c in m.tool_calls]))
        for m in fitted.history
        if m.tool_calls
    )
    return sum(most(m.content) + 5 for m in sent) + tools + calls


texts = st.text(max_size=60) | st.builds(lambda part, n: part * n, st.text(max_size=9), st.just(99))
messages = st.lists(
    st.tuples(texts, st.sampled_from(["user", "assistant", "tool", "call"]), texts), max_size=30
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(messages, texts, texts, texts, st.sampled_from([1024, 2048, 4096, 16_384]))
@example([("x" * 9000, "tool", "")], "", "", "", 4096)
async def test_prompt_and_reply_fit_the_window(
    parts: list[tuple[str, str, str]], text: str, block: str, summary: str, window: int
) -> None:
    history = [message(n, said, role, context) for n, (said, role, context) in enumerate(parts)]
    draft = Draft(
        system="core" * 4,
        text=text, block=block, summary=summary, history=history, tools=TOOLS, max_output=4096,
        reserve=128,
    )  # fmt: skip
    fitted = await fit(draft, Bytes(context_window=window), Tokens())
    if fitted.left >= 0:
        assert size(fitted, text) + reply_room(4096, window) <= window
    else:
        bare = most(text) + most("core" * 4) + 300 + PER_MESSAGE * 4
        assert bare + reply_room(4096, window) + window // 32 > window
    assert fitted.dropped == len(history) - len(fitted.history)
    kept = [one.id for one in fitted.history]
    assert kept == [one.id for one in history][len(history) - len(kept) :]


async def fitted(window: int, **changes: object) -> Fit:
    fields: dict[str, object] = {
        "system": "c" * 100,
        "text": "x" * 100,
        "block": "b" * 100,
        "summary": "s" * 100,
        "history": [message(n, "h" * 50) for n in range(9)],
        "max_output": 100,
    }
    return await fit(
        Draft(**{**fields, **changes}),  # type: ignore[arg-type]
        Bytes(context_window=window),
        Tokens(),
    )


async def test_the_order_in_which_layers_leave() -> None:
    """History, summary, recalled block; identity and the message never."""
    seen: list[tuple[int, bool, int, bool]] = []
    for window in range(1600, 200, -4):
        now = await fitted(window)
        state = (len(now.history), bool(now.summary), len(now.system), bool(now.block))
        if not seen or seen[-1] != state:
            seen.append(state)
    assert seen[0] == (9, True, 100, True)
    whole = [state for state in seen if state[1]]
    assert [state[0] for state in whole] == sorted((s[0] for s in whole), reverse=True)
    assert whole[-1][0] == 0
    assert seen[len(whole) :] == [(0, False, 100, True), (0, False, 100, False)]


async def test_a_model_is_not_asked_where_a_guess_will_do() -> None:
    model = Bytes(context_window=100_000)
    await fit(Draft(system="s", text="t", history=[message(0, "h")]), model, Tokens())
    assert model.asked == 0


async def test_each_text_is_counted_once() -> None:
    model, tokens = Bytes(context_window=4096), Tokens()
    draft = Draft(system="s", text="t", history=[message(n, f"{n}" * 300) for n in range(20)])
    first = await fit(draft, model, tokens)
    asked = model.asked
    assert asked > 0
    assert await fit(draft, model, tokens) == first
    assert model.asked == asked


async def test_a_model_that_cannot_count_is_taken_at_the_worst() -> None:
    assert await Tokens().count(Broken(), "汉字") == 6
    assert await Guess(2).count(Broken(), "汉字") == 3


async def test_a_newest_turn_that_is_too_long_is_shortened_not_lost() -> None:
    long = message(0, "begin " + "x" * 9000 + " end")
    now = await fit(
        Draft(system="s", text="t", history=[long]), Bytes(context_window=4096), Tokens()
    )
    (short,) = now.history
    assert short.content.startswith("begin ")
    assert short.content.endswith(" end")
    assert "characters left out" in short.content


@given(st.text(max_size=400), st.integers(8, 300))
async def test_a_clipped_text_keeps_its_limit(text: str, limit: int) -> None:
    model = Bytes()
    clipped = await Tokens().clip(model, text, limit)
    assert most(clipped) <= max(limit, len("[left out: too long]"))
    assert clipped == await Tokens().clip(model, text, limit)
