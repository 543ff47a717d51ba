"""The screen of background work: what runs and waits, with how far it is; pausing, stopping, doing
it once more.
"""

from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import OptionList, Static

from skill_agent.errors import SkillAgentError
from skill_agent.events import AnyEvent, HostFound, WorkChanged
from skill_agent.values import Work

from ..frame.page import FindRuntime, FindTrouble, Page
from . import deeds
from .rows import row_of

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

EMPTY = (
    "Nothing is done in the background.\n\n"
    "Long commands take --detach, as: ska memory rebuild --detach"
)
_ENDED = ("completed", "failed", "cancelled", "dead")


class WorkScreen(Page):
    """Shows what has not ended first."""

    HEADING = "Background"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("work.tcss")
    WAKING = "Waking the team. Its work comes by itself."
    NEWS = (WorkChanged, HostFound)
    HORIZONTAL_BREAKPOINTS = []  # noqa: RUF012 nothing is beside its list

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        super().__init__(runtime, trouble, choose=choose)
        self._works: dict[str, Work] = {}

    def _body(self) -> ComposeResult:
        yield Static("", id="page-none", markup=False)
        yield OptionList(id="page-list", markup=False)

    @property
    def works(self) -> list[Work]:
        return list(self._works.values())

    @property
    def chosen(self) -> Work | None:
        option = self.listing.highlighted_option
        return self._works.get(option.id or "") if option else None

    async def _hear(self, runtime: "Workstation", event: AnyEvent) -> None:
        await super()._hear(runtime, event)
        if isinstance(event, WorkChanged) and event.state in _ENDED:
            await self._seen(runtime, event.work)

    async def _seen(self, runtime: "Workstation", work: str) -> None:
        """Whoever looks on need not be told in the inbox."""
        try:
            await runtime.work.get(work)
        except SkillAgentError:
            return  # it is gone, and the list shows that

    # -- the list ----------------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        works = await runtime.work.list()
        if not works:
            await self._show_none(EMPTY)
            return
        self._show_list()
        self._put(works)
        open_ = sum(not one.ended for one in works)
        self._count(f"{open_} under way" if open_ else "")

    async def _clear(self) -> None:
        self._put([])

    def _put(self, works: list[Work]) -> None:
        """Replaces the rows; the chosen one stays."""
        wanted = self.chosen.id if self.chosen else None
        self._works = {one.id: one for one in works}
        scrolled = self.listing.scroll_y
        with self.app.batch_update():
            self.listing.clear_options()
            self.listing.add_options([row_of(one) for one in works])
            if works:
                self.listing.scroll_to(y=scrolled, animate=False, immediate=True)
                ids = list(self._works)
                self.listing.highlighted = ids.index(wanted) if wanted in self._works else 0

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
