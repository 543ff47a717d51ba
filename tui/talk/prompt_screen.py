"""What a model was sent for a reply, layer by layer, what was left out, and what came back."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.errors import SkillAgentError
from skill_agent.values import ModelCall, PromptMessage, ToolCall

from ..frame.columns import Columns, Row
from ..frame.key_bar import keyed
from ..frame.plain import one_line, printable

LookUp = Callable[[], Awaitable[list[ModelCall]]]
SHOWN = 20_000
"""Characters of one part; `ska sessions show --prompts` has the rest."""
NONE_KEPT = (
    "Nothing is kept of this reply: it still runs, or it is past the age or size of [privacy] in "
    "config.toml, or it went with something that was erased."
)


class PromptScreen(ModalScreen[None]):
    """Closes with Esc, q or p."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,p", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, look_up: LookUp) -> None:
        super().__init__()
        self._look_up = look_up

    def compose(self) -> ComposeResult:
        with Vertical(id="prompt-dialog", classes="dialog -full"):
            yield Static("What the model was sent", classes="dialog-title")
            with VerticalScroll(id="prompt"):
                yield Static("Looking it up …", classes="empty")
            yield Static(keyed("Up, Down, PgUp, PgDn scroll · Esc closes"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.run_worker(self._fill, group="prompt")

    async def _fill(self) -> None:
        try:
            widgets = list(drawn(await self._look_up()))
        except SkillAgentError as error:
            hint = f" → {error.hint}" if error.hint else ""
            widgets = [_said(f"It cannot be looked up: {error.message}{hint}", "problem -shown")]
        place = self.query_one(VerticalScroll)
        with self.app.batch_update():
            await place.remove_children()
            await place.mount_all(widgets)


def drawn(calls: Sequence[ModelCall]) -> Iterator[Widget]:
    """The calls of one turn, in order."""
    if not calls:
        yield _said(NONE_KEPT, "empty")
    for number, call in enumerate(calls, 1):
        which = f"Call {number} of {len(calls)}, for {call.purpose}" if len(calls) > 1 else ""
        yield _said(
            " · ".join(filter(None, (which, call.model, cached(call)))),
            "call" if number == 1 else "call -next",
        )
        yield Columns(list(_layers(call)), classes="facts")
        for message in call.messages:
            yield from _message(message)
        yield from _answer(call)


def cached(call: ModelCall) -> str:
    """How much was read, and how much of it the model had read before."""
    usage = call.usage
    if not usage.prompt_tokens:
        return f"{'about ' if call.estimated else ''}{call.tokens:,} tokens"
    share = round(100 * usage.cached_tokens / usage.prompt_tokens)
    return f"{usage.prompt_tokens:,} tokens, {share}% cached"


def _layers(call: ModelCall) -> Iterator[Row]:
    names = [one_line(layer.name, 20) for layer in call.layers]
    width = max(map(len, names), default=0)
    for name, layer in zip(names, call.layers, strict=True):
        yield f"{name:<{width}} {layer.tokens:>7,}", Content(one_line(layer.note, 1_000))
    for one in call.left_out:
        yield "left out", Content.styled(one_line(one, 300), "$warning")


def _message(message: PromptMessage) -> Iterator[Widget]:
    for part in message.parts:
        yield _said(f"{message.role} · {part.layer} · {part.tokens:,} tokens", "section")
        if text := message.content[part.start : part.end].strip("\n"):
            yield _said(text, "sent")
        else:
            yield from map(_wish, message.tool_calls)


def _answer(call: ModelCall) -> Iterator[Widget]:
    if call.text or call.tool_calls or call.error:
        yield _said(f"answer · {call.finish or 'cut short'}", "section")
    if call.text:
        yield _said(call.text.strip("\n"), "sent")
    yield from map(_wish, call.tool_calls)
    if call.error:
        yield _said(call.error, "problem -shown")


def _wish(call: ToolCall) -> Static:
    return _said(f"uses {call.name} {call.arguments}", "sent")


def _said(text: str, classes: str) -> Static:
    """Text of any origin; a long one is cut."""
    if (more := len(text) - SHOWN) > 0:
        text = f"{text[:SHOWN]}\n… {more:,} more characters: ska sessions show --prompts"
    return Static(printable(text), markup=False, classes=classes)
