"""A mutation with a key is done once, however often and however fast it is asked for."""

import asyncio
import json
from itertools import product

import httpx
import pytest
from api_home import OpenApi, until_idle
from fakes import obliging

from skill_agent.identifiers import new_id

NO_KEYS = (
    "", "x", "1", "0" * 64, "01a1fec3-485c-7cd8-9f0b", "{01a1fec3-485c-7cd8-9f0b-6b0d5f6c7d8e}",
)  # fmt: skip


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_a_turn_runs_once(open_api: OpenApi) -> None:
    async with open_api(*[obliging] * 100) as api:
        key, body = new_id(), {"text": "@kyra hello"}

        async def asked(text: str = "@kyra hello") -> httpx.Response:
            return await api.http.post("/v1/turns", json={"text": text}, headers=keyed(key))

        answers = await asyncio.gather(*(asked() for _ in range(8)))
        assert {one.status_code for one in answers} == {202}
        assert len({one.text for one in answers}) == 1
        assert answers[0].json()["turn"] == key
        await until_idle(api)
        assert (await asked()).json() == answers[0].json()
        assert (await asked("@kyra something else")).status_code == 409
        upper = await api.http.post("/v1/turns", json=body, headers=keyed(key.upper()))
        assert upper.json()["turn"] == key
        (session,) = await api.runtime.conversations.list()
        said = await api.runtime.conversations.messages(session.id)
        assert [one.role for one in said] == ["user", "assistant"]
        assert len(api.model.requests) == 1


async def test_a_memory_is_kept_once(open_api: OpenApi) -> None:
    async with open_api() as api:
        key = new_id()

        async def added(content: str = "I like tea") -> httpx.Response:
            body = {"content": content}
            return await api.http.post("/v1/memories", json=body, headers=keyed(key))

        answers = await asyncio.gather(*(added() for _ in range(8)))
        assert {one.status_code for one in answers} == {201}
        assert {one.json()["id"] for one in answers} == {key}
        other = await added("I like coffee")
        assert (other.status_code, other.json()["details"]["kind"]) == (409, "Conflict")
        (kept,) = await api.runtime.memory.list()
        assert kept.content == "I like tea"
        assert len(await api.runtime.memory.log(key)) == 1


@pytest.mark.parametrize("path", ["/v1/agents/kyra/chat", "/v1/agents/kyra/chat/stream"])
async def test_a_chat_is_answered_once(open_api: OpenApi, path: str) -> None:
    async with open_api(*[obliging] * 100) as api:
        key = new_id()

        async def asked(content: str = "hello") -> httpx.Response:
            return await api.http.post(path, json={"content": content}, headers=keyed(key))

        answers = await asyncio.gather(*(asked() for _ in range(5)))
        assert {one.status_code for one in answers} == {200}
        assert all("All right." in _text(one) for one in (*answers, await asked()))
        assert (await asked("something else")).status_code == 409
        assert len(await api.runtime.conversations.list()) == 1
        assert len(api.model.requests) == 1


def _text(answer: httpx.Response) -> str:
    """The reply, also where it came in pieces."""
    if answer.headers["content-type"].startswith("application/json"):
        return answer.json()["content"]
    lines = answer.text.splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return "".join(one["content"] for one in map(json.loads, data) if one["type"] == "text_delta")


async def test_keys_that_are_none(open_api: OpenApi) -> None:
    bodies = {
        "/v1/turns": {"text": "@kyra hello"},
        "/v1/memories": {"content": "I like tea"},
        "/v1/agents/kyra/chat": {"content": "hello"},
        "/v1/agents/kyra/chat/stream": {"content": "hello"},
    }
    async with open_api(*[obliging] * 10) as api:
        for key, (path, body) in product(NO_KEYS, bodies.items()):
            answer = await api.http.post(path, json=body, headers=keyed(key))
            assert answer.status_code == 422, (key, path, answer.text)
        assert not await api.runtime.conversations.list()
        assert not await api.runtime.memory.list()


async def test_keys_of_turns_and_memories_do_not_meet(open_api: OpenApi) -> None:
    async with open_api(*[obliging] * 10) as api:
        key = new_id()
        for path, body, status in (
            ("/v1/turns", {"text": "@kyra hello"}, 202),
            ("/v1/memories", {"content": "I like tea"}, 201),
        ):
            answer = await api.http.post(path, json=body, headers=keyed(key))
            assert answer.status_code == status
