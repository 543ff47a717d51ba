"""One agent's reply, from its first word to its rating."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from skill_agent.conversations.in_words import NOT_ENDED
from skill_agent.values import FeedbackResult, Rating

from ...frame.agents import Member
from ...frame.deeds import Deed, bindings
from ..deeds import CODE, MESSAGE, REPLY, TURN
from .blocks import Line, ThoughtBlock, ToolBlock, Wished, join
from .code_block import HoldsCode
from .head import Head, Side
from .prose import Flow, Prose

if TYPE_CHECKING:
    from skill_agent.events import MemoryRecalled


class Rated(Message):
    """The person says whether a reply was good."""

    def __init__(self, reply: "ReplyBlock", message_id: str, rating: Rating) -> None:
        super().__init__()
        self.reply = reply
        self.message_id = message_id
        self.rating: Rating = rating


class PromptWanted(Message):
    """The person wants to see what the model was sent for a turn."""

    def __init__(self, turn: str) -> None:
        super().__init__()
        self.turn = turn


class ReplyBlock(HoldsCode):
    """One agent's reply: prose, tool calls and lines in the order they came.

    `parts` and `said` are what a finished reply read from the ledger begins with, `sources` the ids
    of what was remembered for it. It can be rated once it is in the ledger and so has a
    `message_id`.
    """

    DEEDS: ClassVar[tuple[Deed, ...]] = (*REPLY, *CODE, *TURN, *MESSAGE)
    BINDINGS: ClassVar[list[BindingType]] = bindings((*REPLY, *TURN))
    is_reply: ClassVar[bool] = True
    rating: reactive[Rating | None] = reactive[Rating | None](None)

    def __init__(
        self,
        member: Member,
        turn: str,
        *,
        parts: Sequence[Widget] = (),
        said: str = "",
        figures: Sequence[str] = (),
        at: str = "",
        sources: Sequence[str] = (),
        message_id: str | None = None,
        rating: Rating | None = None,
    ) -> None:
        super().__init__(classes=member.accent)
        self._member, self.turn = member, turn
        self.message_id = message_id
        self.set_reactive(ReplyBlock.rating, rating)
        self.sources = tuple(sources)
        self.recalled: MemoryRecalled | None = None
        """What was remembered, where it was heard; the ledger keeps no reasons."""
        self._parts, self._figures, self._at = parts, figures, at
        self._said = [said] if said else []
        self._flow: Flow | None = None
        self._tools: dict[str, ToolBlock] = {}
        self._notes: list[Line] = []
        self._thought: ThoughtBlock | None = None
        self._thinks_since = 0.0

    @property
    def source(self) -> str:
        return "".join(self._said)

    def compose(self) -> ComposeResult:
        yield Head(self._left(), self._right())
        for before, after in pairwise(self._parts):
            join(before, after)
        yield from self._parts

    def _left(self) -> Side:
        count = self.recalled.told if self.recalled else len(self.sources)
        return Side(
            self._member.name,
            avatar=self._member.avatar,
            mark=_RATINGS[self.rating] if self.rating else ("", ""),
            chip=f"◆ {count} remembered" if count else "",
        )

    def _right(self) -> list[str]:
        return [*self._figures, *([self._at] if self._at else [])]

    def _draw_head(self) -> None:
        if self.is_mounted:
            self.query_one(Head).tell(left=self._left(), right=self._right())

    def watch_rating(self) -> None:
        self._draw_head()

    def remembers(self, recalled: "MemoryRecalled") -> None:
        """What was put beside the question from memory."""
        self.recalled = recalled
        self._draw_head()

    def on_head_chip_pressed(self, event: Head.ChipPressed) -> None:
        event.stop()
        self.post_message(Wished(self, "sources"))

    def foot_label(self, deed: Deed) -> str | None:
        """Sources only where something was remembered."""
        if deed.id == "reply.sources":
            return deed.label if self._left().chip else None
        return super().foot_label(deed)

    @property
    def agent(self) -> str:
        """The slug of who gives it."""
        return self._member.slug

    def action_rate(self, rating: Rating) -> None:
        if self.message_id:
            self.post_message(Rated(self, self.message_id, rating))

    def action_prompt(self) -> None:
        self.post_message(PromptWanted(self.turn))

    def speaks(self, member: Member) -> None:
        """Another one gives the reply than it was begun for."""
        self.remove_class(self._member.accent)
        self._member = member
        self.add_class(member.accent)
        self._draw_head()

    @property
    def bare(self) -> bool:
        """Whether nothing but the name is shown."""
        return len(self.children) <= 1

    async def say(self, text: str) -> None:
        """Appends streamed text."""
        self._said.append(text)
        if self._flow is None:
            prose = Prose()
            await self._put(prose)
            self._flow = Flow(prose)
        self._flow.write(text)

    async def think(self, text: str) -> None:
        """Adds to what the model thinks, folded away until somebody opens it."""
        if self._thought is None:
            await self.pause()
            thought = ThoughtBlock()
            await self._put(thought)
            self._thought, self._thinks_since = thought, time.monotonic()
        self._thought.add(text)

    def _thought_ended(self) -> None:
        if self._thought is not None:
            self._thought.finish(time.monotonic() - self._thinks_since)
            self._thought = None

    async def tell(self, line: Widget) -> None:
        """Puts a line or the like after what was said so far."""
        await self.pause()
        await self._put(line)

    async def note(self, line: Line) -> None:
        """Puts a line below all that is said, whatever is said after it."""
        self._notes.append(line)
        await self.mount(line)

    async def use(self, call: str, tool: ToolBlock) -> None:
        """Puts a tool call after what was said so far."""
        await self.pause()
        self._tools[call] = tool
        await self._put(tool)

    def tool(self, call: str) -> ToolBlock | None:
        return self._tools.get(call)

    async def pause(self) -> None:
        """Ends the running stretch of prose; what follows starts a new one."""
        if self._flow is not None:
            flow, self._flow = self._flow, None
            await flow.finish()

    def on_unmount(self) -> None:
        if self._flow is not None:
            self._flow.drop()

    async def close(self, figures: Sequence[str] = ()) -> None:
        """The reply is over; `figures` say what it took."""
        await self.pause()
        self._thought_ended()
        for tool in self._tools.values():
            if not tool.settled:
                tool.finish(ok=False, result=NOT_ENDED)
        self._figures = figures
        self._draw_head()

    async def _put(self, widget: Widget) -> None:
        self._thought_ended()
        said = self.children[: len(self.children) - len(self._notes)]
        if said:
            join(said[-1], widget)
        await self.mount(widget, before=self._notes[0] if self._notes else None)


_RATINGS = {"up": ("  ▲ good", "not bold $success"), "down": ("  ▼ not good", "not bold $warning")}


def in_words(rating: Rating, result: FeedbackResult) -> str:
    """What a rating did to the memories that went into the reply."""
    said = "Noted as good" if rating == "up" else "Noted as not good"
    if result.repeated:
        return f"{said} before; nothing changes"
    changed, used = len(result.changed), len(result.memories)
    if not used:
        return f"{said}; no memory had gone into it"
    if not changed:
        return f"{said}; none of its {_memories(used)} moved"
    flagged = f", {len(result.flagged)} to review" if result.flagged else ""
    return f"{said}: {_memories(changed)} {'raised' if rating == 'up' else 'lowered'}{flagged}"


def _memories(count: int) -> str:
    return f"{count} {'memory' if count == 1 else 'memories'}"
