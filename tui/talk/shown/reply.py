"""One agent's reply, from its first word to its rating."""

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Markdown, Static

from skill_agent.conversations.in_words import NOT_ENDED
from skill_agent.values import FeedbackResult, Rating

from ...frame.agents import Member
from ...frame.deeds import Deed, bindings
from ...frame.plain import printable
from ..deeds import CODE, MESSAGE, REPLY
from .blocks import Block, Line, ThoughtBlock, ToolBlock
from .code_block import HoldsCode
from .prose import Flow, Prose


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

    `parts` and `said` are what a finished reply read from the ledger begins with. It can be rated
    once it is in the ledger and so has a `message_id`.
    """

    DEEDS: ClassVar[tuple[Deed, ...]] = (*REPLY, *CODE, *MESSAGE)
    BINDINGS: ClassVar[list[BindingType]] = bindings(REPLY)
    is_reply: ClassVar[bool] = True
    rating: reactive[Rating | None] = reactive[Rating | None](None)

    def __init__(
        self,
        member: Member,
        turn: str,
        *,
        parts: Sequence[Widget] = (),
        said: str = "",
        meta: str = "",
        message_id: str | None = None,
        rating: Rating | None = None,
    ) -> None:
        super().__init__(classes=member.accent)
        self._member, self.turn = member, turn
        self.message_id = message_id
        self.set_reactive(ReplyBlock.rating, rating)
        self._parts, self._meta = parts, meta
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
        yield Static(self._head(), markup=False, classes="who")
        yield from self._parts
        if self._meta:
            yield Static(self._meta, markup=False, classes="meta")

    def _head(self) -> Content:
        mark, colour = _RATINGS[self.rating] if self.rating else ("", "")
        return Content.assemble(self._member.name, (mark, colour))

    def watch_rating(self) -> None:
        if self.is_mounted:
            self.query_one(".who", Static).update(self._head())

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
        if self.is_mounted:
            self.query_one(".who", Static).update(self._head())

    @property
    def bare(self) -> bool:
        """Whether nothing but the name is shown."""
        return len(self.children) <= 1

    async def say(self, text: str) -> None:
        """Appends streamed text."""
        self._said.append(text)
        if self._flow is not None:
            await self._stop_waiting()
        else:
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

    async def tell(self, line: Line) -> None:
        """Puts a line after what was said so far."""
        await self.pause()
        await self._put(line)

    async def note(self, line: Line) -> None:
        """Puts a line below all that is said, whatever is said after it."""
        self._notes.append(line)
        waiting = self.query(".waiting")
        await self.mount(line, before=waiting.first() if waiting else None)

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

    async def close(self, meta: str) -> None:
        """The reply is over; `meta` is the quiet line under it."""
        await self.pause()
        self._thought_ended()
        for tool in self._tools.values():
            if not tool.settled:
                tool.finish(ok=False, result=NOT_ENDED)
        await self._stop_waiting()
        if meta:
            await self.mount(Static(meta, markup=False, classes="meta"))

    async def wait(self, text: str) -> None:
        """Shows that something is going on; the next piece of the reply takes it away."""
        old = self.query(".waiting")
        if old:
            old.first(Static).update(printable(text))
        else:
            await self.mount(Static(printable(text), markup=False, classes="waiting"))

    async def _put(self, widget: Static | Markdown | Block) -> None:
        self._thought_ended()
        await self._stop_waiting()
        await self.mount(widget, before=self._notes[0] if self._notes else None)

    async def _stop_waiting(self) -> None:
        for waiting in self.query(".waiting"):
            await waiting.remove()


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
