"""What a model that runs elsewhere is sent: credentials are masked, but for those let go.

The one place all texts pass on their way to a provider, whoever asks: a turn, a summary, what
reads memories. The same text gets the same mask, so that a provider's prompt cache holds.
"""

from dataclasses import replace

from skill_agent.ports import ChatMessage, ModelRequest
from skill_agent.text.redaction import mask, masked_but, masked_within
from skill_agent.text.secrets.credentials import secrets_in
from skill_agent.values import ToolCall

NOTHING: frozenset[str] = frozenset()
_REPEATED = 8
"""A credential of so many characters is masked also where nothing beside it tells what it is."""


def as_sent(request: ModelRequest, provider: str) -> ModelRequest:
    """The request without credentials; blocking, some milliseconds for a long conversation."""
    disclosed = request.disclosed
    allowed = disclosed.secrets if disclosed and disclosed.provider == provider else NOTHING
    told = _told_once(request, allowed)
    messages = tuple(_message(one, allowed, told) for one in request.messages)
    tools = tuple(
        replace(tool, description=masked_but(tool.description, allowed)) for tool in request.tools
    )
    return replace(request, messages=messages, tools=tools)


def _told_once(request: ModelRequest, allowed: frozenset[str]) -> dict[str, str]:
    """Credentials that a person named somewhere in the conversation, with what masks them."""
    found: dict[str, str] = {}
    for message in request.messages:
        text = message.content
        for one in secrets_in(text):
            secret = text[one.start : one.end]
            if len(secret) >= _REPEATED and secret not in allowed:
                found.setdefault(secret, mask(one.kind, secret))
    return dict(sorted(found.items(), key=lambda one: -len(one[0])))


def _message(message: ChatMessage, allowed: frozenset[str], told: dict[str, str]) -> ChatMessage:
    text = masked_but(message.content, allowed)
    for secret, mark in told.items():
        text = text.replace(secret, mark)
    calls = tuple(_call(one, told) for one in message.tool_calls)
    return replace(message, content=text, tool_calls=calls)


def _call(call: ToolCall, told: dict[str, str]) -> ToolCall:
    """A call the model made: what it was not told it cannot have put there, unless it made it up
    or a model on this machine was told."""
    arguments = masked_within(call.arguments)
    for secret, mark in told.items():
        arguments = _without(arguments, secret, mark)
    return replace(call, arguments=arguments)


def _without(value: object, secret: str, mark: str) -> object:
    match value:
        case str():
            return value.replace(secret, mark)
        case dict():
            return {name: _without(inner, secret, mark) for name, inner in value.items()}
        case list():
            return [_without(inner, secret, mark) for inner in value]
        case _:
            return value
