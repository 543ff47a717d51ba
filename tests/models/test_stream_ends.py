"""How a stream ends: told by the server, not told, in the middle of something, or with nothing."""

import json

import pytest
from http_fake import END, Raw, Say, delta, provider
from listening import Heard, listen, user

from skill_agent.errors import ModelError, ModelFailed, ModelFiltered, ModelUnavailable
from skill_agent.models.fallback import FallbackModel
from skill_agent.models.remote import RemoteModel
from skill_agent.ports import ModelRequest
from skill_agent.values import ModelInfo

ASK = ModelRequest(messages=(user("hi"),), max_tokens=9)
HALF = delta(content="First stop the pump, then clo")
CALL = delta(
    tool_calls=[{"index": 0, "id": "a", "function": {"name": "look", "arguments": '{"q": "a'}}]
)


def model(base: str, name: str = "openai/m") -> RemoteModel:
    info = ModelInfo(name=name, provider=name.partition("/")[0])
    return RemoteModel(info, timeout_s=10.0, base=base)


async def heard(*pieces: bytes, breaks: bool = False) -> Heard:
    with provider(Raw(pieces, breaks=breaks)) as server:
        return await listen(model(server.base), ASK)


async def refused(*pieces: bytes, breaks: bool = False) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await heard(*pieces, breaks=breaks)
    return caught.value


@pytest.mark.parametrize(
    "rest",
    [b"", delta(content="se")[:30], b"data: ", b": still there\n\n", delta(None), delta("error")],
)
async def test_an_end_that_the_server_does_not_tell_of_is_none(rest: bytes) -> None:
    found = await heard(HALF, rest)
    assert (found.text, found.end.finish) == ("First stop the pump, then clo", "cut")


async def test_a_character_that_never_came_whole_costs_no_text() -> None:
    body = 'data: {"choices": [{"delta": {"content": "Grüße'.encode()
    found = await heard(HALF, body[:-4])
    assert (found.text, found.end.finish) == ("First stop the pump, then clo", "cut")


async def test_a_connection_that_breaks_is_an_error_after_what_was_said() -> None:
    found = Heard()
    with provider(Raw((HALF,), breaks=True)) as server, pytest.raises(ModelUnavailable) as caught:
        async for part in model(server.base).stream(ASK):
            found.pieces.append(getattr(part, "text", ""))
    assert found.text == "First stop the pump, then clo"
    assert "broke off" in caught.value.message


@pytest.mark.parametrize("breaks", [False, True])
async def test_nothing_at_all_is_unavailable(breaks: bool) -> None:
    assert isinstance(await refused(b"", breaks=breaks), ModelUnavailable)
    assert isinstance(await refused(delta(role="assistant"), breaks=breaks), ModelUnavailable)
    assert isinstance(await refused(delta(reasoning="hm"), breaks=breaks), ModelUnavailable)


async def test_a_call_that_is_cut_off_is_no_call() -> None:
    problem = await refused(delta(content="Let me look. "), CALL)
    assert isinstance(problem, ModelUnavailable)
    assert "in the middle of a tool call" in problem.message


async def test_a_call_that_ends_at_the_token_limit_is_told_as_unreadable() -> None:
    found = await heard(CALL, delta("length"), b"data: [DONE]\n\n")
    assert found.calls[0].problem


EMPTY = {
    "no word": (delta(content=""), END),
    "no chunk": (b"data: [DONE]\n\n",),
    "no choice": (b'data: {"choices": []}\n\ndata: [DONE]\n\n',),
    "null": (delta(content=None), END),
    "white space": (delta(content=" \n"), delta(content="\t"), END),
    "calls that are none": (delta(tool_calls=[]), delta("tool_calls"), b"data: [DONE]\n\n"),
    "a whole answer": (json.dumps({"choices": [{"message": {"content": ""}}]}).encode(),),
}


@pytest.mark.parametrize("kind", EMPTY)
async def test_a_reply_without_a_word_is_none(kind: str) -> None:
    problem = await refused(*EMPTY[kind])
    assert isinstance(problem, ModelUnavailable)
    assert "gave no reply" in problem.message


@pytest.mark.parametrize("body", [b"", b"<html>Sign in</html>", b"".join(EMPTY["white space"])])
async def test_another_model_answers_where_nothing_was_said(body: bytes) -> None:
    with provider(Raw((body,))) as silent, provider(Say(("Hel", "lo"))) as other:
        chain = FallbackModel([model(silent.base), model(other.base)])
        found = await listen(chain, ASK)
    assert found.text == "Hello"
    assert "falling back" in found.status[0]


async def test_a_reply_that_only_thinks_ends_well() -> None:
    """That it is no reply is the turn's to say: it shows the thoughts."""
    found = await heard(delta(reasoning_content="hm"), END)
    assert (found.text, found.end.finish) == ("", "stop")


async def test_no_reply_before_the_limit_says_so() -> None:
    problem = await refused(delta(content=""), delta("length"), b"data: [DONE]\n\n")
    assert isinstance(problem, ModelFailed)
    assert "length limit" in problem.message
    assert "max_tokens" in problem.hint


@pytest.mark.parametrize("reason", ["content_filter", "SAFETY", "refusal", "sensitive"])
async def test_what_a_filter_withheld_is_told(reason: str) -> None:
    found = await heard(HALF, delta(reason), b"data: [DONE]\n\n")
    assert (found.text, found.end.finish) == ("First stop the pump, then clo", "filtered")
    problem = await refused(delta(content=""), delta(reason), b"data: [DONE]\n\n")
    assert type(problem) is ModelFiltered
    assert problem.exit_code == 1
    assert "content filter" in problem.message


async def test_a_filter_takes_calls_away_too() -> None:
    found = await heard(HALF, CALL, delta("content_filter"), b"data: [DONE]\n\n")
    assert (found.calls, found.end.finish) == ([], "filtered")


async def test_a_structured_answer_that_is_cut_is_asked_for_again() -> None:
    request = ModelRequest(messages=(user("go"),), response_schema={"type": "object"})
    with provider(Raw((delta(content="{}"),)), Say(('{"a": 1}',))) as server:
        found = await listen(model(server.base), request)
    assert found.text == '{"a": 1}'
    assert len(server.bodies) == 2
    assert found.end.usage.completion_tokens > 2
