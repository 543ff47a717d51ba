"""Which models are offered the tools of the team, and where not."""

from collections.abc import Callable
from dataclasses import dataclass

from skill_agent.ports import Asks, ModelGateway, Tool
from skill_agent.settings.schema import FeatureSettings
from skill_agent.turns.colleagues.nearby import Turning
from skill_agent.values import MAX_DEPTH, ModelAbility, ModelInfo, TurnRequest

from .ability import Abilities, tried
from .asking_person import AskPerson
from .specs import GUIDELINES
from .tools import Means, team_tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """Gives a turn its team tools, where they are switched on and its model proved able."""

    features: FeatureSettings
    abilities: Abilities
    gateway: ModelGateway
    means: Means
    asks: Callable[[], Asks]
    question_s: float
    """How long a question to the person waits."""
    depth: Callable[[TurnRequest], int]
    """How deep below the person's turn one is."""

    def tools(self, turning: Turning, model: ModelInfo) -> dict[str, Tool]:
        if not self._may(model) or self.depth(turning.request) >= MAX_DEPTH:
            return {}
        asking = AskPerson(asks=self.asks, question_s=self.question_s, turning=turning)
        return {**team_tools(self.means, turning), asking.spec.name: asking}

    def guidelines(self, model: ModelInfo) -> str:
        return GUIDELINES if self._may(model) else ""

    async def prove(self, name: str | None) -> ModelAbility:
        """Tries a model and keeps what came of it. Raises what its calls raise."""
        model = await self.gateway.model(name or "default")
        found = await tried(model)
        self.abilities.keep(model.info, found)
        return found

    def _may(self, model: ModelInfo) -> bool:
        on = self.features.task_delegation and self.features.delegation_by_models
        return on and self.abilities.able(model)
