"""One listening socket served by uvicorn inside the running event loop.

Imports uvicorn, so the door loads this module in a thread. Signals are the process's own business,
and nothing is printed: what uvicorn has to say goes to our log.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

from uvicorn import Config, Server

from .connection import Connection, StrangersConnection
from .traffic import AsgiApp, Traffic

WS_MESSAGE_BYTES = 12_000_000
"""A little more than the longest prompt."""

OWN_KEPT_S, STRANGERS_KEPT_S = 600, 20
"""How long an idle connection stays; longer than clients of our own keep theirs, because one that
closes while a request is sent over it looks like a lost host."""

_TICK_S = 1.0
_LAST_S = 0.4
"""How long connections may take to close once everything under way has ended."""

_log = logging.getLogger(__name__)


class Listener:
    """Serves an app on a socket that is bound already, from `start` to `close`."""

    def __init__(self, app: AsgiApp, bound: socket.socket, *, strangers: bool) -> None:
        """`strangers` says that anybody may connect, not only this user's own processes."""
        self._bound = bound
        self._traffic = Traffic(app)
        self._server = _Server(
            Config(
                self._traffic,
                http=StrangersConnection if strangers else Connection,
                ws="websockets-sansio",
                interface="asgi3",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=STRANGERS_KEPT_S if strangers else OWN_KEPT_S,
                ws_max_size=WS_MESSAGE_BYTES,
            )
        )
        self._served: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Imports what serving takes; blocking, for a thread."""
        self._server.config.load()

    async def start(self) -> None:
        """Returns once connections are accepted."""
        self._served = asyncio.create_task(self._server.serve(sockets=[self._bound]))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait((ready, self._served), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._served.done():
            self._served.result()

    async def close(self) -> None:
        """Takes no more connections, ends what is under way and returns, within two seconds."""
        self._server.accept_no_more()
        await self._traffic.end()
        self._server.finish()
        if self._served is not None:
            await asyncio.gather(self._served, return_exceptions=True)
        self._bound.close()


class _Server(Server):
    """uvicorn's server with an end that waits for nobody."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._end = asyncio.Event()

    def accept_no_more(self) -> None:
        """Closes the listening socket; open connections go on."""
        for server in getattr(self, "servers", ()):
            with contextlib.suppress(ValueError):  # its socket is closed already
                server.close()

    def finish(self) -> None:
        """Lets `serve` come to its end."""
        self.should_exit = True
        self._end.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None is captured."""
        yield

    async def main_loop(self) -> None:
        """Renews the Date header once a second, instead of looking for an end ten times."""
        self.ready.set()
        while not self.should_exit:
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), _TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes idle connections at once and the others, whatever they do, soon after."""
        self.accept_no_more()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        clock = asyncio.get_running_loop().time
        until = clock() + _LAST_S
        # uvicorn keeps these sets and tells nobody when they are empty.
        while (state.connections or state.tasks) and clock() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for connection in list(state.connections):
            if transport := getattr(connection, "transport", None):
                transport.abort()
        tasks = list(state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_S)


class Forwarding(logging.Handler):
    """Takes uvicorn's complaints to our own log, which knows where the home's file is."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.handle(record)


@contextlib.contextmanager
def complaints_in_our_log() -> Iterator[None]:
    """While it lasts, nothing of uvicorn's reaches the terminal."""
    theirs = logging.getLogger("uvicorn.error")
    handler = Forwarding(logging.WARNING)
    propagated, level = theirs.propagate, theirs.level
    theirs.addHandler(handler)
    theirs.propagate = False
    theirs.setLevel(logging.WARNING)
    try:
        yield
    finally:
        theirs.removeHandler(handler)
        theirs.propagate = propagated
        theirs.setLevel(level)
