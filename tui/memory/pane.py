"""What was recalled for the last reply and why, and what this conversation has saved.

It shows what the events carried; it never asks a store.
"""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from ..frame.plain import one_line

if TYPE_CHECKING:
    from skill_agent.events import MemoryRecalled, MemorySaved, RecalledItem

BAR = 5
"""Cells of a score's bar."""


class StoryWanted(Message):
    """The person wants to see a memory's story."""

    def __init__(self, memory_id: str) -> None:
        super().__init__()
        self.memory_id = memory_id


class Entry(Static, can_focus=True):
    """Something one can go to with F6 and the arrows, and into with Enter or a click."""

    FOCUS_ON_CLICK = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "tell", "Story", show=False),
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
    ]

    full: reactive[bool] = reactive(False, layout=True)

    def __init__(self, memory_id: str, *, full: bool = False) -> None:
        """An empty id has no story."""
        super().__init__(markup=False, classes="memory")
        self._memory_id = memory_id
        self.set_reactive(Entry.full, full)

    def on_click(self) -> None:
        self.action_tell()

    def action_tell(self) -> None:
        if self._memory_id:
            self.post_message(StoryWanted(self._memory_id))
        else:
            self.notify("That was said in a conversation, word for word: no memory of its own.")

    def action_step(self, step: int) -> None:
        entries = list(self.screen.query(Entry))
        at = entries.index(self) + step
        if 0 <= at < len(entries):
            entries[at].focus()


class MemoryPane(VerticalScroll, can_focus=False):
    """A quiet column beside the conversation, in words; `full` shows the figures behind them."""

    full: reactive[bool] = reactive(False)
    turn: str = ""
    """Whose reply it tells of."""
    _spent: str = ""
    """How much of the prompt that took."""

    def compose(self) -> ComposeResult:
        yield Static("", id="memory-title", classes="title")
        yield Static("", id="recalled-title", classes="section")
        yield VerticalGroup(id="recalled")
        with VerticalGroup(id="saved"):
            yield Static("Saved here", classes="section")

    async def on_mount(self) -> None:
        await self.clear()

    def watch_full(self) -> None:
        what = "F4 words · F3 closes" if self.full else "F4 figures · F3 closes"
        title = Content.assemble(("Memory", "bold"), (f"  {what}", "not bold $foreground-muted"))
        self.query_one("#memory-title", Static).update(title)
        self._draw_title()
        for item in self.query(Entry):
            item.full = self.full

    def _draw_title(self) -> None:
        title = "Remembered for the reply"
        told = f"{title} · {self._spent}" if self.full and self._spent else title
        self.query_one("#recalled-title", Static).update(told)

    async def clear(self) -> None:
        """Forgets what it showed, for another conversation."""
        await self._fill("#recalled", [Static(NOTHING_YET, classes="empty")])
        await self.query(Saved).remove()
        self.query_one("#saved").display = False
        self.turn = self._spent = ""
        self._draw_title()

    async def recalled(self, event: "MemoryRecalled") -> None:
        """Shows what went into the prompt of the turn."""
        self.turn = event.turn
        self._spent = f"{event.tokens:,} of {event.budget:,} tokens" if event.budget else ""
        self._draw_title()
        items: list[Widget] = [Recalled(item, full=self.full) for item in event.items]
        await self._fill("#recalled", items or [Static(NOTHING_FOUND, classes="empty")])
        self.scroll_home(animate=False)

    async def saved(self, event: "MemorySaved") -> None:
        """Adds a memory that is durable."""
        group = self.query_one("#saved")
        group.display = True
        await group.mount(Saved(event, full=self.full), after=0)

    def enter(self) -> bool:
        """Gives the focus to its first entry; False where there is none."""
        entries = self.query(Entry)
        if entries:
            entries.first().focus()
        return bool(entries)

    async def _fill(self, selector: str, widgets: list[Widget]) -> None:
        group = self.query_one(selector)
        with self.app.batch_update():
            await group.remove_children()
            await group.mount_all(widgets)


NOTHING_YET = "What an agent remembers for a reply appears here, and why."
NOTHING_FOUND = "Nothing was relevant enough to be remembered."
_KINDS = {
    "turn": "Said", "semantic": "A fact", "episodic": "Something that happened",
    "procedural": "How something is done", "user_profile": "About you", "identity": "Who it is",
    "shared": "Shared by the team", "agent_private": "The agent's own note",
}  # fmt: skip


class VerticalGroup(Widget):
    """Children below one another, as high as they are."""

    DEFAULT_CSS = "VerticalGroup { width: 1fr; height: auto; layout: vertical; }"


class Recalled(Entry):
    """One remembered item: the text, and in a sentence what it is and why it was taken."""

    def __init__(self, item: "RecalledItem", *, full: bool) -> None:
        super().__init__(item.id if item.kind == "memory" else "", full=full)
        self._item = item

    def render(self) -> Content:
        item = self._item
        strength = Content.assemble(*bar(item.score), " ") if item.score else Content("")
        lines = [
            Content.assemble(strength, one_line(item.content, 240)),
            Content.styled(_why(item), "$foreground-muted"),
        ]
        if self.full and item.signals:
            signals = sorted(item.signals.items(), key=lambda pair: -pair[1])
            listed = (f"{name.replace('_', ' ')} {value:.2f}" for name, value in signals)
            told = "  ".join([f"{item.score:.2f}", *listed])
            lines.append(Content.styled(told, "$foreground-muted"))
        return Content("\n").join(lines)


class Saved(Entry):
    """One saved memory; its story tells the rest."""

    def __init__(self, event: "MemorySaved", *, full: bool = False) -> None:
        super().__init__(event.memory_id, full=full)
        self._event = event

    def render(self) -> Content:
        event = self._event
        told = f"{_kind(event.memory_type)}, kept because you asked for it"
        told += "; pinned." if event.pinned else "."
        if self.full:
            told += f" importance {event.importance}"
        return Content("\n").join(
            [
                Content.assemble(("✓ ", "bold $success"), one_line(event.content, 240)),
                Content.styled(told, "$foreground-muted"),
            ]
        )


def _kind(name: str) -> str:
    return _KINDS.get(name) or name.replace("_", " ").capitalize()


def _why(item: "RecalledItem") -> str:
    """`A fact, 2026-11-13: same words: deploy; pinned.`"""
    kind = _kind(item.kind if item.kind == "turn" else item.memory_type or "semantic")
    told = f"{kind}, {item.created_at[:10]}" if item.created_at else kind
    reason = one_line(item.reason, 200).rstrip(".")
    return f"{told}: {reason}." if reason else f"{told}."


def bar(score: float) -> list[tuple[str, str]]:
    """A score in 0..1 as a bar of full and empty cells."""
    full = round(max(0.0, min(score, 1.0)) * BAR)
    return [("━" * full, "$accent"), ("━" * (BAR - full), "$border")]
