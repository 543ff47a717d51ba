"""The inbox screen: what jobs and agents left for the person, live; read, put away, replied to."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList

from skill_agent.errors import SkillAgentError
from skill_agent.events import HostFound, InboxArrived, InboxChanged

from ..frame.page import Page
from . import deeds
from .item_list import ItemList
from .pane import ItemPane

if TYPE_CHECKING:
    from skill_agent.values import InboxItem
    from skill_agent.workstation import Workstation

SHOWN = 200
EMPTY = "Nothing is in the inbox.\n\nWhat jobs find out, and what goes wrong meanwhile, comes here."


class InboxScreen(Page):
    """Gives the conversation an item came from, where one replies."""

    HEADING = "Inbox"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("inbox.tcss")
    WAKING = "Waking the team. The inbox comes by itself."
    NEWS = (InboxArrived, InboxChanged, HostFound)

    def _body(self) -> ComposeResult:
        yield from self._beside(ItemList(id="page-list"), ItemPane(id="page-pane"))

    @property
    def listing(self) -> ItemList:
        return self.query_one(ItemList)

    @property
    def pane(self) -> ItemPane:
        return self.query_one(ItemPane)

    # -- what is shown -----------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        items = await runtime.inbox.list(limit=SHOWN)
        if not items:
            await self._show_none(EMPTY)
            return
        self._show_list()
        self.listing.put(items)
        unread = sum(one.read_at is None for one in items)
        self._count(f"{unread} not read · {len(items)} in all")

    async def _clear(self) -> None:
        self.listing.put([])
        await self.pane.tell(None)

    @on(ItemList.Chosen)
    def chosen(self, event: ItemList.Chosen) -> None:
        self.run_worker(partial(self.pane.tell, event.item), group="pane", exclusive=True)

    @on(OptionList.OptionSelected)
    def entered(self) -> None:
        if (item := self.listing.chosen) is not None:
            self.pane.focus()
            if item.read_at is None:
                self._do(lambda runtime: runtime.inbox.read(item.id))

    # -- keys --------------------------------------------------------------------------------

    def action_copy(self) -> None:
        if (item := self.listing.chosen) is not None:
            self.app.copy_to_clipboard(item.text)

    def action_open(self) -> None:
        if (item := self.listing.chosen) is None:
            return
        if not item.session:
            self.app.notify("It came from no conversation.", markup=False)
            return
        self.dismiss(item.session)

    def action_archive(self) -> None:
        if (item := self.listing.chosen) is not None:
            self._do(lambda runtime: runtime.inbox.archive(item.id))

    def action_mark(self) -> None:
        if (item := self.listing.chosen) is not None:
            self._do(lambda runtime: runtime.inbox.read(item.id, read=item.read_at is None))

    def action_deliver(self) -> None:
        if (item := self.listing.chosen) is not None:
            self._do(lambda runtime: runtime.inbox.deliver_again(item.id))

    def _do(self, deed: "Callable[[Workstation], Awaitable[InboxItem]]") -> None:
        if (runtime := self._runtime()) is not None:
            self.run_worker(partial(self._done, runtime, deed), group="deed")

    async def _done(
        self, runtime: "Workstation", deed: "Callable[[Workstation], Awaitable[InboxItem]]"
    ) -> None:
        try:
            await deed(runtime)
        except SkillAgentError as error:
            self.app.notify(error.message, severity="warning", markup=False)
        self._load(0)
