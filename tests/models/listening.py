"""Reads a model's stream to its end, as the tests want it."""

from contextlib import aclosing
from dataclasses import dataclass, field

from skill_agent.ports import (
    ChatMessage,
    EndPart,
    Model,
    ModelRequest,
    StatusPart,
    TextPart,
    ToolPart,
    ToolSpec,
)
from skill_agent.values import ToolCall


@dataclass
class Heard:
    """Everything one stream gave."""

    pieces: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    ends: list[EndPart] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def end(self) -> EndPart:
        (end,) = self.ends
        return end


async def listen(model: Model, request: ModelRequest) -> Heard:
    """The whole stream; errors pass through."""
    heard = Heard()
    async with aclosing(model.stream(request)) as parts:
        async for part in parts:
            match part:
                case TextPart():
                    heard.pieces.append(part.text)
                case ToolPart():
                    heard.calls.append(part.call)
                case StatusPart():
                    heard.status.append(part.text)
                case EndPart():
                    heard.ends.append(part)
    return heard


def system(text: str) -> ChatMessage:
    return ChatMessage(role="system", content=text)


def user(text: str) -> ChatMessage:
    return ChatMessage(role="user", content=text)


def assistant(text: str) -> ChatMessage:
    return ChatMessage(role="assistant", content=text)


PERSONA = system(
    "You are Kyra, a friendly generalist. "
    + " ".join(f"Rule {n}: be kind and brief, number {n}." for n in range(20))
)


def one_text(name: str, parameter: str, description: str = "") -> ToolSpec:
    """A tool with one text parameter."""
    return ToolSpec(
        name=name,
        description=description or f"The {name} tool.",
        parameters={
            "type": "object",
            "properties": {parameter: {"type": "string", "maxLength": 60}},
            "required": [parameter],
            "additionalProperties": False,
        },
    )


HTTP = one_text("http_get", "url", "Fetch a web page by its address.")
SKILLS = ToolSpec(
    name="activate_skill",
    description="Read the full instructions of one of your skills.",
    parameters={
        "type": "object",
        "properties": {"name": {"type": "string", "enum": ["weather", "world-clock"]}},
        "required": ["name"],
        "additionalProperties": False,
    },
)
