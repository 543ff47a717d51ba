"""What is laid over the conversation and leaves it as it was: a list, what is above and below it.

What is shown is always read anew from the home; events only say when.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList, Static

from skill_agent.errors import SkillAgentError
from skill_agent.events import AnyEvent

from .deeds import ALWAYS, Deed, Part, bindings
from .key_bar import KeyBar
from .plain import printable

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

FindRuntime = Callable[[], "Workstation | None"]
FindTrouble = Callable[[], SkillAgentError | None]
PAGE = (
    Deed(id="page.back", what="back to the list, then to the conversation", label="back",
         keys="escape", action="back", foot=ALWAYS),
)  # fmt: skip
AGENT = "@"
"""What a page gives back begins with it where an agent is to be talked to."""
LIVE_PAUSE = 0.2
"""Seconds of quiet before a change shows."""


class Page(Screen[str]):
    """Gives the conversation that is to be opened, or `@` and an agent to be talked to; nothing
    for the conversation that was.

    Its kinds say what it is called and what it is about, and `_body`, `_read` and `_clear`.
    """

    HEADING: ClassVar[str]
    PART: ClassVar[Part]
    """What can be done here; the page of all keys begins with it."""
    WAKING: ClassVar[str]
    """Said until the home is open."""
    NEWS: ClassVar[tuple[type[AnyEvent], ...]]
    """Events after which it is read anew."""

    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (110, "-beside")]  # noqa: RUF012
    DEEDS: ClassVar[tuple[Deed, ...]] = PAGE
    BINDINGS: ClassVar[list[BindingType]] = bindings(PAGE)

    def __init_subclass__(cls, **options: Any) -> None:
        """A kind of page can do what its part lists, and leave."""
        cls.DEEDS = (*cls.PART.deeds, *PAGE)
        cls.BINDINGS = bindings(cls.PART.deeds)
        super().__init_subclass__(**options)

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        """`trouble` is why there is no runtime, where that is known; `choose` is the id of what is
        looked at first."""
        super().__init__()
        self._runtime, self._trouble = runtime, trouble
        self._chosen = choose

    # -- layout ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Horizontal(id="page-head"):
            yield Static(self.HEADING, id="page-name")
            yield Static("", id="page-count")
        yield from self._body()
        yield KeyBar(id="page-keys")

    def _body(self) -> ComposeResult:
        """What is between the two lines; `page-none` and `page-list` are in it."""
        raise NotImplementedError

    def _beside(self, listing: OptionList, pane: Widget) -> ComposeResult:
        """The list, and what it shows of the chosen one beside or below it."""
        with Container(id="page-body"):
            with Vertical(id="page-found"):
                yield Static("", id="page-none", markup=False)
                yield listing
            yield pane

    def on_mount(self) -> None:
        self.listing.focus()
        self.awake()

    @property
    def listing(self) -> OptionList:
        return self.query_one(OptionList)

    # -- what is shown -----------------------------------------------------------------------

    def awake(self) -> None:
        """The home is open now, or it is known why not."""
        runtime = self._runtime()
        if runtime is not None:
            self.run_worker(partial(self._listen, runtime), group="listen", exclusive=True)
        self._load(0)

    async def _listen(self, runtime: "Workstation") -> None:
        with runtime.turns.subscribe() as heard:
            async for event in heard:
                if isinstance(event, self.NEWS):
                    await self._hear(runtime, event)

    async def _hear(self, runtime: "Workstation", event: AnyEvent) -> None:
        self._load(LIVE_PAUSE)

    def _load(self, pause: float) -> None:
        """Reads all anew; what was being read is given up."""
        self.run_worker(partial(self._fetch, pause, self._read), group="load", exclusive=True)

    async def _fetch(self, pause: float, read: "Callable[[Workstation], Awaitable[None]]") -> None:
        await asyncio.sleep(pause)
        runtime = self._runtime()
        if runtime is None:
            error = self._trouble()
            await self._show_none(in_words(error) if error else self.WAKING, bad=bool(error))
            return
        try:
            await read(runtime)
        except SkillAgentError as error:
            await self._show_none(in_words(error), bad=True)

    async def _read(self, runtime: "Workstation") -> None:
        """Asks the home, and shows what it has."""
        raise NotImplementedError

    async def _show_none(self, words: str, *, bad: bool = False) -> None:
        """Words where the list would be."""
        self.query_one("#page-none", Static).update(words)
        self.add_class("-none")
        self.set_class(bad, "-bad")
        self._count("")
        await self._clear()

    async def _clear(self) -> None:
        """Shows nothing of what there was."""
        raise NotImplementedError

    def _show_list(self) -> None:
        """The list in place of the words."""
        self.remove_class("-none", "-bad")
        if self.focused is None:
            self.listing.focus()

    def _count(self, words: str) -> None:
        self.query_one("#page-count", Static).update(words)

    # -- keys --------------------------------------------------------------------------------

    def action_cross(self) -> None:
        """From the list to what it shows, and back."""
        there = self.query_one("#page-pane") if self.listing.has_focus else self.listing
        if there.display:
            there.focus()

    def action_back(self) -> None:
        """Esc: out of what is read first, then back to the conversation."""
        if not self.listing.has_focus and self.listing.display:
            self.listing.focus()
        else:
            self.dismiss(None)


def in_words(error: SkillAgentError) -> str:
    """What is wrong, and what to do about it."""
    return printable(error.message + (f"\n\n→ {error.hint}" if error.hint else ""))
