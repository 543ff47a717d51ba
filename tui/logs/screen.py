"""The log screen: the end of what the host says, live; searched, filtered, read and copied."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, OptionList, Static

from skill_agent.events import HostFound

from ..frame.chips import Chip
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
TYPING_PAUSE = 0.15
AT_ONCE = 1_000
"""Lines of one look."""
LOOKS = 20
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

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        super().__init__(runtime, trouble, choose=choose)
        self._entries: list[Entry] = []
        self._after = ""
        self._words = ""
        self._level: Level = "all"
        self._follow = True

    # -- layout ------------------------------------------------------------------------------

    def _body(self) -> ComposeResult:
        with Horizontal(id="log-search"):
            yield Input(placeholder="Only lines with these words", id="log-words", compact=True)
        with Horizontal(id="log-filters"):
            yield Chip("l", "level", "step_level(1)")
            yield Chip("f", "follow", "follow")
            yield Chip("w", "lines", "wrap")
        with Vertical(id="log-body"):
            yield Static("", id="page-none", markup=False)
            yield EntryList(id="page-list")
            yield EntryPane(id="page-pane")

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = self.app.animation_level != "none"
        self.set_interval(LOOK_S, self._look)
        self._draw_filters()

    @property
    def listing(self) -> EntryList:
        return self.query_one(EntryList)

    @property
    def pane(self) -> EntryPane:
        return self.query_one(EntryPane)

    # -- what is shown -----------------------------------------------------------------------

    def _look(self) -> None:
        busy = any(one.group == "load" and not one.is_finished for one in self.workers)
        if self._runtime() is not None and not busy:
            self._load(0)

    async def _read(self, runtime: "Workstation") -> None:
        new = False
        for _ in range(LOOKS):
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
        shown = [one for one in self._entries if fits(one, self._words, self._level)]
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

    @on(Input.Changed, "#log-words")
    def typed(self, event: Input.Changed) -> None:
        self._words = event.value.strip()
        self.run_worker(self._draw(), group="draw", exclusive=True)

    @on(Input.Submitted, "#log-words")
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._to_list()

    def action_search(self) -> None:
        self.set_focus(self.query_one(Input))

    def action_step_level(self, step: int) -> None:
        self._level = LEVELS[(LEVELS.index(self._level) + step) % len(LEVELS)]
        self._filtered()

    def action_clear(self) -> None:
        self._words, self._level = "", "all"
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        self._filtered()

    def _filtered(self) -> None:
        self._draw_filters()
        self.run_worker(self._draw(), group="draw", exclusive=True)

    def _draw_filters(self) -> None:
        level, follow, wrap = self.query(Chip)
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

    @on(Chip.Pressed)
    async def chip_pressed(self, event: Chip.Pressed) -> None:
        await self.run_action(event.action)

    def action_back(self) -> None:
        """Esc: out of the search or what is read first, then back to the conversation."""
        box = self.query_one(Input)
        if self.focused is box and box.value:
            box.value = ""
        elif self.has_class("-reading"):
            self.remove_class("-reading")
            self._to_list()
        else:
            super().action_back()

    def on_key(self, event: events.Key) -> None:
        if event.key == "down" and isinstance(self.focused, Input):
            event.stop()
            self._to_list()

    def _to_list(self) -> None:
        if self.listing.display:
            self.listing.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash typed into the search is one."""
        return action != "search" or not isinstance(self.focused, Input)

    def foot_label(self, deed: Deed) -> str | None:
        match deed.id:
            case "logs.clear":
                return deed.label if self._words or self._level != "all" else None
            case "logs.follow":
                return "stay here" if self._follow else deed.label
            case "logs.wrap":
                return "one row each" if self.listing.has_class("-wrapped") else deed.label
            case _:
                return deed.label
