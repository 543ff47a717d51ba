"""Clients of the SDK's own that come into a runtime in this process."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import jsonschema
from mcp import types
from mcp.client import Client

from skill_agent.access.confined import Confined
from skill_agent.host.runtime import Runtime
from skill_agent.mcp_server.offered import all_sets
from skill_agent.mcp_server.server import HomeServer, Sets
from skill_agent.mcp_server.sets import Told
from skill_agent.mcp_server.visit import Visit
from skill_agent.values import Requester

MODES = ("legacy", "auto")


def visit(runtime: Runtime, **more: Any) -> Visit:
    """A client named `claude-code` on this machine."""
    return Visit(**{"station": runtime, "client": "claude-code", "version": "2.1", **more})


def keyed(runtime: Runtime, *scopes: str, key: str = "k1") -> Visit:
    """A client that came by an API key."""
    by = Requester(key=key, name=f"name-{key}", scopes=frozenset(scopes))
    return visit(runtime, station=Confined(runtime, by), requester=by)


@asynccontextmanager
async def client_of(
    staying: Visit, mode: str, *, sets: Sets | None = None
) -> AsyncIterator[Client]:
    server = HomeServer(sets or all_sets(), lambda _context: staying).made()
    said = types.Implementation(name=staying.client, version=staying.version)
    async with Client(server, mode=mode, client_info=said) as client:
        yield client


async def nobody_told(_done: float, _total: float | None, _what: str) -> None:
    return None


async def used(staying: Visit, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives; held against its own schemas on both sides."""
    return (await told(staying, tool, **arguments)).data


async def told(
    staying: Visit, tool: str, *, tell: Callable[..., Any] = nobody_told, **arguments: Any
) -> Told:
    for one in all_sets().tools:
        offered = {tool.name: tool for tool in await one.tools(staying)}
        if tool in offered:
            jsonschema.validate(arguments, offered[tool].input_schema)
        found = await one.call(staying, tool, arguments, tell)
        if found is not None:
            jsonschema.validate(found.data, offered[tool].output_schema or {})
            return found
    raise AssertionError(f"no tool {tool}")
