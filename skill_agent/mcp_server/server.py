"""The server: sets of tools, resources and prompts behind the official SDK's low-level server.

One server may have many clients; whoever makes it says who stands behind each request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from skill_agent import __version__
from skill_agent.errors import SkillAgentError

from .sets import PromptSet, ResourceSet, ToolSet
from .visit import Visit

Context = ServerRequestContext[Any, Any]
VisitOf = Callable[[Context], Visit]

INSTRUCTIONS = """The memory and the agents of one person. Search before you ask the person what \
they told before; remember what will matter later, in one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """What is offered."""

    tools: Sequence[ToolSet] = ()
    resources: Sequence[ResourceSet] = ()
    prompts: Sequence[PromptSet] = ()


class HomeServer:
    """The handlers of one server."""

    def __init__(self, sets: Sets, visit_of: VisitOf) -> None:
        self._sets, self._visit_of = sets, visit_of

    def made(self) -> "Server[Any]":
        return Server(
            "skill-agent",
            version=__version__,
            instructions=INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )

    async def _list_tools(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        visit = self._visit_of(context)
        found = [one for each in self._sets.tools for one in await each.tools(visit)]
        return types.ListToolsResult(tools=found)

    async def _call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        visit = self._visit_of(context)

        async def tell(done: float, total: float | None, what: str) -> None:
            await context.session.report_progress(done, total, what)

        try:
            for each in self._sets.tools:
                told = await each.call(visit, params.name, params.arguments or {}, tell)
                if told is not None:
                    return types.CallToolResult(
                        content=[types.TextContent(text=told.text)], structured_content=told.data
                    )
        except SkillAgentError as problem:
            return _failed(problem.message, problem.hint)
        return _failed(f"there is no tool {params.name!r}", "")


def _failed(message: str, hint: str) -> types.CallToolResult:
    text = f"{message} ({hint})" if hint else message
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
