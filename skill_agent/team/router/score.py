"""How hard a message is, as one figure, and which tier answers that."""

from collections.abc import Iterable

from skill_agent.agents.tiers import TIERS
from skill_agent.values import Complexity, TierName

WEIGHTS = {
    "reasoning_depth": 0.30,
    "domain_specificity": 0.25,
    "creativity": 0.20,
    "context_dependency": 0.15,
    "output_length": 0.10,
}
MOST = 10.0
BORDERS = (3.0, 6.0)
"""Up to the first a message is answered on the fast tier, up to the second on the balanced."""


def complexity_of(figures: Iterable[float]) -> Complexity:
    """Of the five dimensions in the order of `WEIGHTS`."""
    reasoning, domain, creativity, context, output = figures
    return Complexity(
        reasoning_depth=reasoning,
        domain_specificity=domain,
        creativity=creativity,
        context_dependency=context,
        output_length=output,
    )


def overall(complexity: Complexity) -> float:
    """0..10, to two places."""
    return round(sum(getattr(complexity, name) * share for name, share in WEIGHTS.items()), 2)


def tier_of(figure: float) -> TierName:
    return TIERS[sum(figure > border for border in BORDERS)]
