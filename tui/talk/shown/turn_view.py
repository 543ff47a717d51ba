"""One conversation's events onto the screen. The only place that knows what each event looks like.

It keeps no facts of its own beyond which block belongs to which turn.
"""

from collections.abc import Callable
from typing import assert_never

from textual.widget import Widget

from skill_agent.conversations.in_words import in_short
from skill_agent.events import (
    AgentRouted,
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    CollaborationChanged,
    Compacted,
    DiffShown,
    HandedOff,
    HostFound,
    HostLost,
    MemoriesExtracted,
    MemoryRecalled,
    MemorySaved,
    Notice,
    PlanTold,
    SeatChanged,
    TaskChanged,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)

from ...frame.agents import AgentList
from ...frame.plain import one_line
from ...memory.pane import MemoryPane
from ..foot.throbber import Throbber
from . import lines
from .asides import PlanBlock, WorkBlock
from .blocks import Line, ToolBlock, UserBlock, addressed
from .conversation import Conversation
from .reply import ReplyBlock


class TurnView:
    """Applies events in order; a fresh one is made for each conversation shown."""

    def __init__(
        self,
        conversation: Conversation,
        pane: MemoryPane,
        agents: AgentList,
        throbber: Throbber,
        *,
        own: Callable[[str], bool],
    ) -> None:
        """`own` tells whether this window asked for a turn."""
        self._conversation, self._pane, self._agents = conversation, pane, agents
        self._throbber, self._own = throbber, own
        self.spoke_with = ""
        """Who was spoken with last; a message to another one says so."""
        self._replies: dict[str, ReplyBlock] = {}
        self._decided: dict[str, Line] = {}
        """What was answered of the call that comes next in a turn."""

    async def apply(self, event: AnyEvent) -> None:
        """Shows one event; of one it does not know, the line."""
        match event:
            case TurnStarted():
                await self._start(event)
            case MemoriesExtracted() | HostLost() | HostFound():
                pass  # the status line tells
            case Compacted():
                await self._around(event.turn, lines.summed_up(event.line))
            case TaskChanged() | CollaborationChanged():
                await self._worked(event)
            case AgentRouted():
                await self._around(event.turn, lines.routed(event, self._agents))
            case HandedOff() | SeatChanged():
                await self._seated(event)
            case PlanTold():
                await self._planned(event)
            case DiffShown():
                await self._changed(event)
            case _ if isinstance(event, TurnEvent):
                await self._within(event)
            case _:
                await self._around(event.turn, Line("·", event.line, kind="info"))

    async def steered(self, turn: str, text: str) -> None:
        """What the person said to a turn that runs, after what it had said by then."""
        if (reply := self._replies.get(turn)) is not None:
            await reply.tell(UserBlock(text))
            self._conversation.touched()

    async def _within(self, event: TurnEvent) -> None:
        reply = await self._reply(event.turn, event.agent)
        if not isinstance(event, MemoryRecalled):
            self._conversation.touched()
        if not isinstance(event, ToolStarted | ApprovalAnswered):
            self._decided.pop(event.turn, None)  # it was of something else than a call
        match event:
            case TurnStarted():
                pass
            case MemorySaved():
                await reply.tell(lines.saved(event.content, pinned=event.pinned))
                await self._pane.saved(event)
            case MemoryRecalled():
                reply.remembers(event)
                await self._pane.recalled(event)
                self._busy(event, "thinks")
            case Notice():
                await self._notice(reply, event)
            case TextDelta():
                await reply.say(event.text)
                self._busy(event, "writes")
            case ThoughtDelta():
                await reply.think(event.text)
                self._busy(event, "thinks")
            case ToolStarted():
                if decision := self._decided.pop(event.turn, None):
                    await reply.tell(decision)
                await reply.use(event.call, ToolBlock(event.tool, event.arguments))
                self._busy(event, f"uses {one_line(event.tool, 40)}")
            case ToolFinished():
                if tool := reply.tool(event.call):
                    tool.finish(ok=event.ok, result=event.result, seconds=event.seconds)
                self._busy(event, "thinks")
            case ApprovalAsked():
                self._busy(event, "waits for you: F2")
            case ApprovalAnswered():
                self._decided[event.turn] = lines.decision(event.choice, event.by)
                self._busy(event, "thinks")
            case TurnFinished():
                await self._finish(reply, event)
            case TurnFailed():
                await self._fail(reply, event)
            case _:
                assert_never(event)

    def _busy(self, event: AnyEvent, words: str) -> None:
        self._throbber.busy(event.turn, self._agents[event.agent], words)

    async def _start(self, event: TurnStarted) -> None:
        reply = ReplyBlock(self._agents[event.agent], event.turn, at=lines.when(event.at))
        self._replies[event.turn] = reply
        to = addressed(event.agent, self.spoke_with, self._agents)
        self.spoke_with = event.agent
        said = UserBlock(
            event.text, event.attachments, turn=event.turn, message_id=event.message_id, to=to
        )
        await self._conversation.add(said, reply)
        if event.tier:
            await reply.tell(Line("·", f"{event.model}: {event.why}", kind="info"))
        self._busy(event, "remembers")
        if self._own(event.turn):  # one's own message is where one wants to be
            self._conversation.follow()

    async def _seated(self, event: HandedOff | SeatChanged) -> None:
        """A line; where another one answers now, the reply is that one's."""
        self._decided.pop(event.turn, None)
        reply = self._replies.get(event.turn)
        if reply is not None and isinstance(event, HandedOff):
            reply.speaks(self._agents[event.agent])
        await self._around(event.turn, lines.seat(event, self._agents))

    async def _around(self, turn: str, line: Widget) -> None:
        """What happens to a conversation beside its turns: a row of its own."""
        reply = self._replies.get(turn)
        if reply is None:
            await self._conversation.add(line)
            return
        self._conversation.touched()
        await reply.tell(line)

    async def _worked(self, event: TaskChanged | CollaborationChanged) -> None:
        """One row for each piece of team work, which changes with it."""
        if (work := lines.work_told(event, self._agents)) is None:
            return
        for block in self._conversation.query(WorkBlock):
            if block.work == work.id:  # told before, or read from the ledger
                block.tell(work.mark, work.text, work.problem, kind=work.kind)
                return
        await self._around(work.turn, work.block)

    async def _planned(self, event: PlanTold) -> None:
        """One checklist for each turn, which changes in its place."""
        reply = await self._reply(event.turn, event.agent)
        told, steps = event.line.capitalize(), event.checklist
        if plans := reply.query(PlanBlock):
            plans.first().tell("≡", told, "\n".join(steps))
        else:
            await reply.tell(PlanBlock(event.turn, told, steps))

    async def _changed(self, event: DiffShown) -> None:
        """A change of a file, with the call that made it."""
        reply = await self._reply(event.turn, event.agent)
        tool = reply.tool(event.call)
        if tool is None:
            tool = ToolBlock("edit", {"path": event.path})
            tool.finish(ok=True, result="")
            await reply.use(f"{event.call}{event.path}", tool)
        tool.changes(event.unified())

    async def _reply(self, turn: str, agent: str) -> ReplyBlock:
        if turn not in self._replies:
            self._replies[turn] = ReplyBlock(self._agents[agent], turn)
            await self._conversation.add(self._replies[turn])
        return self._replies[turn]

    async def _notice(self, reply: ReplyBlock, event: Notice) -> None:
        """What goes on is told while one waits; a warning stays."""
        if event.level == "warning":
            await reply.note(lines.warning(event.text))
        else:
            self._busy(event, f"· {event.text}")

    async def _finish(self, reply: ReplyBlock, event: TurnFinished) -> None:
        if event.text.startswith(reply.source) and event.text != reply.source:
            await reply.say(event.text.removeprefix(reply.source))  # what of it was not heard
        if not event.text.strip() and event.tool_calls:
            await reply.say("\n".join(in_short(event.tool_calls)))
        reply.message_id = event.message_id
        await reply.close(lines.figures(event.usage))
        self._forget(event.turn)

    async def _fail(self, reply: ReplyBlock, event: TurnFailed) -> None:
        reply.message_id = event.message_id
        if line := lines.stopped(event):
            await reply.note(line)
        await reply.close()
        if error := lines.error(event, self._agents[event.agent].name):
            if reply.bare:
                await reply.remove()
            await self._conversation.add(error)
        self._forget(event.turn)

    def _forget(self, turn: str) -> None:
        self._throbber.over(turn)
        for known in (self._replies, self._decided):
            known.pop(turn, None)
