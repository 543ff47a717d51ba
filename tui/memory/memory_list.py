"""The list of memories: two lines each, more of them fetched as one comes near the end."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from skill_agent.text.clock import day_of
from skill_agent.values import Memory

from ..frame.agents import AgentList
from ..frame.growing_list import GrowingList
from ..frame.plain import one_line


class MemoryList(GrowingList):
    """Remembers which memory is chosen by its id, whatever the rows around it do."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("up", "up_or_out", show=False)]

    class Chosen(Message):
        """Another memory is highlighted."""

        def __init__(self, memory: Memory) -> None:
            super().__init__()
            self.memory = memory

    class LeftUp(Message):
        """Up, on the first row."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._memories: dict[str, Memory] = {}
        self.agents = AgentList()

    @property
    def chosen(self) -> Memory | None:
        option = self.highlighted_option
        return self._memories.get(option.id or "") if option else None

    @property
    def memories(self) -> list[Memory]:
        return list(self._memories.values())

    def place(self, memory_id: str) -> int | None:
        """The row of a memory, from 0."""
        ids = list(self._memories)
        return ids.index(memory_id) if memory_id in self._memories else None

    def put(
        self, memories: Sequence[Memory], *, choose: str | None = None, stay: bool = False
    ) -> None:
        """Replaces the rows and chooses the given memory where it is among them; else the first,
        or with `stay` what now stands in the same place."""
        row, scrolled = (self.highlighted or 0, self.scroll_y) if stay else (0, 0)
        self._memories = {one.id: one for one in memories}
        with self.app.batch_update(), self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options([self._row(one) for one in memories])
            if memories:
                self.scroll_to(y=scrolled, animate=False, immediate=True)
                place = self.place(choose) if choose else None
                self.highlighted = place if place is not None else min(row, len(memories) - 1)
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen))

    def append(self, memories: Sequence[Memory]) -> None:
        """Adds rows below."""
        fresh = [one for one in memories if one.id not in self._memories]
        self._memories |= {one.id: one for one in fresh}
        self.add_options([self._row(one) for one in fresh])

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if memory := self._memories.get(event.option.id or ""):
            self.post_message(self.Chosen(memory))

    def action_up_or_out(self) -> None:
        if self.highlighted in (None, 0):
            self.post_message(self.LeftUp())
        else:
            self.action_cursor_up()

    def _row(self, memory: Memory) -> Option:
        mark, colour = mark_of(memory)
        gone = memory.status in ("superseded", "archived")
        kind = memory.memory_type.replace("_", " ")
        owner = self.agents[memory.agent].name if memory.agent else "all"
        facts = f"{day_of(memory.created_at)}  {kind:<13}  {memory.importance:>2}"
        return Option(
            Content.assemble(
                (f"{mark} ", f"bold {colour}"),
                (one_line(memory.content, 200), "$foreground-muted" if gone else ""),
                (f"\n  {facts}  {owner}", "$foreground-muted"),
                (state_of(memory), colour),
            ),
            id=memory.id,
        )


def mark_of(memory: Memory) -> tuple[str, str]:
    """One sign for what matters most of its state, and the colour."""
    match memory.status:
        case "disputed":
            return "≠", "$warning"
        case "archived":
            return "×", "$foreground-muted"
        case "superseded":
            return "↷", "$foreground-muted"
        case "active":
            return ("★", "$accent") if memory.pinned else ("·", "$foreground-muted")


def state_of(memory: Memory) -> str:
    """Its state beside the other facts, where it is not the usual one."""
    words = {"disputed": "disputed", "archived": "forgotten", "superseded": "replaced"}
    word = words.get(memory.status, "" if memory.tier == "warm" else memory.tier)
    return f" · {word}" if word else ""
