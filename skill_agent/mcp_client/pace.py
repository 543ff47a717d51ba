"""Messages on their way to the session, not faster than a person's machine should care for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import ReadStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification, JSONRPCRequest

from .limits import Limits


@asynccontextmanager
async def paced(
    reads: ReadStream[SessionMessage | Exception], limits: Limits, ended: asyncio.Event
) -> AsyncIterator[MemoryObjectReceiveStream[SessionMessage | Exception]]:
    """The same messages; a server that sends ever more notices is read more slowly. `ended` is set
    once nothing comes any more."""
    sends, passed = anyio.create_memory_object_stream[SessionMessage | Exception](0)

    async def pump() -> None:
        try:
            async with sends:
                await _pumped(reads, sends, limits.messages_a_second)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # nobody listens any more
        finally:
            ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(pump)
        try:
            yield passed
        finally:
            group.cancel_scope.cancel()
            passed.close()


async def _pumped(
    reads: ReadStream[SessionMessage | Exception],
    sends: MemoryObjectSendStream[SessionMessage | Exception],
    most: int,
) -> None:
    loop = asyncio.get_running_loop()
    second, unasked = loop.time(), 0
    async for item in reads:
        if not isinstance(item, SessionMessage):
            continue
        if isinstance(item.message, JSONRPCNotification | JSONRPCRequest):
            unasked += 1
            now = loop.time()
            if now - second >= 1:
                second, unasked = now, 1
            elif unasked > most:
                await asyncio.sleep(1 - (now - second))
                second, unasked = loop.time(), 1
        await sends.send(item)
