"""Sets of a test's own behind the real server: a tool for each way a call may go."""

import asyncio
from collections.abc import Sequence
from typing import Any

from mcp import types

from skill_agent.errors import NotFound
from skill_agent.mcp_server.sets import Sets, Tell, Told
from skill_agent.mcp_server.visit import Visit

OBJECT: dict[str, Any] = {"type": "object"}


def _tool(name: str, parameters: dict[str, Any] | None = None, **more: Any) -> types.Tool:
    schema = {**OBJECT, "properties": parameters or {}, "additionalProperties": False}
    return types.Tool(name=name, description=f"The tool {name}.", input_schema=schema, **more)


SAY = {"type": "string", "maxLength": 20}
TOOLS = (
    _tool(
        "echo",
        {"say": SAY},
        output_schema={**OBJECT, "properties": {"said": {"type": "string"}}, "required": ["said"]},
    ),
    _tool("who"),
    _tool("broken"),
    _tool("lying", output_schema={**OBJECT, "required": ["truth"]}),
    _tool("slow"),
    _tool("chatty"),
)
WRITES = _tool("write", annotations=types.ToolAnnotations(destructive_hint=False))


class Calls:
    """Every way a call may go; what went on is kept for the test."""

    def __init__(self) -> None:
        self.extra: list[str] = []
        """Names of tools that came later."""
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.written = 0
        self.visits: list[Visit] = []

    async def tools(self, visit: Visit) -> Sequence[types.Tool]:
        writes = [WRITES] if visit.may("memory") else []
        return [*TOOLS, *writes, *(_tool(name) for name in self.extra)]

    async def call(
        self, visit: Visit, name: str, arguments: dict[str, Any], tell: Tell
    ) -> Told | None:
        self.visits.append(visit)
        match name:
            case "echo":
                return Told(data={"said": arguments.get("say", "")}, text=arguments.get("say", ""))
            case "who":
                told = {
                    "agent": visit.agent,
                    **visit.told,
                    "key": getattr(visit.requester, "name", ""),
                }
                return Told(data=told, text=visit.agent)
            case "broken":
                raise RuntimeError("the secret is sk-abcdefghijklmnopqrstuvwx")
            case "lying":
                return Told(data={"no": 1}, text="no")
            case "slow":
                self.begun.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    self.ended.set()
            case "chatty":
                visit.demand("chat")
                for done in (1, 2):
                    await tell(done, 2, f"step {done}")
                return Told(data={}, text="done")
            case "write":
                visit.demand("memory")
                self.written += 1
                return Told(data={"written": self.written}, text="written")
        return None


class Papers:
    """One resource, one template."""

    async def resources(self, visit: Visit) -> Sequence[types.Resource]:
        return [types.Resource(uri="paper://one", name="One", mime_type="text/plain")]

    async def templates(self, visit: Visit) -> Sequence[types.ResourceTemplate]:
        return [types.ResourceTemplate(uri_template="paper://{name}", name="Papers")]

    async def read(self, visit: Visit, uri: str) -> types.TextResourceContents | None:
        if not uri.startswith("paper://"):
            return None
        if uri != "paper://one":
            raise NotFound(f"there is no paper {uri}", hint="paper://one")
        return types.TextResourceContents(uri=uri, mime_type="text/plain", text="Once upon a time")


class Prompts:
    """One prompt that needs a topic."""

    async def prompts(self, visit: Visit) -> Sequence[types.Prompt]:
        topic = types.PromptArgument(name="topic", required=True)
        return [types.Prompt(name="ponder", description="Ponder.", arguments=[topic])]

    async def get(
        self, visit: Visit, name: str, arguments: dict[str, str]
    ) -> types.GetPromptResult | None:
        if name != "ponder":
            return None
        content = types.TextContent(text=f"Ponder {arguments['topic']}.")
        return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=content)])


def sets(calls: Calls | None = None) -> Sets:
    return Sets(tools=[calls or Calls()], resources=[Papers()], prompts=[Prompts()])
