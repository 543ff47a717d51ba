"""Server-sent events as an answer, without a server: silence, hanging up, a host that closes."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from skill_agent.api.answers.sse import EventStream, server_sent, until_gone


class Client:
    """Listens until it hangs up."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.heard = asyncio.Queue[dict[str, Any]]()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.heard.put(message)

    async def body(self) -> bytes:
        while (message := await self.heard.get())["type"] != "http.response.body":
            pass
        return message["body"]


class Pieces:
    """One piece, then nothing until `more`; knows whether it was closed."""

    def __init__(self) -> None:
        self.more = asyncio.Event()
        self.closed = False

    async def told(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            await self.more.wait()
            yield b"two"
        finally:
            self.closed = True


async def test_silence_is_told_and_costs_no_item() -> None:
    pieces, client = Pieces(), Client()
    heard: list[bytes | None] = []
    async for piece in until_gone(pieces.told(), client.receive, quiet_s=0.001):
        heard.append(piece)
        if heard.count(None) == 2:
            pieces.more.set()
    assert heard[:3] == [b"one", None, None]
    assert [piece for piece in heard if piece] == [b"one", b"two"] and pieces.closed


async def test_who_hangs_up_closes_the_source() -> None:
    pieces, client = Pieces(), Client()
    with pytest.raises(ClientDisconnect):
        async for _ in until_gone(pieces.told(), client.receive):
            client.gone.set()
    assert pieces.closed


async def test_a_stream_is_whole_or_says_farewell() -> None:
    for cut, last in ((False, b""), (True, b"bye")):
        pieces, client = Pieces(), Client()
        stream = EventStream(pieces.told(), farewell=b"bye", headers={"X-Turn-ID": "t"})
        answering = asyncio.create_task(stream({"type": "http"}, client.receive, client.send))
        head = await client.heard.get()
        assert (b"x-turn-id", b"t") in head["headers"]
        assert await client.body() == b"one"
        if cut:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        else:
            pieces.more.set()
            assert await client.body() == b"two"
        assert await client.body() == last
        assert pieces.closed and answering.cancelled() is cut


def test_a_value_as_an_event() -> None:
    assert server_sent("result", {"n": 1}) == b'event: result\ndata: {"n":1}\n\n'
