"""Streams in other protocols than OpenAI's: Anthropic's events and Ollama's lines."""

import json
from typing import Any

import pytest
from http_fake import Raw, provider
from listening import HTTP, Heard, listen, user

from skill_agent.errors import ModelFiltered, ModelUnavailable
from skill_agent.models.remote import RemoteModel
from skill_agent.ports import ModelRequest
from skill_agent.values import ModelInfo

ASK = ModelRequest(messages=(user("hi"),), max_tokens=9, tools=(HTTP,))
CLAUDE, OLLAMA = "anthropic/claude-sonnet-4-5", "ollama/m"
USAGE = {"input_tokens": 4, "output_tokens": 1}
MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "m", "usage": USAGE}


def named(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


def block(start: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    found = named({"type": "content_block_start", "index": 0, "content_block": start})
    for one in deltas:
        found += named({"type": "content_block_delta", "index": 0, "delta": one})
    return found


def ended(reason: str) -> bytes:
    end = {"stop_reason": reason, "stop_sequence": None}
    delta = named({"type": "message_delta", "delta": end, "usage": {"output_tokens": 2}})
    stop = named({"type": "content_block_stop", "index": 0})
    return stop + delta + named({"type": "message_stop"})


def line(done: bool = False, **said: Any) -> bytes:
    told = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": done}
    more = {"done_reason": said.pop("reason"), "eval_count": 2} if done else {}
    message = {"role": "assistant", "content": "", **said}
    return json.dumps({**told, **more, "message": message}).encode() + b"\n"


START = named({"type": "message_start", "message": {**MESSAGE, "content": []}})
WORDS = block(
    {"type": "text", "text": ""},
    {"type": "text_delta", "text": "Hello \ud83d"},
    {"type": "text_delta", "text": "\ude00"},
)
TOOL = block(
    {"type": "tool_use", "id": "t", "name": "look", "input": {}},
    {"type": "input_json_delta", "partial_json": '{"q": "a'},
)
LINES = line(content="Hello \ud83d") + line(content="\ude00")


async def heard(name: str, *pieces: bytes, **how: Any) -> Heard:
    info = ModelInfo(name=name, provider=name.partition("/")[0])
    with provider(Raw(pieces, **how)) as server:
        base = server.base.removesuffix("/v1")
        return await listen(RemoteModel(info, timeout_s=10.0, base=base), ASK)


@pytest.mark.parametrize(
    ("name", "pieces", "finish"),
    [
        (CLAUDE, (START, WORDS, ended("end_turn")), "stop"),
        (CLAUDE, (b"event: ping\nid: 7\n\n", START, WORDS, ended("end_turn")), "stop"),
        (CLAUDE, (START, WORDS, ended("max_tokens")), "length"),
        (CLAUDE, (START, WORDS, ended("refusal")), "filtered"),
        (CLAUDE, (START, WORDS), "cut"),
        (CLAUDE, (START, WORDS, b'event: x\ndata: {"type": "conte'), "cut"),
        (OLLAMA, (LINES, line(True, reason="stop")), "stop"),
        (OLLAMA, (LINES, line(True, reason="length")), "length"),
        (OLLAMA, (line(thinking="hm"), LINES, line(True, reason="stop")), "stop"),
        (OLLAMA, (LINES,), "cut"),
        (OLLAMA, (LINES, b'{"model": "m", "mess'), "cut"),
    ],
)
async def test_words_and_their_end(name: str, pieces: tuple[bytes, ...], finish: str) -> None:
    found = await heard(name, *pieces)
    assert (found.text, found.end.finish) == ("Hello 😀", finish)


async def test_a_whole_message_is_taken_though_a_stream_was_asked_for() -> None:
    content = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "t", "name": "look", "input": {"q": "a"}},
    ]
    whole = {**MESSAGE, "content": content, "stop_reason": "tool_use"}
    found = await heard(CLAUDE, json.dumps(whole).encode(), type="application/json")
    assert found.text == "Let me look."
    assert [(one.name, one.arguments) for one in found.calls] == [("look", {"q": "a"})]
    assert found.end.usage.prompt_tokens == 4


async def test_unreadable_arguments_are_told_and_cut_off_calls_are_none() -> None:
    found = await heard(CLAUDE, START, TOOL, ended("tool_use"))
    assert found.calls[0].problem
    with pytest.raises(ModelUnavailable, match="in the middle of a tool call"):
        await heard(CLAUDE, START, TOOL)


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    ("name", "pieces", "kind", "said"),
    [
        (CLAUDE, (named(OVERLOADED),), "text/event-stream", "Overloaded"),
        (CLAUDE, (START, WORDS, named(OVERLOADED)), "text/event-stream", "Overloaded"),
        (CLAUDE, (json.dumps(OVERLOADED).encode(),), "application/json", "Overloaded"),
        (CLAUDE, (START, ended("end_turn")), "text/event-stream", "gave no reply"),
        (CLAUDE, (b"<html><title>Sign in</title>",), "text/html", "a web page.*: Sign in"),
        (CLAUDE, (b"",), "text/event-stream", "before a reply"),
        (OLLAMA, (b'{"error": "out of memory"}\n',), "application/x-ndjson", "out of memory"),
        (OLLAMA, (LINES, b'{"error":"out', b' of memory"}\n'), "a/b", "out of memory"),
        (OLLAMA, (line(True, reason="stop"),), "application/x-ndjson", "gave no reply"),
        (OLLAMA, (b"\n<html><title>Sign in</title>",), "text/html", "a web page.*: Sign in"),
        (OLLAMA, (b"",), "application/x-ndjson", "before a reply"),
    ],
)
async def test_what_is_no_reply(name: str, pieces: tuple[bytes, ...], kind: str, said: str) -> None:
    with pytest.raises(ModelUnavailable, match=said):
        await heard(name, *pieces, type=kind)


async def test_a_refusal_without_a_word_is_the_filters() -> None:
    with pytest.raises(ModelFiltered):
        await heard(CLAUDE, START, ended("refusal"))
