"""One conversation's events onto the screen. The only place that knows what each event looks like.

It keeps no facts of its own beyond which block belongs to which turn.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import assert_never

from skill_agent.events import (
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    HostFound,
    HostLost,
    MemoriesExtracted,
    MemoryRecalled,
    MemorySaved,
    Notice,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.values import FailureReason

from ..frame.agents import AgentList
from ..frame.plain import one_line
from ..memory.pane import MemoryPane
from .blocks import ErrorBlock, Line, ToolBlock, UserBlock
from .conversation import Conversation
from .history import meta_of
from .reply import ReplyBlock

_CUT_SHORT: Mapping[FailureReason, str] = MappingProxyType(
    {
        "cancelled": "Stopped",
        "host_lost": "The process that held the home went away; your message is saved",
        "host_closed": "The process that held the home was closed; your message is saved",
    }
)
_ANSWERS = {"once": "Allowed once", "always": "Allowed from now on", "deny": "Denied"}


SHOWN_SAVED = 240
"""Characters of what was saved; all of it stands where one takes it back."""


class TurnView:
    """Applies events in order; a fresh one is made for each conversation shown."""

    def __init__(
        self,
        conversation: Conversation,
        pane: MemoryPane,
        agents: AgentList,
        *,
        own: Callable[[str], bool],
    ) -> None:
        """`own` tells whether this window asked for a turn."""
        self._conversation, self._pane, self._agents = conversation, pane, agents
        self._own = own
        self._replies: dict[str, ReplyBlock] = {}
        self._recalled: dict[str, int] = {}

    async def apply(self, event: AnyEvent) -> None:
        """Shows one event; of one it does not know, the line."""
        match event:
            case TurnStarted():
                await self._start(event)
            case MemoriesExtracted():
                await self._around(event.turn, extracted(event))
            case HostLost() | HostFound():
                pass  # the status line tells
            case _ if isinstance(event, TurnEvent):
                await self._within(event)
            case _:
                await self._around(event.turn, Line("·", event.line, kind="info"))

    async def _within(self, event: TurnEvent) -> None:
        reply = await self._reply(event.turn, event.agent)
        if not isinstance(event, MemoryRecalled):
            self._conversation.touched()
        match event:
            case TurnStarted():
                pass
            case MemorySaved():
                kept = f"Saved to memory: {one_line(event.content, SHOWN_SAVED)}"
                pinned = " · pinned" if event.pinned else ""
                detail = f"{event.memory_id}{pinned} · undo: F6, Enter, f"
                await reply.tell(Line("✓", kept, detail, kind="saved"))
                await self._pane.saved(event)
            case MemoryRecalled():
                self._recalled[event.turn] = len(event.items)
                await self._pane.recalled(event)
                await reply.wait("Thinking …")
            case Notice():
                await self._notice(reply, event)
            case TextDelta():
                await reply.say(event.text)
            case ThoughtDelta():
                await reply.think(event.text)
            case ToolStarted():
                await reply.use(event.call, ToolBlock(event.tool, event.arguments))
            case ToolFinished():
                if tool := reply.tool(event.call):
                    tool.finish(ok=event.ok, result=event.result, seconds=event.seconds)
                await reply.wait("Thinking …")
            case ApprovalAsked():
                await reply.wait(f"Waiting for you: {event.tool} …")
            case ApprovalAnswered():
                await self._answered(reply, event)
            case TurnFinished():
                await self._finish(reply, event)
            case TurnFailed():
                await self._fail(reply, event)
            case _:
                assert_never(event)

    async def _start(self, event: TurnStarted) -> None:
        reply = ReplyBlock(self._agents[event.agent], event.turn)
        self._replies[event.turn] = reply
        await self._conversation.add(UserBlock(event.text, event.attachments), reply)
        await reply.wait("Recalling …")
        if self._own(event.turn):  # one's own message is where one wants to be
            self._conversation.follow()

    async def _around(self, turn: str, line: Line | None) -> None:
        """What happens to a conversation beside its turns: a line of its own."""
        if line is None:
            return
        reply = self._replies.get(turn)
        if reply is None:
            await self._conversation.add(line)
            return
        self._conversation.touched()
        await reply.tell(line)
        await reply.wait("Thinking …")

    async def _reply(self, turn: str, agent: str) -> ReplyBlock:
        if turn not in self._replies:
            self._replies[turn] = ReplyBlock(self._agents[agent], turn)
            await self._conversation.add(self._replies[turn])
        return self._replies[turn]

    async def _notice(self, reply: ReplyBlock, event: Notice) -> None:
        if event.step:
            await reply.wait(f"{event.text} …")
            return
        mark = "!" if event.level == "warning" else "·"
        await reply.tell(Line(mark, event.text, kind=event.level))
        if event.level == "info":
            await reply.wait("Thinking …")

    async def _answered(self, reply: ReplyBlock, event: ApprovalAnswered) -> None:
        by = "" if event.by == "person" else f"by {event.by}"
        kind = "warning" if event.choice == "deny" else "info"
        await reply.tell(Line("·", _ANSWERS[event.choice], by, kind=kind))

    async def _finish(self, reply: ReplyBlock, event: TurnFinished) -> None:
        if event.text.startswith(reply.source) and event.text != reply.source:
            await reply.say(event.text.removeprefix(reply.source))  # what of it was not heard
        reply.message_id = event.message_id
        await reply.close(meta_of(event.usage, recalled=self._recalled.get(event.turn, 0)))
        self._replies.pop(event.turn, None)

    async def _fail(self, reply: ReplyBlock, event: TurnFailed) -> None:
        reply.message_id = event.message_id
        if event.reason in _CUT_SHORT:
            kept = "; what came is kept" if event.text else ""
            text = f"{_CUT_SHORT[event.reason]}{kept}"
            await reply.tell(Line("■", text, event.hint, kind="warning"))
            await reply.close("")
        else:
            await reply.close("")
            if reply.bare:
                await reply.remove()
            title = f"{self._agents[event.agent].name} could not answer"
            await self._conversation.add(ErrorBlock(title, event.message, event.hint))
        self._replies.pop(event.turn, None)


def extracted(event: MemoriesExtracted) -> Line | None:
    """One line where the person has something to do or to know; reading well is no news."""
    if event.problem:
        detail = f"{event.problem}; it is tried again"
        return Line("!", "Memories were not read out of this yet", detail, kind="warning")
    if event.disputed:
        count = _counted(len(event.disputed), "memory", "memories")
        text = f"{count} in dispute: F5, then d, to decide which is right"
        return Line("≠", text, kind="warning")
    return None


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
