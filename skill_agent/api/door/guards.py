"""What stands before every request, whoever asks: its id, where it was meant to go, how much it may
say, and that nothing internal leaves with an answer.

Plain ASGI: answers pass through piece by piece. Who asks is not looked at here.
"""

import logging
import re
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from skill_agent.identifiers import new_id
from skill_agent.text.redaction import redact

from .limiting import Limiter, RateStatus, address_of
from .refusals import Refusal, plain_refusal, refuse

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
ASKED_BY_PROGRAMS = ("/mcp",)
"""Where the protocol itself wants a page's Origin looked at, also of one that has a key."""

log = logging.getLogger("skill_agent.api")

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_STARTS = ("http.response.start", "websocket.http.response.start", "websocket.accept")


class Guard:
    """The outermost layer. `limiter` is None on the home's own socket, which has no limits."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limiter: Limiter | None,
        hosts: tuple[str, ...] = (),
        origins: tuple[str, ...] = (),
    ) -> None:
        """Without `hosts` neither Host nor Origin is looked at; `origins` are allowed besides."""
        self._app, self._limiter = app, limiter
        self._hosts = frozenset(_bare(host) for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        state = scope.setdefault("state", {})
        state["request_id"] = asked if _SANE_ID.fullmatch(asked) else new_id()
        answer, begun = _Answer(scope, receive, send, self._limiter), time.monotonic()
        try:
            self._check(scope, headers)
            await self._app(scope, receive, answer.send)
        except Refusal as refusal:
            await answer.end_with(refusal)
        except Exception as error:  # the outer wall of a request
            await self._fallen(error, scope, answer)
        finally:
            if self._limiter is not None:
                _tell(scope, answer, time.monotonic() - begun)

    def _check(self, scope: Scope, headers: Headers) -> None:
        path = scope["path"]
        if _CONTROL.search(path) or any(part in (".", "..") for part in path.split("/")):
            raise Refusal(400, "bad_path", "the path has parts that lead nowhere")
        if self._limiter is None:
            return
        # A page of another site may send requests and open WebSockets here without asking.
        origin, site = headers.get("origin", "").lower(), headers.get("sec-fetch-site", "").lower()
        invited = origin in self._origins or ("*" in self._origins and bool(origin))
        if site == "cross-site" and not invited:
            raise _foreign()
        if not self._hosts and path.rstrip("/") not in ASKED_BY_PROGRAMS:
            return
        named = headers.getlist("host")
        if len(named) != 1:
            raise Refusal(400, "bad_host", "a request names one Host")
        if self._hosts and _bare(named[0]) not in self._hosts:
            raise Refusal(
                421, "misdirected_request", "this address is served under other names only",
                hint="ask for it as localhost",
            )  # fmt: skip
        own = origin.partition("://")[2] == named[0].lower()
        if not (own or invited) and (origin or site == "same-site"):
            raise _foreign()

    async def _fallen(self, error: Exception, scope: Scope, answer: "_Answer") -> None:
        if answer.gone or isinstance(error, ClientDisconnect | WebSocketDisconnect):
            return
        trace = redact("".join(traceback.format_exception(error)))
        log.error("%s failed: %s", _named(scope), trace)
        await answer.end_with(plain_refusal(500))


def _foreign() -> Refusal:
    return Refusal(403, "foreign_origin", "pages of other sites may not call this address")


class _Answer:
    """What goes out: watched, completed with headers, and shaped where a framework sent text."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limiter: Limiter | None) -> None:
        self._scope, self._receive, self._send, self._limiter = scope, receive, send, limiter
        self._instead = False
        self.status = 0
        self.gone = False
        """The caller hung up."""

    async def send(self, message: Message) -> None:
        if self._instead:
            return
        if message["type"] in _STARTS:
            self.status = message.get("status", 101)
            if self._is_plain_error(message):
                self._instead = True
                await self._shape(message)
                return
            self._complete(message)
        elif message["type"] == "websocket.close":
            self.status = self.status or 403
        await self._pass(message)

    async def end_with(self, refusal: Refusal) -> None:
        """Refuses, as far as an answer has not begun; an open WebSocket is closed."""
        if not self.status:
            await refuse(self._scope, self._receive, self.send, refusal)
        elif self._scope["type"] == "websocket":
            with suppress(RuntimeError, OSError):
                code = 1011 if refusal.status_code == 500 else 1008
                await self._send({"type": "websocket.close", "code": code, "reason": refusal.error})

    def _is_plain_error(self, message: Message) -> bool:
        kind = MutableHeaders(raw=message.get("headers", [])).get("content-type", "")
        return self.status >= 400 and (not kind or kind.startswith("text/plain"))

    async def _shape(self, message: Message) -> None:
        kept = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in message.get("headers", [])
            if name not in (b"content-type", b"content-length")
        }
        refusal = plain_refusal(self.status, headers=kept)

        async def out(made: Message) -> None:
            if made["type"] in _STARTS:
                self._complete(made)
            await self._pass(made)

        await refuse(self._scope, self._receive, out, refusal)

    def _complete(self, message: Message) -> None:
        message["headers"] = list(message.get("headers", ()))
        headers = MutableHeaders(raw=message["headers"])
        headers["x-request-id"] = self._scope["state"]["request_id"]
        headers["x-content-type-options"] = "nosniff"
        if "max-age" not in headers.get("cache-control", ""):
            headers["cache-control"] = "no-store"
        if self._limiter is not None:
            for name, value in self._rate(self._limiter).headers:
                headers[name.decode()] = value.decode()

    def _rate(self, limiter: Limiter) -> RateStatus:
        counted = self._scope["state"].get("rate")
        return counted or limiter.look("general", address_of(self._scope.get("client")))

    async def _pass(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:
            self.gone = True
            raise


class BodyLimit:
    """Refuses a body that is too long: at once where its length is told, else when it gets there.

    What was read of it until then is the app's; what comes after is never kept.
    """

    def __init__(self, app: ASGIApp, allowed: Callable[[str, str], int]) -> None:
        """`allowed` gives bytes by method and path."""
        self._app, self._allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._allowed(scope["method"], scope["path"])
        try:
            if told_length(scope) > limit:
                raise too_large(limit)
        except Refusal as refusal:
            await refuse(scope, receive, send, refusal)
            return
        counted = _CountedBody(limit, scope, receive, send)
        try:
            await self._app(scope, counted.receive, counted.send)
        except Exception:
            if not counted.refused:
                raise


class _CountedBody:
    """One request whose body is counted as it comes."""

    def __init__(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        self._limit, self._scope, self._receive, self._send = limit, scope, receive, send
        self._seen = 0
        self._begun = False
        self.refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen <= self._limit:
            return message
        # Told here, for an app might take our exception for one of its own.
        if not self._begun and not self.refused:
            self.refused = True
            await refuse(self._scope, self._receive, self._send, too_large(self._limit))
        raise too_large(self._limit)

    async def send(self, message: Message) -> None:
        self._begun = True
        if not self.refused:
            await self._send(message)


def too_large(limit: int) -> Refusal:
    """The refusal of a body longer than so many bytes."""
    return Refusal(
        413, "too_large", f"a body here has at most {limit} bytes",
        hint="send it in parts", limit=limit,
    )  # fmt: skip


def told_length(scope: Scope) -> int:
    """The body's length as the request tells it, 0 where it does not; raises Refusal."""
    told = Headers(scope=scope).getlist("content-length")
    if not told:
        return 0
    if len(set(told)) > 1 or not re.fullmatch(r"[0-9]{1,18}", told[0]):
        raise Refusal(400, "bad_length", "Content-Length is not a number")
    return int(told[0])


async def whole_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """A short body, read whole; raises Refusal for a longer one."""
    if told_length(scope) > limit:
        raise too_large(limit)
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
        if not message.get("more_body"):
            return body


def _bare(host: str) -> str:
    """A host's name without port and brackets."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name if name.count(":") > 1 else name.partition(":")[0]


def _named(scope: Scope) -> str:
    """The request in a log line; never its query, where people put what they should not."""
    path = (scope.get("raw_path") or b"").decode("ascii", "replace").partition("?")[0]
    plain = unquote(path)
    if redact(plain) != plain:
        path = "[redacted]"
    verb = scope.get("method", "WEBSOCKET")
    return f"{verb} {path} [{scope['state']['request_id']}]"


def _tell(scope: Scope, answer: _Answer, seconds: float) -> None:
    caller = scope["state"].get("caller")
    who = caller.id if caller is not None else "-"
    log.info("%s %s by %s, %.0f ms", _named(scope), answer.status, who, seconds * 1000)
