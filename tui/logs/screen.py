"""The log screen: the end of what the host says, live; searched, filtered, read and copied."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static

from skill_agent.events import HostFound

from ..frame.deeds import Deed
from ..frame.page import FindRuntime, FindTrouble, Page
from . import deeds
from .entries import GAP, LEVELS, Entry, Level, added, fits
from .entry_list import EntryList
from .pane import EntryPane

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

LOOK_S = 1.0
"""Between two looks at what was added."""
AT_ONCE = 1_000
"""Lines of one look."""
LOOKS_AT_ONCE = 20
"""Before the screen is drawn."""
MOST, CUT_TO = 6_000, 5_000
"""Entries that are kept; the oldest go."""
EMPTY = "The host has said nothing yet.\n\nWhat goes wrong, and what begins and ends, stands here."
NO_MATCH = "Nothing of what is read matches.\n\nx takes the filters away."


class LogScreen(Page):
    """Reads from the end, and goes on from there."""

    HEADING = "Logs"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("logs.tcss")
    WAKING = "Waking the team. Its log comes by itself."
    NEWS = (HostFound,)
    LOOKS = LOOK_S
    SEARCH = "Only lines with these words"
    CHIPS = (
        ("l", "level", "step_level(1)"), ("f", "follow", "follow"), ("w", "lines", "wrap"),
    )  # fmt: skip

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        super().__init__(runtime, trouble, choose=choose)
        self._entries: list[Entry] = []
        self._after = ""
        self._level: Level = "all"
        self._follow = True

    # -- layout ------------------------------------------------------------------------------

    def _body(self) -> ComposeResult:
        with Vertical(id="log-body"):
            yield Static("", id="page-none", markup=False)
            yield EntryList(id="page-list")
            yield EntryPane(id="page-pane")

    def on_mount(self) -> None:
        self._draw_filters()

    @property
    def listing(self) -> EntryList:
        return self.query_one(EntryList)

    @property
    def pane(self) -> EntryPane:
        return self.query_one(EntryPane)

    # -- what is shown -----------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        new = False
        for _ in range(LOOKS_AT_ONCE):
            found = await runtime.host.log(after=self._after, most=AT_ONCE)
            self._after = found.after
            if found.missed:
                self._entries.append(GAP)
            if not found.lines:
                break
            new = True
            self._entries = added(self._entries, found.lines)
        if len(self._entries) > MOST:
            self._entries = self._entries[-CUT_TO:]
        if new or not self.listing.entries:
            await self._draw()

    async def _draw(self) -> None:
        shown = [one for one in self._entries if fits(one, self.words, self._level)]
        if not shown:
            await self._show_none(NO_MATCH if self._entries else EMPTY)
            return
        self._show_list()
        self.listing.put(shown, follow=self._follow)
        narrowed = len(shown) < len(self._entries)
        of = f" of {len(self._entries):,}" if narrowed else ""
        self._count(f"{len(shown):,}{of} entries")

    async def _clear(self) -> None:
        self.listing.put([], follow=False)
        self.remove_class("-reading")

    def on_resize(self, event: events.Resize) -> None:
        if self.listing.entries:
            self.run_worker(self._draw(), group="draw", exclusive=True)

    # -- filters -----------------------------------------------------------------------------

    def _search(self) -> None:
        """In what is read already."""
        self.run_worker(self._draw(), group="draw", exclusive=True)

    def action_step_level(self, step: int) -> None:
        self._level = LEVELS[(LEVELS.index(self._level) + step) % len(LEVELS)]
        self._filtered()

    def action_clear(self) -> None:
        self._level = "all"
        self.forget_words()
        self._filtered()

    def _filtered(self) -> None:
        self._draw_filters()
        self._search()

    def _draw_filters(self) -> None:
        level, follow, wrap = self.chips
        level.tell(self._level, lit=self._level != "all")
        follow.tell("on" if self._follow else "off", lit=not self._follow)
        wrap.tell("whole" if self.listing.has_class("-wrapped") else "one row", lit=False)
        self.refresh_bindings()

    # -- keys --------------------------------------------------------------------------------

    @on(EntryList.Left)
    def went_up(self) -> None:
        self._set_follow(False)

    def action_follow(self) -> None:
        self._set_follow(not self._follow)
        if self._follow:
            self.listing.to_end()

    def _set_follow(self, follow: bool) -> None:
        if follow != self._follow:
            self._follow = follow
            self._draw_filters()

    def action_wrap(self) -> None:
        self.listing.toggle_class("-wrapped")
        self._draw_filters()
        if self._follow:
            self.call_after_refresh(self.listing.to_end)

    @on(OptionList.OptionSelected)
    def entered(self) -> None:
        if (entry := self.listing.chosen) is not None:
            self._set_follow(False)
            self.add_class("-reading")
            self.run_worker(partial(self.pane.tell, entry), group="pane", exclusive=True)
            self.pane.focus()

    def action_copy(self) -> None:
        if (entry := self.listing.chosen) is not None:
            self.app.copy_to_clipboard(entry.whole)

    def action_back(self) -> None:
        """Esc: what is read is closed, too."""
        if self.has_class("-reading") and not isinstance(self.focused, Input):
            self.remove_class("-reading")
            self._to_list()
        else:
            super().action_back()

    def foot_label(self, deed: Deed) -> str | None:
        match deed.id:
            case "logs.clear":
                return deed.label if self.words or self._level != "all" else None
            case "logs.follow":
                return "stay here" if self._follow else deed.label
            case "logs.wrap":
                return "one row each" if self.listing.has_class("-wrapped") else deed.label
            case _:
                return deed.label
