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
STRONGEST = 4
"""Signals shown of an item while the pane is brief."""


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

    def __init__(self, memory_id: str) -> None:
        """An empty id has no story."""
        super().__init__(markup=False, classes="memory")
        self._memory_id = memory_id

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
    """A quiet column beside the conversation; `full` shows every signal of every item."""

    full: reactive[bool] = reactive(False)

    def compose(self) -> ComposeResult:
        yield Static("", id="memory-title", classes="title")
        with VerticalGroup(id="saved"):
            yield Static("Saved here", classes="section")
        yield Static("", id="recalled-title", classes="section")
        yield VerticalGroup(id="recalled")

    async def on_mount(self) -> None:
        await self.clear()

    def watch_full(self) -> None:
        what = "F4 fewer signals" if self.full else "F4 every signal"
        title = Content.assemble(("Memory", "bold"), (f"  {what}", "$foreground-disabled"))
        self.query_one("#memory-title", Static).update(title)
        for item in self.query(Recalled):
            item.full = self.full

    async def clear(self) -> None:
        """Forgets what it showed, for another conversation."""
        await self._fill("#recalled", [Static(NOTHING_YET, classes="empty")])
        await self.query(Saved).remove()
        self.query_one("#saved").display = False
        self.query_one("#recalled-title", Static).update("Recalled for the last reply")

    async def recalled(self, event: "MemoryRecalled") -> None:
        """Shows what went into the prompt of the turn."""
        title = f"Recalled · {event.tokens} of {event.budget} tokens"
        self.query_one("#recalled-title", Static).update(title)
        items: list[Widget] = [Recalled(item, full=self.full) for item in event.items]
        await self._fill("#recalled", items or [Static(NOTHING_FOUND, classes="empty")])
        self.scroll_home(animate=False)

    async def saved(self, event: "MemorySaved") -> None:
        """Adds a memory that is durable."""
        group = self.query_one("#saved")
        group.display = True
        await group.mount(Saved(event), after=0)

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


NOTHING_YET = "What an agent recalls for a reply appears here, with the reasons."
NOTHING_FOUND = "Nothing was relevant enough to recall."


class VerticalGroup(Widget):
    """Children below one another, as high as they are."""

    DEFAULT_CSS = "VerticalGroup { width: 1fr; height: auto; layout: vertical; }"


class Recalled(Entry):
    """One recalled item: score, kind and date, the text, its signals, the reason."""

    full: reactive[bool] = reactive(False, layout=True)

    def __init__(self, item: "RecalledItem", *, full: bool) -> None:
        super().__init__(item.id if item.kind == "memory" else "")
        self._item = item
        self.set_reactive(Recalled.full, full)

    def render(self) -> Content:
        item = self._item
        kind = "said" if item.kind == "turn" else (item.memory_type or "memory").replace("_", " ")
        head = [(kind, "$foreground-muted")]
        if item.created_at:
            head.append((f" · {item.created_at[:10]}", "$foreground-muted"))
        signals = sorted(item.signals.items(), key=lambda pair: -pair[1])
        strongest = [(name, value) for name, value in signals if value >= 0.01][:STRONGEST]
        listed = "  ".join(
            f"{name.replace('_', ' ')} {value:.2f}"
            for name, value in (signals if self.full else strongest)
        )
        lines = [
            Content.assemble(*bar(item.score), (f" {item.score:.2f}  ", "bold"), *head),
            Content(one_line(item.content, 240)),
            Content.styled(listed, "$foreground-muted") if listed else None,
            Content.styled(f"↳ {one_line(item.reason, 200)}", "italic $foreground-muted")
            if item.reason
            else None,
        ]
        return Content("\n").join([line for line in lines if line is not None])


class Saved(Entry):
    """One saved memory; its story tells the rest."""

    def __init__(self, event: "MemorySaved") -> None:
        super().__init__(event.memory_id)
        self._event = event

    def render(self) -> Content:
        event = self._event
        kind = event.memory_type.replace("_", " ")
        marks = f"{kind} · importance {event.importance}" + (" · pinned" if event.pinned else "")
        return Content("\n").join(
            [
                Content.assemble(("✓ ", "bold $success"), one_line(event.content, 240)),
                Content.styled(marks, "$foreground-muted"),
            ]
        )


def bar(score: float) -> list[tuple[str, str]]:
    """A score in 0..1 as a bar of full and empty cells."""
    full = round(max(0.0, min(score, 1.0)) * BAR)
    return [("━" * full, "$primary"), ("━" * (BAR - full), "$foreground-disabled")]
