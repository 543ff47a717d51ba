"""OpenAI's chat completions as plain values: what a request says, and what an answer looks like.

No routes, no turns: which conversation a request goes on with is `openai_history`'s business.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from skill_agent.conversations.client_context import Exchange
from skill_agent.errors import NotFound, UsageError
from skill_agent.values import Finish, Image, Usage

OWNER = "skill-agent"
_DATA_URL = re.compile(r"data:image/[a-z+.-]+;base64,", re.IGNORECASE)


class Unsupported(UsageError):
    """A parameter we cannot do justice to; it is named, so that nobody believes it was heard."""

    def __init__(self, message: str, param: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.param = param


class UnknownModel(NotFound):
    """No agent goes by the name of this model."""


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
    tool_calls: list[Any] | None = None


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
    stop: Stop | list[Stop] | None = None
    reasoning_effort: Annotated[str, Field(min_length=1)] | None = None
    response_format: ResponseFormat | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    metadata: dict[str, Any] | None = None
    conversation_id: str | None = None
    """Not OpenAI's: the conversation to go on with."""
    use_memory: bool = True
    """Not OpenAI's: false keeps memory out of this turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What a request's messages mean to us."""

    words: str
    """What the person says now."""
    earlier: tuple[Exchange, ...]
    """What the client remembers of the talk so far."""
    instructions: str
    """The system messages."""
    images: tuple[Image, ...] = ()
    """What the person shows with it."""


_REFUSED = (
    "tools", "functions", "function_call", "logprobs", "top_logprobs", "logit_bias", "audio",
    "prediction", "web_search_options", "moderation",
)  # fmt: skip


def check_supported(request: CompletionRequest) -> None:
    """Raises Unsupported for what would change the answer if it were honoured."""
    if request.n not in (None, 1):
        raise Unsupported("an agent gives one reply; n must be 1", "n")
    more = request.model_extra or {}
    for name in _REFUSED:
        if more.get(name):
            raise Unsupported(
                f"{name} is not supported: an agent has its own tools and voice", name
            )
    if more.get("tool_choice") not in (None, "none", "auto"):
        raise Unsupported("tool_choice is not supported: an agent has its own tools", "tool_choice")
    if more.get("modalities") not in (None, [], ["text"]):
        raise Unsupported("only text is supported", "modalities")
    shape = request.response_format
    if shape and shape.type == "json_schema" and shape.json_schema is None:
        raise Unsupported("response_format: json_schema is missing", "response_format")


_OPTIONS = (
    "temperature", "top_p", "presence_penalty", "frequency_penalty", "max_tokens",
    "max_completion_tokens", "seed", "stop", "reasoning_effort",
)  # fmt: skip


def options_of(request: CompletionRequest) -> dict[str, Any] | None:
    """What it says of the sampling, as options of a turn; None where it says nothing."""
    said = {name: getattr(request, name) for name in _OPTIONS}
    return {name: value for name, value in said.items() if value is not None} or None


def schema_of(request: CompletionRequest) -> dict[str, Any] | None:
    """The JSON schema of the reply; of a bare `json_object` any object. None for text."""
    shape = request.response_format
    if shape is None or shape.type == "text":
        return None
    return shape.json_schema.definition if shape.json_schema else {"type": "object"}


def talk_of(messages: Sequence[ClientMessage]) -> Talk:
    """The last user message, what came before it, and the system messages.

    Raises Unsupported for what is not text and for a talk that does not end with the user.
    """
    instructions: list[str] = []
    turns: list[tuple[str, str]] = []
    for place, message in enumerate(messages):
        text = _text(message, place)
        match message.role:
            case "system" | "developer":
                instructions.append(text)
            case "user" | "assistant":
                turns.append((message.role, text))
            case _:
                raise Unsupported(
                    f"messages[{place}]: results of the client's own tools are not supported",
                    "messages",
                )
    if not turns or turns[-1][0] != "user":
        raise Unsupported("the last message must be the user's", "messages")
    *earlier, (words, _) = _exchanges(turns)
    if not words.strip():
        raise Unsupported("the last user message is empty", "messages")
    return Talk(
        words=words,
        earlier=tuple(earlier),
        instructions="\n\n".join(instructions),
        images=_images(messages),
    )


def _images(messages: Sequence[ClientMessage]) -> tuple[Image, ...]:
    """The pictures of what is said last; those before it are known here, or gone."""
    said = next(one for one in reversed(messages) if one.role == "user")
    parts = said.content if isinstance(said.content, list) else []
    urls = [one.image_url.url for one in parts if one.type == "image_url" and one.image_url]
    for url in urls:
        if not _DATA_URL.match(url):
            raise Unsupported(
                "only images in the request are read, as data:image/png;base64,…; "
                "nothing is fetched from an address",
                "messages",
            )
    return tuple(Image(data=url.partition(",")[2]) for url in urls)


def _exchanges(turns: Sequence[tuple[str, str]]) -> list[Exchange]:
    """Neighbours of the same role as one; a reply ends an exchange."""
    found: list[Exchange] = []
    before = "assistant"
    for role, text in turns:
        said, replied = found[-1] if found else ("", "")
        if role == "user" and before == "assistant":
            found.append((text, ""))
        elif role == "user":
            found[-1] = (f"{said}\n\n{text}", "")
        elif not found:
            found.append(("", text))
        else:
            found[-1] = (said, f"{replied}\n\n{text}" if replied else text)
        before = role
    return found


def _text(message: ClientMessage, place: int) -> str:
    if message.tool_calls:
        raise Unsupported(
            f"messages[{place}]: calls of the client's own tools are not supported", "messages"
        )
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    for number, part in enumerate(message.content):
        if part.type not in ("text", "refusal", "image_url"):
            raise Unsupported(
                f"messages[{place}].content[{number}]: agents read text and images, "
                f"not {part.type}",
                "messages",
            )
    told = [part for part in message.content if part.type != "image_url"]
    return "\n".join(part.text or part.refusal for part in told)


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

    def whole(self, text: str, usage: Usage, finish: Finish) -> dict[str, Any]:
        """The answer in one piece."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage_of(usage)}

    def chunk(self, delta: dict[str, Any], finish: Finish | None = None) -> dict[str, Any]:
        """A piece of a streamed answer."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

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


def error_object(
    message: str, *, status: int, code: str | None, param: str | None = None
) -> dict[str, Any]:
    """OpenAI's error body."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def now() -> int:
    """Seconds since 1970, as OpenAI dates its answers."""
    return int(time.time())
