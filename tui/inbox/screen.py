"""The inbox screen: what jobs and agents left for the person, live; read, put away, replied to.

It lies over the conversation and leaves it as it was. What is shown is always read anew from the
home; events only say when.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from skill_agent.errors import SkillAgentError
from skill_agent.events import HostFound, InboxArrived, InboxChanged

from ..frame.help import INBOX_KEYS, KeyHelp
from ..frame.plain import printable
from .item_list import ItemList
from .pane import ItemPane

if TYPE_CHECKING:
    from skill_agent.values import InboxItem
    from skill_agent.workstation import Workstation

LIVE_PAUSE = 0.2
"""Seconds of quiet before a change shows."""
SHOWN = 200
WAKING = "Waking the team. The inbox comes by itself."
EMPTY = "Nothing is in the inbox.\n\nWhat jobs find out, and what goes wrong meanwhile, comes here."
KEYS = (
    ("Enter", "read"), ("o", "reply"), ("a", "put away"), ("Esc", "back"),
    ("d", "deliver again"), ("m", "unread"), ("F1", "all keys"),
)  # fmt: skip


class InboxScreen(Screen[str]):
    """Gives the conversation that is to be opened; empty for the one that was."""

    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (110, "-beside")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False),
        Binding("f8", "dismiss('')", "Back", show=False, priority=True),
        Binding("f1", "keys", "Keys", show=False, priority=True),
        Binding("tab,shift+tab", "turn", show=False, priority=True),
        Binding("o", "open", "Open the conversation", show=False),
        Binding("a", "archive", "Put away", show=False),
        Binding("d", "deliver", "Deliver again", show=False),
        Binding("m", "mark", "Read or unread", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(
        self,
        runtime: "Callable[[], Workstation | None]",
        trouble: Callable[[], SkillAgentError | None],
    ) -> None:
        """`trouble` is why there is no runtime, where that is known."""
        super().__init__()
        self._runtime, self._trouble = runtime, trouble

    def compose(self) -> ComposeResult:
        with Horizontal(id="inbox-head"):
            yield Static("Inbox", id="inbox-name")
            yield Static("", id="inbox-count")
        with Container(id="inbox-body"):
            with Vertical(id="inbox-found"):
                yield Static("", id="inbox-none", markup=False)
                yield ItemList(id="inbox-list")
            yield ItemPane(id="inbox-pane")
        yield Static(_keys(), id="inbox-keys")

    def on_mount(self) -> None:
        self.listing.focus()
        self.awake()

    @property
    def listing(self) -> ItemList:
        return self.query_one(ItemList)

    @property
    def pane(self) -> ItemPane:
        return self.query_one(ItemPane)

    def awake(self) -> None:
        """The home is open now, or it is known why not."""
        runtime = self._runtime()
        if runtime is not None:
            self.run_worker(partial(self._listen, runtime), group="listen", exclusive=True)
        self._load(0)

    async def _listen(self, runtime: "Workstation") -> None:
        with runtime.turns.subscribe() as heard:
            async for event in heard:
                if isinstance(event, InboxArrived | InboxChanged | HostFound):
                    self._load(LIVE_PAUSE)

    # -- what is shown -----------------------------------------------------------------------

    def _load(self, pause: float) -> None:
        """Reads all anew; what was being read is given up."""
        self.run_worker(partial(self._fetch, pause), group="load", exclusive=True)

    async def _fetch(self, pause: float) -> None:
        await asyncio.sleep(pause)
        runtime = self._runtime()
        if runtime is None:
            error = self._trouble()
            await self._show([], in_words(error) if error else WAKING, bad=error is not None)
            return
        try:
            items = await runtime.inbox.list(limit=SHOWN)
        except SkillAgentError as error:
            await self._show([], in_words(error), bad=True)
            return
        await self._show(items, EMPTY)

    async def _show(self, items: "list[InboxItem]", words: str, *, bad: bool = False) -> None:
        """The items, or words where the list would be."""
        self.query_one("#inbox-none", Static).update(words)
        self.set_class(not items, "-none")
        self.set_class(bad, "-bad")
        self.listing.put(items)
        unread = sum(one.read_at is None for one in items)
        counted = f"{unread} not read · {len(items)} in all" if items else ""
        self.query_one("#inbox-count", Static).update(counted)
        if not items:
            await self.pane.tell(None)
        elif self.focused is None:
            self.listing.focus()

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

    def action_turn(self) -> None:
        there = self.pane if self.listing.has_focus else self.listing
        if there.display:
            there.focus()

    def action_back(self) -> None:
        """Esc: out of the text first, then back to the conversation."""
        if not self.listing.has_focus and self.listing.display:
            self.listing.focus()
        else:
            self.dismiss("")

    def action_keys(self) -> None:
        self.app.push_screen(KeyHelp(first=INBOX_KEYS))

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


def _keys() -> Content:
    shown = [
        Content.assemble((key, "bold"), (f" {what}", "$foreground-muted")) for key, what in KEYS
    ]
    return Content.styled(" · ", "$foreground-disabled").join(shown)


def in_words(error: SkillAgentError) -> str:
    """What is wrong, and what to do about it."""
    return printable(error.message + (f"\n\n→ {error.hint}" if error.hint else ""))
