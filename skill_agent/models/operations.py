"""What can be done with models, as an interface with its routes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from skill_agent.ports import Progress
from skill_agent.route import route
from skill_agent.values import ModelInfo, ModelOffer, ModelTrial

if TYPE_CHECKING:
    from .embeddings import Embedded

Models = list[ModelInfo]  # `list` is a method
Offers = list[ModelOffer]


class ModelOperations(Protocol):
    """The models there are."""

    @route("GET", "/v1/catalogue", scope="read", id="models")
    async def list(self) -> Models:
        """Embedded models known, and the remote ones named in the settings."""
        ...

    @route("GET", "/v1/catalogue/offers", scope="read", id="model_offers")
    async def offers(self) -> Offers:
        """The chat models one could choose, also what Ollama has and what a key would open; each
        with its price, or why it could not answer now. Asks Ollama, which may take seconds."""
        ...

    @route("GET", "/v1/agents/{agent}/model", scope="read", id="model_info")
    async def info(self, agent: str, model: str | None = None) -> ModelInfo:
        """The model that would answer now."""
        ...

    @route("POST", "/v1/catalogue/test", scope="admin", id="try_model")
    async def test(
        self, name: str | None = None, *, progress: Progress | None = None
    ) -> ModelTrial:
        """Has a model say hello, and times it."""
        ...

    async def embed(self, texts: Sequence[str]) -> "Embedded":
        """Texts as vectors, by the embedder of the home. In the process of the host only."""
        ...
