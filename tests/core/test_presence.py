"""What a host knows of itself and of those who work through it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from asgi_apps import Sample, over

from skill_agent.api.door.door import Door
from skill_agent.errors import HomeBusy, NotFound, UsageError
from skill_agent.files.home import Home
from skill_agent.host.presence import Presence, alive, noting


class Minutes:
    """A clock that goes on by a minute at every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


async def keys() -> bool:
    return True


class Opened:
    """A presence behind a door of its own."""

    def __init__(self, home: Home, role: str) -> None:
        home.run.mkdir(parents=True)
        self.sample = Sample()
        self.door = Door(home, self._app_for, keys_exist=keys)
        self.presence = Presence(home, self.door, clock=Minutes(), role=role, version="9.9")

    def _app_for(self, *, tcp: bool, auth: bool, hosts: object, cors: object):
        return self._app if tcp else noting(self._app, self.presence)

    async def _app(self, scope, receive, send) -> None:
        if scope["type"] == "http" and scope["path"] == "/listen":
            await self.presence.listen("127.0.0.1", 0)
        await self.sample(scope, receive, send)


@pytest.fixture
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Opened]:
    made = Opened(Home(tmp_path_factory.mktemp("h")), "up")
    yield made
    await made.presence.close()
    await made.door.close()


@pytest.fixture
def stranger():
    """Another process that lives until it is ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def calling(pid: int, name: str = "tui") -> dict[str, str]:
    return {"X-Ska-Client": f"{name}/{pid}"}


async def test_what_a_host_says_of_itself(opened: Opened) -> None:
    path = await opened.door.open_socket()
    address = await opened.presence.listen("127.0.0.1", 0)
    status = await opened.presence.status()
    assert (status.pid, status.role, status.version) == (os.getpid(), "up", "9.9")
    assert status.id == str(path.parent.parent)
    assert (status.socket, status.addresses) == (str(path), (address,))
    assert status.since == datetime(2026, 11, 20, 9, 1, tzinfo=UTC)
    assert status.clients == ()
    assert Path(status.log).name == "skill-agent.log"
    await opened.presence.unlisten(address)
    assert (await opened.presence.status()).addresses == ()
    with pytest.raises(NotFound):
        await opened.presence.unlisten(address)


async def test_without_a_door_nothing_listens() -> None:
    presence = Presence(clock=Minutes())
    with pytest.raises(UsageError, match="does not serve"):
        await presence.listen("127.0.0.1", 0)
    with pytest.raises(NotFound):
        await presence.unlisten("127.0.0.1:1")
    assert (await presence.status()).socket == ""


async def test_who_works_through_it_is_known_while_they_live(
    opened: Opened, stranger: subprocess.Popen
) -> None:
    async with over(await opened.door.open_socket()) as client:
        await client.get("/", headers=calling(stranger.pid))
        await client.get("/", headers=calling(stranger.pid))
        await client.get("/", headers=calling(os.getpid(), "ask"))
        await client.get("/")
        first, second = (await opened.presence.status()).clients
        assert (first.name, first.pid, first.streams) == ("tui", stranger.pid, 0)
        assert first.first_seen < first.last_seen < second.first_seen
        stranger.kill()
        stranger.wait()
        (left,) = (await opened.presence.status()).clients
        assert left.name == "ask"


async def test_streams_are_counted_until_they_end(opened: Opened) -> None:
    async with over(await opened.door.open_socket()) as client:
        headers = calling(os.getpid())
        async with client.stream("GET", "/events", headers=headers) as response:
            await anext(response.aiter_lines())
            (seen,) = (await opened.presence.status()).clients
            assert seen.streams == 1
            await opened.door.close()
    (seen,) = (await opened.presence.status()).clients
    assert seen.streams == 0


@pytest.mark.parametrize("said", ["", "tui", "tui/", "tui/x", "/1", "a b/1", "t" * 40 + "/1"])
async def test_a_name_that_makes_no_sense_is_nobody(opened: Opened, said: str) -> None:
    async with over(await opened.door.open_socket()) as client:
        assert (await client.get("/", headers={"X-Ska-Client": said})).status_code == 200
    assert (await opened.presence.status()).clients == ()


async def test_a_name_over_tcp_is_not_believed(opened: Opened) -> None:
    address = await opened.presence.listen("127.0.0.1", 0)
    async with httpx.AsyncClient() as client:
        await client.get(f"http://{address}/", headers=calling(os.getpid()))
    assert (await opened.presence.status()).clients == ()


async def test_what_a_process_asked_for_ends_with_it(
    opened: Opened, stranger: subprocess.Popen
) -> None:
    await opened.presence.listen("127.0.0.1", 0)
    async with over(await opened.door.open_socket()) as client:
        await client.get("/listen", headers=calling(stranger.pid, "serve"))
    assert len(opened.door.addresses) == 2
    stranger.kill()
    stranger.wait()
    async with asyncio.timeout(20):
        while len(opened.door.addresses) > 1:  # noqa: ASYNC110 - the host tells nobody
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("role", ["up", "serve"])
async def test_a_host_without_a_screen_stops_when_asked(role: str) -> None:
    presence = Presence(clock=Minutes(), role=role)
    assert not presence.stopped.is_set()
    await presence.stop()
    assert presence.stopped.is_set()


@pytest.mark.parametrize("role", ["tui", "chat", "ask", ""])
async def test_somebodys_screen_does_not_unless_forced(role: str) -> None:
    presence = Presence(clock=Minutes(), role=role)
    with pytest.raises(HomeBusy, match="in use by a person") as caught:
        await presence.stop()
    assert (caught.value.pid, "--force" in caught.value.hint) == (os.getpid(), True)
    assert not presence.stopped.is_set()
    await presence.stop(force=True)
    assert presence.stopped.is_set()


async def test_strangers_names_do_not_fill_the_memory(opened: Opened) -> None:
    for pid in range(4_000_000_000, 4_000_001_500):
        opened.presence.note("x", pid)
    opened.presence.note("tui", os.getpid())
    assert len((await opened.presence.status()).clients) == 1


def test_alive() -> None:
    assert alive(os.getpid())
    assert not alive(0)
    assert not alive(-1)
    assert not alive(4_000_000_000)
