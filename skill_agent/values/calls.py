"""Calls of a model as they were made: what was sent, what it was made of, and what came back."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .nouns import Role, ToolCall, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPart:
    """A stretch of a message's content that belongs to one layer of the prompt."""

    layer: str
    start: int
    end: int
    """Characters `content[start:end]`; nothing where the tokens are those of tool calls."""
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMessage:
    """One message as it was sent, credentials taken out."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    parts: tuple[PromptPart, ...] = ()
    """In order; white space between layers belongs to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLayer:
    """A layer of the whole prompt, wherever its parts stand."""

    name: str
    """`identity`, `profile`, `team`, `rules`, `summary`, `history`, `recalled`, `message`, `hint`,
    `exchange` (tool calls of this turn), `tools` (their descriptions), `format`."""
    tokens: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One call of a model within a turn: the exact messages, and what came of them."""

    id: str
    turn: str
    session: str
    agent: str
    model: str
    created_at: datetime
    purpose: str = "reply"
    """`reply`, `tools` (the reply after tools were run), or what else it was for."""
    messages: tuple[PromptMessage, ...] = ()
    tools: tuple[str, ...] = ()
    """Names of the tools that were offered."""
    parameters: dict[str, Any] = field(default_factory=dict)
    layers: tuple[PromptLayer, ...] = ()
    estimated: bool = False
    """The sizes of layers are guessed by their length, in proportion to what the model told."""
    left_out: tuple[str, ...] = ()
    """What could have been in the prompt and is not, a sentence each with the reason."""
    text: str = ""
    """What the model said; empty where it was not asked."""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    usage: Usage = field(default_factory=Usage)
    error: str = ""
    """Why it did not end well."""

    @property
    def tokens(self) -> int:
        """Of the whole prompt, as the layers were counted."""
        return sum(layer.tokens for layer in self.layers)
