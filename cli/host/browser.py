"""`ska tui --serve`: the workstation in a browser. Each tab is a process of its own on this home.

The page, what it loads and the sockets stand behind `browser_door`; textual-serve, which draws the
terminal in the browser, has no such thing of its own.
"""

import asyncio
import ipaddress
import logging
import shlex
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from skill_agent.access.keys import KeyRing, includes, keys_file
from skill_agent.errors import UsageError

from ..opening.options import utc_now
from ..output import emit_text, narrate
from ..surroundings import Surroundings
from .browser_door import SCOPE, BrowserDoor

if TYPE_CHECKING:
    from collections.abc import Sequence

TABS = 8
"""Each is a process, with memory of its own."""
CLOSING_S = 5.0
LEAST, MOST = (20, 8), (500, 200)
"""Columns and rows a page may ask for."""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>skill-agent</title>
<link rel="stylesheet" href="/static/css/xterm.css">
<link rel="stylesheet" href="/look.css">
<script src="/static/js/textual.js"></script>
<body>
<div class="closed"><p>This window is closed.</p><p><a href="/">Open it again</a></p></div>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}"
  data-font-size="16"></div>
</body></html>
"""
_LOOK = """body { background: #14161b; margin: 0; }
.closed { display: none; color: #d6dae2; font: 16px system-ui, sans-serif; text-align: center;
  padding-top: 30vh; } .closed a { color: #7fb4dc; }
body.-closed .closed { display: block; } body.-closed .textual-terminal { display: none; }
@font-face { font-family: "Roboto Mono";
  src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf"); }
"""


class BrowserServer(Server):
    """textual-serve behind a door, with pages that load nothing from elsewhere."""

    def __init__(self, command: str, door: BrowserDoor) -> None:
        super().__init__(command)
        self._door = door
        self._tabs = set[AppService]()

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._door.judge])
        app.add_routes(
            [
                web.get("/", self.page),
                web.get("/look.css", self.look),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", self.statics_path),
            ]
        )
        app.on_shutdown.append(self._close_tabs)
        return app

    async def page(self, request: web.Request) -> web.Response:
        """The terminal in a page."""
        scheme = "wss" if request.secure else "ws"
        page = _PAGE.replace("{socket}", f"{scheme}://{request.host}/ws")
        return web.Response(text=page, content_type="text/html")

    async def look(self, request: web.Request) -> web.Response:
        """What the page looks like around the terminal."""
        return web.Response(text=_LOOK, content_type="text/css")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One tab, until it is closed or its process ends."""
        if len(self._tabs) >= TABS:
            raise web.HTTPServiceUnavailable(text=f"at most {TABS} windows at the same time")
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=1024 * 1024)

        async def close() -> None:
            await socket.close()

        tab = AppService(
            self.command, write_bytes=socket.send_bytes, write_str=socket.send_str, close=close,
            download_manager=self.download_manager,
        )  # fmt: skip
        self._tabs.add(tab)
        try:
            await socket.prepare(request)
            await tab.start(*_size(request))
            with suppress(ValueError, TypeError, LookupError, AssertionError):
                await self._process_messages(socket, tab)
        finally:
            await asyncio.shield(self._end(tab))
            self._tabs.discard(tab)
        return socket

    async def _end(self, tab: AppService) -> None:
        """Asks the process to leave, and makes it where it does not."""
        with suppress(TimeoutError, OSError):
            await asyncio.wait_for(tab.stop(), CLOSING_S)
        process = tab._process
        if process is None:
            return
        for end in (process.terminate, process.kill):
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    end()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), CLOSING_S)

    async def _close_tabs(self, app: web.Application) -> None:
        await asyncio.gather(*(self._end(one) for one in self._tabs))


def _size(request: web.Request) -> tuple[int, int]:
    """Columns and rows of the page, within what can be drawn."""
    asked = (to_int(request.query.get(name, ""), 80) for name in ("width", "height"))
    wide, high = (min(max(one, low), top) for one, low, top in zip(asked, LEAST, MOST, strict=True))
    return wide, high


async def serve_in_browser(
    around: Surroundings, host: str, port: int, arguments: "Sequence[str]"
) -> None:
    """Serves until it is told to end; `arguments` are what each tab's `ska tui` gets.

    Raises UsageError for an address that others can reach while no key would let anybody in.
    """
    from .until_stopped import end_signal, until_stopped

    logging.getLogger("textual-serve").setLevel(logging.ERROR)
    keys = KeyRing(keys_file(around.home.root), utc_now)
    loopback = _stays_here(host)
    _check_keys(keys, loopback=loopback)
    command = [sys.executable, "-m", "skill_agent.cli", "--home", str(around.home.root), "tui"]
    server = BrowserServer(shlex.join([*command, *arguments]), BrowserDoor(keys, utc_now, loopback))
    with end_signal() as told:
        async with around.open_home(role="serve", hosting=True) as station:
            runner = web.AppRunner(
                await server._make_app(), access_log=None, shutdown_timeout=CLOSING_S
            )
            await runner.setup()
            try:
                emit_text(await _listening(runner, host, port))
                sys.stdout.flush()
                narrate("Ctrl+C ends it")
                await until_stopped(station, told)
            finally:
                await runner.cleanup()


async def _listening(runner: web.AppRunner, host: str, port: int) -> str:
    """The address of the page."""
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise UsageError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}", hint="--port 0"
        ) from None
    name, taken = runner.addresses[0][:2]
    return f"http://[{name}]:{taken}" if ":" in name else f"http://{name}:{taken}"


def _stays_here(host: str) -> bool:
    """Whether nobody but this machine reaches the address."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return False


def _check_keys(keys: KeyRing, *, loopback: bool) -> None:
    good = any(
        key.state(utc_now()) == "active" and includes(key.scopes, SCOPE) for key in keys.listed()
    )
    hint = f"ska keys create browser --scope {SCOPE}"
    if not good and not loopback:
        raise UsageError(
            "others could reach this address, and no key is there to ask for", hint=hint
        )
    if not good:
        narrate(f"no key opens it yet: {hint}")
    if not loopback:
        narrate("warning: all of it goes unencrypted; put a proxy with https before it")
