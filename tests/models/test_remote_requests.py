"""What is sent to a provider, to the byte."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from http_fake import Call, Provider, Say, provider
from listening import HTTP, listen, system, user

from skill_agent.models.providers import remote_profile
from skill_agent.models.remote import RemoteModel
from skill_agent.ports import ChatMessage, ModelRequest, TextPart, ThoughtPart
from skill_agent.values import Image, ModelInfo, ToolCall

CLAUDE = "anthropic/claude-sonnet-4-5"
PERSONA = system("You are Kyra.")
GIF = Image(data="R0lGODlh", media_type="image/gif")


def model(server: Provider, name: str = "openai/gpt-4o-mini") -> RemoteModel:
    base = server.base.removesuffix("/v1") if name.startswith("anthropic") else server.base
    info = ModelInfo(name=name, provider=name.partition("/")[0], profile=remote_profile(name))
    return RemoteModel(info, timeout_s=60, base=base)


async def sent(request: ModelRequest, name: str = "openai/gpt-4o-mini") -> dict[str, Any]:
    with provider(Say()) as server:
        await listen(model(server, name), request)
    (body,) = server.bodies
    return body


async def test_a_plain_request() -> None:
    request = ModelRequest(messages=(PERSONA, user("hi")), temperature=0.5, max_tokens=9)
    assert await sent(request) == {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "You are Kyra."},
            {"role": "user", "content": "hi"},
        ],
        "temperature": 0.5,
        "max_tokens": 9,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_options_stand_in_the_body_and_nowhere_else() -> None:
    options = {
        "top_p": 0.5, "seed": 7, "stop": ["END"], "presence_penalty": 1.0,
        "extra_body": {"mirostat": 2, "api_base": "http://elsewhere.example"},
    }  # fmt: skip
    body = await sent(ModelRequest(messages=(user("hi"),), overrides=options))
    wanted = {"top_p": 0.5, "seed": 7, "stop": ["END"], "presence_penalty": 1.0}
    assert {name: body.get(name) for name in wanted} == wanted
    assert (body["mirostat"], body["api_base"]) == (2, "http://elsewhere.example")


async def test_how_hard_a_model_thinks() -> None:
    request = ModelRequest(messages=(user("hi"),), overrides={"reasoning_effort": "low"})
    assert (await sent(request, "openai/gpt-5-mini"))["reasoning_effort"] == "low"


async def test_pictures_stand_before_the_words() -> None:
    shown = ChatMessage(role="user", content="[image]\n\nwhat is it?", images=(GIF,))
    body = await sent(ModelRequest(messages=(PERSONA, shown)))
    assert body["messages"][1] == {
        "role": "user",
        "content": [
            {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlh"}},
            {"type": "text", "text": "[image]\n\nwhat is it?"},
        ],
    }


async def test_a_model_that_cannot_see_gets_the_words_alone() -> None:
    shown = ChatMessage(role="user", content="[image]\n\nwhat is it?", images=(GIF,))
    body = await sent(ModelRequest(messages=(shown,)), "openai/deepseek-chat")
    assert body["messages"] == [{"role": "user", "content": "[image]\n\nwhat is it?"}]


async def test_a_form() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    request = ModelRequest(messages=(user("go"),), response_schema=schema, tools=(HTTP,))
    with provider(Say(('{"n": 1}',))) as server:
        await listen(model(server), request)
    (body,) = server.bodies
    assert body["response_format"] == {
        "type": "json_schema", "json_schema": {"name": "answer", "schema": schema},
    }  # fmt: skip
    assert "tools" not in body


async def test_claude_is_told_what_to_keep_of_a_prompt() -> None:
    request = ModelRequest(messages=(PERSONA, user("hi")), tools=(HTTP,), max_tokens=9)
    with provider(Say(thoughts=("they greet",))) as server:
        parts = [one async for one in model(server, CLAUDE).stream(request)]
    (body,) = server.bodies
    assert body["system"] == [
        {"type": "text", "text": "You are Kyra.", "cache_control": {"type": "ephemeral"}}
    ]
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert [one["name"] for one in body["tools"]] == ["http_get"]
    assert "cache_control" not in json.dumps([body["messages"], body["tools"]])
    assert [one.text for one in parts if isinstance(one, ThoughtPart)] == ["they greet"]
    assert "".join(one.text for one in parts if isinstance(one, TextPart)) == "Hello"


async def test_claude_thinks_no_more_once_a_tool_has_answered() -> None:
    """It refuses to, unless it is given its own signed thoughts again."""
    call = ToolCall(id="a", name="http_get", arguments={})
    asked = ChatMessage(role="assistant", content="", tool_calls=(call,))
    told = ChatMessage(role="tool", content="done", tool_call_id="a")
    thinks = {"type": "enabled", "budget_tokens": 1024}
    wishes = {"thinking": thinks, "top_k": 3}
    request = ModelRequest(messages=(user("go"),), tools=(HTTP,), overrides=wishes)
    first = await sent(request, CLAUDE)
    again = replace(request, messages=(*request.messages, asked, told))
    second = await sent(again, CLAUDE)
    later = await sent(replace(again, messages=(*again.messages, user("and now?"))), CLAUDE)
    assert (first["thinking"], first["top_k"]) == (thinks, 3)
    assert "thinking" not in second and second["top_k"] == 3
    assert later["thinking"] == thinks
    low = replace(again, overrides={"reasoning_effort": "low"})
    assert "thinking" not in await sent(low, CLAUDE)


async def test_closing_a_stream_of_claude_ends_the_request() -> None:
    with provider(Say(tuple("abcdef" * 200), pause_s=0.01)) as server:
        request = ModelRequest(messages=(user("hi"),))
        async with aclosing(model(server, CLAUDE).stream(request)) as parts:
            async for part in parts:
                if isinstance(part, TextPart):
                    break
        assert await asyncio.to_thread(server.hung_up.wait, 10)


async def test_cached_tokens_of_claude_are_counted() -> None:
    with provider(Say()) as server:
        request = ModelRequest(messages=(PERSONA, user("hi")))
        heard = await listen(model(server, CLAUDE), request)
    assert (heard.end.usage.prompt_tokens, heard.end.usage.cached_tokens) == (12, 8)


@pytest.mark.parametrize(
    "name", ["openai/gpt-4o-mini", "openai/claude-by-a-proxy", "groq/llama-3-8b"]
)
async def test_nobody_else_is(name: str) -> None:
    body = await sent(ModelRequest(messages=(PERSONA, user("hi"))), name)
    assert "cache_control" not in json.dumps(body)


async def test_a_call_of_a_tool_and_what_follows() -> None:
    call = Call("http_get", json.dumps({"url": "https://y.example"}))
    request = ModelRequest(messages=(PERSONA, user("go")), tools=(HTTP,))
    with provider(call, Say()) as server:
        heard = await listen(model(server), request)
        asked = ChatMessage(role="assistant", content="", tool_calls=tuple(heard.calls))
        told = ChatMessage(role="tool", content="done", tool_call_id=heard.calls[0].id)
        again = ModelRequest(messages=(*request.messages, asked, told), tools=(HTTP,))
        await listen(model(server), again)
    first, second = server.bodies
    assert second["tools"] == first["tools"]
    assert second["messages"][:2] == first["messages"]
    assert second["messages"][2:] == [
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "http_get", "arguments": '{"url": "https://y.example"}'},
                }
            ],
        },
        {"role": "tool", "content": "done", "tool_call_id": "call_1"},
    ]


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("openai/gpt-4o-mini", True),
        ("openai/gpt-5", True),
        ("openai/gpt-3.5-turbo", False),
        ("openai/o3-mini", False),
        ("anthropic/claude-sonnet-4-5", True),
        ("gemini/gemini-2.5-flash", True),
        ("groq/llama-3.3-70b-versatile", False),
        ("deepseek/deepseek-chat", False),
        ("mistral/pixtral-12b", True),
        ("openai/somebody-elses-own", True),
        ("ollama/llama3", False),
        ("ollama/llava:7b", True),
        ("ollama/llama3.2-vision", True),
        ("ollama/gemma3:4b", True),
        ("ollama/gemma3:1b", False),
        ("ollama/qwen2.5vl:7b", True),
        ("ollama/qwen3-vl:4b", True),
        ("ollama/qwen3:4b", False),
    ],
)
def test_who_sees(name: str, sees: bool) -> None:
    assert remote_profile(name).vision is sees
