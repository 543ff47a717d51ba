"""The tiers of an agent with their models and prices, and what its money still reaches for."""

import math
from dataclasses import replace

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.tiers import (
    TIERS,
    capped,
    chosen,
    models_of_tiers,
    source_of,
)
from skill_agent.conversations.usage import usd
from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.models.models import reply_room
from skill_agent.models.money.metered import Counter
from skill_agent.ports import ModelRequest
from skill_agent.settings.schema import ModelSettings
from skill_agent.values import Budget, BudgetCheck, TierInfo, TierName

from .operations import TierOperations, Tiers

SUITABLE: dict[TierName, tuple[str, ...]] = {
    "fast": ("simple_qa", "classification", "formatting", "yes_no"),
    "balanced": ("analysis", "conversation", "summarization", "code_review"),
    "powerful": ("complex_reasoning", "architecture", "novel_code", "research"),
}
_THOUSAND = 1_000


class TierBook(TierOperations):
    """The tiers of one home's agents."""

    def __init__(
        self,
        *,
        settings: ModelSettings,
        directory: AgentDirectory,
        counter: Counter,
        default_agent: str,
    ) -> None:
        self._settings, self._directory, self._counter = settings, directory, counter
        self._default_agent = default_agent

    async def list(self, *, agent: str | None = None) -> Tiers:
        """Raises NotFound for an unknown agent."""
        dna = self._directory.get(agent or self._default_agent)
        models = models_of_tiers(dna, self._settings)
        return [await self._told(dna, tier, models[tier]) for tier in TIERS]

    async def budget(
        self, *, agent: str | None = None, estimated_usd: float | None = None
    ) -> BudgetCheck:
        """Raises NotFound for an unknown agent, UsageError for less than nothing."""
        if estimated_usd is not None and not 0 <= estimated_usd < math.inf:
            raise UsageError(f"estimated_usd: {estimated_usd} is no amount", hint="0 or more")
        dna = self._directory.get(agent or self._default_agent)
        standing = await self._counter.budgets.of(dna.slug)
        suggested = await self._dearest(dna)
        if estimated_usd is None:
            allowed = await self._affords(dna, chosen(dna, None, self._settings).name)
        else:
            allowed = estimated_usd <= standing.left_today_usd
        return BudgetCheck(
            id=dna.slug,
            allowed=allowed,
            remaining_today_usd=standing.left_today_usd,
            remaining_month_usd=standing.left_month_usd,
            suggested_tier=suggested,
            reason=_reason(standing, allowed=allowed, suggested=suggested),
        )

    async def _dearest(self, dna: AgentDNA) -> TierName | None:
        models = models_of_tiers(dna, self._settings)
        for tier in reversed(TIERS[: TIERS.index(capped(dna, TIERS[-1])) + 1]):
            if self._usable(dna, models[tier]) and await self._affords(dna, models[tier]):
                return tier
        return None

    async def _affords(self, dna: AgentDNA, name: str) -> bool:
        """Whether the money reaches for a reply that takes all its room."""
        model = await self._counter.gateway(dna.slug).model(name)
        room = reply_room(dna.model.max_output_tokens, model.info)
        return await model.affords(ModelRequest(messages=(), max_tokens=room))

    def _usable(self, dna: AgentDNA, name: str) -> bool:
        try:
            self._counter.gateway(dna.slug).check(name)
        except SkillAgentError:
            return False
        return True

    async def _told(self, dna: AgentDNA, tier: TierName, name: str) -> TierInfo:
        told = TierInfo(
            id=tier,
            model=name,
            source=source_of(dna, tier, self._settings),
            max_output_tokens=dna.model.max_output_tokens,
            suitable_for=SUITABLE[tier],
            allowed=capped(dna, tier) == tier,
            usable=self._usable(dna, name),
        )
        try:
            info = (await self._counter.gateway(dna.slug).model(name)).info
        except SkillAgentError:
            return replace(told, usable=False)
        price = await self._counter.prices.of(info)
        return replace(
            told,
            max_output_tokens=reply_room(told.max_output_tokens, info),
            cost_per_1k_input=price and round(price.prompt * _THOUSAND, 8),
            cost_per_1k_output=price and round(price.completion * _THOUSAND, 8),
            supports_tools=info.profile.tools,
            supports_vision=info.profile.vision,
            local=info.local,
        )


def _reason(standing: Budget, *, allowed: bool, suggested: TierName | None) -> str:
    left = (
        f"{usd(standing.left_today_usd)} is left today, {usd(standing.left_month_usd)} this month"
    )
    if allowed:
        return left
    return f"{left}; {f'the {suggested} tier fits' if suggested else 'no tier fits'}"
