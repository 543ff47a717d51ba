"""OpenAI's chat completions as plain values: what a request says, and what an answer looks like.

No routes, no turns: what the messages mean is `openai_talk`'s business, which conversation they go
on with `openai_history`'s.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from skill_agent.models.structured import schema_problem
from skill_agent.values import Finish, ToolCall, Usage

from .openai_errors import Unsupported
from .openai_tools import ClientCall, DeclaredTool, ToolChoice, calls_on_the_wire, deltas

OWNER = "skill-agent"
MOST_STOPS = 4


class ImageUrl(BaseModel):
    """A picture, or where one is."""

    model_config = ConfigDict(extra="allow")

    url: str


class Part(BaseModel):
    """A piece of a message's content."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str = ""
    refusal: str = ""
    image_url: ImageUrl | None = None


class ClientMessage(BaseModel):
    """One message of the talk as the client remembers it."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[ClientCall] | None = None
    tool_call_id: str | None = None
    """Of a tool's result: the call it answers."""


class StreamOptions(BaseModel):
    """What a stream says besides the reply."""

    model_config = ConfigDict(extra="allow")

    include_usage: bool = False


class NamedSchema(BaseModel):
    """A JSON schema with its name."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    name: str = ""
    definition: Annotated[dict[str, Any], Field(alias="schema")] = {}


class ResponseFormat(BaseModel):
    """The form of the reply."""

    model_config = ConfigDict(extra="allow")

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


Stop = Annotated[str, Field(min_length=1)]


class CompletionRequest(BaseModel):
    """A chat completion; what it does not say of the sampling is the agent's own."""

    model_config = ConfigDict(extra="allow")

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[ClientMessage], Field(min_length=1)]
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    seed: int | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=MOST_STOPS)] | None = None
    reasoning_effort: Annotated[str, Field(min_length=1)] | None = None
    response_format: ResponseFormat | None = None
    tools: list[DeclaredTool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    metadata: dict[str, Any] | None = None
    conversation_id: str | None = None
    """Not OpenAI's: the conversation to go on with."""
    use_memory: bool = True
    """Not OpenAI's: false keeps memory out of this turn."""


_REFUSED = (
    "functions", "function_call", "logprobs", "top_logprobs", "logit_bias", "audio", "prediction",
    "web_search_options", "moderation",
)  # fmt: skip


def check_supported(request: CompletionRequest) -> None:
    """Raises Unsupported for what would change the answer if it were honoured."""
    if request.n not in (None, 1):
        raise Unsupported("an agent gives one reply; n must be 1", "n")
    more = request.model_extra or {}
    for name in _REFUSED:
        if more.get(name):
            raise Unsupported(f"{name} is not supported{_INSTEAD.get(name, '')}", name)
    if more.get("modalities") not in (None, [], ["text"]):
        raise Unsupported("only text is supported", "modalities")
    shape = request.response_format
    if shape and shape.type == "json_schema" and shape.json_schema is None:
        raise Unsupported("response_format: json_schema is missing", "response_format")
    if shape and shape.json_schema and (wrong := schema_problem(shape.json_schema.definition)):
        told = f"response_format: the schema is no JSON schema: {wrong}"
        raise Unsupported(told[:500], "response_format")


_INSTEAD = MappingProxyType(
    {"functions": "; declare them as tools", "function_call": "; it is called tool_choice by now"}
)


_OPTIONS = (
    "temperature", "top_p", "presence_penalty", "frequency_penalty", "max_tokens",
    "max_completion_tokens", "seed", "stop", "reasoning_effort",
)  # fmt: skip


def options_of(request: CompletionRequest) -> dict[str, Any] | None:
    """What it says of the sampling, as options of a turn; None where it says nothing."""
    said = {name: getattr(request, name) for name in _OPTIONS}
    if request.tools:
        said["parallel_tool_calls"] = request.parallel_tool_calls
    return {name: value for name, value in said.items() if value is not None} or None


def schema_of(request: CompletionRequest) -> dict[str, Any] | None:
    """The JSON schema of the reply; of a bare `json_object` any object. None for text."""
    shape = request.response_format
    if shape is None or shape.type == "text":
        return None
    return shape.json_schema.definition if shape.json_schema else {"type": "object"}


FINISHES: dict[Finish, str] = {
    "length": "length",
    "filtered": "content_filter",
    "tool_calls": "tool_calls",
}
"""What OpenAI calls an end; any other is `stop`."""


def usage_of(usage: Usage) -> dict[str, Any]:
    """What a turn consumed, in OpenAI's words."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The parts of an answer that are the same from its first chunk to its last."""

    turn: str
    model: str
    conversation: str
    created: int

    def whole(
        self, text: str, usage: Usage, finish: Finish, calls: Sequence[ToolCall] = ()
    ) -> dict[str, Any]:
        """The answer in one piece."""
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if calls:
            message |= {"content": text or None, "tool_calls": calls_on_the_wire(calls)}
        choice = {"index": 0, "message": message, "logprobs": None, **_ended(finish)}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage_of(usage)}

    def chunk(self, delta: dict[str, Any], finish: Finish | None = None) -> dict[str, Any]:
        """A piece of a streamed answer."""
        choice = {"index": 0, "delta": delta, "logprobs": None, **_ended(finish)}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def end(self, finish: Finish, calls: Sequence[ToolCall]) -> Iterator[dict[str, Any]]:
        """The pieces after the text: what is called, and why it ended."""
        for delta in deltas(calls):
            yield self.chunk(delta)
        yield self.chunk({}, finish)

    def last(self, usage: Usage) -> dict[str, Any]:
        """The piece that carries the figures and nothing else."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": usage_of(usage)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.turn}",
            "object": kind,
            "created": self.created,
            "model": self.model,
            "conversation_id": self.conversation,
        }


def model_entry(slug: str, created: float | None) -> dict[str, Any]:
    """An agent as a model."""
    return {"id": slug, "object": "model", "created": int(created or 0), "owned_by": OWNER}


def _ended(finish: Finish | None) -> dict[str, Any]:
    return {"finish_reason": finish and FINISHES.get(finish, "stop")}


def now() -> int:
    """Seconds since 1970, as OpenAI dates its answers."""
    return int(time.time())
