"""Calls of tools as servers send them, and what becomes of those a model got wrong."""

import json
from typing import Any

import pytest
from http_fake import END, Raw, delta, provider
from hypothesis import given
from hypothesis import strategies as st
from listening import HTTP, Heard, listen, user

from skill_agent.models.calls import Calls, arguments_of
from skill_agent.models.model_json import DEEPEST, read
from skill_agent.models.remote import RemoteModel
from skill_agent.ports import ModelRequest
from skill_agent.values import ModelInfo

GO = ModelRequest(messages=(user("go"),), tools=(HTTP,))
DONE = b"data: [DONE]\n\n"
A, B = '{"url": "a"}', '{"url": "b"}'


async def heard(*pieces: bytes) -> Heard:
    info = ModelInfo(name="openai/m", provider="openai")
    with provider(Raw(pieces)) as server:
        return await listen(RemoteModel(info, timeout_s=10.0, base=server.base), GO)


def piece(arguments: Any = "", name: str | None = "look", **more: Any) -> dict[str, Any]:
    """A call, or the next piece of one, as a server sends it."""
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


def calls(*pieces: dict[str, Any]) -> bytes:
    return delta(content=None, tool_calls=list(pieces))


END_OF_CALLS = delta("tool_calls") + DONE
TWO = {
    "by index, in one chunk": [calls(piece(A, index=0, id="x"), piece(B, index=1, id="y"))],
    "by index, in pieces": [
        calls(piece('{"url"', index=0, id="x")),
        calls(piece('{"url"', index=1, id="y")),
        calls(piece(': "a"}', None, index=0)),
        calls(piece(': "b"}', None, index=1)),
    ],
    "by an index that jumps": [calls(piece(A, index=3, id="x")), calls(piece(B, index=9, id="y"))],
    "by an index as text": [calls(piece(A, index="0", id="x"), piece(B, index="1", id="y"))],
    "of one index": [calls(piece(A, index=0, id="x")), calls(piece(B, index=0, id="y"))],
    "of one index, without ids": [calls(piece(A, index=0)), calls(piece(B, index=0))],
    "of one id": [calls(piece(A, index=0, id="x"), piece(B, index=1, id="x"))],
    "of empty ids": [calls(piece(A, index=0, id=""), piece(B, index=1, id=""))],
    "without index": [calls(piece(A, id="x")), calls(piece(B, id="y"))],
    "without index, in pieces": [
        calls(piece('{"url"', id="x")), calls(piece(': "a"}', None)),
        calls(piece('{"url"', id="y")), calls(piece(': "b"}', None)),
    ],
    "with neither": [calls(piece(A), piece(B))],
    "of an index below nothing": [calls(piece(A, index=-1, id="x"), piece(B, index=-1, id="y"))],
    "by number as id": [calls(piece(A, index=0, id=1), piece(B, index=1, id=2))],
    "as objects": [calls(piece({"url": "a"}, index=0), piece({"url": "b"}, index=1))],
    "flat": [calls(
        {"index": 0, "name": "look", "arguments": A}, {"index": 1, "name": "look", "arguments": B}
    )],
    "with the name in each piece": [
        calls(piece('{"url"', index=0, id="x")), calls(piece(': "a"}', index=0, id="x")),
        calls(piece('{"url"', index=1, id="y")), calls(piece(': "b"}', index=1, id="y")),
    ],
    "with an id for each piece": [
        calls(piece('{"url"', index=0, id="x1")), calls(piece(': "a"}', None, index=0, id="x2")),
        calls(piece('{"url"', index=1, id="y1")), calls(piece(': "b"}', None, index=1, id="y2")),
    ],
    "sent again at the end": [
        calls(piece(A, index=0, id="x"), piece(B, index=1, id="y")),
        calls(piece(A, index=0, id="x"), piece(B, index=1, id="y")),
    ],
    "in a whole answer": [json.dumps({"choices": [{"message": {
        "content": None, "tool_calls": [piece(A, id="x"), piece(B, id="y")]
    }, "finish_reason": "tool_calls"}]}).encode()],
}  # fmt: skip


@pytest.mark.parametrize("kind", TWO)
async def test_two_calls_are_two_however_they_are_numbered(kind: str) -> None:
    found = await heard(*TWO[kind], END_OF_CALLS)
    assert [(one.name, one.arguments, one.problem) for one in found.calls] == [
        ("look", {"url": "a"}, ""),
        ("look", {"url": "b"}, ""),
    ]
    assert len({one.id for one in found.calls}) == 2
    assert all(one.id for one in found.calls)
    assert found.end.finish == "tool_calls"


@pytest.mark.parametrize("end", [END, END_OF_CALLS, delta("function_call") + DONE, DONE])
async def test_a_call_is_one_whatever_reason_its_reply_ends_with(end: bytes) -> None:
    found = await heard(calls(piece(A, index=0, id="x")), end)
    assert found.calls[0].arguments == {"url": "a"}
    assert found.end.finish == "tool_calls"


async def test_a_call_beside_words_and_behind_the_end() -> None:
    found = await heard(delta("stop", content="Wait."), calls(piece(A, index=0)), DONE)
    assert (found.text, found.calls[0].arguments) == ("Wait.", {"url": "a"})


async def test_a_call_of_the_old_protocol() -> None:
    first = delta(function_call={"name": "look", "arguments": '{"url"'})
    found = await heard(first, delta(function_call={"arguments": ': "a"}'}), END)
    assert [(one.name, one.arguments) for one in found.calls] == [("look", {"url": "a"})]


async def test_a_call_in_words_stays_words() -> None:
    said = '<tool_call>{"name": "look", "arguments": {}}</tool_call>'
    found = await heard(delta(content=said), END)
    assert (found.text, found.calls) == (said, [])


WRONG = {
    '{"url": "a': "Unterminated string",
    "null": "but null",
    "[1]": "but a list",
    "7": "but a number",
    "true": "but true or false",
    '"a"': "but a text",
    "url=a": "Expecting value",
    '{"url": NaN}': "NaN is no number",
    '{"url": 1e999}': "too large a number",
    '{"url": %s}' % ("9" * 5000): "a number that is too long",
    '{"url": %s}' % ("[" * 100_000): "nested too deeply",
    '{"url": ' + "[" * 300 + "]" * 300 + "}": "nested too deeply",
    '{"url": "a", "url": "b"}': "'url' is given twice",
    "{}{}": "Extra data",
}


@pytest.mark.parametrize("arguments", WRONG, ids=[one[:12] for one in WRONG])
async def test_arguments_that_are_none_are_told_with_the_call(arguments: str) -> None:
    found = await heard(calls(piece(arguments, index=0, id="x")), END_OF_CALLS)
    (call,) = found.calls
    assert (call.id, call.name, call.arguments) == ("x", "look", {})
    assert "the arguments are no JSON object" in call.problem
    assert WRONG[arguments] in call.problem


@pytest.mark.parametrize("name", [None, "", "  ", 7, ["look"]])
async def test_a_call_without_a_name_is_told(name: Any) -> None:
    found = await heard(calls(piece(A, name, index=0, id="x")), END_OF_CALLS)
    assert "names no tool" in found.calls[0].problem


@pytest.mark.parametrize("written", ["", "  ", "{}"])
async def test_a_call_may_have_no_arguments(written: str) -> None:
    found = await heard(calls(piece(written, index=0)), END_OF_CALLS)
    assert (found.calls[0].arguments, found.calls[0].problem) == ({}, "")


async def test_what_is_no_call_at_all_is_none() -> None:
    odd = delta(content="Hello.", tool_calls=["look", None, 3], function_call="look")
    assert (await heard(odd, delta(tool_calls="look"), END)).calls == []


PIECES = st.tuples(
    st.none() | st.integers(min_value=-2, max_value=3),
    st.sampled_from(["", "x", "y"]),
    st.sampled_from(["", "look", "fetch"]),
    st.sampled_from(["", A, "{", "}", "[", '"', "null", "\ud83d"]),
)


@given(st.lists(PIECES, max_size=8))
def test_whatever_comes_is_a_call_or_a_problem(pieces: list) -> None:
    heard = Calls()
    for one in pieces:
        heard.add(*one)
    told = heard.told()
    assert len({one.id for one in told}) == len(told)
    assert all(one.problem or one.name for one in told)


@given(st.text() | st.recursive(st.none(), lambda inner: st.lists(inner)).map(json.dumps))
def test_no_text_breaks_the_reader(text: str) -> None:
    arguments, problem = arguments_of(text)
    assert isinstance(arguments, dict)
    assert problem or arguments or not text.strip() or text.strip() == "{}"


def test_what_is_meant_is_never_too_deep() -> None:
    text = "[" * DEEPEST + "]" * DEEPEST
    assert read(text)
    with pytest.raises(ValueError, match="too deeply"):
        read(f"[{text}]")
