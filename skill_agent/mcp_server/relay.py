"""Brings what one client says on its standard streams to a home's host, and back.

The server runs in the host. What is kept here is what a client must not notice: that the host it
spoke to is gone and another one answers. Imports nothing of the protocol's SDK.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from skill_agent.values.backoff import Backoff

PARSE_ERROR, INVALID_REQUEST = -32700, -32600
GONE = -32000
"""What the SDK, too, says of a connection that was closed before an answer."""
ASK_AGAIN = (
    "the host of this home went away before it answered, and whether this was done is not known. "
    "Look first where it changes something, then ask again."
)
CHANGED = '{"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}'
"""Nobody has told the client what changed between two hosts."""
OPENING = ("initialize", "server/discover")
"""What begins a stay and changes nothing: said again to the next host."""

_LAST_S = 0.5
"""How long a client that has said its last is still answered."""
_STEADY_S = 2.0
_PAUSES = Backoff(0.05, 2.0)


class Lost(Exception):
    """The host does not answer any more."""


class ClientGone(Exception):
    """Nobody reads what is written for the client."""


class TooLong(str):
    """Stands for a line that was not kept; says what was wrong with it."""


class Wire(Protocol):
    """A way to a host; every call raises Lost once it has none."""

    async def send(self, text: str) -> None: ...
    async def receive(self) -> str: ...
    async def close(self) -> None: ...


class Client(Protocol):
    """The other side."""

    def lines(self) -> AsyncIterator[bytes | TooLong]:
        """What it says, line by line, until it says no more."""
        ...

    async def write(self, text: str) -> None:
        """Raises ClientGone."""
        ...


class Talk:
    """What a client has said and is owed, as far as the next host must know or do it."""

    def __init__(self) -> None:
        self._owed: dict[str, tuple[Any, str, str]] = {}
        """By id: the id itself, the method, the message."""
        self._hello = self._ready = ""
        self._hello_id = ""
        self._swallow = ""

    @property
    def owes(self) -> bool:
        """Whether the client waits for an answer."""
        return bool(self._owed)

    def said(self, text: str, message: dict[str, Any]) -> None:
        """Takes note of what is just being sent to the host."""
        method = message.get("method")
        if not isinstance(method, str):
            return
        if message.get("id") is not None:
            key = json.dumps(message["id"])
            self._owed[key] = (message["id"], method, text)
            if method == "initialize":
                self._hello, self._hello_id, self._ready = text, key, ""
        elif method == "notifications/initialized":
            self._ready = text

    def heard(self, text: str) -> str | None:
        """What the client is to be told of a message of the host; None for nothing."""
        message = json.loads(text)
        if "method" in message or "id" not in message:
            return text
        key = json.dumps(message["id"])
        if key == self._swallow:
            self._swallow = ""
            return CHANGED if self._ready else None
        self._owed.pop(key, None)
        if (message.get("error") or {}).get("code") == GONE:  # the host's last words
            return failure(message["id"], GONE, ASK_AGAIN)
        return text

    def lost(self) -> list[str]:
        """What the client is told of its requests under way; none of them is repeated."""
        told = [
            failure(id, GONE, ASK_AGAIN)
            for id, method, _ in self._owed.values()
            if method not in OPENING
        ]
        self._owed = {key: one for key, one in self._owed.items() if one[1] in OPENING}
        return told

    def again(self) -> list[str]:
        """What the next host is told first: the handshake, whose second answer nobody hears."""
        owed = [text for key, (_, _, text) in self._owed.items() if key != self._hello_id]
        if not self._hello:
            return owed
        if self._hello_id not in self._owed:
            self._swallow = self._hello_id
        return [self._hello, *([self._ready] if self._ready else []), *owed]


class Relay:
    """One client's stay, however many hosts it takes."""

    def __init__(self, client: Client, join: Callable[[], Awaitable[Wire]]) -> None:
        """`join` finds or makes a host and leads to it; what it raises ends the stay."""
        self._client, self._join = client, join
        self._talk = Talk()
        self._wire: Wire | None = None
        self._joined = asyncio.Event()

    async def run(self) -> None:
        """Returns once the client has said its last."""
        bringing = asyncio.create_task(self._bring(), name="from the host")
        taking = asyncio.create_task(self._take(), name="from the client")
        try:
            await asyncio.wait((bringing, taking), return_when=asyncio.FIRST_COMPLETED)
            if not bringing.done():
                taking.result()
                await self._last_answers(bringing)
            if bringing.done():
                bringing.result()
        finally:
            for task in (bringing, taking):
                task.cancel()
            await asyncio.gather(bringing, taking, return_exceptions=True)
            if self._wire is not None:
                await self._wire.close()

    async def _last_answers(self, bringing: "asyncio.Task[None]") -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + _LAST_S
        while self._talk.owes and not bringing.done() and clock() < until:
            await asyncio.wait((bringing,), timeout=0.01)

    async def _take(self) -> None:
        async for line in self._client.lines():
            if isinstance(line, TooLong):
                await self._client.write(failure(None, INVALID_REQUEST, str(line)))
                continue
            try:
                message = json.loads(line)
                text = line.decode("utf-8").strip()
            except (ValueError, RecursionError):
                await self._client.write(failure(None, PARSE_ERROR, "this line is no JSON"))
                continue
            if not isinstance(message, dict):
                told = "a line has to be one JSON object"
                await self._client.write(failure(None, INVALID_REQUEST, told))
                continue
            await self._send(text, message)

    async def _send(self, text: str, message: dict[str, Any]) -> None:
        """Once: what may have reached a host that is gone is answered for, never repeated."""
        await self._joined.wait()
        assert self._wire is not None
        self._talk.said(text, message)
        try:
            await self._wire.send(text)
        except Lost:
            return

    async def _bring(self) -> None:
        failures, clock = 0, asyncio.get_running_loop().time
        while True:
            wire, began = await self._join(), clock()
            try:
                for text in self._talk.again():
                    await wire.send(text)
                self._wire = wire
                self._joined.set()
                while True:
                    told = self._talk.heard(await wire.receive())
                    if told is not None:
                        await self._client.write(told)
            except Lost:
                self._joined.clear()
                self._wire = None
            await wire.close()
            for text in self._talk.lost():
                await self._client.write(text)
            failures = 0 if clock() - began > _STEADY_S else failures + 1
            if failures > 1:
                await asyncio.sleep(_PAUSES.after(failures))


def failure(id: Any, code: int, message: str) -> str:
    """An answer that says what went wrong."""
    return json.dumps({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
