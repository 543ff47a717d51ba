"""The models of a home as front ends see them, and which one an agent speaks with."""

from collections.abc import Callable, Sequence

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.ports import Embedder, Model, ModelGateway, Progress
from skill_agent.values import ModelInfo, ModelTrial

from . import operations
from .embeddings import Embedded, Embeddings
from .trial import tried


class Models(operations.ModelOperations):
    """What the gateway gives, by the names agents use."""

    def __init__(
        self,
        gateway: ModelGateway,
        directory: AgentDirectory,
        embedder: Callable[[], Embedder] | None = None,
    ) -> None:
        self._gateway, self._directory = gateway, directory
        self._embeddings = Embeddings(embedder)

    async def list(self) -> operations.Models:
        return self._gateway.catalogue()

    async def info(self, agent: str, model: str | None = None) -> ModelInfo:
        return (await self.of(self._directory.get(agent), model)).info

    async def test(
        self, name: str | None = None, *, progress: Progress | None = None
    ) -> ModelTrial:
        """Raises what its first call raises."""
        return await tried(await self._gateway.model(name or "default"), progress)

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Raises ModelUnavailable where no embedder is installed."""
        return await self._embeddings.of(texts)

    async def of(self, dna: AgentDNA, override: str | None = None) -> Model:
        """The model an agent answers with; raises NotFound for an unknown embedded one."""
        return await self._gateway.model(_named(dna, override))

    async def ready(self, dna: AgentDNA, override: str | None = None) -> Model:
        """As `of`, but raises now what its first call would raise where that is known already."""
        model = await self.of(dna, override)
        self._gateway.check(_named(dna, override))
        return model


def _named(dna: AgentDNA, override: str | None) -> str:
    tier = dna.model.force_tier
    custom = {one.tier: one.model_name for one in dna.model.custom_tiers}
    return override or (custom.get(tier, tier) if tier else dna.model.model_name)
