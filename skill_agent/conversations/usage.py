"""What calls of models consumed, as a value: added up, noted, and believed as far as it can be."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from skill_agent.values import LogEntry, Usage, UsageRow


def add(one: Usage, other: Usage) -> Usage:
    """Both together; the model and first-token time are the later one's."""
    return Usage(
        model=other.model or one.model,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cost_usd=one.cost_usd + other.cost_usd,
        priced=one.priced and other.priced,
        first_token_s=other.first_token_s or one.first_token_s,
        total_s=one.total_s + other.total_s,
    )


def usage_of(row: LogEntry) -> Usage:
    """What a `usage` row tells; nothing where that was erased."""
    return usage_in(row.new)


def usage_record(usage: Usage) -> dict[str, Any]:
    """As it is noted; that a price is known goes without saying."""
    told = asdict(usage)
    if usage.priced:
        del told["priced"]
    return told


def usage_in(said: object) -> Usage:
    """What was used, of whatever says so: a figure that cannot be added up counts as nothing."""
    told: dict[str, Any] = said if isinstance(said, dict) else {}
    model = told.get("model")
    return Usage(
        model=model[:_LONGEST_NAME] if isinstance(model, str) else "",
        prompt_tokens=_tokens(told, "prompt_tokens"),
        completion_tokens=_tokens(told, "completion_tokens"),
        cached_tokens=_tokens(told, "cached_tokens"),
        cost_usd=_amount(told, "cost_usd"),
        priced=told.get("priced") is not False,
        first_token_s=_amount(told, "first_token_s"),
        total_s=_amount(told, "total_s"),
    )


def _tokens(told: dict[str, Any], name: str) -> int:
    return int(_figure(told.get(name), _MOST_TOKENS))


def _amount(told: dict[str, Any], name: str) -> float:
    return float(_figure(told.get(name), _MOST_OF_ALL))


def _figure(value: object, most: int) -> float:
    """Neither a text nor less than nothing, no number that is none, nor what no turn exceeds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if 0 <= value <= most else 0


_LONGEST_NAME = 300
_MOST_TOKENS = 10**9
_MOST_OF_ALL = 10**6


def usd(amount: float) -> str:
    """Dollars as people write them; what is less than a few cents with the digits it takes."""
    if amount >= 0.095 or amount == 0:
        return f"${amount:,.2f}"
    return f"${Decimal(f'{amount:.2g}'):f}"


def cost(amount: float, unpriced: int) -> str:
    """What is known of a cost, and that it is not all where it is not."""
    if not unpriced:
        return usd(amount)
    calls = f"{unpriced} call{'s' * (unpriced != 1)} with no known price"
    return f"at least {usd(amount)}, {calls}" if amount else f"unknown, {calls}"


def in_all(rows: Sequence[UsageRow]) -> UsageRow:
    """The rows added up."""
    sums = {
        name: sum(getattr(row, name) for row in rows) for name in UsageRow.__slots__ if name != "id"
    }
    return UsageRow(id="", **sums)


def drawn_by(rows: Sequence[UsageRow]) -> tuple[bool, list[float]]:
    """Whether rows are drawn by what they cost, and the amounts: of their tokens where nothing
    cost anything."""
    paid = any(row.cost_usd for row in rows)
    tokens = (row.cost_usd if paid else row.prompt_tokens + row.completion_tokens for row in rows)
    return paid, [float(one) for one in tokens]
