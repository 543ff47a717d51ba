"""The screen of background work: what runs and waits, with how far it is; pausing, stopping, doing
it once more.

It lies over the conversation and leaves it as it was. What is shown is always read anew from the
home; events only say when.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from skill_agent.errors import SkillAgentError
from skill_agent.events import HostFound, WorkChanged
from skill_agent.values import Work

from ..frame.help import WORK_KEYS, KeyHelp
from ..frame.plain import printable
from .rows import row_of

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

PAUSE = 0.2
"""Seconds of quiet before a change shows."""
WAKING = "Waking the team. Its work comes by itself."
EMPTY = (
    "Nothing is done in the background.\n\n"
    "Long commands take --detach, as: ska memory rebuild --detach"
)
KEYS = (
    ("p", "pause, go on"), ("c", "stop"), ("r", "once more"), ("y", "copy the result"),
    ("Esc", "back"), ("F1", "all keys"),
)  # fmt: skip
_ENDED = ("completed", "failed", "cancelled", "dead")


class WorkScreen(Screen[None]):
    """Shows what has not ended first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", show=False),
        Binding("f9", "dismiss(None)", "Back", show=False, priority=True),
        Binding("f1", "keys", "Keys", show=False, priority=True),
        Binding("p", "pause", "Pause or go on", show=False),
        Binding("c", "stop", "Stop", show=False),
        Binding("r", "again", "Once more", show=False),
        Binding("y", "copy", "Copy the result", show=False),
    ]

    def __init__(
        self,
        runtime: "Callable[[], Workstation | None]",
        trouble: Callable[[], SkillAgentError | None],
    ) -> None:
        """`trouble` is why there is no runtime, where that is known."""
        super().__init__()
        self._runtime, self._trouble = runtime, trouble
        self._works: dict[str, Work] = {}

    def compose(self) -> ComposeResult:
        with Horizontal(id="work-head"):
            yield Static("Background", id="work-name")
            yield Static("", id="work-count")
        yield Static("", id="work-none", markup=False)
        yield OptionList(id="work-list", markup=False)
        yield Static(_keys(), id="work-keys")

    def on_mount(self) -> None:
        self.listing.focus()
        self.awake()

    @property
    def listing(self) -> OptionList:
        return self.query_one(OptionList)

    @property
    def works(self) -> list[Work]:
        return list(self._works.values())

    @property
    def chosen(self) -> Work | None:
        option = self.listing.highlighted_option
        return self._works.get(option.id or "") if option else None

    def awake(self) -> None:
        """The home is open now, or it is known why not."""
        if (runtime := self._runtime()) is not None:
            self.run_worker(partial(self._listen, runtime), group="listen", exclusive=True)
        self._load(0)

    async def _listen(self, runtime: "Workstation") -> None:
        with runtime.turns.subscribe() as heard:
            async for event in heard:
                if isinstance(event, WorkChanged | HostFound):
                    self._load(PAUSE)
                if isinstance(event, WorkChanged) and event.state in _ENDED:
                    await self._seen(runtime, event.work)

    async def _seen(self, runtime: "Workstation", work: str) -> None:
        """Whoever looks on need not be told in the inbox."""
        try:
            await runtime.work.get(work)
        except SkillAgentError:
            return  # it is gone, and the list shows that

    # -- the list ----------------------------------------------------------------------------

    def _load(self, pause: float) -> None:
        """Reads all anew; what was being read is given up."""
        self.run_worker(partial(self._fetch, pause), group="load", exclusive=True)

    async def _fetch(self, pause: float) -> None:
        await asyncio.sleep(pause)
        runtime = self._runtime()
        if runtime is None:
            error = self._trouble()
            self._put([], _in_words(error) if error else WAKING, bad=error is not None)
            return
        try:
            found = await runtime.work.list()
        except SkillAgentError as error:
            self._put([], _in_words(error), bad=True)
            return
        self._put(found, EMPTY)

    def _put(self, works: list[Work], empty: str, *, bad: bool = False) -> None:
        """Replaces the rows, or puts words where they would be; the chosen one stays."""
        wanted = self.chosen.id if self.chosen else None
        self._works = {one.id: one for one in works}
        self.query_one("#work-none", Static).update("" if works else empty)
        self.set_class(not works, "-none")
        self.set_class(bad, "-bad")
        scrolled = self.listing.scroll_y
        with self.app.batch_update():
            self.listing.clear_options()
            self.listing.add_options([row_of(one) for one in works])
            if works:
                self.listing.scroll_to(y=scrolled, animate=False, immediate=True)
                ids = list(self._works)
                self.listing.highlighted = ids.index(wanted) if wanted in self._works else 0
        open_ = sum(not one.ended for one in works)
        self.query_one("#work-count", Static).update(f"{open_} under way" if open_ else "")

    # -- keys --------------------------------------------------------------------------------

    def action_pause(self) -> None:
        if (chosen := self.chosen) is not None and (runtime := self._runtime()) is not None:
            paused = chosen.state == "paused"
            self._do(runtime.work.resume(chosen.id) if paused else runtime.work.pause(chosen.id))

    def action_stop(self) -> None:
        if (chosen := self.chosen) is not None and (runtime := self._runtime()) is not None:
            self._do(runtime.work.cancel(chosen.id))

    def action_again(self) -> None:
        if (chosen := self.chosen) is not None and (runtime := self._runtime()) is not None:
            self._do(runtime.work.retry(chosen.id))

    def action_copy(self) -> None:
        if (chosen := self.chosen) is not None:
            self.app.copy_to_clipboard(chosen.result or chosen.error)

    def action_keys(self) -> None:
        self.app.push_screen(KeyHelp(first=WORK_KEYS))

    def _do(self, deed: Awaitable[Work]) -> None:
        self.run_worker(partial(self._done, deed), group="do")

    async def _done(self, deed: Awaitable[Work]) -> None:
        try:
            await deed
        except SkillAgentError as error:
            self.notify(
                error.hint or "Nothing was changed.", title=error.message, severity="error",
                markup=False, timeout=8,
            )  # fmt: skip
        self._load(0)


def _keys() -> Content:
    shown = [
        Content.assemble((key, "bold"), (f" {what}", "$foreground-muted")) for key, what in KEYS
    ]
    return Content.styled(" · ", "$foreground-disabled").join(shown)


def _in_words(error: SkillAgentError) -> str:
    """What is wrong, and what to do about it."""
    return printable(error.message + (f"\n\n→ {error.hint}" if error.hint else ""))
