"""The models of a home as front ends see them, and which one an agent speaks with."""

from collections.abc import Callable, Sequence

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.tiers import chosen
from skill_agent.models.money.metered import Budgeted, Counter
from skill_agent.ports import Embedder, Model, ModelGateway, Progress
from skill_agent.settings.schema import ModelSettings
from skill_agent.values import ModelInfo, ModelTrial

from . import operations
from .embeddings import Embedded, Embeddings
from .offers import priced
from .outside import OutsideModel
from .trial import tried

_UNKNOWN_WINDOW = 32_768
_REPLYS_SHARE = 4
"""A reply has at most this fraction (1/4) of the window."""


class Models(operations.ModelOperations):
    """What the gateway gives, by the names agents use; what agents ask is paid for."""

    def __init__(
        self,
        gateway: ModelGateway,
        directory: AgentDirectory,
        settings: ModelSettings,
        counter: Counter,
        embedder: Callable[[], Embedder] | None = None,
    ) -> None:
        self._gateway, self._directory = gateway, directory
        self._settings, self._counter = settings, counter
        self._embeddings = Embeddings(embedder)

    async def list(self) -> operations.Models:
        return self._gateway.catalogue()

    async def offers(self) -> operations.Offers:
        found = await self._gateway.offers()
        prices = [await self._counter.prices.of(one.model) for one in found]
        return [priced(one, price) for one, price in zip(found, prices, strict=True)]

    async def info(self, agent: str, model: str | None = None) -> ModelInfo:
        return (await self.of(self._directory.get(agent), model)).info

    async def test(
        self, name: str | None = None, *, progress: Progress | None = None
    ) -> ModelTrial:
        """Raises what its first call raises. No agent asks, so no agent pays."""
        return await tried(await self._gateway.model(name or "default"), progress)

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Raises ModelUnavailable where no embedder is installed."""
        return await self._embeddings.of(texts)

    async def of(self, dna: AgentDNA, override: str | None = None) -> Model:
        """The model an agent answers with; raises NotFound for an unknown embedded one."""
        if dna.runs is not None and not override:
            return OutsideModel(dna.runs)
        return await self._given(dna, chosen(dna, override, self._settings).name)

    async def ready(self, dna: AgentDNA, override: str | None = None) -> Model:
        """As `of`, but raises now what its first call would raise where that is known already:
        also BudgetSpent."""
        if dna.runs is not None and not override:
            return OutsideModel(dna.runs)
        name = chosen(dna, override, self._settings).name
        model = await self._given(dna, name)
        self._gateway.check(name)
        await model.check(reply_room(dna.model.max_output_tokens, model.info))
        return model

    async def _given(self, dna: AgentDNA, name: str) -> Budgeted:
        return await self._counter.gateway(dna.slug).model(name)


def reply_room(most: int, info: ModelInfo) -> int:
    """Tokens a reply of an agent may have by its settings and its model's window."""
    return min(most, (info.context_window or _UNKNOWN_WINDOW) // _REPLYS_SHARE)
