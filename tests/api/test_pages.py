"""Pages of every listing: each item once and in order, whatever comes and goes meanwhile."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from api_home import Api, OpenApi
from fakes import obliging

from skill_agent.api.app import create_app
from skill_agent.values import NewMemory
from skill_agent.workstation import table

LISTINGS = [one for one in table() if one.route.verb == "GET"]
Change = Callable[[int], Awaitable[object]]


@pytest.fixture(scope="module")
def documents() -> dict[bool, Any]:
    """OpenAPI by whether it is the own socket's."""
    return {local: create_app(None, local=local).openapi() for local in (False, True)}  # type: ignore[arg-type]


def cursor(*position: object) -> str:
    return urlsafe_b64encode(json.dumps(position).encode()).decode()


async def walked(
    http: httpx.AsyncClient, path: str, *, limit: int, between: Change | None = None, **wanted: Any
) -> list[dict[str, Any]]:
    """Every item, page by page."""
    items: list[dict[str, Any]] = []
    at: dict[str, str] = {}
    for number in range(200):
        answer = await http.get(path, params={**wanted, **at, "limit": limit})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        assert page["has_more"] is (page["cursor"] is not None)
        items += page["items"]
        if not page["has_more"]:
            return items
        at = {"cursor": page["cursor"]}
        if between is not None:
            await between(number)
    raise AssertionError("there is no end")


async def filled(api: Api) -> None:
    for number in range(7):
        await api.runtime.memory.add(
            NewMemory(f"Number {number} is a fine number", subject="user.number")
        )
        async for _ in api.runtime.ask(f"@kyra number {number}"):
            pass


@pytest.mark.deep
async def test_memories_come_once_while_others_come_and_go(open_api: OpenApi) -> None:
    async with open_api(*[obliging] * 100) as api:
        await filled(api)
        book = api.runtime.memory
        before = [one.id for one in await book.list()]
        doomed = [await book.add(f"Passing thing {number}") for number in range(2)]

        async def change(number: int) -> None:
            await book.add(f"New thing {number}")
            if number < len(doomed):
                await book.forget(doomed[number].id)

        found = [
            one["id"] for one in await walked(api.http, "/v1/memories", limit=2, between=change)
        ]
        assert [one for one in found if one in before] == before
        assert len(found) == len(set(found)) <= len(before) + len(doomed)


async def test_conversations_come_once_while_others_come_and_go(open_api: OpenApi) -> None:
    async with open_api(*[obliging] * 100) as api:
        await filled(api)
        before = [one.id for one in await api.runtime.conversations.list()]
        assert len(before) == 7

        async def change(number: int) -> None:
            async for _ in api.runtime.ask(f"@kyra something new {number}"):
                pass
            if number == 0:  # the one this page ended with
                await api.runtime.conversations.delete(before[1])

        found = await walked(api.http, "/v1/conversations", limit=2, between=change)
        assert [one["id"] for one in found] == before


async def test_messages_come_once_while_more_are_said(open_api: OpenApi) -> None:
    async with open_api(*[obliging] * 100) as api:
        session = None
        for number in range(5):
            async for event in api.runtime.ask(f"@kyra {number}", session=session):
                session = event.session

        async def change(number: int) -> None:
            if number < 2:
                async for _ in api.runtime.ask("@kyra more", session=session):
                    pass

        path = f"/v1/conversations/{session}/messages"
        found = await walked(api.http, path, limit=3, between=change)
        assert [one["position"] for one in found] == list(range(14))
        answer = await api.http.get(path, params={"last": 3})
        assert [one["position"] for one in answer.json()["items"]] == [11, 12, 13]
        assert (await api.http.get(path, params={"last": -1})).status_code == 400


@pytest.mark.deep
async def test_the_short_listings(open_api: OpenApi) -> None:
    """Those that are made whole for each page; new items come to an end that was passed already."""
    async with open_api(*[obliging] * 100) as api:
        await filled(api)
        session = (await api.runtime.conversations.list())[0].id
        (memory, *_) = await api.runtime.memory.list()
        for _ in range(4):
            await api.runtime.memory.pin(memory.id)
            await api.runtime.memory.unpin(memory.id)
        await api.runtime.memory.settle()
        await asyncio.gather(
            *(api.runtime.extractions.run(one.id) for one in await api.runtime.conversations.list())
        )
        moments = {"earlier": "2020-01-01T00:00:00Z", "later": "2036-01-01T00:00:00Z"}
        for path, wanted in {
            "/v1/turns": {},
            "/v1/agents": {},
            "/v1/skills": {},
            "/v1/catalogue": {},
            "/v1/extractions": {},
            "/v1/messages": {"text": "number"},
            f"/v1/memories/{memory.id}/log": {},
            "/v1/memories/changes": {"position": 0},
            "/v1/memories/at": {"moment": "2036-01-01T00:00:00Z"},
            "/v1/memories/difference": moments,
            "/v1/memories/disputes": {},
            "/v1/memories/updates": {},
            "/v1/rules": {},
            "/v1/warnings": {},
            f"/v1/conversations/{session}/compactions": {},
        }.items():
            whole = (await api.http.get(path, params={**wanted, "limit": 1_000})).json()["items"]
            assert await walked(api.http, path, limit=1, **wanted) == whole, path
            assert await walked(api.http, path, limit=3, **wanted) == whole, path


async def test_equal_names_are_told_apart() -> None:
    from skill_agent.api.routes.derived import _after, _place_of

    names: list[Any] = ["a", "a", "b", "a", "b"]
    assert [_after(names, _place_of(names, at)) for at in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("operation", LISTINGS, ids=lambda one: one.id)
def test_how_long_a_page_is(documents: dict[bool, Any], operation: Any) -> None:
    for local, most in ((False, 100), (True, 10_000)):
        document = documents[local]
        if operation.route.path not in document["paths"]:
            continue
        told = document["paths"][operation.route.path]["get"]
        limits = [one["schema"] for one in told.get("parameters", ()) if one["name"] == "limit"]
        schema = next(iter(told["responses"].values()))["content"]["application/json"]["schema"]
        assert bool(limits) is ("PageOf" in schema.get("$ref", ""))
        for limit in limits:
            assert (limit["default"], limit["minimum"], limit["maximum"]) == (20, 1, most)


BAD = (
    "x", "%%%", "e30=", cursor(), cursor([]), cursor({}), cursor(None), cursor(10**30),
    cursor("0001-01-01T00:00:00+14:00", "x"), cursor("2026-01-01T00:00:00Z", "\ud800"),
    cursor("2026-01-01T00:00:00Z"), cursor("no", "no"), cursor(1.5, 2), cursor(True),
    urlsafe_b64encode(b"[NaN, 1]").decode(), urlsafe_b64encode(b"[" * 700).decode(),
)  # fmt: skip


@pytest.mark.deep
async def test_cursors_nobody_gave_out_and_those_of_other_listings(open_api: OpenApi) -> None:
    """A cursor of another listing is refused, or means a place; never an error of ours."""
    async with open_api(*[obliging] * 100) as api:
        await filled(api)
        session = (await api.runtime.conversations.list())[0].id
        paths = {
            "/v1/memories": (), "/v1/conversations": (), "/v1/turns": (), "/v1/agents": (),
            f"/v1/conversations/{session}/messages": (),
        }  # fmt: skip
        given = []
        for path in paths:
            page = (await api.http.get(path, params={"limit": 1})).json()
            given.append((path, page["cursor"]))
        for path in paths:
            for bad in BAD:
                answer = await api.http.get(path, params={"cursor": bad})
                assert answer.status_code in (400, 422), (path, bad, answer.text)
            for of, other in given:
                answer = await api.http.get(path, params={"cursor": other})
                assert answer.status_code in ((200,) if of == path else (200, 422))
                if path.split("/")[-1] in ("tasks", "agents", "messages") and of != path:
                    assert answer.status_code == 422
            for limit in ("0", "-1", "10001", "1.5", "x", "", "9" * 30):
                answer = await api.http.get(path, params={"limit": limit})
                assert answer.status_code == 400, (path, limit)
