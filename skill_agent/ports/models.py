"""What the core asks of models and embedders, as Protocols, and what passes between them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from skill_agent.values import (
    Image,
    ModelInfo,
    ModelOffer,
    Role,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message as a model reads it."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    images: tuple[Image, ...] = ()
    """Shown with a user's words; the words tell that they were, for a model that cannot see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as a model is told of it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Credentials that a person let go to one provider; any other reads masks."""

    provider: str
    secrets: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call of a model."""

    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    response_schema: dict[str, Any] | None = None
    """A JSON schema the whole reply must satisfy."""
    answers: tuple[str, ...] = ()
    """The reply is one of these words, and the end tells how likely each of them was; see
    `models.weighing`. They begin with different tokens; no tools and no schema beside them."""
    temperature: float = 0.7
    max_tokens: int = 1024
    overrides: dict[str, Any] = field(default_factory=dict)
    """Provider-specific parameters, passed through."""
    opening: str = ""
    """The beginning of the reply, already said; only for models whose profile says `continues`."""
    background: bool = False
    """Nobody waits for it; what a person's conversation has made hot stays hot."""
    disclosed: Disclosure | None = None
    """Credentials that are not masked on their way to a model that runs elsewhere."""
    purpose: str = "reply"
    """What for, in a word or two, for whoever looks the call up; no model is told."""
    session: str = ""
    turn: str = ""
    """Where it is asked, for the accounts; empty for what no turn asks. No model is told."""
    tier: str = ""
    strategy: str = ""
    """How model and agent were chosen, for the accounts too; empty where they were not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """The next piece of the model's reply."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThoughtPart:
    """The next piece of what the model thinks before it answers; no part of the reply."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPart:
    """A complete tool call."""

    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPart:
    """Something worth telling while one waits ("loading the model", "falling back to …")."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPart:
    """The last part of every stream that did not raise."""

    usage: Usage
    finish: Literal["stop", "length", "tool_calls", "filtered", "cut"] = "stop"
    """`filtered`: the provider withheld the rest; `cut`: the stream ended without saying so."""
    likely: Mapping[str, float] = field(default_factory=dict)
    """Of a request with `answers` the probability of each, summing to 1; empty where it is not
    known, as of most models that run elsewhere."""


ModelPart = TextPart | ThoughtPart | ToolPart | StatusPart | EndPart


class Model(Protocol):
    """A chat model. Closing the iterator early stops the generation at once.

    Raises ModelUnavailable, ModelRejected or ModelFailed.
    """

    @property
    def info(self) -> ModelInfo: ...

    async def load(self) -> None:
        """Whatever takes seconds before a first call: reading weights, importing a client."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]: ...

    async def prefill(self, request: ModelRequest) -> None:
        """Make the request's system message and tools hot ahead of its first use.

        A remote model does nothing. Never raises for want of a cache.
        """
        ...

    async def count_tokens(self, text: str) -> int: ...


class ModelGateway(Protocol):
    """Where models come from."""

    async def model(self, name: str, *, prefer: str = "") -> Model:
        """The model for `provider/model`, a role or `default`, with its fallback chain.

        Cheap: nothing heavy is imported or loaded before the first call of the model.
        Raises NotFound for an unknown embedded name.
        """
        ...

    def check(self, name: str) -> None:
        """Raises ModelUnavailable or ModelRejected where it is known beforehand that none of the
        chain could answer: not installed, no key, no such provider. Cheap."""
        ...

    def catalogue(self) -> list[ModelInfo]:
        """Embedded models known, and the remote ones named in config."""
        ...

    async def offers(self) -> list[ModelOffer]:
        """Every chat model one could choose, and why those cannot answer that cannot."""
        ...

    async def close(self) -> None: ...


class Embedder(Protocol):
    """Text to unit vectors."""

    @property
    def name(self) -> str:
        """Identifies model and variant; another name means another vector space."""
        ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """float32 array (len(texts), dimensions), rows of length 1. Blocking; call in a thread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The word pieces of one text that say anything: neither marks nor unknown signs."""

    vectors: "np.ndarray"
    """float32 (n, width), of length 1"""
    spans: "np.ndarray"
    """int (n, 2): where in the text each stands"""


@runtime_checkable
class PieceEmbedder(Protocol):
    """An embedder that can also give the vectors of a text's word pieces, from the same run."""

    def embed_pieces(self, texts: Sequence[str]) -> "tuple[np.ndarray, list[Pieces]]":
        """The vectors as `embed` gives them, and each text's pieces; none where nothing is known
        of how to compress those of this model. Blocking; call in a thread."""
        ...


@runtime_checkable
class EmbedsQuestions(Protocol):
    """An embedder that reads a question in another way than what may answer it."""

    def embed_questions(self, texts: Sequence[str]) -> "np.ndarray":
        """float32 (len(texts), dimensions), to be multiplied with rows of `embed`. Their length is
        what puts the products on the scale that recall is tuned for. Blocking."""
        ...


class Reranker(Protocol):
    """Says how well each text answers a question, reading both together."""

    @property
    def name(self) -> str: ...

    def scores(self, question: str, texts: Sequence[str]) -> "np.ndarray":
        """float32 (len(texts),), the higher the better, on a scale of its own. Blocking; call in a
        thread. Raises ModelUnavailable."""
        ...


@runtime_checkable
class CountsTokens(Protocol):
    """An embedder that can tell how much it reads."""

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Of all the texts together. Blocking."""
        ...
