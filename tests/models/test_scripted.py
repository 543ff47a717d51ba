"""The scripted model behaves like a real one at its port."""

import asyncio

import pytest
from listening import listen, user

from skill_agent.errors import ModelFailed, ModelUnavailable, NotFound
from skill_agent.models.scripted import Gate, Pause, ScriptedGateway, ScriptedModel, words
from skill_agent.ports import EndPart, ModelRequest, StatusPart, TextPart
from skill_agent.values import ToolCall, Usage

ASK = ModelRequest(messages=(user("hi there"),))


async def test_a_string_is_streamed_word_by_word() -> None:
    model = ScriptedModel(["Hello there, Sam"])
    heard = await listen(model, ASK)
    assert heard.pieces == ["Hello", " there,", " Sam"]
    assert heard.end.usage.completion_tokens > 0
    assert model.requests == [ASK]


@pytest.mark.parametrize("text", ["", " ", "a", "  a b\n\n c \n", "one two"])
def test_words_join_to_the_text(text: str) -> None:
    assert "".join(str(word) for word in words(text)) == text


async def test_steps_play_in_order_and_a_call_ends_as_one() -> None:
    call = ToolCall(id="1", name="http_get", arguments={"url": "https://example.org"})
    heard = await listen(ScriptedModel([[StatusPart(text="loading"), "Wait.", call]]), ASK)
    assert (heard.status, heard.text, heard.calls) == (["loading"], "Wait.", [call])
    assert heard.end.finish == "tool_calls"


async def test_pauses_go_through_the_given_sleep() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    await listen(ScriptedModel([[Pause(5), "late"]], sleep=sleep), ASK)
    assert slept == [5]


async def test_errors_end_the_stream_and_count_as_its_end() -> None:
    model = ScriptedModel([["Hal", ModelUnavailable("gone")]])
    with pytest.raises(ModelUnavailable, match="gone"):
        await listen(model, ASK)
    assert model.closed_early == 0


async def test_closing_early_is_seen() -> None:
    gate = asyncio.Event()
    model = ScriptedModel([["Hal", Gate(gate), "lo"]])
    stream = model.stream(ASK)
    assert await anext(stream) == TextPart(text="Hal")
    await stream.aclose()
    assert model.closed_early == 1


async def test_a_used_up_script_says_so_or_answers_otherwise() -> None:
    with pytest.raises(ModelFailed, match="no reply left"):
        await listen(ScriptedModel(), ASK)
    echo = ScriptedModel(otherwise=lambda request: request.messages[-1].content)
    assert (await listen(echo, ASK)).text == "hi there"


async def test_cached_tokens_are_what_two_prompts_share() -> None:
    model = ScriptedModel(otherwise="ok")
    await listen(model, ASK)
    again = await listen(model, ModelRequest(messages=(*ASK.messages, user("more"))))
    assert 0 < again.end.usage.cached_tokens < again.end.usage.prompt_tokens


async def test_given_figures_are_passed_on() -> None:
    end = EndPart(usage=Usage(model="m", cost_usd=0.5), finish="length")
    assert (await listen(ScriptedModel([["x", end]]), ASK)).end == end


async def test_the_gateway_gives_models_by_name() -> None:
    one, other = ScriptedModel(name="a/one"), ScriptedModel(name="b/two")
    gateway = ScriptedGateway({"fast": one, "default": other})
    assert await gateway.model("default", prefer="fast") is one
    assert await gateway.model("anything") is other
    assert gateway.asked == ["fast", "anything"]
    with pytest.raises(NotFound):
        await ScriptedGateway({"fast": one}).model("slow")
