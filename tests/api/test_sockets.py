"""Chat over a WebSocket, with the client people use for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from api_home import Api, OpenApi, Served, until, until_idle
from fakes import StepClock
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from skill_agent.access.keys import KeyRing, keys_file
from skill_agent.api.app import create_app
from skill_agent.api.door.protect import protect
from skill_agent.api.door.traffic import Traffic
from skill_agent.api.routes.sockets import MAX_FRAME, MOST_WAITING
from skill_agent.errors import ModelUnavailable
from skill_agent.models.scripted import Gate
from skill_agent.values import ToolCall

Frame = dict[str, Any]


@asynccontextmanager
async def talking(api: Api, slug: str = "kyra", query: str = "") -> AsyncIterator[ClientConnection]:
    async with connect(f"{api.ws}/v1/agents/{slug}/ws{query}") as socket:
        yield socket


async def send(socket: ClientConnection, kind: str, **fields: Any) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def heard(socket: ClientConnection) -> Frame:
    return json.loads(await socket.recv())


async def up_to(socket: ClientConnection, *kinds: str) -> list[Frame]:
    """Frames up to the first of one of these types."""
    frames = [await heard(socket)]
    while frames[-1]["type"] not in kinds:
        frames.append(await heard(socket))
    return frames


async def exchange(socket: ClientConnection, content: str, **more: Any) -> Frame:
    await send(socket, "message", content=content, **more)
    return (await up_to(socket, "done", "error"))[-1]


async def test_one_socket_is_one_conversation(open_api: OpenApi) -> None:
    async with open_api("one", "two", "three") as api, talking(api) as socket:
        await send(socket, "message", content="hi")
        frames = await up_to(socket, "done")
        assert [frame["type"] for frame in frames] == ["started", "text_delta", "done"]
        assert frames[-1]["content"] == "one" and frames[-1]["usage"]["prompt_tokens"] > 0
        assert frames[-1]["finish"] == "stop"
        session = frames[-1]["conversation_id"]
        assert (await exchange(socket, "more"))["conversation_id"] == session
        assert len(await api.runtime.conversations.messages(session)) == 4
        async with talking(api, query=f"?conversation_id={session}") as another:
            assert (await exchange(another, "and?"))["conversation_id"] == session


async def test_a_message_may_name_its_conversation(open_api: OpenApi) -> None:
    async with open_api("one", "two", "three") as api, talking(api) as socket:
        first = (await exchange(socket, "a"))["conversation_id"]
        async with talking(api) as other:
            second = (await exchange(other, "b"))["conversation_id"]
        assert first != second
        third = await exchange(socket, "c", conversation_id=second)
        assert third["conversation_id"] == second


async def test_pieces_come_while_the_reply_is_made_and_cancel_stops_it(open_api: OpenApi) -> None:
    async with open_api(["half ", Gate(asyncio.Event())], "next") as api, talking(api) as socket:
        await send(socket, "message", content="go")
        assert (await up_to(socket, "text_delta"))[-1]["content"] == "half "
        await send(socket, "cancel")
        ended = (await up_to(socket, "error"))[-1]
        assert (ended["error"], ended["details"]["content"]) == ("cancelled", "half ")
        assert api.model.closed_early == 1
        assert (await exchange(socket, "again"))["content"] == "next"


async def test_a_cancel_right_behind_its_message_counts(open_api: OpenApi) -> None:
    async with open_api(["x ", Gate(asyncio.Event())]) as api, talking(api) as socket:
        await send(socket, "message", content="go")
        await send(socket, "cancel")
        assert (await up_to(socket, "error"))[-1]["error"] == "cancelled"
        await send(socket, "cancel")
        assert (await heard(socket))["text"] == "nothing is running"


async def test_ping_is_answered_in_the_middle_of_a_reply(open_api: OpenApi) -> None:
    gate = asyncio.Event()
    async with open_api(["x", Gate(gate)]) as api, talking(api) as socket:
        await send(socket, "message", content="go")
        await up_to(socket, "text_delta")
        await send(socket, "ping")
        assert await heard(socket) == {"type": "pong"}
        gate.set()
        await up_to(socket, "done")


async def test_messages_wait_in_order_and_only_so_many(open_api: OpenApi) -> None:
    gate = asyncio.Event()
    replies = [f"reply {number}" for number in range(MOST_WAITING)]
    async with open_api(["x", Gate(gate)], *replies) as api, talking(api) as socket:
        await send(socket, "message", content="first")
        await up_to(socket, "text_delta")
        for number in range(MOST_WAITING):
            await send(socket, "message", content=f"number {number}")
            assert await heard(socket) == {"type": "queued", "position": number + 1}
        await send(socket, "message", content="one too many")
        refused = await heard(socket)
        assert refused["type"] == "error" and "not taken" in refused["message"]
        gate.set()
        done = [(await up_to(socket, "done"))[-1] for _ in range(MOST_WAITING + 1)]
        assert [frame["content"] for frame in done] == ["x", *replies]
        said = [
            one.content
            for one in await api.runtime.conversations.messages(done[0]["conversation_id"])
            if one.role == "user"
        ]
        assert said == ["first", *(f"number {number}" for number in range(MOST_WAITING))]


MALFORMED: tuple[str | bytes, ...] = (
    "", "{", "[]", "null", '{"type": "dance"}', '{"type": "message"}', b"\xff\xfe",
    '{"type": "message", "content": 3}', '{"type": "ping", "extra": 1}',
    '{"type": "approval", "id": "x", "choice": "maybe"}', "[" * 5000,
    '{"type": "message", "content": "\\ud800"}',
    '{"type": "ping", "type": "ping"}', b"[0" + b",0" * 500_000 + b"]",
)  # fmt: skip


async def test_a_malformed_frame_is_answered_and_the_socket_goes_on(open_api: OpenApi) -> None:
    async with open_api("fine") as api, talking(api) as socket:
        for raw in MALFORMED:
            await socket.send(raw)
            told = await heard(socket)
            assert (told["type"], told["error"]) == ("error", "usage_error"), raw
            assert set(told) == {"type", "error", "message", "details", "request_id"}
        assert (await exchange(socket, "hi"))["content"] == "fine"


async def test_an_oversize_frame_closes_with_1009(open_api: OpenApi) -> None:
    async with open_api() as api, talking(api) as socket:
        await send(socket, "message", content="x" * MAX_FRAME)
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


async def test_leaving_cancels_keeps_the_partial_and_leaves_no_task(open_api: OpenApi) -> None:
    async with open_api(["half ", Gate(asyncio.Event())]) as api:
        async with talking(api) as socket:
            await send(socket, "message", content="go")
            session = (await up_to(socket, "text_delta"))[0]["conversation_id"]
            await send(socket, "message", content="never said")
            await up_to(socket, "queued")
        await until_idle(api)
        (said, partial) = await api.runtime.conversations.messages(session)
        assert (said.content, partial.content, partial.state) == ("go", "half ", "partial")
        await until(
            lambda: (
                not [
                    task
                    for task in asyncio.all_tasks()
                    if "sockets" in repr(task.get_coro()) or "turns" in repr(task.get_coro())
                ]
            )
        )


@pytest.mark.deep
async def test_a_closing_host_says_so(open_api: OpenApi, served: Served, clock: StepClock) -> None:
    async with open_api(["half ", Gate(asyncio.Event())]) as api:
        app = create_app(api.runtime, local=True)
        traffic = Traffic(protect(app, home=api.runtime.home, clock=clock, tcp=False))
        async with served(traffic) as url:
            path = url.replace("http://", "ws://") + "/v1/agents/kyra/ws"
            async with connect(path) as socket:
                await send(socket, "message", content="go")
                await up_to(socket, "text_delta")
                await traffic.end()
                assert (await heard(socket))["error"] == "host_closed"
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
        await until_idle(api)
        assert api.model.closed_early == 1


async def test_an_approval_is_answered_on_its_own_socket_only(open_api: OpenApi) -> None:
    fetch = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/x"})
    async with open_api([fetch], "told") as api, talking(api) as socket, talking(api) as other:
        await send(socket, "message", content="look it up")
        asked = (await up_to(socket, "approval"))[-1]
        await send(other, "approval", id=asked["id"], choice="always")
        assert (await heard(other))["error"] == "not_found"
        await send(socket, "approval", id=asked["id"], choice="once")
        answered = (await up_to(socket, "approval_answered"))[-1]
        assert (answered["choice"], answered["by"]) == ("once", "local")
        assert (await up_to(socket, "done"))[-1]["content"] == "told"
        assert await api.runtime.approvals.rules() == []


async def test_who_does_not_answer_approvals_says_so(open_api: OpenApi) -> None:
    fetch = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/x"})
    async with open_api([fetch], "told") as api, talking(api) as socket:
        assert (await exchange(socket, "look", interactive=False))["content"] == "told"


async def test_what_memory_does_is_told(open_api: OpenApi) -> None:
    async with open_api("Noted.", "Blue.") as api, talking(api) as socket:
        await send(socket, "message", content="Remember that the release branch is called blue")
        frames = await up_to(socket, "done")
        assert (
            "branch is called blue" in next(f for f in frames if f["type"] == "memory")["content"]
        )
        async with talking(api) as another:
            await send(another, "message", content="what is the release branch called?")
            frames = await up_to(another, "done")
            assert next(f for f in frames if f["type"] == "memory_context")["count"] >= 1


async def test_a_failed_turn_is_an_error_frame_and_the_next_one_runs(open_api: OpenApi) -> None:
    async with (
        open_api(["so far ", ModelUnavailable("gone")], "back") as api,
        talking(api) as socket,
    ):
        failed = await exchange(socket, "go")
        assert (failed["error"], failed["details"]["content"]) == ("model_unavailable", "so far ")
        assert (await exchange(socket, ""))["error"] == "usage_error"
        assert (await exchange(socket, "x", conversation_id="nowhere"))["error"] == "not_found"
        assert (await exchange(socket, "go on"))["content"] == "back"


async def test_an_unknown_agent_or_conversation_is_refused_at_the_door(open_api: OpenApi) -> None:
    async with open_api() as api:
        for slug, query in (("kira", ""), ("kyra", "?conversation_id=nowhere")):
            with pytest.raises(InvalidStatus) as refused:
                async with talking(api, slug, query):
                    pass
            assert refused.value.response.status_code == 404
            told = json.loads(refused.value.response.body)
            assert told["error"] == "not_found"


async def test_over_tcp_a_socket_takes_a_key_that_still_holds(
    open_api: OpenApi, served: Served, clock: StepClock
) -> None:
    async with open_api("hello", "never") as api:
        ring = KeyRing(keys_file(api.runtime.home.root), clock)
        key, secret = ring.create("talker", ["chat"])
        _, reader = ring.create("reader", ["read"])
        app = create_app(api.runtime, local=False)
        async with served(protect(app, home=api.runtime.home, clock=clock, tcp=True)) as url:
            path = url.replace("http://", "ws://") + "/v1/agents/kyra/ws"
            for headers, status in ({}, 401), ({"Authorization": f"Bearer {reader}"}, 403):
                with pytest.raises(InvalidStatus) as refused:
                    async with connect(path, additional_headers=headers):
                        pass
                assert refused.value.response.status_code == status
            protocols = [Subprotocol("ska.v1"), Subprotocol(f"bearer.{secret}")]
            async with connect(path, subprotocols=protocols) as socket:
                assert socket.subprotocol == "ska.v1"
                assert (await exchange(socket, "hi"))["content"] == "hello"
                ring.revoke(key.id)
                assert (await exchange(socket, "still me"))["error"] == "unauthorized"
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
