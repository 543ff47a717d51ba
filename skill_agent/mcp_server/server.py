"""The server: sets of tools, resources and prompts behind the official SDK's low-level server.

One server may have many clients; whoever makes it says who stands behind each request.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.shared.exceptions import MCPError

from skill_agent import __version__
from skill_agent.errors import NotFound, SkillAgentError, UsageError
from skill_agent.text.nearest import did_you_mean
from skill_agent.text.redaction import redact

from .checking import mistake
from .listening import Listening
from .sets import Sets, Told, ToolSet
from .skill_tools import ACTIVATE, PREFIX
from .visit import Visit

Context = ServerRequestContext[Any, Any]
VisitOf = Callable[[Context], Visit]
Item = TypeVar("Item")

INSTRUCTIONS = """The memory and the agents of one person. Search before you ask the person what \
they told before; remember what will matter later, in one sentence each."""

PAGE = 250
"""Items of one answer to a listing."""
_LONGEST_NAME = 64
_SCOPES = tuple(map(frozenset, (("read",), ("chat",), ("memory",), ("read", "chat"))))
"""What a tool may take, the least first."""
_NOT_FOUND = -32002
"""For resources, in the era of the handshake and in what clients look for."""

_log = logging.getLogger(__name__)

__all__ = ["Context", "HomeServer", "Sets", "VisitOf"]


class HomeServer:
    """The handlers of one server."""

    def __init__(
        self, sets: Sets, visit_of: VisitOf, *, listening: Listening | None = None
    ) -> None:
        """`visit_of` says whose stay a request belongs to; the client's name is added here.
        `listening` is who is told when a list of tools changed."""
        self._sets, self._visit_of = sets, visit_of
        self._listening = listening or Listening()

    def made(self) -> "Server[Any]":
        """A server of the SDK; what it has no sets of, it does not claim to have."""
        resources, prompts = bool(self._sets.resources), bool(self._sets.prompts)
        return _Announcing(
            "skill-agent",
            title="skill-agent",
            version=__version__,
            instructions=INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources if resources else None,
            on_list_resource_templates=self._list_templates if resources else None,
            on_read_resource=self._read if resources else None,
            on_list_prompts=self._list_prompts if prompts else None,
            on_get_prompt=self._get_prompt if prompts else None,
            on_subscriptions_listen=self._listen,
        )

    # -- tools ---------------------------------------------------------------------------------

    async def _list_tools(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        visit = self._visit(context)
        self._listening.heard(context.session, visit.agent)
        with _in_words():
            found = [tool for tool, _ in (await self._tools(visit)).values()]
        shown, cursor = _page(found, params)
        return types.ListToolsResult(tools=shown, next_cursor=cursor)

    async def _tools(self, visit: Visit) -> dict[str, tuple[types.Tool, ToolSet]]:
        """Each tool with its set, by name; of two of one name the first counts."""
        found: dict[str, tuple[types.Tool, ToolSet]] = {}
        for each in self._sets.tools:
            for tool in await each.tools(visit):
                found.setdefault(tool.name, (tool, each))
        return found

    async def _call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        visit = self._visit(context)

        async def tell(done: float, total: float | None, what: str) -> None:
            await context.session.report_progress(done, total, what)

        try:
            known = await self._tools(visit)
            if params.name not in known:
                hint = await self._why_not(visit, params.name) or _instead(params.name, known)
                return _failed(f"there is no tool {params.name[:_LONGEST_NAME]!r}", hint)
            tool, each = known[params.name]
            arguments = params.arguments or {}
            if wrong := mistake(tool.input_schema, arguments):
                return _failed(f"the arguments do not fit: {wrong}", "see the tool's inputSchema")
            told = await each.call(visit, params.name, arguments, tell)
        except SkillAgentError as problem:
            return _failed(problem.message, problem.hint)
        except Exception as problem:  # the wall: nothing internal leaves with an answer
            return _fallen(params.name, problem)
        if told is None:
            return _failed(f"there is no tool {params.name[:_LONGEST_NAME]!r} any more", "")
        return _result(tool, told)

    async def _why_not(self, visit: Visit, name: str) -> str:
        """What keeps this client from a tool that there is; "" where there is none."""
        if visit.read_only:
            there = name in await self._tools(replace(visit, read_only=False))
            return "this server was started with --read-only" if there else ""
        if (by := visit.requester) is None:
            return ""
        for more in _SCOPES:
            wider = replace(by, scopes=by.scopes | more)
            if name in await self._tools(replace(visit, requester=wider)):
                lacks = " and ".join(f'"{one}"' for one in sorted(more - by.scopes))
                return f"the API key lacks the scope {lacks}"
        return ""

    # -- resources -----------------------------------------------------------------------------

    async def _list_resources(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        visit = self._visit(context)
        with _in_words():
            found = [one for each in self._sets.resources for one in await each.resources(visit)]
        shown, cursor = _page(found, params)
        return types.ListResourcesResult(resources=shown, next_cursor=cursor)

    async def _list_templates(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        visit = self._visit(context)
        with _in_words():
            found = [one for each in self._sets.resources for one in await each.templates(visit)]
        shown, cursor = _page(found, params)
        return types.ListResourceTemplatesResult(resource_templates=shown, next_cursor=cursor)

    async def _read(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        visit = self._visit(context)
        with _in_words():
            for each in self._sets.resources:
                if (found := await each.read(visit, str(params.uri))) is not None:
                    return types.ReadResourceResult(contents=[found])
        raise MCPError(_NOT_FOUND, "there is no such resource", {"uri": str(params.uri)[:500]})

    # -- prompts -------------------------------------------------------------------------------

    async def _list_prompts(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        visit = self._visit(context)
        with _in_words():
            found = [one for each in self._sets.prompts for one in await each.prompts(visit)]
        shown, cursor = _page(found, params)
        return types.ListPromptsResult(prompts=shown, next_cursor=cursor)

    async def _get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        visit = self._visit(context)
        with _in_words():
            for each in self._sets.prompts:
                for prompt in await each.prompts(visit):
                    if prompt.name == params.name:
                        _check_arguments(prompt, params.arguments or {})
                found = await each.get(visit, params.name, params.arguments or {})
                if found is not None:
                    return found
        raise MCPError(types.INVALID_PARAMS, f"there is no prompt {params.name[:_LONGEST_NAME]!r}")

    # -- who asks ------------------------------------------------------------------------------

    async def _listen(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        return await self._listening.stream(context, params, self._visit(context).agent)

    def _visit(self, context: Context) -> Visit:
        """The stay, under the name the client gave at the handshake or with this request."""
        visit, said = self._visit_of(context), context.session.client_params
        if said is None:
            return visit
        return visit.called(_plain(said.client_info.name), _plain(said.client_info.version))


class _Announcing(Server[Any]):
    """It also tells clients of the handshake's era that the list of tools may change."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        announced = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(
            announced, experimental_capabilities, extensions
        )


@contextmanager
def _in_words() -> Iterator[None]:
    """What goes wrong inside becomes an error of the protocol, in words meant for the client."""
    try:
        yield
    except MCPError:
        raise
    except SkillAgentError as problem:
        code = types.INTERNAL_ERROR
        if isinstance(problem, UsageError):
            code = _NOT_FOUND if isinstance(problem, NotFound) else types.INVALID_PARAMS
        raise MCPError(code, _sentence(problem.message, problem.hint)) from None
    except Exception as problem:  # the wall: nothing internal leaves with an answer
        _log.error("an answer to a client failed: %s", redact(repr(problem)), exc_info=True)
        raise MCPError(types.INTERNAL_ERROR, "it failed here; the home's log says why") from None


def _result(tool: types.Tool, told: Told) -> types.CallToolResult:
    if tool.output_schema is not None and (wrong := mistake(tool.output_schema, told.data)):
        _log.error("tool %s gave what it does not promise: %s", tool.name, redact(wrong))
        return _failed("the tool gave a result that does not fit its outputSchema", "")
    content: list[types.ContentBlock] = [types.TextContent(text=told.text)]
    return types.CallToolResult(content=content, structured_content=told.data)


def _failed(message: str, hint: str) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(text=_sentence(message, hint))], is_error=True
    )


def _fallen(name: str, problem: Exception) -> types.CallToolResult:
    _log.error("tool %s failed: %s", redact(name), redact(repr(problem)), exc_info=True)
    return _failed("the tool failed for a reason of its own", "ska logs, on the home's machine")


def _instead(name: str, known: Collection[str]) -> str:
    if name.startswith(PREFIX) and ACTIVATE in known:
        return "activate the skill first"
    return did_you_mean(name, known)


def _sentence(message: str, hint: str) -> str:
    return f"{message} ({hint})" if hint else message


def _check_arguments(prompt: types.Prompt, given: dict[str, str]) -> None:
    known = prompt.arguments or []
    if missing := [one.name for one in known if one.required and one.name not in given]:
        raise UsageError(f"prompt {prompt.name!r} needs the argument {missing[0]!r}")


def _page(
    found: Sequence[Item], params: types.PaginatedRequestParams | None
) -> tuple[list[Item], str | None]:
    """The part of a listing that was asked for, and where the next one begins."""
    asked = (params.cursor if params is not None else None) or "0"
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise MCPError(types.INVALID_PARAMS, "this cursor is none that was given here")
    start = int(asked)
    after = start + PAGE
    return list(found[start:after]), str(after) if after < len(found) else None


def _plain(text: str) -> str:
    """A name of others as it may be kept and shown."""
    return "".join(one for one in text if one.isprintable())[:_LONGEST_NAME].strip()
