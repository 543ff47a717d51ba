"""Alt+M: which model answers, for this talk or always, with which can and why others cannot.

The dialog is there at once and filled when the home has answered.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.errors import SkillAgentError
from skill_agent.values import ModelOffer

from ..frame.agents import Member
from ..frame.key_bar import keyed
from ..frame.page import in_words
from .model_rows import DEFAULT, matching, rows

LOOKING = "Looking which models there are …"
NOTHING = "No model is called that."
KEYS = "Enter chooses it · Esc leaves it"
KEYS_OF_TALK = "Enter chooses it · Tab for how long · Esc leaves it"


@dataclass(frozen=True, slots=True)
class ModelWish:
    """A model that was chosen."""

    name: str
    always: bool
    """For every talk of the agent from now on, and not for the one at hand only."""


class ModelPicker(ModalScreen[ModelWish | None]):
    """Gives what was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,alt+m", "dismiss(None)", "Close", show=False, priority=True),
        Binding("tab,shift+tab", "how_long", "How long", show=False, priority=True),
    ]

    def __init__(
        self,
        member: Member,
        current: str,
        offers: Callable[[], Awaitable[list[ModelOffer]]],
        *,
        talk: bool = True,
    ) -> None:
        """`current` is the full name of the model that would answer; `talk` says that there is a
        talk it may be chosen for."""
        super().__init__()
        self._member, self._current, self._ask, self._talk = member, current, offers, talk
        self._offers: dict[str, ModelOffer] = {}
        self._always = not talk

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide -models"):
            yield Static(f"{self._member.name} answers with", markup=False, classes="dialog-title")
            yield Input(placeholder="Type to find a model", compact=True)
            yield OptionList(Option(LOOKING, disabled=True))
            yield Static("", markup=False, classes="problem")
            yield Static("", id="model-span")
            keys = KEYS_OF_TALK if self._talk else KEYS
            yield Static(keyed(keys), classes="keys")

    def on_mount(self) -> None:
        box = self.query_one(Input)
        box.cursor_blink = self.app.animation_level != "none"
        box.focus()
        self._draw_span()
        self.run_worker(self._fill(), group="fill")

    async def _fill(self) -> None:
        try:
            found = await self._ask()
        except SkillAgentError as error:
            self.query_one(OptionList).clear_options()
            self._tell(in_words(error))
            return
        self._offers = {one.id: one for one in found}
        self._draw()

    def _draw(self) -> None:
        words, listing = self.query_one(Input).value, self.query_one(OptionList)
        found = matching(self._offers.values(), words)
        options = rows(found, self._current, led=not words)
        if not words:
            options.insert(0, self._usual())
        listing.clear_options()
        listing.add_options(options or [Option(NOTHING, disabled=True)])
        ids = [one.id for one in options]
        if ids:
            wanted = self._current if not words and self._current in ids else None
            listing.highlighted = ids.index(wanted) if wanted else _first(options)

    def _usual(self) -> Option:
        now = "  now" if self._current == DEFAULT else ""
        told = "what config.toml names; where it names several, by what each message needs"
        return Option(
            Content.assemble(
                ("● ", "$success"), ("the usual one", "bold"), (now, "$success"),
                (f"\n  {told}", "$foreground-muted"),
            ),
            id=DEFAULT,
        )  # fmt: skip

    @on(Input.Changed)
    def typed(self) -> None:
        self._tell("")
        if self._offers:
            self._draw()

    def on_key(self, event: events.Key) -> None:
        """Up and Down move in the list while one types."""
        moves = {"up": "cursor_up", "down": "cursor_down", "pageup": "page_up",
                 "pagedown": "page_down"}  # fmt: skip
        if event.key in moves and isinstance(self.focused, Input):
            event.stop()
            getattr(self.query_one(OptionList), f"action_{moves[event.key]}")()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose()

    @on(OptionList.OptionSelected)
    def selected(self) -> None:
        self._choose()

    def action_how_long(self) -> None:
        """For the talk at hand, or from now on."""
        if self._talk:
            self._always = not self._always
            self._draw_span()

    def _draw_span(self) -> None:
        lit, dim = ("●", "bold"), ("○", "$foreground-muted")
        here, always = (dim, lit) if self._always else (lit, dim)
        span = self.query_one("#model-span", Static)
        span.display = self._talk
        span.update(
            Content.assemble(
                (f"{here[0]} only in this talk", here[1]), "   ",
                (f"{always[0]} from now on, in every talk", always[1]),
            )
        )  # fmt: skip

    def _choose(self) -> None:
        option = self.query_one(OptionList).highlighted_option
        if option is None or option.id is None:
            return
        offer = self._offers.get(option.id)
        if offer is not None and offer.problem:
            self._tell(f"It cannot answer yet: {offer.problem}"
                       + (f" → {offer.fix}" if offer.fix else ""))  # fmt: skip
            return
        self.dismiss(ModelWish(option.id, self._always))

    def _tell(self, words: str) -> None:
        box = self.query_one(".problem", Static)
        box.update(words)
        box.set_class(bool(words), "-shown")


def _first(options: list[Option]) -> int:
    return next((at for at, one in enumerate(options) if not one.disabled), 0)
