"""What was used, in memory, for the screens."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from skill_agent.conversations.operations import FigureOperations
from skill_agent.errors import SkillAgentError
from skill_agent.values import Budget, Usage, UsageBy, UsageRow, UsageTotals

BUDGETS = (
    Budget(id="kyra", name="Kyra", daily_usd=2, monthly_usd=30, left_today_usd=1.58,
           left_month_usd=25.6),
    Budget(id="luke", name="Luke", daily_usd=1, monthly_usd=10, left_today_usd=0.12,
           left_month_usd=4.02, held_usd=0.05),
)  # fmt: skip


class StageFigures(FigureOperations):
    """Gives the rows it has by what is asked; keeps what was asked."""

    def __init__(self) -> None:
        self.rows: dict[str, Sequence[UsageRow]] = {}
        self.asked: list[tuple[UsageBy | None, datetime | None, str | None]] = []
        self.today = Usage(model="m", prompt_tokens=10, completion_tokens=5)
        self.problem: SkillAgentError | None = None

    async def usage(
        self,
        *,
        by: UsageBy | None = None,
        since: datetime | None = None,
        agent: str | None = None,
        zone: str = "",
    ) -> UsageTotals:
        if self.problem is not None:
            raise self.problem
        self.asked.append((by, since, agent))
        if agent and not self.rows:
            return _of_one(agent)
        rows = tuple(self.rows.get(by or "", ()))
        budgets = BUDGETS if rows else ()
        return UsageTotals(
            last=Usage(), today=self.today, total=Usage(), turns=1, rows=rows, budgets=budgets
        )


def _of_one(slug: str) -> UsageTotals:
    """What one agent used, where nothing was said of any."""
    row = UsageRow(id=slug, turns=42, prompt_tokens=91_000, completion_tokens=12_300,
                   cost_usd=0.31)  # fmt: skip
    budget = Budget(id=slug, daily_usd=5, monthly_usd=100, spent_today_usd=0.02,
                    spent_month_usd=0.31)  # fmt: skip
    none = Usage()
    return UsageTotals(last=none, today=none, total=none, turns=42, rows=(row,), budgets=(budget,))


def spent(figures: StageFigures) -> None:
    """A month of three agents and some models, some of it without a known price."""
    figures.today = Usage(model="m", prompt_tokens=10, completion_tokens=5, cost_usd=0.42)
    figures.rows["agent"] = (
        UsageRow(id="kyra", turns=210, calls=260, prompt_tokens=1_210_000, cached_tokens=840_000,
                 completion_tokens=88_000, cost_usd=4.4),
        UsageRow(id="luke", turns=64, calls=70, prompt_tokens=420_000, cached_tokens=63_000,
                 completion_tokens=51_200, cost_usd=1.3, unpriced=3),
        UsageRow(id="ada", turns=4, calls=4, prompt_tokens=9_100, completion_tokens=800,
                 unpriced=4),
    )  # fmt: skip
    figures.rows["day"] = tuple(
        UsageRow(id=f"2026-11-{day:02}", turns=day, calls=day, prompt_tokens=10_000 * day,
                 cached_tokens=5_000 * day, completion_tokens=600 * day, cost_usd=0.1 * day)
        for day in (2, 3, 5, 9)
    )  # fmt: skip
    figures.rows["model"] = tuple(
        replace(row, id=name)
        for row, name in zip(
            figures.rows["agent"],
            ("anthropic/claude-sonnet-4-with-a-name-that-is-long", "ollama/中文模型:8b", ""),
            strict=True,
        )
    )
