"""What is known of a host as a process: since when, in what role, listening where, for whom.

Knows neither the runtime nor how anything is served; the door that listens is handed in.
"""

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from skill_agent import __version__
from skill_agent.errors import HomeBusy, NotFound, UsageError
from skill_agent.files.home import Home
from skill_agent.files.log_tail import LogTail
from skill_agent.ports import Clock
from skill_agent.text.redaction import redact
from skill_agent.values import AttachedClient, HostStatus, LogLines
from skill_agent.workstation.operations import HostOperations

SERVICES = ("up", "serve")
"""Roles of hosts that are nobody's screen, so that anybody may end them."""

NO_SCREENS = (*SERVICES, "mcp")
"""Roles of processes where nobody sees what is asked: services, and the relays of MCP clients."""

LOG = "skill-agent.log"
"""Where a home keeps what its host has to say, in `logs/`."""

MOST_LOG_LINES, LONGEST_LOG_LINE = 5_000, 4_000
"""What one answer holds of the log."""

CLIENT_HEADER = b"x-ska-client"

_CLIENT = re.compile(r"([A-Za-z0-9._-]{1,32})/([0-9]{1,10})")
_MOST_CLIENTS = 1000
_LOOK_S = 2.0
"""How often it is looked whether those who asked for a listener still live."""

_log = logging.getLogger(__name__)

_caller: ContextVar["_Noted | None"] = ContextVar("caller", default=None)
_claimed: ContextVar[str] = ContextVar("claimed", default="")
"""What a caller over the network says it is; it counts for turns of its own alone."""


class Listeners(Protocol):
    """The door, as far as a host's presence needs it."""

    @property
    def socket_path(self) -> Path | None: ...
    @property
    def addresses(self) -> tuple[str, ...]: ...
    async def listen(
        self, host: str, port: int, *, auth: bool = True, cors: tuple[str, ...] = ()
    ) -> str: ...
    async def unlisten(self, address: str) -> None: ...


class Presence(HostOperations):
    """The host's own group of the workstation."""

    def __init__(
        self,
        home: Home | None = None,
        door: Listeners | None = None,
        *,
        clock: Clock,
        role: str = "",
        version: str = __version__,
    ) -> None:
        """Without a door nothing listens, and nothing can be made to."""
        self._home, self._door, self._clock = home, door, clock
        self._role, self._version = role, version
        self._since = clock()
        self._clients: dict[tuple[str, int], _Noted] = {}
        self._owners: dict[str, int] = {}
        self._looking: asyncio.Task[None] | None = None
        self.stopped = asyncio.Event()
        """Set when somebody asked this host to end; whoever opened the home waits for it."""

    @property
    def role(self) -> str:
        """What this process is to its person: `tui`, `ask`, `up` …"""
        return self._role

    @property
    def watched(self) -> bool:
        """Whether this is somebody's screen, or a window is attached that hears what happens."""
        if self._role not in NO_SCREENS:
            return True
        open_ = (one for one in self._clients.values() if one.streams)
        return any(one.name not in NO_SCREENS and alive(one.pid) for one in open_)

    async def status(self) -> HostStatus:
        """This host now, with the attached processes that still live, the longest there first."""
        self._forget_the_dead()
        return HostStatus(
            id=str(self._home.root) if self._home else "",
            pid=os.getpid(),
            role=self._role,
            version=self._version,
            since=self._since,
            socket=str((self._door and self._door.socket_path) or ""),
            addresses=self._door.addresses if self._door else (),
            clients=tuple(noted.told() for noted in self._clients.values()),
            log=str(self._home.logs / LOG) if self._home else "",
        )

    async def log(self, *, after: str = "", most: int = 1000) -> LogLines:
        """Nothing where there is no home, or no log yet."""
        if self._home is None:
            return LogLines(after="")
        return await asyncio.to_thread(_logged, self._home.logs / LOG, after, most)

    async def listen(
        self, host: str, port: int, *, auth: bool = True, cors: tuple[str, ...] = ()
    ) -> str:
        """Serves the home over TCP and gives the address, `host:port`.

        What an attached process asked for ends with that process. Raises UsageError for an address
        that cannot be had or would not be safe.
        """
        if self._door is None:
            raise UsageError("this process does not serve its home", hint="ska serve")
        address = await self._door.listen(host, port, auth=auth, cors=tuple(cors))
        if (caller := _caller.get()) is not None:
            self._owners[address] = caller.pid
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look_after_owners())
        return address

    async def unlisten(self, address: str) -> None:
        """Ends one TCP listener; raises NotFound for an address nobody listens on."""
        self._owners.pop(address, None)
        if self._door is None:
            raise NotFound(f"nobody listens on {address}")
        await self._door.unlisten(address)

    async def stop(self, *, force: bool = False) -> None:
        """Asks this host to end; raises HomeBusy where it is somebody's screen, unless forced."""
        if self._role not in SERVICES and not force:
            raise HomeBusy(
                f"the host is process {os.getpid()}, in use by a person (ska {self._role})",
                pid=os.getpid(),
                hint="leave it there, or end it from here: ska down --force",
            )
        _log.info("asked to end")
        self.stopped.set()

    async def close(self) -> None:
        """Ends the looking after those who asked for listeners."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def note(self, name: str, pid: int) -> "_Noted":
        """An attached process was heard of."""
        noted = self._clients.get((name, pid))
        if noted is None:
            if len(self._clients) >= _MOST_CLIENTS:
                self._forget_the_dead()
            if len(self._clients) >= _MOST_CLIENTS:
                self._clients.pop(next(iter(self._clients)))
            noted = self._clients[name, pid] = _Noted(name, pid, self._clock)
            _log.info("ska %s (process %d) is attached", name, pid)
        noted.last_seen = self._clock()
        return noted

    def _forget_the_dead(self) -> None:
        for key in [key for key in self._clients if not alive(key[1])]:
            del self._clients[key]

    async def _look_after_owners(self) -> None:
        """Ends what was listened on for processes that are gone."""
        while self._owners:
            await asyncio.sleep(_LOOK_S)
            for address, pid in list(self._owners.items()):
                if not alive(pid):
                    with contextlib.suppress(NotFound):
                        await self.unlisten(address)


class _Noted:
    """What is known of one attached process."""

    def __init__(self, name: str, pid: int, clock: Clock) -> None:
        self.name, self.pid, self._clock = name, pid, clock
        self.first_seen = self.last_seen = clock()
        self.streams = 0

    def told(self) -> AttachedClient:
        return AttachedClient(
            name=self.name,
            pid=self.pid,
            first_seen=self.first_seen,
            last_seen=self._clock() if self.streams else self.last_seen,
            streams=self.streams,
        )


App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


def _logged(path: Path, after: str, most: int) -> LogLines:
    """Redacted once more: an older version may have written it."""
    found = LogTail(path).read(after, max(1, min(most, MOST_LOG_LINES)))
    text = redact("\n".join(line[:LONGEST_LOG_LINE] for line in found.lines))
    return replace(found, lines=tuple(text.split("\n")) if found.lines else ())


def noting(app: App, presence: Presence) -> App:
    """The same ASGI app, telling the presence who calls; for the home's own socket only, because
    anybody could claim a name over TCP."""

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        caller = _caller_in(scope, presence)
        if caller is None:
            await app(scope, receive, send)
            return
        streaming = False

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal streaming
            if not streaming and _opens_stream(message):
                streaming = True
                caller.streams += 1
            await send(message)

        token = _caller.set(caller)
        try:
            await app(scope, receive, watched)
        finally:
            _caller.reset(token)
            caller.streams -= streaming

    return noted


def naming(app: App) -> App:
    """The same ASGI app for callers over TCP: which window asks, by its own account."""

    async def named(scope: Any, receive: Any, send: Any) -> None:
        token = _claimed.set("/".join(_said(scope) or ()))
        try:
            await app(scope, receive, send)
        finally:
            _claimed.reset(token)

    return named


def client() -> str | None:
    """The window of another process for which this is being done, as `COMMAND/PROCESS`; None for
    this process, for whoever does not say, and for what only stands by."""
    caller = _caller.get()
    name = f"{caller.name}/{caller.pid}" if caller else _claimed.get()
    return name if name and name.partition("/")[0] not in SERVICES else None


def attached() -> bool:
    """Whether this is being done for an attached process, and not for this one."""
    return _caller.get() is not None


def alive(pid: int) -> bool:
    """Whether a process of this machine runs; True where that cannot be told."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _caller_in(scope: Any, presence: Presence) -> _Noted | None:
    said = _said(scope)
    return presence.note(said[0], int(said[1])) if said else None


def _said(scope: Any) -> tuple[str, str] | None:
    """The name and the process a caller gives."""
    for name, value in scope.get("headers", ()):
        if name == CLIENT_HEADER and (said := _CLIENT.fullmatch(value.decode("latin-1"))):
            return said[1], said[2]
    return None


def _opens_stream(message: MutableMapping[str, Any]) -> bool:
    if message["type"] == "websocket.accept":
        return True
    return message["type"] == "http.response.start" and any(
        name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream")
        for name, value in message.get("headers", ())
    )
