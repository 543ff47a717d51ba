"""What stands before every request: ids, names, lengths, and answers that give nothing away."""

import asyncio
import json
import logging
from uuid import UUID

import httpx
import pytest
from guarded import SECRET, Place, on_a_port, said_raw
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from skill_agent.api.door.refusals import Refusal, object_of
from skill_agent.api.door.rules import Rules
from skill_agent.errors import UsageError
from skill_agent.files.home import Home

MEGABYTE = 1024 * 1024


@pytest.fixture
def place(home: Home) -> Place:
    return Place(home)


def shaped(answer: httpx.Response, status: int, error: str) -> dict:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"error", "message", "details", "request_id"}
    assert (body["error"], body["request_id"]) == (error, answer.headers["x-request-id"])
    return body


# -- ids and headers -------------------------------------------------------------------------


@pytest.mark.parametrize("tcp", [True, False])
async def test_every_answer_has_an_id_and_is_kept_by_nobody(place: Place, tcp: bool) -> None:
    async with place.client(place.key("read"), tcp=tcp) as client:
        for path in ("/v1/memories", "/v1/nothing", "/v1/broken", "/health"):
            answer = await client.get(path)
            assert UUID(answer.headers["x-request-id"]).version == 7
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert len(answer.headers.get_list("x-request-id")) == 1


@pytest.mark.parametrize(
    ("asked", "echoed"),
    [
        ("a.b-c_9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("<script>", False),
        ("", False),
        ("é", False),
    ],
)
async def test_a_sane_id_is_echoed(place: Place, asked: str, echoed: bool) -> None:
    async with place.client() as client:
        answer = await client.get("/health", headers=[(b"X-Request-ID", asked.encode())])
        assert (answer.headers["x-request-id"] == asked) is echoed


async def test_ids_cannot_split_an_answer(place: Place) -> None:
    async with on_a_port(place.protected()) as port:
        answer = await said_raw(
            port,
            b"GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: a%0d%0aSet-Cookie: b\r\n"
            b"Connection: close\r\n\r\n",
        )
    assert b"200 OK" in answer
    assert b"set-cookie" not in answer.lower()


# -- faults ----------------------------------------------------------------------------------


async def test_the_unexpected_tells_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    async with place.client(place.key("read")) as client:
        with caplog.at_level(logging.ERROR):
            answer = await client.get("/v1/broken", headers={"X-Request-ID": "find-me"})
    body = shaped(answer, 500, "internal_error")
    for told in ("RuntimeError", "Traceback", "luck", ".py", SECRET):
        assert told not in answer.text
    assert body["request_id"] == "find-me"
    assert "find-me" in caplog.text
    assert "RuntimeError: no luck" in caplog.text
    assert SECRET not in caplog.text


async def test_a_server_logs_no_trace_of_its_own(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Authorization": f"Bearer {place.key('read', 'chat')}"}
    async with on_a_port(place.protected()) as port, httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/v1/broken", headers=headers)
        shaped(answer, 500, "internal_error")
        url = f"ws://127.0.0.1:{port}/v1/socket"
        async with connect(url, additional_headers=headers) as socket:
            await socket.send("fall")
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
    await place.settled()
    assert SECRET not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


async def test_what_a_framework_says_in_text_gets_the_shape(place: Place) -> None:
    async with place.client(place.key("read")) as client:
        answer = await client.get("/v1/text")
        body = shaped(answer, 503, "service_unavailable")
        assert SECRET not in json.dumps(body)
        assert answer.headers["retry-after"] == "1"
        shaped(await client.get("/v1/nothing"), 404, "not_found")
        answer = await client.delete("/v1/memories")
        shaped(answer, 405, "method_not_allowed")
        assert "GET" in answer.headers["allow"]


async def test_an_app_without_our_handlers(place: Place) -> None:
    async def fall(request: Request) -> PlainTextResponse:
        match request.path_params["how"]:
            case "refused":
                raise Refusal(409, "busy", "not now")
            case "http":
                raise HTTPException(418, "a teapot")
            case _:
                raise RuntimeError(SECRET)

    app = Starlette(routes=[Route("/{how}", fall)])
    async with place.client(place.key("read"), app=app) as client:
        for how, status, error in (
            ("refused", 409, "conflict"),
            ("http", 418, "i_m_a_teapot"),
            ("other", 500, "internal_error"),
        ):
            answer = await client.get(f"/{how}")
            shaped(answer, status, error)
            assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"text": "\xff"}', "application/json"),
        (b"[" * 200_000, "application/json"),
        (b'{"text": 1}', "application/json"),
        (b"{}", "application/json"),
        (b"text=x", "application/x-www-form-urlencoded"),
        (b"", "application/json"),
    ],
)
async def test_malformed_bodies(place: Place, body: bytes, kind: str) -> None:
    async with place.client(place.key("chat")) as client:
        answer = await client.post("/v1/turns", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"error", "message", "details", "request_id"}


@pytest.mark.parametrize(
    "raw",
    [b"{", b"\xff", b'{"a": "\xff"}', b"[1]", b"1", b"NaN", b"null", b'{"a": "\\ud800"}',
     b"[" * 100_000, b'{"a": 1} x'],
)  # fmt: skip
def test_one_json_object(raw: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        object_of(raw)
    assert (refusal.value.status_code, refusal.value.error) == (400, "malformed_json")
    assert object_of(b" ") == {}
    assert object_of(b'{"a": [1]}') == {"a": [1]}


# -- length ----------------------------------------------------------------------------------


async def test_a_long_body_is_refused_by_its_told_length(place: Place) -> None:
    async with on_a_port(place.protected()) as port:
        key = place.key("chat").encode()
        answer = await said_raw(
            port,
            b"POST /v1/raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: " + key
            + b"\r\nExpect: 100-continue\r\nContent-Length: 10485761\r\n\r\n",
        )  # fmt: skip
        assert answer.startswith(b"HTTP/1.1 413")
        assert b'"too_large"' in answer
        assert b"100 Continue" not in answer
    await place.settled()
    assert place.app.read == 0


@pytest.mark.parametrize("tcp", [True, False])
async def test_a_long_body_without_a_length(place: Place, tcp: bool) -> None:
    sent = 0

    async def pieces():
        nonlocal sent
        for _ in range(40):
            sent += MEGABYTE
            yield b"x" * MEGABYTE

    headers = {"X-API-Key": place.key("chat")}
    async with on_a_port(place.protected(tcp=tcp)) as port, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{port}/v1/raw"
        answer = await client.post(url, content=pieces(), headers=headers)
        shaped(answer, 413, "too_large")
        assert answer.json()["details"]["limit"] == 10 * MEGABYTE
        assert (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200
    assert place.app.read <= 10 * MEGABYTE
    await place.settled()


async def test_a_long_body_for_a_model(place: Place) -> None:
    async def pieces():
        yield b'{"text": "'
        for _ in range(11):
            yield b"x" * MEGABYTE
        yield b'"}'

    async with place.client(place.key("chat")) as client:
        shaped(await client.post("/v1/turns", content=pieces()), 413, "too_large")
        whole = b'{"text": "' + b"x" * (11 * MEGABYTE) + b'"}'
        shaped(await client.post("/v1/turns", content=whole), 413, "too_large")
        fits = b'{"text": "' + b"x" * (9 * MEGABYTE) + b'"}'
        answer = await client.post(
            "/v1/turns", content=fits, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 200


async def test_a_path_may_take_more(place: Place) -> None:
    rules = Rules(body=lambda method, path: 20 if path == "/v1/raw" else 5)
    async with place.client(place.key("chat"), rules=rules) as client:
        assert (await client.post("/v1/raw", content=b"x" * 20)).json() == {"read": 20}
        shaped(await client.post("/v1/raw", content=b"x" * 21), 413, "too_large")
        shaped(await client.post("/v1/turns", content=b"x" * 6), 413, "too_large")


@pytest.mark.parametrize("length", ["-1", "1_0", "+5", "x", "9" * 30])
async def test_lengths_that_are_none(place: Place, length: str) -> None:
    async with place.client(place.key("chat")) as client:
        answer = await client.post("/v1/raw", headers={"Content-Length": length})
        shaped(answer, 400, "bad_length")


# -- paths and names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../../etc/passwd", "/v1/..", "/..", "/v1/%2e%2e/%2e%2e/api-keys.json", "/v1/.%2E/x",
        "/v1/%2e/memories", "/health/../v1/memories", "/v1/memories%00", "/v1/a%0d%0aX:y",
        "/v1/memories/..%2f..%2fetc", "//v1/../memories",
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["", "read"])
async def test_paths_that_climb(place: Place, path: str, key: str) -> None:
    sent = f"X-API-Key: {place.key(key)}\r\n" if key else ""
    async with on_a_port(place.protected()) as port:
        answer = await said_raw(
            port, f"GET {path} HTTP/1.1\r\nHost: x\r\n{sent}Connection: close\r\n\r\n".encode()
        )
    await place.settled()
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'"bad_path"' in answer
    assert b"root:" not in answer


@pytest.mark.parametrize("path", ["/v1/%252e%252e/x", "/v1/...", "/v1//memories", "/V1/MEMORIES"])
async def test_odd_paths_lead_nowhere(place: Place, path: str) -> None:
    async with place.client() as client:
        shaped(await client.get(path), 401, "unauthorized")
    async with place.client(place.key("admin")) as client:
        shaped(await client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LocalHost:8765", 200),
        ("127.0.0.1:8765", 200),
        ("[::1]:8765", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.nip.io", 421),
        ("evil.example:80", 421),
        ("localhost@evil.example", 421),
        ("", 421),
    ],
)
async def test_names_without_authentication(place: Place, host: str, status: int) -> None:
    async with place.client(auth=False) as client:
        answer = await client.get("/v1/memories", headers={"Host": host})
        assert answer.status_code == status
        if status == 421:
            shaped(answer, 421, "misdirected_request")
            assert "x-ratelimit-limit" in answer.headers
    async with place.client(place.key("read")) as client:
        answer = await client.get("/v1/memories", headers={"Host": host or "x"})
        assert answer.status_code == 200


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: evil.example\r\n"])
async def test_one_host_exactly(place: Place, hosts: bytes) -> None:
    async with on_a_port(place.protected(auth=False)) as port:
        answer = await said_raw(
            port, b"GET /health HTTP/1.0\r\n" + hosts + b"Connection: close\r\n\r\n"
        )
    assert b" 400 " in answer.splitlines()[0]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 200),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://localhost.evil.example", 403),
        ("http://localhost:99", 403),
        ("https://page.example", 200),
    ],
)
async def test_pages_of_other_sites(place: Place, origin: str, status: int) -> None:
    cors = ("https://page.example",)
    async with place.client(auth=False, cors=cors) as client:
        answer = await client.post("/v1/turns", json={"text": "x"}, headers={"Origin": origin})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("site", "origin", "open_to_all", "with_key"),
    [
        ("cross-site", "", 403, 403),
        ("same-site", "", 403, 200),
        ("same-origin", "", 200, 200),
        ("none", "", 200, 200),
        ("cross-site", "https://page.example", 200, 200),
        ("same-site", "https://page.example", 200, 200),
        ("same-origin", "http://localhost", 200, 200),
    ],
)
async def test_a_page_elsewhere_that_names_no_origin(
    place: Place, site: str, origin: str, open_to_all: int, with_key: int
) -> None:
    """A link or an image of another page sends a GET without one."""
    cors = ("https://page.example",)
    headers = {"Sec-Fetch-Site": site} | ({"Origin": origin} if origin else {})
    async with place.client(auth=False, cors=cors) as client:
        answer = await client.get("/v1/memories", headers=headers)
        assert answer.status_code == open_to_all
        if open_to_all == 403:
            shaped(answer, 403, "foreign_origin")
    async with place.client(place.key("read"), cors=cors) as client:
        assert (await client.get("/v1/memories", headers=headers)).status_code == with_key


async def test_a_page_elsewhere_opens_no_websocket(place: Place) -> None:
    async with on_a_port(place.protected(auth=False)) as port:
        url = f"ws://127.0.0.1:{port}/v1/socket"
        async with connect(url, origin=Origin(f"http://127.0.0.1:{port}")) as socket:
            await socket.send("hello")
            assert await socket.recv() == "open hello"
        with pytest.raises(InvalidStatus) as error:
            async with connect(url, origin=Origin("http://evil.example")):
                pass
        assert error.value.response.status_code == 403


# -- CORS ------------------------------------------------------------------------------------


async def test_no_cors_unless_asked_for(place: Place) -> None:
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "GET"}
    async with place.client(place.key("read")) as client:
        answer = await client.get("/v1/memories", headers=asked)
        assert not any(name.startswith("access-control") for name in answer.headers)
        answer = await client.options("/v1/memories", headers=asked)
        assert answer.status_code >= 400


async def test_cors_for_named_origins(place: Place) -> None:
    origin = "https://page.example"
    async with place.client(cors=(origin,)) as client:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,idempotency-key",
        }
        answer = await client.options("/v1/memories", headers=asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        answer = await client.get("/v1/memories", headers={"Origin": origin})
        shaped(answer, 401, "unauthorized")
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        answer = await client.options(
            "/v1/memories", headers={**asked, "Origin": "https://evil.example"}
        )
        assert answer.status_code == 400
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("open_to", [{"hosts": ("*",)}, {"cors": ("*",)}])
def test_an_open_address_names_who_may(place: Place, open_to: dict) -> None:
    with pytest.raises(UsageError):
        place.protected(auth=False, **open_to)
    place.protected(auth=True, **open_to)


# -- streams ---------------------------------------------------------------------------------


async def test_a_stream_passes_piece_by_piece(place: Place) -> None:
    headers = {"X-API-Key": place.key("read")}
    async with on_a_port(place.protected()) as port, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{port}/v1/events"
        async with client.stream("GET", url, headers=headers) as answer:
            lines = answer.aiter_lines()
            assert await asyncio.wait_for(anext(lines), 10) == ": begun"
            place.app.more.set()
            assert [line async for line in lines if line] == ["data: 1"]
    await place.settled()


async def test_a_caller_who_hangs_up_is_no_fault(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    key = place.key("chat").encode()
    async with on_a_port(place.protected()) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /v1/turns HTTP/1.1\r\nHost: x\r\nX-API-Key: " + key
            + b"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )  # fmt: skip
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    await place.settled()
    assert "Traceback" not in caplog.text
