"""Who is calling over TCP, what they may do and how often; decided before a body is read.

Plain ASGI. Passwords, cookies and accounts do not exist: there are API keys, and tokens made with
them.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from skill_agent.access.keys import (
    PREFIX,
    SCOPES,
    USED_EVERY,
    ApiKey,
    KeyRing,
    checked_scopes,
    includes,
)
from skill_agent.access.tokens import InvalidToken, TokenMint
from skill_agent.errors import SkillAgentError, StoreError, UsageError
from skill_agent.ports import Clock
from skill_agent.values import Requester
from skill_agent.workstation import LimitClass

from .guards import whole_body
from .limiting import Limiter, RateStatus, address_of
from .refusals import Refusal, object_of, refuse
from .rules import Rules
from .standing import LOOK_S, Standing

TOKEN_PATH = "/v1/auth/token"
SUBPROTOCOL = "ska.v1"
_BEARER = "bearer."
_TOKEN_BODY = 16 * 1024
_REALM = 'Bearer realm="skill-agent"'

log = logging.getLogger("skill_agent.api")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    id: str
    """Of the API key; `local` on the home's socket, `open` on TCP without authentication."""
    name: str
    scopes: frozenset[str]
    local: bool = False
    """Came over the home's own socket."""
    owner: bool = False
    """Needs no key: is taken for the home's own person."""

    def may(self, scope: str) -> bool:
        return includes(self.scopes, scope)

    @property
    def requester(self) -> Requester | None:
        """Whose key asks; None for the home's own person."""
        if self.owner:
            return None
        return Requester(key=self.id, name=self.name, scopes=self.scopes)


LOCAL = Caller("local", "local", frozenset(SCOPES), local=True, owner=True)
OPEN = Caller("open", "open", frozenset(SCOPES), owner=True)


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks; raises Refusal (401) on a path that is open to everybody."""
    caller = connection.scope.get("state", {}).get("caller")
    if not isinstance(caller, Caller):
        raise _unknown("this needs an API key")
    return caller


def require(scope: str) -> Callable[[HTTPConnection], Caller]:
    """A FastAPI dependency that gives the caller, or refuses one who lacks the scope."""

    def caller(connection: HTTPConnection) -> Caller:
        found = caller_of(connection)
        demand(found, scope)
        return found

    return caller


def demand(caller: Caller, scope: str) -> None:
    """Raises Refusal (403), naming the scope that is missing."""
    if not caller.may(scope):
        raise Refusal(
            403, "forbidden", f'this needs the scope "{scope}", which this key lacks',
            headers={
                "WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{scope}"'
            },
            scope=scope, hint=f"ska keys create NAME --scope {scope}",
        )  # fmt: skip


def count_again(connection: HTTPConnection, kind: LimitClass) -> None:
    """For each message on an open WebSocket: the key must still hold, and its rate allow one more.

    Raises Refusal. Does nothing on the home's own socket.
    """
    again = connection.scope.get("state", {}).get("again")
    if again is not None:
        again(kind)


class Doorkeeper:
    """Tells whose a credential is."""

    def __init__(self, keys: KeyRing, tokens: TokenMint, clock: Clock) -> None:
        self.keys, self.tokens = keys, tokens
        self._clock = clock
        self._noted: dict[str, datetime] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._told = ""

    def caller(self, credential: str) -> Caller:
        """The holder of an API key or token, whose use is noted; raises Refusal (401, 503)."""
        key, scopes = self._active(credential)
        self._note(key, self._clock())
        return Caller(key.id, key.name, frozenset(scopes))

    def check(self, credential: str, caller: Caller) -> None:
        """Raises Refusal once the credential does not give what it gave its caller."""
        _, scopes = self._active(credential)
        if not all(includes(scopes, scope) for scope in caller.scopes):
            raise Refusal(403, "forbidden", "this key may not do any more what it did")

    def _active(self, credential: str) -> tuple[ApiKey, tuple[str, ...]]:
        try:
            key, scopes = self._key_of(credential)
        except StoreError as error:
            raise self.unreadable(error) from None
        if (state := key.state(self._clock())) != "active":
            raise _unknown(f"this API key is {state}", error="invalid_token")
        return key, tuple(scopes)

    async def close(self) -> None:
        """Waits until the last uses are written."""
        if self._writing:
            await asyncio.wait(self._writing)

    def _key_of(self, credential: str) -> tuple[ApiKey, Iterable[str]]:
        if credential.startswith(PREFIX):
            key = self.keys.matching(credential)
            if key is None:
                raise _unknown(
                    "this API key is not known here", error="invalid_token", hint="ska keys list"
                )
            return key, key.scopes
        if credential.count(".") != 2:
            raise _unknown("this is neither an API key nor a token", error="invalid_token")
        try:
            claims = self.tokens.verify(credential)
        except InvalidToken as error:
            raise _unknown(f"this token is not valid: {error}", error="invalid_token") from None
        key = self.keys.known(claims.key_id)
        if key is None:
            raise _unknown("the API key of this token is gone", error="invalid_token")
        return key, [scope for scope in claims.scopes if includes(key.scopes, scope)]

    def unreadable(self, error: StoreError) -> Refusal:
        """Nobody gets in; the log says why, once."""
        if self._told != error.message:
            self._told = error.message
            log.error("nobody can be let in: %s (%s)", error.message, error.hint)
        return Refusal(
            503, "keys_unreadable", "the API keys of this home cannot be read, so nobody gets in",
            headers={"Retry-After": "60"}, hint="ska keys list, on the machine itself",
        )  # fmt: skip

    def _note(self, key: ApiKey, now: datetime) -> None:
        last = max(filter(None, (key.last_used, self._noted.get(key.id))), default=None)
        if last is not None and now - last < USED_EVERY:
            return
        self._noted[key.id] = now
        task = asyncio.get_running_loop().create_task(self._write_use(key.id, now))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write_use(self, key_id: str, now: datetime) -> None:
        try:
            await asyncio.to_thread(self.keys.used, key_id, now)
        except (SkillAgentError, OSError) as error:
            log.warning("the last use of key %s was not noted: %s", key_id, error)


class Admission:
    """The layer that lets requests in. Without a doorkeeper everybody may do everything."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        doorkeeper: Doorkeeper | None,
        limiter: Limiter,
        rules: Rules,
        look_s: float = LOOK_S,
    ) -> None:
        """Every `look_s` it is looked whether the credential of an answer under way still holds."""
        self._app, self._doorkeeper = app, doorkeeper
        self._limiter, self._rules, self._look_s = limiter, rules, look_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        with ExitStack() as begun:
            try:
                caller = self._admitted(scope)
                address = address_of(scope.get("client"))
                begun.enter_context(self._limiter.answering(address, known=caller is not None))
                if self._doorkeeper is not None and scope["path"] == TOKEN_PATH:
                    await self._hand_out(self._doorkeeper, caller, scope, receive, send)
                    return
            except Refusal as refusal:
                # Sent from here and not left to the guard, so that CORS lets a page read it.
                await refuse(scope, receive, send, refusal)
                return
            if (check := scope["state"].get("check")) is None:
                await self._app(scope, receive, send)
                return
            await Standing(scope, receive, send, check, every_s=self._look_s).run(self._app)

    def _admitted(self, scope: Scope) -> Caller | None:
        """Who asks, within rate and scope; raises Refusal. None on a path open to everybody."""
        verb, path = scope.get("method", "WEBSOCKET"), scope["path"]
        kind = "auth" if path == TOKEN_PATH else self._rules.limit(verb, path)
        credential, caller = "", None
        if self._doorkeeper is None:
            caller = OPEN
        elif path not in self._rules.public:
            credential = self._credential(scope)
            caller = self._known(self._doorkeeper, scope, credential)
        _without_credential(scope)

        def again(kind: LimitClass) -> None:
            if credential and self._doorkeeper is not None:
                self._doorkeeper.caller(credential)
            self._count(scope, kind, self._whose(scope, kind, caller))

        scope["state"]["caller"], scope["state"]["again"] = caller, again
        if credential and caller is not None and self._doorkeeper is not None:
            scope["state"]["check"] = partial(self._doorkeeper.check, credential, caller)
        self._count(scope, kind, self._whose(scope, kind, caller))
        needed = self._rules.scope(verb, path)
        if needed is not None and caller is not None:
            demand(caller, needed)
        return caller

    def _credential(self, scope: Scope) -> str:
        try:
            return credential_of(scope)
        except Refusal:
            self._count(scope, "general", address_of(scope.get("client")))
            raise

    def _known(self, doorkeeper: Doorkeeper, scope: Scope, credential: str) -> Caller:
        """Wrong credentials are counted by address; right ones are let in however many were wrong,
        or a stranger behind the same address could lock their owner out."""
        try:
            return doorkeeper.caller(credential)
        except Refusal as refusal:
            if refusal.status_code == 401:
                self._count(scope, "auth", address_of(scope.get("client")))
            raise

    def _whose(self, scope: Scope, kind: LimitClass, caller: Caller | None) -> str:
        if kind == "auth" or caller is None or caller is OPEN:
            return address_of(scope.get("client"))
        return caller.id

    def _count(self, scope: Scope, kind: LimitClass, who: str) -> None:
        rate: RateStatus = self._limiter.hit(kind, who)
        scope["state"]["rate"] = rate
        if not rate.allowed:
            # Also said by the header, but a WebSocket message has none.
            wait = rate.retry_after
            raise Refusal(
                429, "rate_limited", f"at most {rate.limit} such requests a minute",
                hint=f"try again in {wait} s", limit=rate.limit, retry_after=wait,
            )  # fmt: skip

    async def _hand_out(
        self,
        doorkeeper: Doorkeeper,
        caller: Caller | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """`POST /v1/auth/token`: a short-lived token for the holder of an API key."""
        if scope["type"] != "http" or scope["method"] != "POST":
            raise Refusal(
                405, "method_not_allowed", "a token is asked for by POST", headers={"Allow": "POST"}
            )
        if caller is None or not credential_of(scope).startswith(PREFIX):
            raise _unknown("a token is made with an API key, not with another token")
        asked = object_of(await whole_body(scope, receive, _TOKEN_BODY))
        scopes = _narrowed(caller, asked)
        try:
            token = await asyncio.to_thread(doorkeeper.tokens.mint, caller.id, scopes)
        except StoreError as error:
            raise doorkeeper.unreadable(error) from None
        answer = {
            "access_token": token.text,
            "token_type": "bearer",
            "expires_in": token.expires_in,
            "scopes": list(token.scopes),
        }
        made = Response(json.dumps(answer), media_type="application/json")
        await made(scope, receive, send)


def credential_of(scope: Scope) -> str:
    """The one credential of a request: a header, or for a WebSocket a subprotocol.

    Never the query string, which ends up in logs and histories. Raises Refusal (401).
    """
    headers = Headers(scope=scope)
    given = [_bearer(value) for value in headers.getlist("authorization")]
    given += [value.strip() for value in headers.getlist("x-api-key")]
    if scope["type"] == "websocket":
        offered = scope.get("subprotocols", ())
        given += [name.removeprefix(_BEARER) for name in offered if name.startswith(_BEARER)]
    given = sorted(set(given))
    if not given or given == [""]:
        raise _unknown("this needs an API key", hint="send it as `Authorization: Bearer ska_…`")
    if len(given) > 1:
        raise _unknown("several different credentials were sent", error="invalid_request")
    return given[0]


def _bearer(value: str) -> str:
    scheme, _, credential = value.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise _unknown("only the scheme Bearer is understood", error="invalid_request")
    return credential.strip()


def _without_credential(scope: Scope) -> None:
    """Takes the credential off what an app may agree to speak."""
    if "subprotocols" in scope:
        scope["subprotocols"] = [
            name for name in scope["subprotocols"] if not name.startswith(_BEARER)
        ]


def _narrowed(caller: Caller, asked: dict[str, object]) -> tuple[str, ...]:
    if unknown := sorted(set(asked) - {"scopes"}):
        raise Refusal(400, "invalid_request", f"unknown field: {unknown[0]}")
    wanted = asked.get("scopes")
    if wanted is None:
        return tuple(caller.scopes)
    if not isinstance(wanted, list) or not all(isinstance(scope, str) for scope in wanted):
        raise Refusal(400, "invalid_request", "scopes is a list of names")
    try:
        scopes = checked_scopes(wanted)
    except UsageError as error:
        raise Refusal(400, "invalid_request", error.message, hint=error.hint) from None
    for scope in scopes:
        demand(caller, scope)
    return scopes


def _unknown(message: str, *, error: str = "", hint: str = "") -> Refusal:
    challenge = f'{_REALM}, error="{error}"' if error else _REALM
    details = {"hint": hint} if hint else {}
    return Refusal(401, "unauthorized", message, headers={"WWW-Authenticate": challenge}, **details)
