"""What a host listens on: private, told when it ends, and never in the way of the end."""

import asyncio
import contextlib
import json
import os
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from api_home import until
from asgi_apps import Sample, door_of, over
from guarded import Place
from websockets.asyncio.client import connect, unix_connect
from websockets.exceptions import ConnectionClosed

from skill_agent.api.door.addresses import live_socket, pointer
from skill_agent.api.door.connection import MOST_CONNECTIONS, MOST_IDLE, StrangersConnection
from skill_agent.api.door.traffic import AsgiApp
from skill_agent.errors import NotFound, UsageError
from skill_agent.files.home import Home

WITHIN_S = 5.0


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("h"))


@pytest.fixture
def app() -> Sample:
    return Sample()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_socket_serves_and_is_ours_alone(home: Home, app: Sample) -> None:
    home.run.mkdir(mode=0o755)
    async with door_of(home, app) as door:
        path = await door.open_socket()
        assert (path, mode(path), mode(path.parent)) == (home.run / "host.sock", 0o600, 0o700)
        assert await door.open_socket() == path == door.socket_path
        async with over(path) as client:
            answer = await client.get("/v1/home")
            assert answer.json() == {"path": "/v1/home"}
            assert "date" in answer.headers
            assert "server" not in answer.headers
        assert app.asked == [{"tcp": False, "auth": False, "hosts": ("*",), "cors": ()}]
        assert door.addresses == ()
    assert not path.exists()
    assert live_socket(home) is None


async def test_a_dead_hosts_socket_is_replaced_and_anything_else_is_left_alone(
    home: Home, app: Sample
) -> None:
    home.run.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home.run / "host.sock"))
    async with door_of(home, app) as door:
        path = await door.open_socket()
        async with over(path) as client:
            assert (await client.get("/")).status_code == 200
    path.write_text("notes")
    async with door_of(home, app) as door:
        elsewhere = await door.open_socket()
        assert elsewhere != path
        assert live_socket(home) == elsewhere
    assert path.read_text() == "notes"


async def test_an_app_that_cannot_be_made_leaves_nothing_behind(home: Home, app: Sample) -> None:
    app.trouble = UsageError("no app today")
    async with door_of(home, app) as door:
        for opening in (door.open_socket(), door.listen("127.0.0.1", 0)):
            with pytest.raises(UsageError, match="no app today"):
                await opening
        assert (door.socket_path, door.addresses, live_socket(home)) == (None, (), None)
        assert not (home.run / "host.sock").exists()
        app.trouble = None
        assert live_socket(home) is None
        await door.open_socket()
        assert live_socket(home) is not None


async def test_the_next_hosts_socket_outlives_the_close_of_the_last(
    home: Home, app: Sample
) -> None:
    async with door_of(home, app) as old, door_of(home, app) as new:
        path = await old.open_socket()
        await new.open_socket()
        await old.close()
        assert live_socket(home) == path


async def test_a_home_with_a_long_path_is_served_from_a_short_folder(
    tmp_path: Path, app: Sample
) -> None:
    home = Home(tmp_path / ("long" * 20) / "home")
    async with door_of(home, app) as door:
        path = await door.open_socket()
        assert live_socket(home) == path
        assert (mode(path), mode(path.parent), mode(pointer(home))) == (0o600, 0o700, 0o600)
        async with over(path) as client:
            assert (await client.get("/")).status_code == 200
    assert not path.parent.exists()
    assert not pointer(home).exists()


async def test_tcp_listens_where_it_is_told_until_it_is_told_to_end(
    home: Home, app: Sample
) -> None:
    async with door_of(home, app) as door:
        await door.open_socket()
        address = await door.listen("127.0.0.1", 0, cors=("https://a.example",))
        assert door.addresses == (address,)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://{address}/")).status_code == 200
            await door.unlisten(address)
            with pytest.raises(httpx.ConnectError):
                await client.get(f"http://{address}/")
        assert door.addresses == ()
        with pytest.raises(NotFound, match="nobody listens"):
            await door.unlisten(address)
        with pytest.raises(NotFound):
            await door.unlisten(str(door.socket_path))
    assert app.asked[1]["tcp"] is app.asked[1]["auth"] is True
    assert app.asked[1]["cors"] == ("https://a.example",)
    assert {"localhost", "127.0.0.1"} <= set(app.asked[1]["hosts"])


async def test_ipv6_loopback(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door:
        try:
            address = await door.listen("[::1]", 0)
        except UsageError:
            pytest.skip("no IPv6 here")
        assert address.startswith("[::1]:")
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://{address}/")).status_code == 200


async def test_beyond_this_machine_only_with_authentication(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door:
        with pytest.raises(UsageError, match="without authentication") as caught:
            await door.listen("0.0.0.0", 0, auth=False)
        assert caught.value.exit_code == 2
        assert "ska keys create" in caught.value.hint
        with pytest.raises(UsageError, match="every website"):
            await door.listen("127.0.0.1", 0, auth=False, cors=("*",))
        assert await door.listen("127.0.0.1", 0, auth=False) in door.addresses
        address = await door.listen("0.0.0.0", 0)
        assert app.asked[-1]["hosts"] == ("*",)
        assert address in door.addresses


async def test_authentication_without_a_key_would_let_nobody_in(home: Home, app: Sample) -> None:
    async with door_of(home, app, keys=False) as door:
        with pytest.raises(UsageError, match="no API key") as caught:
            await door.listen("127.0.0.1", 0)
        assert caught.value.hint == "ska keys create NAME"
        assert door.addresses == ()
        await door.listen("127.0.0.1", 0, auth=False)


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("", 0, "missing"),
        ("no such host", 0, "no address"),
        ("x" * 70 + ".example", 0, "no address"),
        ("127.0.0.1", 70_000, "no port"),
        ("127.0.0.1", -1, "no port"),
        ("192.0.2.1", 0, "no address of this machine"),
    ],
)
async def test_addresses_that_cannot_be_had(
    home: Home, app: Sample, host: str, port: int, said: str
) -> None:
    async with door_of(home, app) as door:
        with pytest.raises(UsageError, match=said) as caught:
            await door.listen(host, port)
        assert caught.value.hint


async def test_a_port_in_use_names_the_next(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door:
        _, _, port = (await door.listen("127.0.0.1", 0)).rpartition(":")
        with pytest.raises(UsageError, match="is in use") as caught:
            await door.listen("127.0.0.1", int(port))
        assert f"--port {int(port) + 1}" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use any port")
async def test_a_privileged_port(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door:
        with pytest.raises(UsageError, match="not allowed"):
            await door.listen("127.0.0.1", 1)


async def closing_takes(door) -> float:
    began = asyncio.get_running_loop().time()
    await door.close()
    return asyncio.get_running_loop().time() - began


@pytest.mark.parametrize("path", ["/events", "/chatty"])
async def test_a_stream_is_told_and_ends_whole(home: Home, app: Sample, path: str) -> None:
    async with door_of(home, app) as door, over(await door.open_socket()) as client:
        async with client.stream("GET", path) as response:
            lines = response.aiter_lines()
            assert (await anext(lines)).startswith("data: ")
            closed = asyncio.create_task(closing_takes(door))
            heard = [line async for line in lines]
        assert heard[-2:] == [": the host is closing", ""]
        assert await closed < WITHIN_S


async def test_an_answer_cut_short_does_not_look_whole(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door, over(await door.open_socket()) as client:
        async with client.stream("GET", "/download") as response:
            pieces = response.aiter_bytes()
            assert await anext(pieces) == b"half"
            closed = asyncio.create_task(closing_takes(door))
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(pieces)
        assert await closed < WITHIN_S


async def test_a_request_under_way_is_answered_before_the_end(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door, over(await door.open_socket()) as client:
        asked = asyncio.create_task(client.get("/slow"))
        await app.begun.wait()
        closed = asyncio.create_task(closing_takes(door))
        await asyncio.sleep(0)
        app.go_on.set()
        assert (await asked).json() == {"slow": True}
        assert await closed < WITHIN_S


async def test_one_that_takes_too_long_hears_so(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door, over(await door.open_socket()) as client:
        asked = asyncio.create_task(client.get("/slow"))
        await app.begun.wait()
        assert await closing_takes(door) < WITHIN_S
        answer = await asked
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["error"] == "closing"


async def test_a_websocket_is_told(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door:
        path = await door.open_socket()
        async with unix_connect(str(path), "ws://host/v1/ws") as talk:
            await talk.send("hello")
            assert await talk.recv() == "heard"
            assert await closing_takes(door) < WITHIN_S
            with pytest.raises(ConnectionClosed) as caught:
                await talk.recv()
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1012, "the host is closing")


async def test_many_at_once_do_not_hold_up_the_end(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door:
        path = await door.open_socket()
        address = await door.listen("127.0.0.1", 0)
        raw = [await asyncio.open_unix_connection(str(path)) for _ in range(20)]
        for _, writer in raw[:10]:  # never read, so that the host's buffers fill up
            writer.write(b"GET /chatty HTTP/1.1\r\nhost: x\r\n\r\n")
        for _, writer in raw[10:15]:  # half a request
            writer.write(b"GET /half HTTP/1.1\r\nho")
        await app.begun.wait()
        async with connect(f"ws://{address}/ws"):
            assert await closing_takes(door) < WITHIN_S
        for _, writer in raw:
            writer.close()
    assert door.addresses == ()


async def spoken(address: str, *pieces: bytes) -> bytes:
    """What a plain TCP client hears for these bytes."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for piece in pieces:
        writer.write(piece)
    heard = await reader.read()
    writer.close()
    return heard


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01 this is TLS\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 40_000 + b"\r\n",
        b"GET http://[bad HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_proper_request_is_refused_in_our_words(
    home: Home, app: Sample, said: bytes
) -> None:
    async with door_of(home, app) as door:
        heard = await spoken(await door.listen("127.0.0.1", 0), said)
    head, _, body = heard.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"] == "bad_request"
    assert app.seen == []


async def test_who_only_connects_locks_nobody_out(home: Home, app: Sample) -> None:
    """The oldest that asked for nothing makes room, also where the door could bear no more."""
    async with door_of(home, app) as door:
        address = await door.listen("127.0.0.1", 0)
        host, _, port = address.rpartition(":")
        kept = [await asyncio.open_connection(host, int(port)) for _ in range(MOST_CONNECTIONS)]
        async with asyncio.timeout(WITHIN_S), httpx.AsyncClient() as client:
            assert (await client.get(f"http://{address}/health")).status_code == 200
        for reader, _ in kept[:-MOST_IDLE]:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        for _, one in kept:
            one.close()


async def test_who_has_shown_a_key_is_not_sent_away(tmp_path: Path) -> None:
    place = Place(Home(tmp_path / "home"))
    key = place.key("read")
    async with listening(place.protected()) as port:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(limits=limits, headers=headers) as client:
            url = f"http://127.0.0.1:{port}/v1/memories"
            assert (await client.get(url)).status_code == 200
            async with client.stream("GET", url.replace("memories", "events")) as stream:
                idle = [
                    await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * MOST_IDLE)
                ]
                assert (await client.get(url)).status_code == 200
                place.app.more.set()
                assert "data: 1" in "".join([text async for text in stream.aiter_text()])
        for _, one in idle:
            one.close()
    await place.settled()


@pytest.mark.parametrize(
    "framing",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        b"content-length: 5\r\ncontent-length: 5\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
    ],
)
async def test_a_length_told_twice_is_refused_at_once(
    home: Home, app: Sample, framing: bytes
) -> None:
    said = b"POST /v1/turns HTTP/1.1\r\nhost: x\r\n" + framing + b"\r\n"
    async with door_of(home, app) as door:
        async with asyncio.timeout(WITHIN_S):
            heard = await spoken(await door.listen("127.0.0.1", 0), said)
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["error"] == "bad_request"
    assert app.seen == []


class Hasty(StrangersConnection):
    """Waits for a body a moment only."""

    body_s = 0.3


@asynccontextmanager
async def listening(app: AsgiApp, kind: type = StrangersConnection) -> AsyncIterator[int]:
    """Serves the app on loopback over connections of this kind; gives the port."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=kind, log_config=None, lifespan="off")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([bound]))
    await until(lambda: server.started)
    try:
        yield bound.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("head", [b"content-length: 100", b"transfer-encoding: chunked"])
async def test_a_body_that_trickles_is_not_waited_for(
    tmp_path: Path, head: bytes, known: bool
) -> None:
    place = Place(Home(tmp_path / "home"))
    key = place.key("chat") if known else "ska_" + "0" * 64
    said = b"POST /v1/raw HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer %b\r\n%b\r\n\r\n"
    async with listening(place.protected(), Hasty) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said % (key.encode(), head))
        heard = asyncio.create_task(reader.read())
        while not heard.done():
            writer.write(b"1" if head.startswith(b"content") else b"1\r\nx\r\n")
            await asyncio.sleep(0.05)
        answer = heard.result() if not heard.exception() else b""
        writer.close()
    if known:
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "request_timeout"
    else:
        assert answer.startswith(b"HTTP/1.1 401 ")
    await place.settled()


async def test_a_long_body_that_comes_is_waited_for(tmp_path: Path) -> None:
    """Each 16 KiB of it give it another second."""
    place = Place(Home(tmp_path / "home"))
    headers = {"Authorization": f"Bearer {place.key('chat')}"}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 20_000
            await asyncio.sleep(0.05)

    async with listening(place.protected(), Hasty) as port, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{port}/v1/raw"
        answer = await client.post(url, content=pieces(), headers=headers)
    assert answer.json() == {"read": 400_000}
    await place.settled()


async def test_nothing_is_opened_after_the_end(home: Home, app: Sample) -> None:
    async with door_of(home, app) as door:
        await door.close()
        await door.close()
        with pytest.raises(UsageError, match="closing"):
            await door.open_socket()
        with pytest.raises(UsageError, match="closing"):
            await door.listen("127.0.0.1", 0)
    assert live_socket(home) is None


async def test_what_breaks_inside_goes_to_our_log_and_not_out(
    home: Home, app: Sample, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with door_of(home, app) as door, over(await door.open_socket()) as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "it broke" not in answer.text
    assert "it broke" in caplog.text
    assert capfd.readouterr() == ("", "")


async def test_the_loop_goes_on_while_the_server_is_imported(home: Home) -> None:
    """A fresh interpreter: the screen's loop must not stand still while uvicorn loads."""
    code = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from pathlib import Path
from skill_agent.api.door.door import Door
from skill_agent.files.home import Home
assert not {{"uvicorn", "fastapi", "httpx"}} & set(sys.modules)
from asgi_apps import Keys, Sample
for name in [name for name in sys.modules if name.partition(".")[0] == "uvicorn"]:
    raise SystemExit("loaded too early")
async def main():
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.002)
    beat = asyncio.create_task(tick())
    door = Door(Home(Path({str(home.root)!r})), Sample().app_for, keys_exist=Keys())
    await door.open_socket()
    print(ticks)
    beat.cancel()
    await door.close()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert int(said) >= 3
