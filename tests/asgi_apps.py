"""Small ASGI apps for tests of what listens, and a door that opens them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from skill_agent.api.door.door import Door
from skill_agent.files.home import Home


class Sample:
    """Answers by path: `/` at once, `/slow` when let go, `/events` with a stream that never ends,
    `/chatty` with one that never falls silent, `/deaf` with one that will not be cancelled."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self.asked: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.trouble: Exception | None = None

    def app_for(
        self, *, tcp: bool, auth: bool, hosts: tuple[str, ...], cors: tuple[str, ...]
    ) -> "Sample":
        if self.trouble is not None:
            raise self.trouble
        self.asked.append({"tcp": tcp, "auth": auth, "hosts": hosts, "cors": cors})
        return self

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "websocket":
            await self._socket(receive, send)
            return
        self.seen.append(scope["path"])
        match scope["path"]:
            case "/slow":
                self.begun.set()
                await self.go_on.wait()
                await answer(send, {"slow": True})
            case "/events":
                await self._stream(send, b"data: one\n\n", asyncio.Event().wait)
            case "/chatty":
                await self._stream(send, b"data: more\n\n", None)
            case "/download":
                await self._stream(send, b"half", asyncio.Event().wait, b"text/plain")
            case "/broken":
                raise RuntimeError("it broke")
            case _:
                await answer(send, {"path": scope["path"]})

    async def _stream(self, send, piece, then, kind=b"text/event-stream; charset=utf-8") -> None:
        headers = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while True:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            self.begun.set()
            await (then() if then else asyncio.sleep(0.01))

    async def _socket(self, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.begun.set()
        while (await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": "heard"})


async def answer(send, content: Any, status: int = 200) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Keys:
    """Whether there is an API key."""

    def __init__(self, exist: bool = True) -> None:
        self.exist = exist

    async def __call__(self) -> bool:
        return self.exist


@asynccontextmanager
async def door_of(home: Home, app: Sample, *, keys: bool = True) -> AsyncIterator[Door]:
    home.run.mkdir(parents=True, exist_ok=True)
    door = Door(home, app.app_for, keys_exist=Keys(keys))
    try:
        yield door
    finally:
        await door.close()


def over(socket: Path) -> httpx.AsyncClient:
    """A client of a Unix socket."""
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    return httpx.AsyncClient(transport=transport, base_url="http://host", timeout=60)
