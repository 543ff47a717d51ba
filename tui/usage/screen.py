"""The usage screen: what models consumed and cost, as a plot of figures, and what may be spent."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.conversations.usage import usd
from skill_agent.events import HostFound, TurnFailed, TurnFinished
from skill_agent.text.clock import zone_here
from skill_agent.values import Usage, UsageRow

from ..frame.agents import AgentList
from ..frame.deeds import Deed
from ..frame.page import FindRuntime, FindTrouble, Page
from . import deeds
from .asked import SAID, Asked, begin_of, every_day, now
from .budgets import BudgetPane
from .rows import Drawn, cost_of, drawn

if TYPE_CHECKING:
    from skill_agent.values import UsageTotals
    from skill_agent.workstation import Workstation

SESSIONS = 1_000
"""So many of the newest conversations are shown by their titles."""
EDGE = 6
"""Columns beside the rows."""
EMPTY = "Nothing was used in this time.\n\np looks at another time, b at something else."


class UsageScreen(Page):
    """Asks anew after every turn."""

    HEADING = "Usage"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("usage.tcss")
    WAKING = "Waking the team. What it used comes by itself."
    NEWS = (TurnFinished, TurnFailed, HostFound)
    CHIPS = (("b", "by", "step_by(1)"), ("p", "time", "step_period(1)"), ("x", "of", "clear"))

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        super().__init__(runtime, trouble, choose=choose)
        self._asked = Asked()
        self._zone = ""
        self._agents = AgentList()
        self._rows: list[UsageRow] = []
        self._names: list[str] = []
        self._table: Drawn | None = None

    # -- layout ------------------------------------------------------------------------------

    def _body(self) -> ComposeResult:
        with Vertical(id="usage-body"):
            yield Static("", id="page-none", markup=False)
            yield Static("", id="usage-head")
            yield OptionList(id="page-list", markup=False)
            yield Static("", id="usage-total")
            yield BudgetPane(id="page-pane")

    def on_mount(self) -> None:
        self._draw_asked()

    @property
    def pane(self) -> BudgetPane:
        return self.query_one(BudgetPane)

    # -- what is shown -----------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        asked, at = self._asked, now()
        if not self._zone:
            self._zone = await asyncio.to_thread(zone_here)
        if not self._agents.all():
            self._agents = AgentList(await runtime.agents.list())
        since = begin_of(asked.period, at, self._zone)
        found = await runtime.figures.usage(
            by=asked.by, since=since, agent=asked.agent, zone=self._zone
        )
        month = await runtime.figures.usage(
            by="agent", since=begin_of("month", at, self._zone), zone=self._zone
        )
        rows = [*found.rows]
        if asked.by == "day":
            rows = every_day(rows, since, at, self._zone)
        self._rows, self._names = rows, await self._named(runtime, rows)
        self._count(_totals(found, month))
        self._draw_asked()
        await self.pane.tell(found.budgets, _note(rows))
        if not rows:
            await self._show_none(EMPTY)
            self._count(_totals(found, month))
            return
        self._show_list()
        self._draw()

    async def _named(self, runtime: "Workstation", rows: Sequence[UsageRow]) -> list[str]:
        by = self._asked.by
        titles: dict[str, str] = {}
        if by == "agent":
            titles = {one.slug: one.name for one in self._agents.all()}
        elif by == "session":
            found = await runtime.conversations.list(limit=SESSIONS)
            titles = {one.id: one.title or "(no title)" for one in found}
        nameless = {
            "tier": "(no tier)",
            "strategy": "(no choice)",
            "session": "(in the background)",
        }
        return [titles.get(row.id, row.id) or nameless.get(by, "(unknown)") for row in rows]

    async def _clear(self) -> None:
        self._rows, self._names, self._table = [], [], None
        self.listing.clear_options()

    def _draw(self) -> None:
        """The rows as wide as there is room; the chosen one stays."""
        if not self._rows or not self.is_mounted:
            return
        at, scrolled = self.listing.highlighted or 0, self.listing.scroll_y
        word = SAID.get(self._asked.by, self._asked.by)
        table = drawn(self._rows, self._names, self.size.width - EDGE, word)
        self._table = table
        self.query_one("#usage-head", Static).update(table.head)
        self.query_one("#usage-total", Static).update(table.total)
        with self.app.batch_update():
            self.listing.clear_options()
            self.listing.add_options([Option(line) for line in table.lines])
            self.listing.highlighted = min(at, len(self._rows) - 1)
            self.listing.scroll_to(y=scrolled, animate=False, immediate=True)

    def _draw_asked(self) -> None:
        by, period, of = self.chips
        by.tell(SAID.get(self._asked.by, self._asked.by), lit=False)
        period.tell({"month": "this month", "all": "all there is"}.get(
            self._asked.period, self._asked.period), lit=False)  # fmt: skip
        of.display = self._asked.agent is not None
        of.tell(self._agents[self._asked.agent].name if self._asked.agent else "", lit=True)
        self.refresh_bindings()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._draw)

    # -- keys --------------------------------------------------------------------------------

    def _ask(self, asked: Asked) -> None:
        self._asked = asked
        self._draw_asked()
        self._load(0)

    def action_step_by(self, step: int) -> None:
        self._ask(self._asked.stepped_by(step))

    def action_step_period(self, step: int) -> None:
        self._ask(self._asked.stepped_period(step))

    def action_clear(self) -> None:
        if self._asked.agent is not None:
            self._ask(Asked(period=self._asked.period))

    @on(OptionList.OptionSelected)
    def entered(self, event: OptionList.OptionSelected) -> None:
        """An agent alone, day by day."""
        row = self._rows[event.option_index]
        if self._asked.by == "agent" and row.id:
            self._ask(Asked(by="day", period=self._asked.period, agent=row.id))

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._table.plain if self._table else "")

    def foot_label(self, deed: Deed) -> str | None:
        """What leads nowhere is not offered."""
        if deed.id == "usage.clear" and self._asked.agent is None:
            return None
        if deed.id == "usage.one" and (self._asked.by != "agent" or not self._rows):
            return None
        return deed.label


def _totals(found: "UsageTotals", month: "UsageTotals") -> str:
    whole = [row for row in month.rows]
    spent = UsageRow(
        id="",
        calls=sum(row.calls for row in whole) or 1,
        cost_usd=sum(row.cost_usd for row in whole),
        unpriced=sum(row.unpriced for row in whole),
    )
    return f"today {_spent(found.today)} · this month {cost_of(spent)}"


def _spent(used: Usage) -> str:
    if used.priced:
        return usd(used.cost_usd)
    return f"≥ {usd(used.cost_usd)}" if used.cost_usd else "unknown"


def _note(rows: Sequence[UsageRow]) -> str:
    unpriced = sum(row.unpriced for row in rows)
    if not unpriced:
        return ""
    calls = "1 call has" if unpriced == 1 else f"{unpriced:,} calls have"
    return f"{calls} no known price; what is not known is not counted."
