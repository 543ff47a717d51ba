"""A well-behaved server by the official SDK: over its standard streams, or `--http`, when it prints
its port."""

import asyncio
import sys
from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

server = MCPServer("friendly", version="2.1")


class Name(BaseModel):
    name: Annotated[str, Field(description="Who")]


@server.tool(title="Add", annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True))
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def fail() -> str:
    """Cannot."""
    raise ToolError("the disk is full")


@server.tool()
async def slow(context: Context) -> str:
    """Tells how far it is."""
    for step in range(3):
        await context.report_progress(step, 3, f"step {step}")
    return "done"


@server.tool()
async def wait() -> str:
    """Takes for ever."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        sys.stderr.write("it was cancelled\n")
        sys.stderr.flush()
        raise
    return ""


LAPSED: list[bool] = []


@server.tool()
def lapse() -> str:
    """Over HTTP it answers the next message as if it knew nothing of the session."""
    LAPSED.append(True)
    return "lapsed"


@server.tool()
async def grow(context: Context) -> str:
    """Has a tool more."""

    def more() -> str:
        """One more."""
        return "more"

    server.add_tool(more)
    await context.notify_tools_changed()
    return "grown"


def over_http() -> None:
    import socket

    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    async def guarded(scope, receive, send):  # type: ignore[no-untyped-def]
        given = dict(scope.get("headers") or ()).get(b"authorization", b"")
        if scope["type"] == "http" and given != b"Bearer let-me-in-42":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"who are you?"})
            return
        if scope["type"] == "http" and scope["method"] == "POST" and LAPSED:
            LAPSED.clear()
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    app = server.streamable_http_app()
    print(port, flush=True)
    uvicorn.Server(uvicorn.Config(guarded, log_level="error")).run(sockets=[listening])


if __name__ == "__main__":
    over_http() if "--http" in sys.argv else server.run()
