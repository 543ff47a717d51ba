"""An answer under way goes on only for as long as the credential it was asked with holds.

A key may be revoked or run out, a token too, while a stream is open: then the app stops where it
stands, as if the caller had hung up, and the caller is told why.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .refusals import Refusal, refuse, request_id_of, shaped

LOOK_S = 1.0
"""Seconds between two looks at a credential while nothing is sent; each costs one `stat`."""
_POLICY_VIOLATION = 1008

Check = Callable[[], None]
"""Raises Refusal once the credential does not hold any more."""


class Standing:
    """One request or WebSocket that was let in by a credential."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, check: Check, *, every_s: float
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._check, self._every_s = check, every_s
        self._lapsed: Refusal | None = None
        self._begun = self._over = self._events = False

    async def run(self, app: ASGIApp) -> None:
        """Runs the app; looks at the credential before anything is sent, and in silence too."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = self._loop.call_later(self._every_s, self._tick)
        try:
            await app(self._scope, self._receive, self._pass)
            if self._lapsed is not None:
                await asyncio.sleep(0)  # an app that has ended meanwhile is stopped here
        except asyncio.CancelledError:
            if self._lapsed is None:
                raise
        finally:
            self._timer.cancel()
        if self._lapsed is not None:
            task.uncancel()
            with suppress(OSError):
                await self._part(self._lapsed)

    def _tick(self) -> None:
        self._look()
        if self._lapsed is None:
            self._timer = self._loop.call_later(self._every_s, self._tick)

    def _look(self) -> None:
        """Stops the app where the credential has lapsed; what it says from then on goes nowhere."""
        if self._lapsed is not None or self._over:
            return
        try:
            self._check()
        except Refusal as refusal:
            self._lapsed = refusal
            self._task.cancel()

    async def _pass(self, message: Message) -> None:
        self._look()
        if self._lapsed is not None:
            return
        match message["type"]:
            case "http.response.start":
                self._begun, self._events = True, _is_event_stream(message)
            case "websocket.accept":
                self._begun = True
            case "http.response.body" | "websocket.http.response.body":
                self._over = not message.get("more_body", False)
            case "websocket.close":
                self._over = True
        await self._send(message)

    async def _part(self, refusal: Refusal) -> None:
        """Tells why it ends. An answer cut short that is no stream of events is left incomplete,
        so that nobody takes it for whole."""
        if not self._begun:
            await refuse(self._scope, self._receive, self._send, refusal)
            return
        told = json.loads(shaped(refusal, request_id_of(self._scope)))
        if self._scope["type"] == "websocket":
            text = json.dumps({"type": "error", **told})
            await self._send({"type": "websocket.send", "text": text})
            close = {"code": _POLICY_VIOLATION, "reason": refusal.message}
            await self._send({"type": "websocket.close", **close})
        elif self._events:
            piece = self._scope["state"].get("last_words", _last_words)(told)
            await self._send({"type": "http.response.body", "body": piece})


def _last_words(told: dict[str, object]) -> bytes:
    data = json.dumps({"type": "error", **told})
    return b"event: error\ndata: %b\n\n" % data.encode()


def _is_event_stream(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream")
        for name, value in message.get("headers", ())
    )
