"""Opens and closes what a host listens on: the home's socket, and TCP where a person asks for it.

Everything runs inside the caller's event loop; the server itself is imported in a thread, so that
a screen goes on drawing. Who may call and what is answered is the app's business.
"""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from skill_agent.errors import NotFound, UsageError
from skill_agent.files.home import Home

from . import addresses as where
from .traffic import AsgiApp

if TYPE_CHECKING:
    from .listener import Listener

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]", "::1")
ANY_HOST = ("*",)

_log = logging.getLogger(__name__)

_BACKLOG = 256
_NO_SOCKETS_HERE = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.EROFS}
"""What binding says on a file system that has no sockets."""


class AppFor(Protocol):
    """Makes the app for one listener; called in a thread, because what it imports takes time."""

    def __call__(
        self, *, tcp: bool, auth: bool, hosts: tuple[str, ...], cors: tuple[str, ...]
    ) -> AsgiApp:
        """`hosts` are the names a request may ask for in its Host header; `*` is any."""
        ...


_Make = Callable[[], AsgiApp]


@dataclass(frozen=True, slots=True)
class _Bound:
    """A TCP socket, and the address it has."""

    socket: socket.socket
    address: str
    loopback: bool


class Door:
    """The listeners of one host; `close` ends them all."""

    def __init__(
        self, home: Home, app_for: AppFor, *, keys_exist: Callable[[], Awaitable[bool]]
    ) -> None:
        """`keys_exist` tells whether any API key could be used on TCP."""
        self._home, self._app_for, self._keys_exist = home, app_for, keys_exist
        self._listeners: dict[str, Listener] = {}
        self._socket: Path | None = None
        self._inode = 0
        self._changing = asyncio.Lock()
        self._quiet = ExitStack()
        self._closed = False

    @property
    def socket_path(self) -> Path | None:
        """The home's socket, once it is open."""
        return self._socket

    @property
    def addresses(self) -> tuple[str, ...]:
        """What is listened on over TCP, as `host:port`."""
        return tuple(address for address in self._listeners if address != str(self._socket))

    async def open_socket(self) -> Path:
        """Listens on the home's socket, in place of what a dead host left; only its owner, holding
        the home's lock, may call this.

        Raises UsageError where no place for it is safe.
        """
        async with self._changing:
            if self._socket is not None:
                return self._socket
            bound, path = _bind_in(self._home)
            self._socket, self._inode = path, path.lstat().st_ino
            make = partial(self._app_for, tcp=False, auth=False, hosts=ANY_HOST, cors=())
            try:
                await self._serve(str(path), make, bound, strangers=False)
                where.point_to(self._home, path)
            except BaseException:
                self._take_down_socket()
                bound.close()
                raise
            return path

    async def listen(
        self, host: str, port: int, *, auth: bool = True, cors: tuple[str, ...] = ()
    ) -> str:
        """Listens on TCP and gives the address, `host:port`; port 0 takes a free one.

        Raises UsageError for an address that cannot be had, for one beyond this machine without
        authentication, and for authentication nobody has a key for.
        """
        async with self._changing:
            bound = await _bind_tcp(host, port)
            try:
                await self._check(bound, host, auth=auth, cors=cors)
                hosts = (*LOOPBACK_HOSTS, host) if bound.loopback else ANY_HOST
                make = partial(self._app_for, tcp=True, auth=auth, hosts=hosts, cors=tuple(cors))
                await self._serve(bound.address, make, bound.socket, strangers=True)
            except BaseException:
                bound.socket.close()
                raise
            return bound.address

    async def unlisten(self, address: str) -> None:
        """Ends one TCP listener; raises NotFound for an address nobody listens on."""
        async with self._changing:
            if address not in self.addresses:
                at = f"this home is served at {', '.join(self.addresses)}" if self.addresses else ""
                raise NotFound(f"nobody listens on {address}", hint=at)
            await self._listeners.pop(address).close()
            _log.info("no longer listening on %s", address)

    async def close(self) -> None:
        """Ends everything: streams are told, answers finished; at most two seconds."""
        async with self._changing:
            self._closed = True
            self._take_down_socket()
            listeners = list(self._listeners.values())
            self._listeners.clear()
            await asyncio.gather(*(listener.close() for listener in listeners))
            if listeners:
                _log.info("listening has ended")
            self._quiet.close()

    async def _serve(
        self, address: str, make: _Make, bound: socket.socket, *, strangers: bool
    ) -> None:
        if self._closed:
            raise UsageError("this host is closing")
        listener = await asyncio.to_thread(_ready_listener, make, bound, strangers)
        if not self._listeners:
            from .listener import complaints_in_our_log

            self._quiet.enter_context(complaints_in_our_log())
        try:
            await listener.start()
        except BaseException:
            await listener.close()
            raise
        self._listeners[address] = listener
        _log.info("listening on %s", address)

    async def _check(self, bound: _Bound, host: str, *, auth: bool, cors: tuple[str, ...]) -> None:
        if not auth and not bound.loopback:
            raise UsageError(
                f"{host} can be reached from other machines, so it is not served without "
                "authentication",
                hint="leave out --no-auth and make a key: ska keys create NAME",
            )
        if not auth and "*" in cors:
            raise UsageError(
                "without authentication every website could read this home",
                hint="name the origins that may: --cors https://example.org",
            )
        if auth and not await self._keys_exist():
            raise UsageError(
                "there is no API key, so nobody could use this address",
                hint="ska keys create NAME",
            )

    def _take_down_socket(self) -> None:
        """Removes the file of our own socket, and never the one of the next host."""
        path, self._socket = self._socket, None
        if path is None:
            return
        with contextlib.suppress(OSError):
            if path.lstat().st_ino == self._inode:
                path.unlink()
                if path.parent != self._home.run:
                    where.pointer(self._home).unlink(missing_ok=True)
                    path.parent.rmdir()


def _ready_listener(make: _Make, bound: socket.socket, strangers: bool) -> "Listener":
    from .listener import Listener

    listener = Listener(make(), bound, strangers=strangers)
    listener.load()
    return listener


def _bind_in(home: Home) -> tuple[socket.socket, Path]:
    """Binds the home's socket at the best place that has sockets and modes."""
    refused: Exception | None = None
    for path in where.places(home):
        try:
            where.private_folder(path.parent)
            return _bind_unix(path), path
        except UsageError as error:
            refused = error
        except OSError as error:
            if error.errno not in _NO_SOCKETS_HERE:
                raise UsageError(f"no socket at {path}: {error.strerror or error}") from None
            refused = error
    raise UsageError(
        f"there is no place for the socket of {home.root}: {refused}",
        hint="choose a home with a shorter path on a local disk with SKILL_AGENT_HOME",
    )


def _bind_unix(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise UsageError(f"{path} is in the way and is no socket", hint=f"rm {path}")
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o077)
    try:
        bound.bind(str(path))
    except BaseException:
        bound.close()
        raise
    finally:
        os.umask(before)
    path.chmod(0o600)
    where.check_private(path)
    bound.listen(_BACKLOG)
    bound.setblocking(False)
    return bound


async def _bind_tcp(host: str, port: int) -> _Bound:
    if not 0 <= port <= 65535:
        raise UsageError(f"{port} is no port", hint="choose one from 1024 to 65535")
    family, place = await _resolved(host, port)
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(place)
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise _unusable(host, port, error) from None
    bound.setblocking(False)
    name, taken = bound.getsockname()[:2]
    shown = f"[{name}]:{taken}" if family == socket.AF_INET6 else f"{name}:{taken}"
    return _Bound(bound, shown, ipaddress.ip_address(name.partition("%")[0]).is_loopback)


async def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple]:
    """The first address a name stands for, IPv4 before IPv6."""
    name = host.strip().removeprefix("[").removesuffix("]")
    if not name:
        raise UsageError("an address to listen on is missing", hint="--host 127.0.0.1")
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"{host!r} is no address of this machine: {error}", hint="--host 127.0.0.1"
        ) from None
    family, _, _, _, place = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, place


def _unusable(host: str, port: int, error: OSError) -> UsageError:
    match error.errno:
        case errno.EADDRINUSE:
            said, hint = "is in use", f"choose another port: --port {port % 65535 + 1}"
        case errno.EACCES | errno.EPERM:
            said, hint = "is not allowed to this user", "choose a port from 1024 on: --port 8347"
        case errno.EADDRNOTAVAIL:
            said, hint = "is no address of this machine", "--host 127.0.0.1"
        case _:
            said, hint = f"cannot be had: {error.strerror or error}", "--host 127.0.0.1"
    return UsageError(f"{host}:{port} {said}", hint=hint)
