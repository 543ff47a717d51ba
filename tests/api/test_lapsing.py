"""A stream ends with the credential it was asked with: revoked, run out, narrowed, lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from api_home import Present, Served, frames, until
from fakes import OpenRuntime
from guarded import StillClock
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from skill_agent.access.keys import KeyRing, keys_file
from skill_agent.api.door.protect import protect
from skill_agent.api.door.traffic import AsgiApp
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import Gate, ScriptedModel, Step

STREAM = "/v1/agents/kyra/chat/stream"
SOON_S = 10
"""What must happen within 15 seconds of real time is looked for every 20 ms here."""


class Open:
    """A served home, and a key that is about to lapse."""

    def __init__(self, url: str, runtime: Runtime, clock: StillClock) -> None:
        self.url, self.runtime, self.clock = url, runtime, clock
        self.ring = KeyRing(keys_file(runtime.home.root), clock)

    def revoke(self, key: str) -> None:
        found = self.ring.matching(key)
        assert found is not None
        self.ring.revoke(found.id)

    def client(self, credential: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {credential}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=SOON_S)


@asynccontextmanager
async def opened(
    runtime: Runtime, served: Served, present: Present, app: AsgiApp
) -> AsyncIterator[Open]:
    clock = StillClock()
    present.station = runtime
    guarded = protect(app, home=runtime.home, clock=clock, tcp=True, look_s=0.02)
    async with served(guarded) as url:
        yield Open(url, runtime, clock)
    await guarded.close()


def hold() -> tuple[Gate, list[Step]]:
    gate = Gate(asyncio.Event())
    return gate, ["so ", gate, "far"]


async def told_events(response: httpx.Response) -> list[tuple[str, Any]]:
    """Every event until the stream ends."""
    found: list[tuple[str, Any]] = []
    kind = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((kind, json.loads(line.removeprefix("data: "))))
    return found


@pytest.mark.parametrize("way", ["revoked", "expired", "token", "narrowed", "lost"])
async def test_the_stream_of_events_ends_with_its_credential(
    open_runtime: OpenRuntime, served: Served, present: Present, outer_app: AsgiApp, way: str
) -> None:
    async with (
        open_runtime(ScriptedModel(["never told"])) as runtime,
        opened(runtime, served, present, outer_app) as place,
    ):
        span = timedelta(hours=1) if way == "expired" else None
        made, credential = place.ring.create("k", ["read", "chat"], span)
        if way == "token":
            async with place.client(credential) as client:
                answer = await client.post("/v1/auth/token", json={"scopes": ["read"]})
                credential = answer.json()["access_token"]
        async with (
            place.client(credential) as client,
            client.stream("GET", "/v1/events") as response,
        ):
            lines = response.aiter_lines()
            assert await anext(lines) == ": here"
            await until(lambda: place.ring.get(made.id).last_used)  # or it is written later
            match way:
                case "revoked":
                    place.ring.revoke(made.id)
                case "narrowed":
                    text = place.ring.file.read_text()
                    place.ring.file.write_text(text.replace('"read",', ""))
                case "lost":
                    place.ring.file.unlink()
                case _:
                    place.clock.advance(hours=1)
            _ = [event async for event in runtime.ask("what only the owner says")]
            rest = "\n".join([line async for line in lines])
        assert "what only" not in rest and "turn_started" not in rest
        assert rest.count("event: error") == 1
        said = json.loads(rest.partition("data: ")[2].splitlines()[0])
        wanted = "forbidden" if way == "narrowed" else "unauthorized"
        assert (said["type"], said["error"]) == ("error", wanted)
        assert said["message"] and said["request_id"]


async def test_a_silent_stream_ends_too(
    open_runtime: OpenRuntime, served: Served, present: Present, outer_app: AsgiApp
) -> None:
    async with (
        open_runtime(ScriptedModel([])) as runtime,
        opened(runtime, served, present, outer_app) as place,
    ):
        _, key = place.ring.create("k", ["read"])
        async with place.client(key) as client, client.stream("GET", "/v1/events") as response:
            place.revoke(key)
            async with asyncio.timeout(SOON_S):
                told = await told_events(response)
        assert [kind for kind, _ in told] == ["error"]
        assert told[0][1]["message"] == "this API key is revoked"


async def test_the_reply_being_made_ends_and_its_turn_is_stopped(
    open_runtime: OpenRuntime, served: Served, present: Present, outer_app: AsgiApp
) -> None:
    _, reply = hold()
    async with (
        open_runtime(ScriptedModel([reply])) as runtime,
        opened(runtime, served, present, outer_app) as place,
    ):
        _, key = place.ring.create("k", ["chat"])
        async with (
            place.client(key) as client,
            client.stream("POST", STREAM, json={"content": "go"}) as response,
        ):
            told = frames(response)
            while (await anext(told))["type"] != "text_delta":
                pass
            place.revoke(key)
            last = [one async for one in told][-1]
        assert (last["type"], last["error"]) == ("error", "unauthorized")
        assert last["message"] == "this API key is revoked"
        await until(lambda: not runtime._turns._board.running)
        (turn,) = await runtime.turns.list()
        assert (turn.state, turn.reason, turn.text) == ("failed", "cancelled", "so ")


async def test_a_turn_with_a_key_of_its_own_goes_on_as_when_its_caller_hangs_up(
    open_runtime: OpenRuntime, served: Served, present: Present, outer_app: AsgiApp
) -> None:
    gate, reply = hold()
    async with (
        open_runtime(ScriptedModel([reply])) as runtime,
        opened(runtime, served, present, outer_app) as place,
    ):
        _, key = place.ring.create("k", ["chat"])
        once = {"Idempotency-Key": "0191f0a0-0000-7000-8000-000000000001"}
        async with (
            place.client(key) as client,
            client.stream("POST", STREAM, json={"content": "go"}, headers=once) as response,
        ):
            told = frames(response)
            while (await anext(told))["type"] != "text_delta":
                pass
            place.revoke(key)
            assert [one async for one in told][-1]["error"] == "unauthorized"
        gate.event.set()
        await until(lambda: not runtime._turns._board.running)
        assert (await runtime.turns.get(once["Idempotency-Key"])).text == "so far"


async def test_a_stream_for_clients_of_openai_ends_in_their_words(
    open_runtime: OpenRuntime, served: Served, present: Present, outer_app: AsgiApp
) -> None:
    _, reply = hold()
    async with (
        open_runtime(ScriptedModel([reply])) as runtime,
        opened(runtime, served, present, outer_app) as place,
    ):
        _, key = place.ring.create("k", ["chat"])
        body = {"model": "kyra", "stream": True, "messages": [{"role": "user", "content": "go"}]}
        async with (
            place.client(key) as client,
            client.stream("POST", "/v1/chat/completions", json=body) as response,
        ):
            lines = response.aiter_lines()
            while "so " not in await anext(lines):
                pass
            place.revoke(key)
            rest = [line async for line in lines if line]
        said = json.loads(rest[-1].removeprefix("data: "))
        assert said["error"]["message"] == "this API key is revoked"
        assert "[DONE]" not in "".join(rest)
        await until(lambda: not runtime._turns._board.running)


async def test_who_waits_for_a_whole_reply_is_told(
    open_runtime: OpenRuntime, served: Served, present: Present, outer_app: AsgiApp
) -> None:
    _, reply = hold()
    async with (
        open_runtime(ScriptedModel([reply])) as runtime,
        opened(runtime, served, present, outer_app) as place,
    ):
        _, key = place.ring.create("k", ["chat"])
        async with place.client(key) as client:
            waiting = asyncio.create_task(
                client.post(STREAM.removesuffix("/stream"), json={"content": "go"})
            )
            await until(lambda: runtime._turns._board.running)
            place.revoke(key)
            answer = await waiting
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
        await until(lambda: not runtime._turns._board.running)


async def test_a_silent_websocket_is_closed_and_says_why(
    open_runtime: OpenRuntime, served: Served, present: Present, outer_app: AsgiApp
) -> None:
    _, reply = hold()
    async with (
        open_runtime(ScriptedModel([reply])) as runtime,
        opened(runtime, served, present, outer_app) as place,
    ):
        _, key = place.ring.create("k", ["chat"])
        url = place.url.replace("http://", "ws://") + "/v1/agents/kyra/ws"
        async with connect(url, additional_headers={"X-API-Key": key}) as socket:
            await socket.send(json.dumps({"type": "message", "content": "go"}))
            while json.loads(await socket.recv())["type"] != "text_delta":
                pass
            place.revoke(key)
            async with asyncio.timeout(SOON_S):
                told = json.loads(await socket.recv())
                assert (told["type"], told["error"]) == ("error", "unauthorized")
                with pytest.raises(ConnectionClosedError) as closed:
                    await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, told["message"])
        await until(lambda: not runtime._turns._board.running)


async def test_other_keys_and_the_owners_streams_go_on(
    open_runtime: OpenRuntime, served: Served, present: Present, outer_app: AsgiApp
) -> None:
    async with (
        open_runtime(ScriptedModel(["hello"])) as runtime,
        opened(runtime, served, present, outer_app) as place,
    ):
        _, gone = place.ring.create("k", ["read"])
        _, stays = place.ring.create("k", ["read"])
        async with (
            place.client(stays) as client,
            place.client(gone) as other,
            client.stream("GET", "/v1/events") as response,
        ):
            place.revoke(gone)
            assert (await other.get("/v1/counts")).status_code == 401
            _ = [event async for event in runtime.ask("hi")]
            lines = response.aiter_lines()
            while "turn_finished" not in await anext(lines):
                pass
