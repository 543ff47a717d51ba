"""litellm against real HTTP: a server that fails on request, and our own OpenAI-compatible one."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest
from http_fake import Call, Fail, Hang, Provider, Say, provider
from listening import HTTP, PERSONA, listen, user
from model_files import smollm2_path

from skill_agent.errors import ModelRejected, ModelUnavailable
from skill_agent.models.local.llama_host import embedded_server
from skill_agent.models.refusals import retry_after
from skill_agent.models.remote import RemoteModel
from skill_agent.ports import ChatMessage, ModelRequest, TextPart, ThoughtPart
from skill_agent.values import ModelInfo, ToolCall

ASK = ModelRequest(messages=(user("hi"),), max_tokens=9)


def model(base: str, *, timeout_s: float = 5.0, name: str = "openai/m") -> RemoteModel:
    info = ModelInfo(name=name, provider=name.partition("/")[0])
    return RemoteModel(info, timeout_s=timeout_s, base=base)


async def test_it_streams_with_usage_and_cached_tokens() -> None:
    with provider(Say(("Hel", "lo"))) as server:
        heard = await listen(model(server.base), ASK)
    assert heard.pieces == ["Hel", "lo"]
    usage = heard.end.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (12, 2, 8)
    assert usage.model == "openai/m"
    assert 0 < usage.first_token_s <= usage.total_s
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


async def test_a_known_model_has_its_price() -> None:
    with provider(Say()) as server:
        heard = await listen(model(server.base, name="openai/gpt-4o-mini"), ASK)
    assert heard.end.usage.cost_usd > 0


async def test_tools_go_out_and_calls_come_back_whole() -> None:
    call = ToolCall(id="a", name="http_get", arguments={"url": "https://x.example"})
    history = (
        user("go"),
        ChatMessage(role="assistant", content="", tool_calls=(call,)),
        ChatMessage(role="tool", content="done", tool_call_id="a"),
    )
    with provider(Call("http_get", json.dumps({"url": "https://y.example"}))) as server:
        heard = await listen(model(server.base), ModelRequest(messages=history, tools=(HTTP,)))
    assert heard.calls[0].arguments == {"url": "https://y.example"}
    assert heard.end.finish == "tool_calls"
    sent = server.bodies[0]
    assert sent["tools"][0]["function"]["name"] == "http_get"
    assert json.loads(sent["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {
        "url": "https://x.example"
    }
    assert sent["messages"][2]["tool_call_id"] == "a"


async def test_unreadable_arguments_are_told_with_the_call() -> None:
    with provider(Call("http_get", "{oops")) as server:
        heard = await listen(
            model(server.base), ModelRequest(messages=(user("go"),), tools=(HTTP,))
        )
    (call,) = heard.calls
    assert (call.name, call.arguments) == ("http_get", {})
    assert "no JSON object" in call.problem
    assert heard.end.finish == "tool_calls"


async def test_a_schema_is_asked_for_and_checked_with_one_more_try() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    request = ModelRequest(messages=(user("go"),), response_schema=schema)
    with provider(Say(('{"n": ', '"one"}')), Say(('```json\n{"n": 1}\n```',))) as server:
        heard = await listen(model(server.base), request)
    assert json.loads(heard.text) == {"n": 1}
    assert heard.end.usage.prompt_tokens == 24
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == schema
    assert "cannot be used" in server.bodies[1]["messages"][-1]["content"]


async def thoughts_and_words(server: Provider) -> tuple[str, str]:
    parts = [part async for part in model(server.base).stream(ASK)]
    thoughts = "".join(part.text for part in parts if isinstance(part, ThoughtPart))
    return thoughts, "".join(part.text for part in parts if isinstance(part, TextPart))


async def test_what_a_provider_calls_reasoning_is_a_thought() -> None:
    with provider(Say(("\n\nHel", "lo"), thoughts=("they ", "greet"))) as server:
        assert await thoughts_and_words(server) == ("they greet", "Hello")


async def test_thoughts_in_the_text_are_told_apart() -> None:
    with provider(Say(("<th", "ink>they", " greet</", "think>\n", "Hel", "lo"))) as server:
        assert await thoughts_and_words(server) == ("they greet", "Hello")


async def test_a_schema_is_checked_without_the_thoughts() -> None:
    request = ModelRequest(messages=(user("go"),), response_schema={"type": "object"})
    with provider(Say(('<think>{"a": 1}</think>', '{"b": 2}'))) as server:
        heard = await listen(model(server.base), request)
    assert heard.text == '{"b": 2}'
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ModelRejected),
        (401, ModelRejected),
        (403, ModelRejected),
        (404, ModelRejected),
        (408, ModelUnavailable),
        (500, ModelUnavailable),
        (502, ModelUnavailable),
        (503, ModelUnavailable),
    ],
)
async def test_statuses_become_our_errors(status: int, error: type[Exception]) -> None:
    with (
        provider(Fail(status, message="the reason")) as server,
        pytest.raises(error, match="the reason"),
    ):
        await listen(model(server.base), ASK)
    assert len(server.bodies) == 1


async def test_a_short_rate_limit_is_waited_out() -> None:
    with provider(Fail(429, {"retry-after": "0.1"}), Say()) as server:
        heard = await listen(model(server.base), ASK)
    assert heard.text == "Hello"
    assert "trying again" in heard.status[0]


async def test_a_rate_limit_that_stays_gives_up_with_the_wait() -> None:
    with (
        provider(Fail(429, {"retry-after": "0.1"})) as server,
        pytest.raises(ModelUnavailable) as caught,
    ):
        await listen(model(server.base), ASK)
    assert caught.value.retry_after == 0.1
    assert len(server.bodies) == 3


@pytest.mark.parametrize(
    ("told", "wait"),
    [("3", 3.0), ("0.5", 0.5), ("-3", None), ("nan", None), ("inf", None), ("soon", None)],
)
def test_a_wait_that_is_none_is_not_believed(told: str, wait: float | None) -> None:
    answer = httpx.Response(429, headers={"retry-after": told})
    asked = httpx.Request("POST", "http://model.invalid")
    assert retry_after(httpx.HTTPStatusError("", request=asked, response=answer)) == wait


async def test_a_long_rate_limit_is_not_waited_for() -> None:
    with (
        provider(Fail(429, {"retry-after": "90"})) as server,
        pytest.raises(ModelUnavailable, match="429") as caught,
    ):
        await listen(model(server.base), ASK)
    assert caught.value.retry_after == 90
    assert len(server.bodies) == 1


async def test_a_silent_provider_runs_into_the_time_out() -> None:
    with (
        provider(Hang()) as server,
        pytest.raises(ModelUnavailable, match="did not answer in time"),
    ):
        await listen(model(server.base, timeout_s=0.5), ASK)


async def test_a_stall_between_tokens_runs_into_the_time_out() -> None:
    with (
        provider(Say(("a", "b"), pause_s=1.5)) as server,
        pytest.raises(ModelUnavailable, match="did not answer in time"),
    ):
        await listen(model(server.base, timeout_s=0.5), ASK)


async def test_a_dropped_connection_is_unavailable() -> None:
    with (
        provider(Say(("a", "b", "c"), drop_after=2)) as server,
        pytest.raises(ModelUnavailable),
    ):
        await listen(model(server.base), ASK)


@pytest.mark.parametrize("name", ["openai/m", "anthropic/claude-sonnet-4-5"])
async def test_closing_the_stream_ends_the_request(name: str) -> None:
    with provider(Say(tuple("abcdef" * 200), pause_s=0.01)) as server:
        base = server.base if name.startswith("openai") else server.base.removesuffix("/v1")
        async with aclosing(model(base, name=name).stream(ASK)) as parts:
            async for part in parts:
                if isinstance(part, TextPart):
                    break
        assert await asyncio.to_thread(server.hung_up.wait, 5)


async def test_nobody_listening_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await listen(model("http://127.0.0.1:9/v1"), ASK)


async def test_ollama_that_does_not_run_has_its_hint() -> None:
    with pytest.raises(ModelUnavailable) as caught:
        await listen(model("http://127.0.0.1:9", name="ollama/llama3"), ASK)
    assert "ollama serve" in caught.value.hint


async def test_a_missing_key_names_its_variable() -> None:
    with pytest.raises(ModelRejected, match="OPENAI_API_KEY is not set") as caught:
        await listen(model(""), ASK)
    assert "export OPENAI_API_KEY" in caught.value.hint


async def test_an_unknown_provider_is_said_to_be_one() -> None:
    with pytest.raises(ModelRejected, match="no provider is known"):
        await listen(model("", name="nowhere/m"), ASK)


@pytest.mark.deep
async def test_our_own_server_answers_litellm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_server(smollm2_path(), state_folder=tmp_path, window=1024) as endpoint:
        monkeypatch.setenv("OPENAI_API_KEY", endpoint.key)
        story = user("Tell me a long story about a river.")
        request = ModelRequest(messages=(PERSONA, story), max_tokens=8, temperature=0.0)
        heard = await listen(model(endpoint.base_url, timeout_s=60), request)
        assert len(heard.pieces) > 2
        assert heard.end.finish == "length"
        assert heard.end.usage.prompt_tokens > 200
        again = await listen(model(endpoint.base_url, timeout_s=60), request)
        assert again.end.usage.cached_tokens > 200
        monkeypatch.setenv("OPENAI_API_KEY", "wrong")
        with pytest.raises(ModelRejected, match="401"):
            await listen(model(endpoint.base_url), request)


async def test_nothing_is_written_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with provider(Fail(503)) as server:
        with pytest.raises(ModelUnavailable):
            await listen(model(server.base), ASK)
        with pytest.raises(ModelRejected):
            await listen(model(server.base, name="nowhere/m"), ASK)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "priced"),
    [("openai/gpt-4o-mini", True), ("openai/nobody-knows-it", False)],
)
async def test_whether_a_price_is_known_elsewhere(
    name: str, priced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with provider(Say()) as server:
        monkeypatch.setenv("HTTP_PROXY", server.base.removesuffix("/v1"))
        heard = await listen(model("http://model.invalid/v1", name=name), ASK)
    assert heard.end.usage.priced is priced
    assert (heard.end.usage.cost_usd > 0) is priced


async def test_what_runs_on_this_machine_costs_nothing() -> None:
    with provider(Say()) as server:
        usage = (await listen(model(server.base, name="openai/nobody-knows-it"), ASK)).end.usage
    assert (usage.cost_usd, usage.priced) == (0.0, True)
