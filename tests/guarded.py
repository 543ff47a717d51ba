"""A small app behind the real guards, a clock that stands still, a server on a loopback port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel

from skill_agent.access.keys import KeyRing, keys_file
from skill_agent.api.door.auth import Caller, count_again, require
from skill_agent.api.door.protect import Protected, protect
from skill_agent.api.door.refusals import Refusal, exception_handlers
from skill_agent.files.home import Home

SECRET = "sk-abcdefghijklmnopqrstuvwx"


class StillClock:
    """Shows the same moment until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


class Said(BaseModel):
    text: str


Reader = Annotated[Caller, Depends(require("read"))]
Talker = Annotated[Caller, Depends(require("chat"))]
Keeper = Annotated[Caller, Depends(require("memory"))]


class App:
    """Routes of each scope; counts the bytes of bodies that got through."""

    def __init__(self) -> None:
        self.read = 0
        self.more = asyncio.Event()
        self.asgi = FastAPI(exception_handlers=exception_handlers())  # pyright: ignore[reportArgumentType]
        routes = self.asgi
        routes.get("/health")(self.health)
        routes.get("/v1/memories")(self.list)
        routes.post("/v1/memories")(self.add)
        routes.post("/v1/memories/search")(self.list)
        routes.post("/v1/turns")(self.turn)
        routes.post("/v1/raw")(self.raw)
        routes.get("/v1/events")(self.events)
        routes.get("/v1/broken")(self.broken)
        routes.get("/v1/text")(self.text)
        routes.websocket("/v1/socket")(self.socket)

    async def health(self) -> dict[str, str]:
        return {"status": "ok"}

    async def list(self, caller: Reader) -> dict[str, Any]:
        return {"caller": caller.id, "scopes": sorted(caller.scopes), "local": caller.local}

    async def add(self, said: Said, caller: Keeper) -> dict[str, Any]:
        return {"caller": caller.id, "text": said.text}

    async def turn(self, said: Said, caller: Talker) -> dict[str, Any]:
        return {"caller": caller.id, "text": said.text}

    async def raw(self, request: Request, caller: Talker) -> dict[str, Any]:
        async for piece in request.stream():
            self.read += len(piece)
        return {"read": self.read}

    async def events(self, caller: Reader) -> StreamingResponse:
        async def told() -> AsyncIterator[str]:
            yield ": begun\n\n"
            await self.more.wait()
            yield "data: 1\n\n"

        return StreamingResponse(told(), media_type="text/event-stream")

    async def broken(self, caller: Reader) -> None:
        raise RuntimeError(f"no luck with {SECRET}")

    async def text(self, caller: Reader) -> PlainTextResponse:
        return PlainTextResponse(f"secret {SECRET}", 503, {"Retry-After": "1"})

    async def socket(self, socket: WebSocket, caller: Talker) -> None:
        await socket.accept("ska.v1" if "ska.v1" in socket.scope["subprotocols"] else None)
        async for message in socket.iter_text():
            if message == "fall":
                raise RuntimeError(SECRET)
            try:
                count_again(socket, "chat")
            except Refusal as refusal:
                await socket.send_text(refusal.error)
                continue
            await socket.send_text(f"{caller.id} {message}")


class Place:
    """A home with its keys, and its app as it is served."""

    def __init__(self, home: Home) -> None:
        home.root.mkdir(parents=True, exist_ok=True)
        self.home, self.clock, self.app = home, StillClock(), App()
        self.keys = KeyRing(keys_file(home.root), self.clock)
        self._made: list[Protected] = []

    def key(self, *scopes: str, name: str = "test", **lifetime: float) -> str:
        """A new key's plain text."""
        span = timedelta(**lifetime) if lifetime else None
        return self.keys.create(name, scopes or ("read",), span)[1]

    def protected(self, *, tcp: bool = True, auth: bool = True, **others: Any) -> Protected:
        app = others.pop("app", self.app.asgi)
        made = protect(app, home=self.home, clock=self.clock, tcp=tcp, auth=auth, **others)
        self._made.append(made)
        return made

    async def settled(self) -> None:
        """Returns once nothing is being written any more."""
        for made in self._made:
            await made.close()

    @asynccontextmanager
    async def client(
        self, key: str = "", *, address: str = "192.0.2.1", base: str = "http://localhost",
        **others: Any,
    ) -> AsyncIterator[httpx.AsyncClient]:  # fmt: skip
        """A client of the composed app, without a network."""
        app = self.protected(**others)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.ASGITransport(app, client=(address, 1))  # pyright: ignore
        async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
            yield client
        await self.settled()


@asynccontextmanager
async def on_a_port(app: Any) -> AsyncIterator[int]:
    """Serves the app on loopback with uvicorn; gives the port."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", access_log=False, proxy_headers=False,
        http="httptools", ws="websockets-sansio",
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    try:
        yield bound.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        bound.close()


async def said_raw(port: int, request: bytes) -> bytes:
    """The whole answer to exact bytes, for what no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer
