"""An editor for the tests: the SDK's client on one end of a real pair of sockets, our agent on the
other."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from acp.client.connection import ClientSideConnection
from acp.exceptions import RequestError
from acp.interfaces import Client
from acp.schema import (
    AllowedOutcome,
    ClientCapabilities,
    DeniedOutcome,
    FileSystemCapabilities,
    PermissionOption,
    ReadTextFileResponse,
    RequestPermissionResponse,
    ToolCallUpdate,
)

from skill_agent.acp_agent.line import EditorLine
from skill_agent.acp_agent.serving import serve_editor
from skill_agent.workstation import Workstation

Update = Any
WITHIN_S = 30.0


class Editor:
    """What an editor sees, and what its person answers."""

    def __init__(self) -> None:
        self.updates: list[tuple[str, Update]] = []
        self.asked: list[tuple[ToolCallUpdate, list[PermissionOption]]] = []
        self.answers: Callable[[list[PermissionOption]], str | None] | None = None
        """Which option is chosen; None cancels. Without it the question stays open."""
        self.buffers: dict[str, str] = {}
        """What it has open, by path."""
        self.read: list[str] = []
        self._news = asyncio.Event()

    # -- what the agent asks ------------------------------------------------------------------

    async def session_update(self, session_id: str, update: Update, **_: Any) -> None:
        self.updates.append((session_id, update))
        self._news.set()

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        self.asked.append((tool_call, options))
        self._news.set()
        if self.answers is None:
            await asyncio.Event().wait()
            raise AssertionError
        chosen = self.answers(options)
        if chosen is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(
            outcome=AllowedOutcome(outcome="selected", option_id=chosen)
        )

    async def read_text_file(self, session_id: str, path: str, **_: Any) -> ReadTextFileResponse:
        self.read.append(path)
        if path not in self.buffers:
            raise RequestError.resource_not_found(path)
        return ReadTextFileResponse(content=self.buffers[path])

    # -- what a test asks ---------------------------------------------------------------------

    def of(self, kind: str, session: str = "") -> list[Update]:
        """The updates of one kind."""
        return [
            one
            for where, one in self.updates
            if one.session_update == kind and session in ("", where)
        ]

    def said(self, session: str = "") -> str:
        return "".join(one.content.text for one in self.of("agent_message_chunk", session))

    def thought(self, session: str = "") -> str:
        return "".join(one.content.text for one in self.of("agent_thought_chunk", session))

    async def until(self, what: Callable[[], object]) -> None:
        """Waits until what it has seen is so."""
        async with asyncio.timeout(WITHIN_S):
            while not what():
                self._news.clear()
                if not what():
                    await self._news.wait()

    def calls(self) -> Iterator[tuple[str, list[Update]]]:
        """Tool calls with all that was told of each, in order."""
        told: dict[str, list[Update]] = {}
        for _, one in self.updates:
            if one.session_update in ("tool_call", "tool_call_update"):
                told.setdefault(one.tool_call_id, []).append(one)
        yield from told.items()


@asynccontextmanager
async def streams() -> AsyncIterator[
    tuple[
        tuple[asyncio.StreamReader, asyncio.StreamWriter],
        tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ]
]:
    """Both ends of a pair of sockets."""
    one, other = socket.socketpair()
    limit = 1 << 26
    ours = await asyncio.open_connection(sock=one, limit=limit)
    theirs = await asyncio.open_connection(sock=other, limit=limit)
    try:
        yield ours, theirs
    finally:
        for _, writer in (ours, theirs):
            writer.close()


@asynccontextmanager
async def editing(
    station: Workstation,
    folders: Path,
    *,
    agent: str | None = None,
    reads: bool = False,
    most: int | None = None,
) -> AsyncIterator[tuple[ClientSideConnection, Editor]]:
    """An editor that has said hello; `reads` says that it gives the text of files."""
    editor = Editor()
    async with streams() as ((reader, writer), (its_reader, its_writer)):
        line = EditorLine(reader, writer, *([most] if most else []))
        serving = asyncio.create_task(serve_editor(station, line, folders=folders, agent=agent))
        conn = ClientSideConnection(
            cast(Client, editor), its_writer, its_reader, use_unstable_protocol=True
        )
        try:
            fs = FileSystemCapabilities(read_text_file=reads)
            async with asyncio.timeout(WITHIN_S):
                await conn.initialize(1, client_capabilities=ClientCapabilities(fs=fs))
            yield conn, editor
        finally:
            await conn.close()
            its_writer.close()
            await serving


@asynccontextmanager
async def raw(station: Workstation, folders: Path, most: int | None = None) -> AsyncIterator["Raw"]:
    """An editor of bare lines, for what the SDK's client would never send."""
    async with streams() as ((reader, writer), (its_reader, its_writer)):
        line = EditorLine(reader, writer, *([most] if most else []))
        serving = asyncio.create_task(serve_editor(station, line, folders=folders))
        try:
            yield Raw(its_reader, its_writer)
        finally:
            its_writer.close()
            await serving


class Raw:
    """Sends bytes, reads lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, *lines: bytes) -> None:
        for line in lines:
            self._writer.write(line + b"\n")
            await self._writer.drain()

    async def next(self) -> dict[str, Any]:
        import json

        async with asyncio.timeout(WITHIN_S):
            return json.loads(await self._reader.readline())

    async def answer(self, request: object) -> dict[str, Any]:
        """The answer to a request; what is told meanwhile is passed over."""
        while True:
            message = await self.next()
            if "method" not in message and message.get("id") == request:
                return message
