"""Chat over HTTP: the whole reply, the stream of it, and every way it can end."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from api_home import Api, OpenApi, Served, frames, until, until_idle
from fakes import StepClock

from skill_agent.api.app import create_app
from skill_agent.api.door.protect import protect
from skill_agent.api.door.traffic import Traffic
from skill_agent.errors import ModelFailed, ModelRejected, ModelUnavailable, SkillAgentError
from skill_agent.models.scripted import Gate
from skill_agent.ports import EndPart, ThoughtPart
from skill_agent.values import ModelProfile, ToolCall, Usage

CHAT = "/v1/agents/kyra/chat"
STREAM = "/v1/agents/kyra/chat/stream"
GIF = "R0lGODlh"


async def said(api: Api, content: str, path: str = CHAT, **more: Any) -> dict[str, Any]:
    answer = await api.http.post(path, json={"content": content, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def streamed(api: Api, content: str, **more: Any) -> list[dict[str, Any]]:
    body = {"content": content, **more}
    async with api.http.stream("POST", STREAM, json=body) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        return [frame async for frame in frames(response)]


async def test_a_conversation_in_two_requests(open_api: OpenApi) -> None:
    async with open_api("Hello there.", "Still here.") as api:
        first = await said(api, "hi")
        assert (first["content"], first["agent"], first["memories"]) == ("Hello there.", "kyra", [])
        assert first["usage"]["completion_tokens"] > 0
        second = await said(api, "are you there?", conversation_id=first["conversation_id"])
        assert second["conversation_id"] == first["conversation_id"]
        assert second["turn"] != first["turn"]
        kept = await api.runtime.conversations.messages(first["conversation_id"])
        assert [one.content for one in kept] == [
            "hi", "Hello there.", "are you there?", "Still here.",
        ]  # fmt: skip
        assert kept[1].id == first["message_id"]


async def test_how_the_reply_is_made(open_api: OpenApi) -> None:
    sees = ModelProfile(vision=True)
    async with open_api([ThoughtPart(text="hm"), '{"n": 1}'], profile=sees) as api:
        wishes = {"system": "Be brief.", "options": {"max_tokens": 7}, "images": [{"data": GIF}]}
        told = await streamed(api, "a number", response_schema={"type": "object"}, **wishes)
        assert [one["content"] for one in told if one["type"] == "thought_delta"] == ["hm"]
        assert told[-1]["content"] == '{"n": 1}'
        (sent,) = api.model.requests
        assert (sent.max_tokens, sent.response_schema) == (7, {"type": "object"})
        assert sent.messages[-1].images[0].media_type == "image/gif"
        assert "Be brief." in sent.messages[-1].content


@pytest.mark.parametrize(
    ("wishes", "status"),
    [
        ({"options": {"temperature": "hot"}}, 422),
        ({"options": {"model": "x"}}, 422),
        ({"options": []}, 400),
        ({"response_schema": {"type": "nonsense"}}, 422),
        ({"images": [{"data": "AAAA"}]}, 422),
        ({"images": [{"data": GIF}]}, 422),
        ({"images": [{"url": "https://example.org/x.png"}]}, 400),
        ({"images": ["x"]}, 400),
        ({"system": 5}, 400),
        ({"zone": "Mars/Olympus"}, 422),
        ({"zone": "+99:00"}, 422),
        ({"zone": "x" * 10_000}, 422),
        ({"zone": 2}, 400),
    ],
)
async def test_what_cannot_be_wished_for(
    open_api: OpenApi, wishes: dict[str, Any], status: int
) -> None:
    async with open_api() as api:
        for path in (CHAT, STREAM):
            answer = await api.http.post(path, json={"content": "hi", **wishes})
            assert answer.status_code == status, answer.text
        answer = await api.http.post("/v1/turns", json={"text": "hi", **wishes})
        assert answer.status_code == status, answer.text
        assert await api.runtime.conversations.list() == []


async def test_what_recall_used_is_told(open_api: OpenApi) -> None:
    async with open_api("Noted.", "On Fridays.") as api:
        await said(api, "Remember that I deploy on Fridays from the release branch")
        answer = await said(api, "When do I deploy from the release branch?")
        assert any("deploy on Fridays" in one["content"] for one in answer["memories"])
        without = await api.http.post(CHAT, json={"content": "When?", "use_memory": False})
        assert without.status_code == 502  # the script is used up


async def test_a_stream_arrives_while_the_reply_is_made(open_api: OpenApi) -> None:
    gate = asyncio.Event()
    async with (
        open_api(["one ", Gate(gate), "two"]) as api,
        api.http.stream("POST", STREAM, json={"content": "count"}) as response,
    ):
        coming = frames(response)
        started = await anext(coming)
        assert started["type"] == "started" and started["model"] == "scripted/model"
        frame = started
        while frame["type"] != "text_delta":
            frame = await anext(coming)
        assert frame["content"] == "one " and not gate.is_set()
        gate.set()
        rest = [frame async for frame in coming]
        assert [frame["type"] for frame in rest] == ["text_delta", "done"]
        assert rest[-1]["content"] == "one two"
        assert rest[-1]["usage"]["model"] == "scripted/model"
        assert rest[-1]["finish"] == "stop"
        assert rest[-1]["conversation_id"] == response.headers["x-conversation-id"]


async def test_a_reply_cut_at_its_length_says_so(open_api: OpenApi) -> None:
    short = ["cut o", EndPart(usage=Usage(), finish="length")]
    async with open_api(short, short) as api:
        assert (await said(api, "go"))["finish"] == "length"
        notice, done = (await streamed(api, "go"))[-2:]
        assert (notice["level"], notice["text"]) == ("warning", "the reply hit its length limit")
        assert (done["type"], done["finish"]) == ("done", "length")
        task = (await api.http.get(f"/v1/turns/{done['turn']}")).json()
        assert (task["state"], task["finish"]) == ("finished", "length")


async def test_memory_and_tools_are_events_of_the_stream(open_api: OpenApi) -> None:
    fetch = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/x"})
    async with open_api("Noted.", [fetch], "It was not allowed.") as api:
        kept = await streamed(api, "Remember that the release branch is called blue")
        assert "memory" in [frame["type"] for frame in kept]
        told = await streamed(api, "look up what the release branch is called")
        by_type = {frame["type"]: frame for frame in told}
        assert by_type["memory_context"]["count"] >= 1
        assert by_type["approval"]["rule"] == "kyra http_get:127.0.0.1"
        assert by_type["approval_answered"]["choice"] == "deny"
        assert by_type["tool_call"]["arguments"] == {"url": "http://127.0.0.1:9/x"}
        assert (by_type["tool_result"]["ok"], by_type["tool_result"]["id"]) == (False, "c")
        assert told[-1]["type"] == "done"


async def test_an_interactive_stream_waits_for_its_approval(open_api: OpenApi) -> None:
    fetch = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/x"})
    async with (
        open_api([fetch], "told") as api,
        api.http.stream("POST", STREAM, json={"content": "look", "interactive": True}) as response,
    ):
        seen = []
        async for frame in frames(response):
            seen.append(frame["type"])
            if frame["type"] == "approval":
                path = f"/v1/approvals/{frame['id']}"
                answer = await api.http.post(path, json={"choice": "once"})
                assert answer.json() is True
            if frame["type"] == "approval_answered":
                assert frame["choice"] == "once"
        assert seen[-1] == "done" and "approval_answered" in seen


async def test_hanging_up_stops_the_stream_s_turn(open_api: OpenApi) -> None:
    async with open_api(["half a ", Gate(asyncio.Event()), "never"], "next") as api:
        async with api.http.stream("POST", STREAM, json={"content": "go"}) as response:
            session = response.headers["x-conversation-id"]
            async for frame in frames(response):
                if frame["type"] == "text_delta":
                    break
        await until_idle(api)
        assert api.model.closed_early == 1
        (_, partial) = await api.runtime.conversations.messages(session)
        assert (partial.content, partial.state) == ("half a ", "partial")
        assert (await said(api, "again", conversation_id=session))["content"] == "next"


async def test_hanging_up_on_a_whole_reply_stops_its_turn(open_api: OpenApi) -> None:
    begun = asyncio.Event()

    async with open_api([Gate(begun), "x ", Gate(asyncio.Event())]) as api:
        asking = asyncio.create_task(api.http.post(CHAT, json={"content": "go"}))
        await until(lambda: api.model.requests)
        begun.set()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until_idle(api)
        assert api.model.closed_early == 1


async def test_with_a_key_the_turn_outlives_the_connection_and_runs_once(
    open_api: OpenApi,
) -> None:
    gate = asyncio.Event()
    headers = {"Idempotency-Key": str(uuid4())}
    async with open_api(["a ", Gate(gate), "b"]) as api:
        body = {"content": "go"}
        async with api.http.stream("POST", STREAM, json=body, headers=headers) as response:
            async for frame in frames(response):
                if frame["type"] == "text_delta":
                    break
        gate.set()
        again = await api.http.post(CHAT, json=body, headers=headers)
        assert again.json()["content"] == "a b"
        assert again.json()["turn"] == headers["Idempotency-Key"]
        async with api.http.stream("POST", STREAM, json=body, headers=headers) as response:
            told = [frame async for frame in frames(response)]
        assert [frame["type"] for frame in told] == ["text_delta", "done"]
        assert len(api.model.requests) == 1
        other = await api.http.post(CHAT, json={"content": "else"}, headers=headers)
        assert (other.status_code, other.json()["error"]) == (409, "conflict")
        odd = await api.http.post(CHAT, json=body, headers={"Idempotency-Key": "monday"})
        assert odd.status_code == 422


PROBLEMS = (
    (ModelUnavailable("no route", hint="ska models"), 503, "model_unavailable"),
    (ModelRejected("bad key"), 502, "rejected"),
    (ModelFailed("gibberish"), 502, "model_failed"),
    (SkillAgentError("odd"), 500, "error"),
)


async def test_a_failed_turn_is_told_with_what_there_was(open_api: OpenApi) -> None:
    replies = [["so far ", problem] for problem, _, _ in PROBLEMS for _ in range(2)]
    async with open_api(*replies) as api:
        for problem, status, code in PROBLEMS:
            answer = await api.http.post(CHAT, json={"content": "go"})
            told = answer.json()
            assert (answer.status_code, told["error"]) == (status, code)
            assert (told["message"], told["details"]["content"]) == (problem.message, "so far ")
            assert told["request_id"] == answer.headers["x-request-id"]
            assert ("retry-after" in answer.headers) == (status == 503)
            last = (await streamed(api, "go"))[-1]
            assert (last["type"], last["error"]) == ("error", code)
            assert last["details"]["content"] == "so far "


async def test_a_cancelled_turn_answers_409(open_api: OpenApi) -> None:
    async with open_api(["half ", Gate(asyncio.Event())]) as api:
        asking = asyncio.create_task(api.http.post(CHAT, json={"content": "go"}))
        await until(lambda: api.model.requests)
        (task,) = await api.runtime.turns.list()
        await api.http.post(f"/v1/turns/{task.id}/cancel")
        answer = await asking
        assert (answer.status_code, answer.json()["error"]) == (409, "cancelled")


REFUSED: tuple[tuple[object, int], ...] = (
    ({"content": ""}, 422),
    ({"content": "  \n"}, 422),
    ({}, 400),
    ({"content": 7}, 400),
    ({"content": "x", "unknown": 1}, 400),
    ({"content": "x", "conversation_id": "nowhere-at-all"}, 404),
    ([], 400),
)


@pytest.mark.parametrize("path", [CHAT, STREAM])
async def test_what_cannot_begin_is_refused_before_anything_is_kept(
    open_api: OpenApi, path: str
) -> None:
    async with open_api() as api:
        for body, status in REFUSED:
            answer = await api.http.post(path, json=body)
            assert answer.status_code == status, answer.text
            assert set(answer.json()) == {"error", "message", "details", "request_id"}
        assert await api.runtime.conversations.list() == []


async def test_an_unknown_agent_is_answered_with_the_nearest(open_api: OpenApi) -> None:
    async with open_api() as api:
        answer = await api.http.post("/v1/agents/kira/chat", json={"content": "hi"})
        assert answer.status_code == 404
        assert "kyra" in answer.json()["details"]["hint"]


async def test_text_of_every_script_comes_back_as_it_was(open_api: OpenApi) -> None:
    text = "Grüße, 你好 👩‍🚀 \u202eabc\u0000 line\r\nnext"
    async with open_api([text], [text]) as api:
        words = text.replace("\0", "")
        assert (await said(api, words))["content"] == text
        (asked, _) = await api.runtime.conversations.messages(
            (await api.runtime.conversations.find("latest")).id
        )
        assert asked.content == words
        told = await streamed(api, words)
        assert "".join(f["content"] for f in told if f["type"] == "text_delta") == text
        half = await api.http.post(
            CHAT, content=b'{"content": "\\ud800"}', headers={"content-type": "application/json"}
        )
        assert half.status_code in (400, 422)
        zero = await api.http.post(CHAT, json={"content": text})
        assert (zero.status_code, zero.json()["error"]) == (422, "usage_error")


async def test_two_clients_in_one_conversation_take_turns(open_api: OpenApi) -> None:
    async with open_api("zero", "one", "two") as api:
        session = (await said(api, "begin"))["conversation_id"]
        first, second = await asyncio.gather(
            said(api, "a", conversation_id=session), said(api, "b", conversation_id=session)
        )
        assert {first["content"], second["content"]} == {"one", "two"}
        assert len(await api.runtime.conversations.messages(session)) == 6


async def test_the_bare_app_asks_for_a_caller(open_api: OpenApi, served: Served) -> None:
    async with open_api() as api, served(create_app(api.runtime, local=False)) as url:
        async with httpx.AsyncClient() as http:
            refused = await http.post(url + CHAT, json={"content": "x"})
        assert refused.status_code == 401


async def test_a_host_that_closes_ends_what_streams_with_an_error(open_api: OpenApi) -> None:
    async with (
        open_api(["half ", Gate(asyncio.Event())]) as api,
        api.http.stream("POST", STREAM, json={"content": "go"}) as response,
    ):
        coming = frames(response)
        async for frame in coming:
            if frame["type"] == "text_delta":
                break
        await api.runtime.end_turns()
        (last,) = [frame async for frame in coming]
        assert (last["type"], last["error"]) == ("error", "host_closed")
        assert last["details"]["content"] == "half "


async def test_a_stream_that_is_cut_short_still_says_so(
    open_api: OpenApi, served: Served, clock: StepClock
) -> None:
    async with open_api(["half ", Gate(asyncio.Event())]) as api:
        app = create_app(api.runtime, local=True)
        traffic = Traffic(protect(app, home=api.runtime.home, clock=clock, tcp=False))
        async with (
            served(traffic) as url,
            httpx.AsyncClient(base_url=url) as http,
            http.stream("POST", STREAM, json={"content": "go"}) as response,
        ):
            coming = frames(response)
            async for frame in coming:
                if frame["type"] == "text_delta":
                    break
            await traffic.end()
            rest = [frame async for frame in coming]
        assert [frame["type"] for frame in rest] == ["error"]
        assert rest[0]["error"] == "host_closed"
        await until_idle(api)
        assert api.model.closed_early == 1


async def test_the_paths_that_turns_had_before_still_answer(open_api: OpenApi) -> None:
    async with open_api("Hi.") as api:
        chat = {"content": "hello", "conversation_id": None}
        turn = (await api.http.post("/v1/agents/kyra/chat", json=chat)).json()["turn"]
        for path in ("", f"/{turn}"):
            now, before = [
                (await api.http.get(f"/v1/{name}{path}")).json() for name in ("turns", "tasks")
            ]
            assert now == before and "error" not in now
        answer = await api.http.post(f"/v1/tasks/{turn}/cancel")
        assert (answer.status_code, answer.json()) == (200, False)


@pytest.mark.parametrize(
    ("slug", "wrong"),
    [
        ("kira", {}),
        ("luke", {}),
        ("kyra", {"content": "  "}),
        ("kyra", {"conversation_id": "nowhere"}),
        ("kyra", {"images": [{"data": "AAAA"}]}),
        ("kyra", {"response_schema": {"type": 3}}),
        ("kyra", {"options": {"temperature": "hot"}}),
    ],
)
async def test_no_door_leaves_anything_of_a_mistake(
    open_api: OpenApi, slug: str, wrong: dict[str, Any]
) -> None:
    async with open_api("ok") as api:
        await api.runtime.agents.set_status("luke", "paused")
        before = await api.runtime.ledger.last_seq()
        body = {"content": "hi", **wrong}
        for place in ("chat", "chat/stream"):
            answer = await api.http.post(f"/v1/agents/{slug}/{place}", json=body)
            assert answer.status_code in (404, 409, 422, 400), answer.text
        text = body["content"]
        if set(wrong) <= {"content", "conversation_id"}:
            asked = {"model": slug, "messages": [{"role": "user", "content": text}], **wrong}
            asked.pop("content", None)
            answer = await api.http.post("/v1/chat/completions", json=asked)
            assert answer.status_code in (404, 409, 422, 400), answer.text
            turn = {"text": text, "agent": slug, "session": wrong.get("conversation_id")}
            answer = await api.http.post("/v1/turns", json=turn)
            assert answer.status_code in (404, 409, 422, 400), answer.text
        assert await api.runtime.ledger.last_seq() == before
