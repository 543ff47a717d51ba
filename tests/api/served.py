"""A real server on a Unix socket for an ASGI app, and a reader of its event streams."""

import json
import socket
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from skill_agent.api.door.listener import Listener


@dataclass(frozen=True)
class Told:
    """One server-sent event as it came; a comment has `event` ':'."""

    event: str
    data: Any
    id: str = ""

    @property
    def seq(self) -> int:
        return int(self.id.rpartition(".")[2])


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Serves the app for as long as the block runs; gives a client of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "s")
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(path)
        bound.listen(1_000)
        bound.setblocking(False)
        listener = Listener(app, bound, strangers=False)
        listener.load()
        await listener.start()
        transport = httpx.AsyncHTTPTransport(uds=path, limits=httpx.Limits(max_connections=None))
        try:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://home", timeout=60
            ) as client:
                yield client
        finally:
            await listener.close()


@asynccontextmanager
async def listening(
    client: httpx.AsyncClient, *, after: str = "", **wanted: str
) -> AsyncIterator[AsyncIterator[Told]]:
    """An open stream of events; connected once this is entered."""
    headers = {"Last-Event-ID": after} if after else {}
    async with client.stream("GET", "/v1/events", params=wanted, headers=headers) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        told = _told(response)
        assert (await anext(told)).event == ":"
        yield told
        await told.aclose()


async def _told(response: httpx.Response) -> AsyncGenerator[Told, None]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line.startswith(":"):
            yield Told(":", line[1:].strip())
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields.keys() == {"id"}:
            yield Told("", None, fields.pop("id"))
        elif fields:
            yield Told(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
            fields = {}
