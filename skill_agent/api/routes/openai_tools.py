"""The tools of a client program: what it declares, what a reply calls, and what came of the calls.

We carry none of them out. Declared ones stand in the place of the agent's own for that reply.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from skill_agent.conversations.client_calls import results_with
from skill_agent.models.structured import schema_problem
from skill_agent.values import Attachment, ClientTool, Message, ToolCall

from .openai_errors import Unsupported

MOST_TOOLS = 128
NOTHING = "(no output)"
"""Stands for a result without a text."""

ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class _Open(BaseModel):
    """What OpenAI adds to it later is let pass."""

    model_config = ConfigDict(extra="allow")


class Function(_Open):
    """What a tool does and takes."""

    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    """A JSON schema of type object; without one it takes nothing."""


class DeclaredTool(_Open):
    """A tool that the client program offers."""

    type: Literal["function"]
    function: Function


class NamedFunction(_Open):
    name: ToolName


class NamedTool(_Open):
    """The one tool that has to be called."""

    type: Literal["function"]
    function: NamedFunction


class Allowed(_Open):
    mode: Literal["auto", "required"]
    tools: list[NamedTool]


class AllowedTools(_Open):
    """Some of the declared tools, without declaring them anew."""

    type: Literal["allowed_tools"]
    allowed_tools: Allowed


ToolChoice = Literal["none", "auto", "required"] | NamedTool | AllowedTools


class CalledFunction(_Open):
    name: str
    arguments: str = ""
    """JSON, as the model wrote it."""


class ClientCall(_Open):
    """A call of an earlier reply, as the client remembers it."""

    id: Annotated[str, Field(min_length=1)]
    type: Literal["function"] = "function"
    function: CalledFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a call."""

    call: str
    """The call's id."""
    tool: str = ""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What the client program offers for this reply."""

    tools: tuple[ClientTool, ...] = ()
    choice: str = "auto"


def offered(tools: Sequence[DeclaredTool] | None, choice: ToolChoice | None) -> Offered:
    """Raises Unsupported for tools that cannot be told to a model, and a choice of none of them."""
    found = {one.name: one for one in _declared(tools or ())}
    if not found and choice not in (None, "none", "auto"):
        raise Unsupported("tool_choice needs tools to choose from", "tool_choice")
    match choice:
        case NamedTool():
            _known(choice.function.name, found)
            # Told so, every model understands it, also one that knows no choice by name.
            return Offered(tools=(found[choice.function.name],), choice="required")
        case AllowedTools():
            names = [one.function.name for one in choice.allowed_tools.tools]
            for name in names:
                _known(name, found)
            some = tuple(one for one in found.values() if one.name in names)
            return Offered(tools=some, choice=choice.allowed_tools.mode)
        case _:
            return Offered(tools=tuple(found.values()), choice=choice or "auto")


def _declared(tools: Sequence[DeclaredTool]) -> Iterator[ClientTool]:
    if len(tools) > MOST_TOOLS:
        raise Unsupported(f"at most {MOST_TOOLS} tools", "tools")
    names: set[str] = set()
    for place, one in enumerate(tools):
        said = one.function
        if said.name in names:
            raise Unsupported(f"tools[{place}]: {said.name} is declared twice", "tools")
        names.add(said.name)
        yield ClientTool(
            name=said.name,
            description=said.description or "",
            parameters=_parameters(said.parameters or {}, place),
        )


def _parameters(schema: dict[str, Any], place: int) -> dict[str, Any]:
    kind = schema.get("type", "object")
    wrong = "" if kind == "object" else f"$.type: it is {kind!r}, and has to be 'object'"
    if wrong := wrong or schema_problem(schema):
        raise Unsupported(f"tools[{place}].function.parameters: {wrong}"[:500], "tools")
    return {"type": "object", "properties": {}, **schema}


def _known(name: str, tools: Mapping[str, ClientTool]) -> None:
    if name not in tools:
        raise Unsupported(
            f"tool_choice: {name} is none of the tools: {', '.join(tools)}", "tool_choice"
        )


# -- calls and results -----------------------------------------------------------------------


def calls_on_the_wire(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """The calls of a reply in OpenAI's words."""
    return [
        {
            "id": one.id,
            "type": "function",
            "function": {"name": one.name, "arguments": _json(one.arguments)},
        }
        for one in calls
    ]


def deltas(calls: Sequence[ToolCall]) -> Iterator[dict[str, Any]]:
    """The same as pieces of a stream: first what is called, then with what."""
    for index, one in enumerate(calls_on_the_wire(calls)):
        arguments = one["function"]["arguments"]
        head = {**one, "index": index, "function": {**one["function"], "arguments": ""}}
        yield {"tool_calls": [head]}
        yield {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}


def told_call(name: str, arguments: Any) -> str:
    """A call as a line of a talk; equal however its JSON was written."""
    return f"[calls {name} {_json(arguments, sort=True)}]"


def told_result(tool: str, text: str) -> str:
    """What came of it, likewise."""
    return f"[{tool} gives: {text.strip() or NOTHING}]"


def read_arguments(written: str) -> Any:
    """Of a call that a client remembers; what is no JSON stays a text."""
    try:
        return json.loads(written) if written.strip() else {}
    except (ValueError, RecursionError):
        return written


def attachments_of(results: Sequence[Result]) -> tuple[Attachment, ...]:
    """Results as texts of others, each by the name of its tool."""
    return tuple(
        Attachment(one.text if one.text.strip() else NOTHING, origin="tool", name=one.tool)
        for one in results
    )


def results_in(message: Message) -> str:
    """The results that came with a stored message, as lines of a talk."""
    return "\n\n".join(told_result(one.name, one.text) for one in results_with(message))


def _json(value: Any, *, sort: bool = False) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=sort)
