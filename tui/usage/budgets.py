"""What agents may still spend: a line each, with a bar of what is left of the day's money."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from skill_agent.conversations.usage import usd
from skill_agent.values import Budget

from ..frame.bars import line_bar
from ..frame.plain import one_line

ROOM = 12
LOW = 0.2
"""Of the money; less than that is told in another colour."""


class BudgetPane(VerticalScroll, can_focus=True):
    """Below the table."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._drawn: tuple[Sequence[Budget], str] | None = None

    async def tell(self, budgets: Sequence[Budget], note: str) -> None:
        """Draws them, and what is to be said of the table."""
        if self._drawn == (budgets, note):
            return
        self._drawn = budgets, note
        lines: list[Static] = []
        if note:
            lines.append(Static(note, markup=False, classes="note"))
        if budgets:
            lines.append(Static("Left to spend", classes="section"))
            wide = max(cell_len(_name(one)) for one in budgets)
            lines += [Static(_line(one, wide), classes="budget") for one in budgets]
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(lines)


def _name(one: Budget) -> str:
    return one_line(one.name or one.id, 24)


def _line(one: Budget, wide: int) -> Content:
    share = one.left_today_usd / one.daily_usd if one.daily_usd else 0.0
    low = share < LOW
    held = f" · {usd(one.held_usd)} held for what runs" if one.held_usd else ""
    return Content.assemble(
        (f"{set_cell_size(_name(one), wide)}  ", ""),
        line_bar(share, ROOM, "$warning" if low else "$success"),
        (f"  {usd(one.left_today_usd)} of {usd(one.daily_usd)} today", "$warning" if low else ""),
        (
            f" · {usd(one.left_month_usd)} of {usd(one.monthly_usd)} this month{held}",
            "$foreground-muted",
        ),
    )
