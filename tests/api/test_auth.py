"""Who gets in over TCP, with what, and who does not."""

import asyncio
import json
import logging

import httpx
import jwt
import pytest
from guarded import Place, on_a_port
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.typing import Subprotocol

from skill_agent.api.door.auth import Caller, credential_of
from skill_agent.api.door.refusals import Refusal
from skill_agent.api.door.rules import rules_from
from skill_agent.files.home import Home
from skill_agent.workstation import Route


@pytest.fixture
def place(home: Home) -> Place:
    return Place(home)


def refused(answer: httpx.Response, status: int, error: str) -> dict:
    """The refusal's details, once its whole shape was looked at."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"error", "message", "details", "request_id"}
    assert body["error"] == error
    assert body["message"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body["details"]


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def test_a_key_in_either_header(place: Place) -> None:
    key = place.key("read", "chat")
    async with place.client() as client:
        for headers in (bearer(key), {"Authorization": f"bearer  {key} "}, {"X-API-Key": key}):
            answer = await client.get("/v1/memories", headers=headers)
            assert answer.status_code == 200
            assert answer.json()["scopes"] == ["chat", "read"]
            assert answer.json()["local"] is False


async def test_without_a_key(place: Place) -> None:
    async with place.client() as client:
        for path in ("/v1/memories", "/v1/nothing", "/docs", "/openapi.json", "/"):
            answer = await client.get(path)
            assert "hint" in refused(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer"},
        {"Authorization": ""},
        {"X-API-Key": ""},
        bearer("ska_" + "0" * 64),
        bearer("ska_short"),
        bearer("a.b.c"),
        {"X-API-Key": "x" * 5000},
    ],
)
async def test_wrong_credentials(place: Place, headers: dict[str, str]) -> None:
    place.key("admin")
    async with place.client() as client:
        answer = await client.get("/v1/memories", headers=headers)
        refused(answer, 401, "unauthorized")
        assert "www-authenticate" in answer.headers


async def test_two_different_credentials_are_none(place: Place) -> None:
    key, other = place.key("read"), place.key("admin")
    async with place.client(key) as client:
        same = await client.get("/v1/memories", headers={"X-API-Key": key})
        assert same.status_code == 200
        refused(await client.get("/v1/memories", headers={"X-API-Key": other}), 401, "unauthorized")


async def test_a_key_in_the_query_is_not_looked_at(place: Place) -> None:
    key = place.key("admin")
    async with place.client() as client:
        for name in ("api_key", "token", "access_token", "key", "X-API-Key"):
            refused(await client.get("/v1/memories", params={name: key}), 401, "unauthorized")


async def test_expired_and_revoked(place: Place) -> None:
    short, ended = place.key("read", days=1), place.key("read", name="ended")
    async with place.client() as client:
        assert (await client.get("/v1/memories", headers=bearer(ended))).status_code == 200
        place.keys.revoke(place.keys.listed()[1].id)
        answer = await client.get("/v1/memories", headers=bearer(ended))
        refused(answer, 401, "unauthorized")
        assert "revoked" in answer.json()["message"]
        place.clock.advance(days=1)
        answer = await client.get("/v1/memories", headers=bearer(short))
        refused(answer, 401, "unauthorized")
        assert "expired" in answer.json()["message"]


async def test_scopes(place: Place) -> None:
    async with place.client(place.key("read")) as client:
        assert (await client.get("/v1/memories")).status_code == 200
        answer = await client.post("/v1/memories", json={"text": "x"})
        assert refused(answer, 403, "forbidden")["scope"] == "memory"
        assert 'scope="memory"' in answer.headers["www-authenticate"]
    async with place.client(place.key("memory")) as client:
        assert (await client.post("/v1/memories", json={"text": "x"})).status_code == 200
        refused(await client.get("/v1/memories"), 403, "forbidden")
    async with place.client(place.key("admin")) as client:
        for path in ("/v1/memories", "/v1/turns"):
            assert (await client.post(path, json={"text": "x"})).status_code == 200


async def test_a_table_of_routes_refuses_before_the_body(place: Place) -> None:
    rules = rules_from(
        [
            Route(verb="POST", path="/v1/raw", scope="memory"),
            Route(verb="GET", path="/v1/memories/{memory_id}", scope="admin", limit="search"),
        ]
    )
    read: list[str] = []

    async def body():
        read.append("begun")
        yield b"x"

    async with place.client(place.key("chat"), rules=rules) as client:
        answer = await client.post("/v1/raw", content=body())
        assert refused(answer, 403, "forbidden")["scope"] == "memory"
        answer = await client.get("/v1/memories/an-id%2Fwith")
        assert answer.status_code == 404
        answer = await client.get("/v1/memories/an-id")
        assert refused(answer, 403, "forbidden")["scope"] == "admin"
        assert answer.headers["x-ratelimit-limit"] == "30"
    assert (read, place.app.read) == ([], 0)


def test_the_table_of_the_product() -> None:
    table = [
        Route(verb="POST", path="/v1/turns", scope="chat", limit="chat"),
        Route(verb="GET", path="/v1/memories/status", scope="read"),
        Route(verb="GET", path="/v1/memories/{memory_id}", scope="admin"),
    ]
    rules = rules_from(table, bodies={"/v1/memories/import": 99})
    assert rules.scope("GET", "/v1/memories/status") == "read"
    assert rules.scope("HEAD", "/v1/memories/x.y") == "admin"
    assert rules.scope("GET", "/v1/memories/") is None
    assert rules.scope("DELETE", "/v1/memories/x") is None
    assert rules.limit("POST", "/v1/turns") == "chat"
    assert rules.body("POST", "/v1/memories/import") == 99
    assert rules.body("POST", "/v1/turns") == 10 * 1024 * 1024


# -- tokens ----------------------------------------------------------------------------------


async def token_of(client: httpx.AsyncClient, key: str, **body: object) -> str:
    answer = await client.post("/v1/auth/token", headers=bearer(key), json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


async def test_a_token_for_a_key(place: Place) -> None:
    key = place.key("read", "chat")
    async with place.client() as client:
        answer = await client.post("/v1/auth/token", headers=bearer(key))
        body = answer.json()
        assert body.keys() == {"access_token", "token_type", "expires_in", "scopes"}
        assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)
        assert sorted(body["scopes"]) == ["chat", "read"]
        assert answer.headers["cache-control"] == "no-store"
        token = body["access_token"]
        said = (await client.get("/v1/memories", headers=bearer(token))).json()
        assert said["caller"] == place.keys.listed()[0].id
        place.clock.advance(minutes=30)
        refused(await client.get("/v1/memories", headers=bearer(token)), 401, "unauthorized")


async def test_a_token_may_be_narrower_never_wider(place: Place) -> None:
    key = place.key("read", "chat")
    async with place.client() as client:
        token = await token_of(client, key, scopes=["read"])
        assert (await client.get("/v1/memories", headers=bearer(token))).status_code == 200
        answer = await client.post("/v1/turns", headers=bearer(token), json={"text": "x"})
        refused(answer, 403, "forbidden")
        answer = await client.post(
            "/v1/auth/token", headers=bearer(key), json={"scopes": ["admin"]}
        )
        assert refused(answer, 403, "forbidden")["scope"] == "admin"


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"\xff", b'{"scopes": "read"}', b'{"scopes": []}', b'{"scopes": ["raed"]}',
     b'{"scopes": [1]}', b'{"lifetime": 9}', b"[" * 9000],
)  # fmt: skip
async def test_malformed_wishes_for_a_token(place: Place, body: bytes) -> None:
    async with place.client(place.key("read")) as client:
        answer = await client.post("/v1/auth/token", content=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"] in ("malformed_json", "invalid_request")


async def test_a_token_makes_no_token(place: Place) -> None:
    async with place.client() as client:
        token = await token_of(client, place.key("read"))
        refused(await client.post("/v1/auth/token", headers=bearer(token)), 401, "unauthorized")
        answer = await client.get("/v1/auth/token", headers=bearer(place.key("read")))
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "POST"
        refused(await client.post("/v1/auth/token", content=b"x" * 20_000), 401, "unauthorized")


async def test_a_tokens_key_ends_it(place: Place) -> None:
    async with place.client() as client:
        token = await token_of(client, place.key("read"))
        place.keys.revoke(place.keys.listed()[0].id)
        refused(await client.get("/v1/memories", headers=bearer(token)), 401, "unauthorized")
        short = await token_of(client, place.key("read", minutes=10))
        place.clock.advance(minutes=10)
        refused(await client.get("/v1/memories", headers=bearer(short)), 401, "unauthorized")
        lost = await token_of(client, place.key("read"))
        await place.settled()
        place.keys.file.unlink()
        refused(await client.get("/v1/memories", headers=bearer(lost)), 401, "unauthorized")


async def test_an_unsigned_token(place: Place) -> None:
    async with place.client() as client:
        token = await token_of(client, place.key("read"))
        claims = jwt.decode(token, options={"verify_signature": False})
        head = {"kid": jwt.get_unverified_header(token)["kid"]}
        forged = jwt.encode({**claims, "scopes": ["admin"]}, "", "none", headers=head)
        refused(await client.get("/v1/memories", headers=bearer(forged)), 401, "unauthorized")


# -- damage ----------------------------------------------------------------------------------


async def test_a_damaged_file_lets_nobody_in(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    key = place.key("admin")
    async with place.client(key) as client:
        token = await token_of(client, key)
        await place.settled()
        place.keys.file.write_text("{")
        with caplog.at_level(logging.ERROR, "skill_agent.api"):
            for text in (key, token):
                answer = await client.get("/v1/memories", headers=bearer(text))
                refused(answer, 503, "keys_unreadable")
                assert str(place.home.root) not in answer.text
        assert sum(str(place.keys.file) in line for line in caplog.messages) == 1


async def test_damaged_signing_keys_leave_api_keys_good(place: Place) -> None:
    key = place.key("read")
    async with place.client(key) as client:
        token = await token_of(client, key)
        (place.home.root / "signing-keys.json").write_text("no")
        refused(await client.get("/v1/memories", headers=bearer(token)), 503, "keys_unreadable")
        refused(await client.post("/v1/auth/token"), 503, "keys_unreadable")
        assert (await client.get("/v1/memories")).status_code == 200


async def test_last_use_is_noted_once_a_minute(place: Place) -> None:
    key = place.key("read")
    seen = []
    async with place.client(key) as client:
        for _ in range(5):
            await client.get("/v1/memories")
            await place.settled()
            seen.append(place.keys.listed()[0].last_used)
            place.clock.advance(seconds=30)
    first = seen[0]
    assert first is not None
    assert [(used - first).total_seconds() for used in seen if used] == [0, 0, 60, 60, 120]


async def test_use_that_cannot_be_noted_stops_nobody(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    key = place.key("read")
    lock = place.keys.file.with_name(f".{place.keys.file.name}.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with caplog.at_level(logging.WARNING, "skill_agent.api"):
        async with place.client(key) as client:
            assert (await client.get("/v1/memories")).status_code == 200
    assert "was not noted" in caplog.text


async def test_no_secret_in_any_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    key = place.key("read", "chat")
    with caplog.at_level(logging.DEBUG):
        async with place.client() as client:
            token = await token_of(client, key)
            for text in (key, token, "ska_" + "1" * 64):
                await client.get(f"/v1/memories?token={text}", headers=bearer(text))
                await client.get(f"/v1/{text}", headers=bearer(text))
                await client.get("/v1/broken", headers=bearer(text))
    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith("skill_agent")
    )
    assert "GET /v1/memories" in ours
    for text in (key, token, "1" * 64, "token="):
        assert text not in ours


# -- WebSockets ------------------------------------------------------------------------------


async def test_a_websocket_by_header_or_subprotocol(place: Place) -> None:
    key = place.key("chat")
    async with on_a_port(place.protected()) as port:
        url = f"ws://127.0.0.1:{port}/v1/socket"
        async with connect(url, additional_headers=bearer(key)) as socket:
            await socket.send("hello")
            assert str(await socket.recv()).endswith("hello")
            assert socket.response is not None
            assert socket.response.headers["x-ratelimit-limit"] == "300"
            assert "x-request-id" in socket.response.headers
        offered = [Subprotocol("ska.v1"), Subprotocol(f"bearer.{key}")]
        async with connect(url, subprotocols=offered) as socket:
            assert socket.subprotocol == "ska.v1"
            place.keys.revoke(place.keys.listed()[0].id)
            await socket.send("still there?")
            told = json.loads(await socket.recv())
            assert (told["type"], told["error"]) == ("error", "unauthorized")
            assert told["message"] == "this API key is revoked"
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, told["message"])


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [("", {}, 401), ("?token={key}", {}, 401), ("", bearer("ska_" + "2" * 64), 401),
     ("", {"X-API-Key": "{reader}"}, 403)],
)  # fmt: skip
async def test_a_websocket_refused_at_the_door(
    place: Place, query: str, headers: dict[str, str], status: int
) -> None:
    known = {"key": place.key("admin"), "reader": place.key("read")}
    rules = rules_from([])
    async with on_a_port(place.protected(rules=rules)) as port:
        url = f"ws://127.0.0.1:{port}/v1/socket{query.format(**known)}"
        sent = {name: value.format(**known) for name, value in headers.items()}
        with pytest.raises(InvalidStatus) as error:
            async with connect(url, additional_headers=sent):
                pass
        answer = error.value.response
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert json.loads(answer.body or b"").keys() >= {"error", "request_id"}


# -- the other listeners ---------------------------------------------------------------------


async def test_the_homes_own_socket_asks_for_nothing(place: Place) -> None:
    async with place.client(tcp=False) as client:
        answers = await asyncio.gather(*(client.get("/v1/memories") for _ in range(310)))
        assert {answer.status_code for answer in answers} == {200}
        assert answers[0].json()["local"] is True
        assert not any(name.startswith("x-ratelimit") for name in answers[0].headers)
        assert (await client.post("/v1/auth/token")).status_code == 404


async def test_tcp_without_authentication(place: Place) -> None:
    async with place.client(auth=False) as client:
        said = (await client.get("/v1/memories")).json()
        assert (said["caller"], said["local"]) == ("open", False)
        assert (await client.post("/v1/memories", json={"text": "x"})).status_code == 200


def test_callers() -> None:
    assert Caller("a", "a", frozenset({"admin"})).may("chat")
    assert not Caller("a", "a", frozenset({"chat"})).may("read")


def test_credentials_come_one_at_a_time() -> None:
    headers = [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]
    with pytest.raises(Refusal):
        credential_of({"type": "http", "headers": headers})
