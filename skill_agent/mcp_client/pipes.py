"""The way to a server over its standard streams.

The SDK's own reads a line of any length into memory, and gives the server our standard error.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage

from skill_agent.programs.error_log import ErrorLog
from skill_agent.programs.running import Running

from .limits import Limits
from .lines import Lines, TooLong, ids_in

_PIECE = 1 << 16
_GARBAGE_SHOWN = 200


@asynccontextmanager
async def over_pipes(
    process: Running, log: ErrorLog, limits: Limits
) -> AsyncIterator[TransportStreams]:
    """Ends the process with all it started at the end."""
    sends, reads = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    writes, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    pipes = _Pipes(process, log, limits)
    async with anyio.create_task_group() as group:
        group.start_soon(pipes.read, sends)
        group.start_soon(pipes.write, outgoing, sends)
        try:
            yield reads, writes
        finally:
            reads.close()
            writes.close()
            with anyio.CancelScope(shield=True):
                await process.end(limits.exit_s)
            group.cancel_scope.cancel()
    for stream in (sends, reads, writes, outgoing):
        stream.close()


class _Pipes:
    """Messages of one process, both ways."""

    def __init__(self, process: Running, log: ErrorLog, limits: Limits) -> None:
        self._process, self._log, self._limits = process, log, limits
        self._waiting: dict[str, types.RequestId] = {}
        """Requests that were sent and not answered, by their ids as text."""

    async def read(self, sends: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
        lines = Lines(self._limits.message_bytes)
        heard = True
        async with sends:
            while chunk := await self._piece():
                for line in lines.feed(chunk):
                    # What comes once nobody listens is still taken: a server that cannot write
                    # does not see that its input has ended.
                    if heard:
                        heard = await self._pass_on(line, sends)

    async def _piece(self) -> bytes:
        try:
            return await self._process.output.read(_PIECE)
        except OSError:
            return b""

    async def _pass_on(
        self, line: bytes | TooLong, sends: MemoryObjectSendStream[SessionMessage | Exception]
    ) -> bool:
        try:
            for message in await self._messages(line):
                await sends.send(SessionMessage(message))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return False
        return True

    async def _messages(self, line: bytes | TooLong) -> list[types.JSONRPCMessage]:
        if isinstance(line, TooLong):
            most = self._limits.message_bytes
            said = f"a message of {line.size:,} bytes; {most:,} is the most"
            await self._log.note(f"it sent {said}")
            return self._failed(ids_in(line.ends) & self._waiting.keys() or {*self._waiting}, said)
        if not line.strip():
            return []
        try:
            message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            shown = line[:_GARBAGE_SHOWN].decode("utf-8", "replace")
            await self._log.note(f"no message on its standard output: {shown}")
            return self._failed(ids_in(line) & self._waiting.keys(), "what is no message")
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            self._waiting.pop(str(message.id), None)
        return [message]

    def _failed(self, ids: set[str], what: str) -> list[types.JSONRPCMessage]:
        """In place of answers that cannot be had, so that nobody waits for them."""
        error = types.ErrorData(code=types.PARSE_ERROR, message=f"it sent {what}")
        return [
            types.JSONRPCError(jsonrpc="2.0", id=self._waiting.pop(one), error=error)
            for one in sorted(ids)
        ]

    async def write(
        self,
        outgoing: MemoryObjectReceiveStream[SessionMessage],
        sends: MemoryObjectSendStream[SessionMessage | Exception],
    ) -> None:
        stdin = self._process.input
        try:
            async with outgoing:
                async for item in outgoing:
                    message = item.message
                    if isinstance(message, types.JSONRPCRequest):
                        self._waiting[str(message.id)] = message.id
                    elif isinstance(message, types.JSONRPCNotification) and (
                        message.method == "notifications/cancelled"
                    ):
                        self._waiting.pop(str((message.params or {}).get("requestId")), None)
                    text = message.model_dump_json(by_alias=True, exclude_unset=True)
                    stdin.write(text.encode() + b"\n")
                    await stdin.drain()
        except (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            # It takes nothing any more: the connection is seen to end, no request waits for ever.
            await sends.aclose()
