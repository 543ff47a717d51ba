"""What can be asked of the tiers, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import BudgetCheck, TierInfo

Tiers = list[TierInfo]  # `list` is a method


class TierOperations(Protocol):
    """The tiers messages are answered on, and the money for them."""

    @route("GET", "/v1/moe/tiers", scope="read", id="tiers")
    async def list(self, *, agent: str | None = None) -> Tiers:
        """The tiers as an agent has them (the default one where none is named), the cheapest
        first, with the models behind them and what these cost."""
        ...

    @route("GET", "/v1/moe/budget", scope="read", id="check_budget")
    async def budget(
        self, *, agent: str | None = None, estimated_usd: float | None = None
    ) -> BudgetCheck:
        """Whether an agent could pay for a reply that costs so much, and on which tier it could
        answer; without an estimate, for one that takes all its room on its own model."""
        ...
