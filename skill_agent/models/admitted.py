"""What a model is really sent: a request in which no text holds a chat template's control tokens.

Each adapter passes what it is asked through here, whatever stood in its messages, in the calls and
results of tools, in the tools' descriptions: servers and llama.cpp alike take such a token for the
structure of the conversation, wherever it stands.
"""

from dataclasses import replace
from typing import Any

from skill_agent.ports import ChatMessage, ModelRequest, ToolSpec
from skill_agent.text.gate import tokenless


def admitted(request: ModelRequest) -> ModelRequest:
    """The request as a model may read it; the same input gives the same bytes."""
    return replace(
        request,
        messages=tuple(map(_message, request.messages)),
        tools=tuple(map(_tool, request.tools)),
        opening=tokenless(request.opening),
    )


def _message(message: ChatMessage) -> ChatMessage:
    calls = (
        replace(one, name=tokenless(one.name), arguments=_texts(one.arguments))
        for one in message.tool_calls
    )
    return replace(message, content=tokenless(message.content), tool_calls=tuple(calls))


def _tool(spec: ToolSpec) -> ToolSpec:
    told, parameters = tokenless(spec.description), _texts(spec.parameters)
    return replace(spec, description=told, parameters=parameters)


def _texts(value: Any) -> Any:
    """Every text inside of lists and tables, names too."""
    match value:
        case str():
            return tokenless(value)
        case dict():
            return {tokenless(str(name)): _texts(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_texts(inner) for inner in value]
        case _:
            return value
