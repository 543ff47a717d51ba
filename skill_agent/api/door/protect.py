"""Puts an app behind everything that may refuse a request, in the right order.

From outside in: guard (ids, Host, faults), CORS where asked for, admission (who, how often), body.
"""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from skill_agent.access.keys import KeyRing, keys_file
from skill_agent.access.tokens import TokenMint, signing_file
from skill_agent.errors import UsageError
from skill_agent.files.home import Home
from skill_agent.ports import Clock

from .auth import LOCAL, Admission, Caller, Doorkeeper
from .guards import LOOPBACK_HOSTS, BodyLimit, Guard
from .limiting import Limiter
from .rules import Rules
from .standing import LOOK_S

_ANY = "*"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ALLOWED = (
    "Authorization", "X-API-Key", "Idempotency-Key", "Last-Event-ID", "X-Request-ID",
    "X-Ska-Client", "Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name",
)  # fmt: skip
_EXPOSED = (
    "X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
    "Retry-After", "Mcp-Session-Id",
)  # fmt: skip


class Protected:
    """An app behind its guards; an ASGI app itself."""

    def __init__(
        self, app: ASGIApp, *, caller: Caller | None = None, doorkeeper: Doorkeeper | None = None
    ) -> None:
        """`caller` is who everybody is, where it need not be found out."""
        self._app, self._caller, self._doorkeeper = app, caller, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._caller is not None and scope["type"] in ("http", "websocket"):
            scope.setdefault("state", {})["caller"] = self._caller
        await self._app(scope, receive, send)

    async def close(self) -> None:
        """Waits for what is still being written about the use of keys."""
        if self._doorkeeper is not None:
            await self._doorkeeper.close()


def protect(
    app: ASGIApp,
    *,
    home: Home,
    clock: Clock,
    tcp: bool,
    auth: bool = True,
    hosts: tuple[str, ...] = (),
    cors: tuple[str, ...] = (),
    rules: Rules | None = None,
    limiter: Limiter | None = None,
    look_s: float = LOOK_S,
) -> Protected:
    """The app as it may be served.

    On the home's socket (`tcp` false) its file mode is the authentication, and nothing is limited
    but the body. `hosts` are the names for TCP without authentication (loopback's where empty),
    `cors` the origins whose pages may call. `limiter` may be shared by several listeners. Every
    `look_s` seconds an open stream's credential is looked at again.
    Raises UsageError for what would open an unauthenticated address to web pages anywhere.
    """
    judged = rules or Rules()
    inner: ASGIApp = BodyLimit(app, judged.body)
    if not tcp:
        return Protected(Guard(inner, limiter=None), caller=LOCAL)
    if not auth and (_ANY in hosts or _ANY in cors):
        raise UsageError(
            "without authentication, names and origins have to be given one by one",
            hint="leave out --no-auth, or name them",
        )
    limits = limiter or Limiter(clock)
    doorkeeper = _doorkeeper(home, clock) if auth else None
    inner = Admission(inner, doorkeeper=doorkeeper, limiter=limits, rules=judged, look_s=look_s)
    if cors:
        inner = CORSMiddleware(
            inner, allow_origins=cors, allow_methods=_METHODS, allow_headers=_ALLOWED,
            expose_headers=_EXPOSED,
        )  # fmt: skip
    names = () if auth else hosts or LOOPBACK_HOSTS
    guard = Guard(inner, limiter=limits, hosts=names, origins=cors)
    return Protected(guard, doorkeeper=doorkeeper)


def _doorkeeper(home: Home, clock: Clock) -> Doorkeeper:
    keys = KeyRing(keys_file(home.root), clock)
    return Doorkeeper(keys, TokenMint(signing_file(home.root), clock), clock)
