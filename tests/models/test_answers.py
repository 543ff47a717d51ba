"""Answers of servers that call themselves compatible: read as far as they can be, or an error that
says what came instead."""

import gzip
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from http_fake import END, Raw, delta, event, provider
from hypothesis import given
from hypothesis import strategies as st
from listening import Heard, listen, user

from skill_agent.errors import ModelError, ModelRejected, ModelUnavailable
from skill_agent.models.remote import RemoteModel
from skill_agent.models.wire.answers import chat_stream
from skill_agent.ports import ModelRequest, ThoughtPart
from skill_agent.values import ModelInfo

ASK = ModelRequest(messages=(user("hi"),), max_tokens=9)
CHUNK = {"choices": [{"index": 0, "delta": {"content": "Hello."}, "finish_reason": "stop"}]}
WHOLE = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
NAMES_IN_CHUNKS = (
    "choices", "delta", "message", "content", "tool_calls", "function", "function_call", "name",
    "arguments", "index", "id", "finish_reason", "usage", "error", "code", "type", "text",
    "thinking", "prompt_tokens", "prompt_tokens_details", "reasoning", "reasoning_details",
    "refusal",
)  # fmt: skip
PAGE = b"<!DOCTYPE html><html><head><title>Sign in to Guest &amp; Wi-Fi</title></head></html>"


def model(base: str, *, timeout_s: float = 10.0) -> RemoteModel:
    info = ModelInfo(name="openai/m", provider="openai")
    return RemoteModel(info, timeout_s=timeout_s, base=base)


async def heard(*pieces: bytes, **how: Any) -> Heard:
    with provider(Raw(pieces, **how)) as server:
        return await listen(model(server.base), ASK)


async def refused(*pieces: bytes, **how: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await heard(*pieces, **how)
    return caught.value


HELLO = delta(content="Hel") + delta(content="lo.")
ODD_BUT_READABLE = {
    "the wrong content type": ((HELLO + END,), {"type": "text/plain"}),
    "called a page": ((HELLO + END,), {"type": "text/html"}),
    "a byte order mark": ((b"\xef\xbb\xbf" + HELLO + END,), {}),
    "carriage returns": ((HELLO.replace(b"\n", b"\r\n") + END.replace(b"\n", b"\r"),), {}),
    "a line end cut in two": ((delta(content="Hello.")[:-1] + b"\r", b"\n\r", b"\n" + END), {}),
    "no blank behind the colon": (((HELLO + END).replace(b"data: ", b"data:"),), {}),
    "no empty line between": (((HELLO + END).replace(b"\n\n", b"\n"),), {}),
    "no empty line at the end": (((HELLO + END)[:-2],), {}),
    "comments and pings": (
        (b": busy\n\n", HELLO, b": still\n\nevent: ping\ndata: {}\n\n", END), {},
    ),
    "an event without data": ((b"event: ping\nid: 7\nretry: 3\n\n", HELLO, b"id: 8\n\n", END), {}),
    "words between": ((b"data: ping\n\n", HELLO, b"data:\n\n", END), {}),
    "an end within an event": ((b"event: message\n" + HELLO + END,), {}),
    "JSON lines": ((json.dumps(CHUNK).encode() + b"\n",), {"type": "application/x-ndjson"}),
    "JSON lines and an end mark": ((json.dumps(CHUNK).encode() + b"\n[DONE]\n",), {}),
    "a whole answer": ((json.dumps(WHOLE).encode(),), {"type": "application/json"}),
    "a whole answer, indented": ((json.dumps(WHOLE, indent=2).encode(),), {}),
    "a whole answer as an event": ((event(WHOLE),), {}),
    "a list of chunks": ((json.dumps([CHUNK], indent=1).encode(),), {"type": "application/json"}),
    "compressed": ((gzip.compress(HELLO + END),), {"headers": {"Content-Encoding": "gzip"}}),
    "one byte at a time": (tuple(bytes([one]) for one in HELLO + END), {}),
    "nothing but a role": (
        (delta(role="assistant"), delta(role="assistant", content=""), HELLO, END), {},
    ),
    "no choices": ((event({"choices": []}), event({"choices": None}), HELLO, END), {}),
    "no delta": ((event({"choices": [{"index": 0, "delta": None}]}), HELLO, END), {}),
    "no error": ((event({**CHUNK, "error": None}),), {}),
    "no id, no model": ((event({**CHUNK, "id": None, "model": None, "created": "now"}),), {}),
    "a reason nobody knows": ((HELLO, delta("eos_token"), b"data: [DONE]\n\n"), {}),
    "no reason but an end mark": ((HELLO, b"data: [DONE]\n\n"), {}),
    "a reason but no end mark": ((HELLO, delta("stop")), {}),
    "broken behind its end": ((HELLO, delta("stop")), {"breaks": True}),
    "content in parts": ((delta(content=[{"type": "text", "text": "Hello."}]), END), {}),
    "a refusal": ((delta(refusal="Hello."), END), {}),
    "other choices beside": ((event({"choices": [
        {"index": 1, "delta": {"content": "Bye."}}, {"index": 0, "delta": {"content": "Hello."}},
    ]}), END), {}),
    "the index as text": ((event({"choices": [
        {"index": "0", "delta": {"content": "Hello."}, "finish_reason": "stop"}
    ]}),), {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD_BUT_READABLE)
async def test_a_reply_is_taken_in_whatever_form_it_comes(kind: str) -> None:
    pieces, how = ODD_BUT_READABLE[kind]
    found = await heard(*pieces, **how)
    assert (found.text, found.end.finish) == ("Hello.", "stop")


async def test_a_line_separator_in_a_reply_is_no_end_of_a_line() -> None:
    body = 'data: {"choices": [{"delta": {"content": "one\u2028two\x85three"}}]}\n\n'.encode()
    assert (await heard(body, END)).text == "one\u2028two\x85three"


async def test_a_character_may_be_cut_between_two_pieces_of_the_body() -> None:
    body = 'data: {"choices": [{"delta": {"content": "Gr\u00fc\u00dfe 😀"}}]}\n\n'.encode()
    for at in range(len(body)):
        if body[at] >= 0x80:
            found = await heard(body[:at], body[at:] + END)
            assert found.text == "Grüße 😀"


async def test_a_server_that_never_hangs_up_is_waited_for_no_longer_than_its_reply() -> None:
    with provider(Raw((HELLO, delta("stop")), stays=True)) as server:
        found = await listen(model(server.base, timeout_s=0.5), ASK)
    assert (found.text, found.end.finish) == ("Hello.", "stop")


async def test_the_same_words_a_hundred_times_are_a_reply() -> None:
    found = await heard(*(delta(content="| --- ") for _ in range(150)), END)
    assert found.text == "| --- " * 150


PAGES = {
    "a page": ((PAGE,), {"type": "text/html"}),
    "a page called events": ((PAGE,), {}),
    "a page called JSON": ((b"\n  " + PAGE,), {"type": "application/json"}),
    "a page, compressed": (
        (gzip.compress(PAGE),), {"type": "text/html", "headers": {"Content-Encoding": "gzip"}},
    ),
    "a page with a byte order mark": ((b"\xef\xbb\xbf" + PAGE,), {"type": "text/html"}),
    "a page that does not end": ((PAGE, b"<p>" * 30_000), {"type": "text/html", "stays": True}),
    "a page of many lines that does not end": (
        (PAGE, b"<p>\n" * 30_000), {"type": "text/html", "stays": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PAGES)
async def test_a_web_page_is_no_reply(kind: str) -> None:
    pieces, how = PAGES[kind]
    problem = await refused(*pieces, **how)
    assert isinstance(problem, ModelUnavailable)
    assert "http://127.0.0.1" in problem.message
    assert "a web page" in problem.message
    assert "Sign in to Guest & Wi-Fi" in problem.message
    assert "captive portal" in problem.hint


@pytest.mark.parametrize(("status", "error"), [(502, ModelUnavailable), (404, ModelRejected)])
async def test_of_an_error_page_only_its_words_are_told(status: int, error: type) -> None:
    page = b"<html><head><title>No such thing</title></head><body><h1>x</h1></body></html>"
    problem = await refused(page, type="text/html", status=status)
    assert type(problem) is error
    assert "No such thing" in problem.message
    assert "<" not in problem.message


GONE = ModelUnavailable
ERRORS: dict[str, tuple[bytes, type]] = {
    "in the body": (json.dumps({"error": {"message": "too busy"}}).encode(), GONE),
    "as a text": (json.dumps({"error": "too busy"}).encode(), GONE),
    "indented": (json.dumps({"error": {"message": "too busy"}}, indent=2).encode(), GONE),
    "as an event": (event({"error": {"message": "too busy", "code": 502}}), GONE),
    "named one": (b'event: error\ndata: {"message": "too busy"}\n\n', GONE),
    "named one, in words": (b"event: error\ndata: too busy\n\n", GONE),
    "of that type": (event({"object": "error", "message": "too busy"}), GONE),
    "as a detail": (json.dumps({"detail": "too busy"}).encode(), GONE),
    "in the middle": (HELLO + event({"error": {"message": "too busy"}}), GONE),
    "of a request": (event({"error": {"message": "too busy", "code": 400}}), ModelRejected),
    "of a key": (event({"error": {"message": "too busy", "code": "401"}}), ModelRejected),
}  # fmt: skip


@pytest.mark.parametrize("kind", ERRORS)
async def test_an_error_under_a_good_status_is_one(kind: str) -> None:
    body, error = ERRORS[kind]
    problem = await refused(body)
    assert type(problem) is error
    assert "too busy" in problem.message


@pytest.mark.parametrize(
    "body",
    [
        b"Service is starting up",
        b'{"status": "ok"}',
        b'"Hello."',
        b"\x1f\x8b\x08\x00 not said to be compressed",
        event({"choices": "Hello."})[:-9] + b"\n\n",
        b'{"choices": [{"message": {"content": "Hel',
        b'data: {"choices": ' + b"[" * 5000 + b"\n\n",
    ],
)
async def test_what_is_no_answer_of_a_model_is_said_to_be_none(body: bytes) -> None:
    problem = await refused(body)
    assert isinstance(problem, ModelUnavailable)
    assert "127.0.0.1" in problem.message


async def test_a_body_that_is_not_what_its_header_says_is_unavailable() -> None:
    problem = await refused(HELLO + END, headers={"Content-Encoding": "gzip"})
    assert isinstance(problem, ModelUnavailable)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}, (4, 2)),
        ({"prompt_tokens": 4.0, "completion_tokens": None}, (4, 0)),
        ({"prompt_tokens": 1e30, "completion_tokens": -5}, (0, 0)),
        ({"prompt_tokens": float("nan"), "completion_tokens": float("inf")}, (0, 0)),
        ({"prompt_tokens": True, "completion_tokens": 10**30}, (0, 0)),
    ],
)
async def test_figures_that_cannot_be_count_as_nothing(usage: Any, tokens: tuple) -> None:
    found = await heard(HELLO, END[:-14], event({"choices": [], "usage": usage}), END[-14:])
    assert found.text == "Hello."
    assert (found.end.usage.prompt_tokens, found.end.usage.completion_tokens) == tokens
    assert 0 <= found.end.usage.cost_usd < 1


@pytest.mark.parametrize("usage", [None, "12", [], {"prompt_tokens": "12"}, {"a": {"b": "c"}}])
async def test_figures_in_no_form_cost_no_reply(usage: Any) -> None:
    found = await heard(HELLO, event({**CHUNK, "usage": usage}))
    assert found.text == "Hello.Hello."


@pytest.mark.parametrize(
    "said",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning": "hm", "reasoning_content": "hm"},
        {"thinking": "hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": "<think>hm</think>"},
        {"content": "<thinking>hm</thinking>\n"},
    ],
)
async def test_a_thought_is_one_by_whatever_name(said: dict[str, Any]) -> None:
    with provider(Raw((delta(**said), delta(content="Hello."), END))) as server:
        parts = [part async for part in model(server.base).stream(ASK)]
    assert [part.text for part in parts if isinstance(part, ThoughtPart)] == ["hm"]
    found = await heard(delta(**said), delta(content="Hello."), END)
    assert found.text == "Hello."


BYTES = st.lists(
    st.sampled_from([
        HELLO, END, PAGE, b"data: ", b"data:", b"event: error\n", b"\n", b"\r", b"\n\n", b"{",
        b"}", b"[", b'"', b"[DONE]", b":", b"\xef\xbb\xbf", b"\xf0\x9f", json.dumps(WHOLE).encode(),
        b'{"choices": ', b'[{"delta": ', b'{"content": "a\\ud83d"}', b'"index": ', b"null",
        b"1e400",
    ])
    | st.binary(max_size=6),
    max_size=10,
).map(b"".join)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES_IN_CHUNKS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)


async def streamed(*pieces: bytes) -> list[bytes] | str:
    """What is passed on of a body, or the error instead."""

    async def body() -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece

    try:
        return [frame async for frame in chat_stream(body(), "here")]
    except ModelError as problem:
        return problem.message


@given(BYTES, st.lists(st.integers(min_value=0, max_value=400), max_size=6))
async def test_any_body_is_chunks_or_an_error_wherever_it_is_cut(
    body: bytes, cuts: list[int]
) -> None:
    places = sorted({min(cut, len(body)) for cut in cuts})
    pieces = [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]
    assert await streamed(*pieces) == await streamed(body)


@given(VALUES)
async def test_any_value_in_a_chunk_is_passed_on_plain_or_an_error(value: Any) -> None:
    for one in (value, {"choices": [value]}, {"choices": [{"delta": value}], "usage": value}):
        found = await streamed(event(one))
        for frame in found if isinstance(found, list) else ():
            json.loads(frame.removeprefix(b"data: ").replace(b"[DONE]", b"0"), parse_constant=None)
