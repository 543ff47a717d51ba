"""The workstation in a browser: who may come in, and what a person sees there."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError, web
from command_line import Ska
from fakes import StepClock
from ska_processes import WITHIN_S
from skill_agent.cli.host.browser import LEAST, MOST, TABS, BrowserServer, _size
from skill_agent.cli.host.browser_door import COOKIE, BrowserDoor
from skill_agent.cli.opening.home_files import init_home

from skill_agent.access.keys import KeyRing, keys_file
from skill_agent.files.home import Home

PLACES = ("/", "/look.css", "/static/js/textual.js", "/ws", "/download/x", "/nothing")


@pytest.fixture
def keys(home: Home, clock: StepClock) -> KeyRing:
    home.root.mkdir(parents=True, exist_ok=True)
    return KeyRing(keys_file(home.root), clock)


Served = Callable[..., Any]


@pytest.fixture
def served(keys: KeyRing, clock: StepClock) -> Served:
    """A server whose tabs say nothing and leave when told to; gives its address and a client."""

    @asynccontextmanager
    async def opened(*, loopback: bool = True) -> AsyncIterator[tuple[str, ClientSession]]:
        door = BrowserDoor(keys, clock, loopback)
        runner = web.AppRunner(await BrowserServer("head -c 1", door)._make_app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        name, port = runner.addresses[0][:2]
        address = f"http://{name}:{port}"
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
            yield address, client
        await runner.cleanup()

    return opened


async def logged_in(client: ClientSession, address: str, plain: str) -> int:
    async with client.post(f"{address}/login", data={"key": plain}) as answer:
        return answer.status


@pytest.mark.parametrize("place", PLACES)
async def test_nothing_is_there_without_a_key(served: Served, place: str) -> None:
    async with served() as (address, client), client.get(address + place) as answer:
        assert answer.status == 401
        assert "Bearer" in answer.headers["WWW-Authenticate"]
        assert "terminal" not in (await answer.text()).replace("a terminal", "")


async def test_no_socket_without_a_key(served: Served) -> None:
    async with served() as (address, client):
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"{address}/ws")
        assert refused.value.status == 401


async def test_a_key_with_admin_opens_it_once_and_for_all_of_it(
    served: Served, keys: KeyRing
) -> None:
    _, plain = keys.create("browser", ["admin"])
    async with served() as (address, client):
        assert await logged_in(client, address, plain) == 200
        (cookie,) = client.cookie_jar
        assert cookie.key == COOKIE and cookie["httponly"] and cookie["samesite"] == "Strict"
        assert plain not in cookie.value
        async with client.get(address) as page:
            assert 'class="textual-terminal"' in await page.text()
            assert "http" not in (await page.text()).replace("ws://", ""), "nothing from elsewhere"
            assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        async with client.get(f"{address}/static/js/textual.js") as script:
            assert script.status == 200
        async with client.ws_connect(f"{address}/ws") as socket:
            await socket.send_str('["ping", 1]')
            assert (await socket.receive_json()) == ["pong", 1]


async def test_a_header_opens_it_too(served: Served, keys: KeyRing) -> None:
    _, plain = keys.create("browser", ["admin"])
    headers = {"Authorization": f"Bearer {plain}"}
    async with served() as (address, client), client.get(address, headers=headers) as page:
        assert page.status == 200


@pytest.mark.parametrize("scopes", [["chat"], ["read", "chat", "memory"]])
async def test_a_key_that_may_do_less_does_not(
    served: Served, keys: KeyRing, scopes: list[str]
) -> None:
    _, plain = keys.create("program", scopes)
    async with served() as (address, client):
        assert await logged_in(client, address, plain) == 403
        assert not list(client.cookie_jar)


async def test_a_key_in_an_address_is_none(served: Served, keys: KeyRing) -> None:
    _, plain = keys.create("browser", ["admin"])
    async with served() as (address, client), client.get(f"{address}/?key={plain}") as page:
        assert page.status == 401


async def test_a_revoked_key_lets_nobody_in_any_more(served: Served, keys: KeyRing) -> None:
    key, plain = keys.create("browser", ["admin"])
    async with served() as (address, client):
        await logged_in(client, address, plain)
        keys.revoke(key.id)
        async with client.get(address) as page:
            assert page.status == 401


async def test_guessing_ends_and_the_owner_still_comes_in(served: Served, keys: KeyRing) -> None:
    _, plain = keys.create("browser", ["admin"])
    async with served() as (address, client):
        tried = [await logged_in(client, address, "ska_" + "0" * 64) for _ in range(12)]
        assert tried[0] == 401 and tried[-1] == 429
        assert await logged_in(client, address, plain) == 200


async def test_other_websites_and_names_stay_outside(served: Served, keys: KeyRing) -> None:
    _, plain = keys.create("browser", ["admin"])
    sent = {"Authorization": f"Bearer {plain}"}
    async with served() as (address, client):
        for more, status in (
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Host": "evil.example"}, 421),
            ({"Origin": address}, 200),
        ):
            async with client.get(address, headers={**sent, **more}) as answer:
                assert answer.status == status, more
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(
                f"{address}/ws", headers={**sent, "Origin": "https://evil.example"}
            )
        assert refused.value.status == 403


async def test_there_are_only_so_many_windows(served: Served, keys: KeyRing) -> None:
    _, plain = keys.create("browser", ["admin"])
    headers = {"Authorization": f"Bearer {plain}"}
    async with served() as (address, client):
        opened = [await client.ws_connect(f"{address}/ws", headers=headers) for _ in range(TABS)]
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"{address}/ws", headers=headers)
        assert refused.value.status == 503
        for one in opened:
            await one.close()


def test_what_a_page_says_of_its_size_is_bounded() -> None:
    class Asks:
        def __init__(self, **query: str) -> None:
            self.query = query

    assert _size(Asks(width="99999999", height="-1")) == (MOST[0], LEAST[1])  # type: ignore
    assert _size(Asks(width="x")) == (80, 80)  # type: ignore


def test_others_are_not_served_without_a_key(ska: Ska) -> None:
    ska("memory", "list")
    done = ska("tui", "--serve", "--host", "0.0.0.0", "--port", "0")
    assert done.code == 2 and "ska keys create" in done.err


# -- in a browser ----------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def serving(home: Home, driver: Callable[[str], Path]) -> Iterator[tuple[str, Any]]:
    """`ska tui --serve` as a process: its address, and the process."""
    init_home(home)
    script = driver("ScriptedModel(otherwise='On **Friday**, from the release branch.')")
    process = subprocess.Popen(
        [sys.executable, str(script), "tui", "--serve", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    assert process.stdout is not None
    yield process.stdout.readline().strip(), process
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


class Tab:
    """A page, and what its terminal is told."""

    def __init__(self, page: Any) -> None:
        self.page, self.drawn = page, ""
        page.on("websocket", lambda one: one.on("framereceived", self._take))

    def _take(self, said: bytes | str) -> None:
        self.drawn += said if isinstance(said, str) else said.decode("utf-8", "replace")

    def until(self, text: str) -> None:
        end = time.monotonic() + WITHIN_S
        while text not in self.drawn:
            assert time.monotonic() < end, f"{text!r} never came: {self.drawn[-2000:]!r}"
            self.page.wait_for_timeout(50)  # the one way to let the page's events come in


@pytest.mark.deep
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_person_talks_in_a_browser(serving: tuple[str, Any], home: Home) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    address, process = serving
    key = KeyRing(keys_file(home.root), StepClock()).create("browser", ["admin"])[1]
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = Tab(browser.new_page(viewport={"width": 1200, "height": 800}))
        page = tab.page
        page.set_default_timeout(WITHIN_S * 1000)
        assert page.goto(address).status == 401
        page.fill("#key", "ska_" + "1" * 64)
        page.click("button")
        page.wait_for_selector("[role=alert]")
        page.fill("#key", key)
        page.click("button")
        page.wait_for_selector(".textual-terminal")
        assert key not in page.url
        tab.until("Write a message")
        tab.until("Kyra")
        page.click("#terminal")
        page.keyboard.type("when do I deploy?")
        page.keyboard.press("Enter")
        tab.until("Friday")
        _look(page, "browser")
        tab.drawn = ""
        page.set_viewport_size({"width": 700, "height": 500})
        tab.until("Write a message")
        _look(page, "browser-small")
        page.keyboard.press("Control+q")
        page.wait_for_selector("body.-closed")
        browser.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(WITHIN_S) in (0, 130)


def _look(page: Any, name: str) -> None:
    """A picture for whoever wants to look at one: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")
