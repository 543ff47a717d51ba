"""What is laid over the conversation and leaves it as it was: a list, what is above and below it.

What is shown is always read anew from the home; events only say when.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from skill_agent.errors import SkillAgentError

from .chips import Chip
from .deeds import ALWAYS, Deed, Part, bindings
from .key_bar import KeyBar
from .plain import printable

if TYPE_CHECKING:
    from skill_agent.events import AnyEvent
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
Given = TypeVar("Given")


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
    NEWS: "ClassVar[tuple[type[AnyEvent], ...]]"
    """Events after which it is read anew."""
    LOOKS: ClassVar[float] = 0
    """Seconds after which it is read anew without any, for what has none; 0 for never."""
    SEARCH: ClassVar[str] = ""
    """What can be searched for, said in the empty box; no box where there is nothing to say.
    `words` is what is in it, `action_search` goes there, `_search` heeds a change."""
    CHIPS: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    """Filters above the list: key, name, action. `chips` are drawn by the page."""

    class SettleWanted(Message):
        """The person wants to decide which of two memories is right."""

        def __init__(self, page: "Page", memory: str) -> None:
            super().__init__()
            self.page, self.memory = page, memory

    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (110, "-beside")]  # noqa: RUF012
    AUTO_FOCUS = "#page-list"
    """From the first moment: a letter is a key here, and no word that is searched for."""
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
        self._doing = 0
        """Deeds under way, their dialogs included."""

    # -- layout ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Horizontal(id="page-head"):
            yield Static(self.HEADING, id="page-name")
            yield Static("", id="page-count")
        if self.SEARCH or self.CHIPS:
            with Horizontal(id="page-tools"):
                if self.SEARCH:
                    yield Input(placeholder=self.SEARCH, id="page-words", compact=True)
                with Horizontal(id="page-chips"):
                    yield from (Chip(*one) for one in self.CHIPS)
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
        for box in self.query("#page-words").results(Input):
            box.cursor_blink = self.app.animation_level != "none"
        if self.LOOKS:
            self.set_interval(self.LOOKS, self._look_again)
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

    async def _hear(self, runtime: "Workstation", event: "AnyEvent") -> None:
        self._load(LIVE_PAUSE)

    def _look_again(self) -> None:
        busy = any(one.group == "load" and not one.is_finished for one in self.workers)
        if self.is_active and not busy and self._runtime() is not None:
            self._load(0)

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
        """Words where the list would be; keys go to the page then, if nobody types."""
        if not isinstance(self.focused, Input):
            self.set_focus(None)
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

    # -- what is done ------------------------------------------------------------------------

    def do(
        self,
        deed: "Callable[[Workstation], Awaitable[Any]]",
        *,
        told: str = "",
        alone: bool = False,
    ) -> None:
        """Does it beside the screen, and reads all anew; `told` is said once it is done. What the
        home refuses is told, too. `alone` is for what asks first: not while another one does."""
        runtime = self._runtime()
        if runtime is not None and not (alone and self._doing):
            self._doing += 1
            self.run_worker(partial(self._carry_out, runtime, deed, told), group="deed")

    async def _carry_out(
        self,
        runtime: "Workstation",
        deed: "Callable[[Workstation], Awaitable[Any]]",
        told: str,
    ) -> None:
        try:
            await deed(runtime)
        except SkillAgentError as error:
            self.refuse(error)
        else:
            if told:
                self.say(told)
        finally:
            self._doing -= 1
        self._after_deed()

    def _after_deed(self) -> None:
        self._load(0)

    def ask(self, dialog: Screen[Given], then: Callable[[Given], None]) -> None:
        """Shows a dialog at once, so that what is typed next is for it; `then` gets its answer."""

        def answered(answer: Given | None) -> None:
            if answer is not None:
                then(answer)

        self.app.push_screen(dialog, answered)

    async def attempt(self, deed: Awaitable[Given]) -> Given | None:
        """What it gives; None where the home refuses it, which is told."""
        try:
            return await deed
        except SkillAgentError as error:
            self.refuse(error)
            return None

    def say(self, words: str) -> None:
        self.notify(words, timeout=3, markup=False)

    def refuse(self, error: SkillAgentError) -> None:
        self.notify(
            error.hint or "Nothing was changed.", title=error.message, severity="error",
            markup=False, timeout=8,
        )  # fmt: skip

    # -- searching and filters ---------------------------------------------------------------

    @property
    def words(self) -> str:
        """What is searched for, as it was typed."""
        found = self.query("#page-words").results(Input)
        return next((box.value.strip() for box in found), "")

    @property
    def chips(self) -> list[Chip]:
        return list(self.query(Chip))

    def action_search(self) -> None:
        # Now: a letter that comes right after it is a word's, and no key of the list.
        self.set_focus(self.query_one("#page-words"))

    def forget_words(self) -> None:
        """Empties the search; whoever does it reads anew."""
        with self.prevent(Input.Changed):
            self.query_one("#page-words", Input).value = ""

    @on(Input.Changed, "#page-words")
    def searched(self) -> None:
        self._search()

    def _search(self) -> None:
        """Other words are searched for; of what has a search."""
        raise NotImplementedError

    @on(Input.Submitted, "#page-words")
    def to_what_was_found(self, event: Input.Submitted) -> None:
        event.stop()
        self._to_list()

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

    @on(Chip.Pressed)
    async def chip_pressed(self, event: Chip.Pressed) -> None:
        await self.run_action(event.action)

    # -- keys --------------------------------------------------------------------------------

    def action_cross(self) -> None:
        """From the list to what it shows, and back."""
        there = self.query_one("#page-pane") if self.listing.has_focus else self.listing
        if there.display:
            there.focus()

    def action_back(self) -> None:
        """Esc: out of what is read or searched first, then back to the conversation."""
        box = self.focused
        if isinstance(box, Input) and box.id == "page-words" and box.value:
            box.value = ""
        elif not self.listing.has_focus and self.listing.display:
            self.listing.focus()
        else:
            self.dismiss(None)


def in_words(error: SkillAgentError) -> str:
    """What is wrong, and what to do about it."""
    return printable(error.message + (f"\n\n→ {error.hint}" if error.hint else ""))
