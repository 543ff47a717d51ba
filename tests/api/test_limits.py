"""How often a caller may ask, who is counted together, and what every answer says of it."""

from contextlib import ExitStack

import httpx
import pytest
from guarded import Place, StillClock, on_a_port
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from skill_agent.api.door.limiting import PER_MINUTE, Limiter, address_of, limit_class
from skill_agent.api.door.moving_window import SWEEP_EVERY
from skill_agent.api.door.refusals import Refusal
from skill_agent.files.home import Home


@pytest.fixture
def place(home: Home) -> Place:
    return Place(home)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def told(answer: httpx.Response) -> tuple[int, int, int]:
    """Limit, remaining, reset."""
    names = ("limit", "remaining", "reset")
    limit, remaining, reset = (int(answer.headers[f"x-ratelimit-{name}"]) for name in names)
    return limit, remaining, reset


@pytest.mark.parametrize("kind", PER_MINUTE)
def test_so_many_a_minute_and_then_one_as_each_grows_old(kind) -> None:
    clock = StillClock()
    limiter = Limiter(clock)
    amount = PER_MINUTE[kind]
    first = limiter.hit(kind, "a")
    assert (first.limit, first.remaining) == (amount, amount - 1)
    assert first.reset == int(clock().timestamp()) + 60
    clock.advance(seconds=20)
    assert all(limiter.hit(kind, "a").allowed for _ in range(amount - 1))
    over = limiter.hit(kind, "a")
    assert (over.allowed, over.remaining, over.retry_after) == (False, 0, 40)
    assert limiter.hit(kind, "b").allowed
    clock.advance(seconds=40)
    assert limiter.hit(kind, "a").allowed
    assert not limiter.hit(kind, "a").allowed
    clock.advance(seconds=20)
    assert limiter.look(kind, "a").remaining == amount - 1


def test_refused_requests_do_not_prolong_the_wait() -> None:
    clock = StillClock()
    limiter = Limiter(clock, {"auth": 2})
    for _ in range(50):
        limiter.hit("auth", "a")
        clock.advance(seconds=1)
    clock.advance(seconds=11)
    assert limiter.hit("auth", "a").remaining == 1


def test_kinds_are_counted_apart() -> None:
    limiter = Limiter(StillClock(), {"chat": 1})
    assert limiter.hit("chat", "a").allowed
    assert not limiter.hit("chat", "a").allowed
    assert limiter.hit("general", "a").allowed


def test_callers_long_gone_are_forgotten() -> None:
    clock = StillClock()
    limiter = Limiter(clock)
    for number in range(SWEEP_EVERY - 1):
        limiter.hit("general", f"caller {number}")
    clock.advance(minutes=2)
    limiter.look("general", "caller 0")
    limiter.hit("general", "last")
    assert limiter.callers == 1


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/v1/turns", "chat"),
        ("POST", "/v1/agents/kyra/chat/stream", "chat"),
        ("POST", "/v1/chat/completions", "chat"),
        ("POST", "/v1/turns/x/cancel", "general"),
        ("POST", "/v1/memories/search", "search"),
        ("POST", "/v1/memories", "embed"),
        ("POST", "/v1/memories/import", "embed"),
        ("GET", "/v1/memories", "general"),
        ("POST", "/v1/auth/token", "auth"),
        ("WEBSOCKET", "/v1/chat", "general"),
    ],
)
def test_kinds_by_path(method: str, path: str, kind: str) -> None:
    assert limit_class(method, path) == kind


@pytest.mark.parametrize(
    ("client", "who"),
    [
        (("192.0.2.7", 1), "ip:192.0.2.7"),
        (["::ffff:192.0.2.7", 1], "ip:192.0.2.7"),
        (("2001:db8::1", 1), "ip:2001:db8::/64"),
        (("2001:db8::ffff:1%eth0", 1), "ip:2001:db8::/64"),
        (("odd", 1), "ip:odd"),
        (None, "ip:unknown"),
    ],
)
def test_addresses(client: object, who: str) -> None:
    assert address_of(client) == who


# -- over HTTP -------------------------------------------------------------------------------


async def test_every_answer_tells_where_one_stands(place: Place) -> None:
    key = place.key("read")
    async with place.client(cors=("https://page.example",)) as client:
        for number, (method, path, headers, status) in enumerate(
            [
                ("GET", "/v1/memories", bearer(key), 200),
                ("POST", "/v1/memories", bearer(key), 403),
                ("GET", "/v1/nothing", bearer(key), 404),
                ("GET", "/v1/broken", bearer(key), 500),
                ("GET", "/v1/memories", {}, 401),
                ("GET", "/v1/memories", bearer("x"), 401),
                ("POST", "/v1/turns", {**bearer(key), "Content-Length": "99999999"}, 413),
                ("GET", "/v1/%2e%2e/x", bearer(key), 400),
                ("GET", "/health", {}, 200),
                (
                    "OPTIONS",
                    "/v1/memories",
                    {"Origin": "https://page.example", "Access-Control-Request-Method": "GET"},
                    200,
                ),
            ]
        ):
            answer = await client.request(method, path, headers=headers)
            assert answer.status_code == status, (number, answer.text)
            limit, remaining, reset = told(answer)
            assert 0 <= remaining <= limit
            assert reset == place.clock().timestamp() + 60


async def test_too_many_chats(place: Place) -> None:
    key, other = place.key("chat"), place.key("chat")
    async with place.client(key) as client:
        for left in range(59, -1, -1):
            answer = await client.post("/v1/turns", json={"text": "x"})
            assert answer.status_code == 200
            assert told(answer)[:2] == (60, left)
        place.clock.advance(seconds=18)
        answer = await client.post("/v1/turns", json={"text": "x"})
        assert answer.status_code == 429
        assert answer.json()["error"] == "rate_limited"
        assert answer.json()["details"]["retry_after"] == 42
        assert answer.headers["retry-after"] == "42"
        assert told(answer)[:2] == (60, 0)
        assert (await client.post("/v1/memories/search")).status_code == 403
        answer = await client.post("/v1/turns", json={"text": "x"}, headers=bearer(other))
        assert answer.status_code == 200
        place.clock.advance(seconds=42)
        assert (await client.post("/v1/turns", json={"text": "x"})).status_code == 200


async def test_a_keys_tokens_count_as_the_key(place: Place) -> None:
    key = place.key("read")
    async with place.client(key) as client:
        token = (await client.post("/v1/auth/token")).json()["access_token"]
        first = await client.get("/v1/memories")
        second = await client.get("/v1/memories", headers=bearer(token))
        assert told(first)[1] - told(second)[1] == 1


async def test_tokens_are_limited_by_address(place: Place) -> None:
    key, other = place.key("read"), place.key("read")
    async with place.client(key) as client:
        for _ in range(10):
            assert (await client.post("/v1/auth/token")).status_code == 200
        answer = await client.post("/v1/auth/token", headers=bearer(other))
        assert answer.status_code == 429
        assert told(answer)[0] == 10
        assert (await client.get("/v1/memories")).status_code == 200


async def test_guesses_are_limited_by_address_and_lock_no_owner_out(place: Place) -> None:
    key = place.key("read")
    async with place.client() as client:
        guesses = [
            await client.get("/v1/memories", headers=bearer(f"ska_{number:064x}"))
            for number in range(13)
        ]
        assert [answer.status_code for answer in guesses] == [401] * 10 + [429] * 3
        assert "retry-after" in guesses[-1].headers
        assert (await client.get("/v1/memories", headers=bearer(key))).status_code == 200
        assert (await client.post("/v1/auth/token", headers=bearer(key))).status_code == 429


async def test_strangers_are_limited_by_address(place: Place) -> None:
    async with place.client() as client:
        answers = [await client.get("/v1/memories") for _ in range(301)]
    assert [answer.status_code for answer in answers[-2:]] == [401, 429]
    async with place.client(auth=False) as client:
        answers = [await client.get("/v1/memories") for _ in range(301)]
    assert [answer.status_code for answer in answers[-2:]] == [200, 429]


async def test_messages_on_a_websocket_count(place: Place) -> None:
    key = place.key("chat")
    limiter = Limiter(place.clock, {"chat": 2})
    async with on_a_port(place.protected(limiter=limiter)) as port:
        url = f"ws://127.0.0.1:{port}/v1/socket"
        async with connect(url, additional_headers=bearer(key)) as socket:
            heard = []
            for _ in range(3):
                await socket.send("hello")
                heard.append(await socket.recv())
    assert heard[-1] == "rate_limited"
    assert all(text.endswith("hello") for text in heard[:2])
    await place.settled()


# -- at the same time ------------------------------------------------------------------------


def test_so_many_of_an_address_at_the_same_time() -> None:
    limiter = Limiter(StillClock(), at_once=8)
    with ExitStack() as answered:
        for _ in range(8):
            answered.enter_context(limiter.answering("a", known=True))
        with pytest.raises(Refusal) as refused, limiter.answering("a", known=True):
            pass
        assert refused.value.status_code == 429 and refused.value.details["limit"] == 8
        for _ in range(2):
            answered.enter_context(limiter.answering("a", known=False))
        with pytest.raises(Refusal), limiter.answering("a", known=False):
            pass
        answered.enter_context(limiter.answering("b", known=True))
    with limiter.answering("a", known=True), limiter.answering("a", known=False):
        pass


async def test_who_holds_streams_open_gets_no_more_of_them(place: Place) -> None:
    limiter = Limiter(place.clock, at_once=2)
    headers = bearer(place.key("read", "chat"))
    async with (
        on_a_port(place.protected(limiter=limiter)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client,
    ):
        url = f"ws://127.0.0.1:{port}/v1/socket"
        async with client.stream("GET", "/v1/events"), connect(url, additional_headers=headers):
            full = await client.get("/v1/memories")
            assert (full.status_code, full.json()["error"]) == (429, "too_many_at_once")
            assert full.headers["retry-after"] == "1"
            assert "requests_at_once" in full.json()["details"]["hint"]
            with pytest.raises(InvalidStatus, match="429"):
                await connect(url, additional_headers=headers)
            openai = await client.get("/v1/models")
            assert openai.json()["error"]["type"] == "rate_limit_error"
            assert (await client.get("/health", headers={"Authorization": ""})).status_code == 200
        place.app.more.set()
        assert (await client.get("/v1/memories")).status_code == 200
