"""What `doors.py` measures: `home PATH` hosts a home that offers many tools and says `ready`;
`sdk` is a server of the SDK alone with the same tools, on standard streams."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp import types

TOOLS = 50
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"say": {"type": "string", "description": "What is to be said again."}},
    "additionalProperties": False,
}


def listed() -> list[types.Tool]:
    return [
        types.Tool(name=f"echo_{number}", description="Says it again.", input_schema=SCHEMA)
        for number in range(TOOLS)
    ]


async def host(path: Path) -> None:
    from skill_agent.cli.opening.home_files import init_home
    from skill_agent.cli.opening.hosting import Hosted
    from skill_agent.cli.opening.options import OpenOptions
    from skill_agent.store.lock import HomeLock

    from skill_agent.files.home import Home
    from skill_agent.mcp_server.sets import Sets
    from skill_agent.models.scripted import ScriptedGateway, ScriptedModel

    class Offering(Hosted):
        def _app_for(self, **how: Any) -> Any:
            app = super()._app_for(**how)
            self._mcp[-1]._offered = lambda: Sets(tools=[Echoes()])
            return app

    home = Home(path)
    init_home(home)
    lock = HomeLock(home.lock, role="benchmark")
    lock.acquire()
    options = OpenOptions(role="benchmark", gateway=ScriptedGateway(ScriptedModel(otherwise="Hi.")))
    hosted = Offering(home, lock, options)
    await hosted.open()
    await hosted.opened()
    print("ready", flush=True)
    await asyncio.Event().wait()


class Echoes:
    """Many tools that do nothing."""

    def __init__(self) -> None:
        self._tools = listed()

    async def tools(self, visit: object) -> Sequence[types.Tool]:
        return self._tools

    async def call(self, visit: object, name: str, arguments: dict[str, Any], tell: object) -> Any:
        from skill_agent.mcp_server.sets import Told

        return Told(data=arguments, text=arguments.get("say", ""))


async def alone() -> None:
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    tools = listed()

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        said = params.arguments or {}
        text = types.TextContent(text=said.get("say", ""))
        return types.CallToolResult(content=[text], structured_content=said)

    server = Server[Any]("alone", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(host(Path(sys.argv[2])) if sys.argv[1] == "home" else alone())
