"""One conversation's events onto the screen. The only place that knows what each event looks like.

It keeps no facts of its own beyond which block belongs to which turn.
"""

from collections.abc import Callable
from typing import assert_never

from skill_agent.conversations.in_words import in_short
from skill_agent.events import (
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
from ...memory.pane import MemoryPane
from . import lines
from .blocks import Line, ToolBlock, UserBlock, WorkLine, addressed
from .conversation import Conversation
from .reply import ReplyBlock


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
        self.spoke_with = ""
        """Who was spoken with last; a message to another one says so."""
        self._replies: dict[str, ReplyBlock] = {}
        self._recalled: dict[str, int] = {}
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
            await reply.wait("Thinking …")
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
                self._recalled[event.turn] = event.told
                await self._pane.recalled(event)
                await reply.wait("Thinking …")
            case Notice():
                await self._notice(reply, event)
            case TextDelta():
                await reply.say(event.text)
            case ThoughtDelta():
                await reply.think(event.text)
            case ToolStarted():
                if decision := self._decided.pop(event.turn, None):
                    await reply.tell(decision)
                await reply.use(event.call, ToolBlock(event.tool, event.arguments))
            case ToolFinished():
                if tool := reply.tool(event.call):
                    tool.finish(ok=event.ok, result=event.result, seconds=event.seconds)
                await reply.wait("Thinking …")
            case ApprovalAsked():
                await reply.wait(f"Waiting for you: {event.tool} …")
            case ApprovalAnswered():
                self._decided[event.turn] = lines.decision(event.choice, event.by)
                await reply.wait("Thinking …")
            case TurnFinished():
                await self._finish(reply, event)
            case TurnFailed():
                await self._fail(reply, event)
            case _:
                assert_never(event)

    async def _start(self, event: TurnStarted) -> None:
        reply = ReplyBlock(self._agents[event.agent], event.turn)
        self._replies[event.turn] = reply
        to = addressed(event.agent, self.spoke_with, self._agents)
        self.spoke_with = event.agent
        await self._conversation.add(UserBlock(event.text, event.attachments, to=to), reply)
        if event.tier:
            await reply.tell(Line("·", f"{event.model}: {event.why}", kind="info"))
        await reply.wait("Recalling …")
        if self._own(event.turn):  # one's own message is where one wants to be
            self._conversation.follow()

    async def _seated(self, event: HandedOff | SeatChanged) -> None:
        """A line; where another one answers now, the reply is that one's."""
        self._decided.pop(event.turn, None)
        reply = self._replies.get(event.turn)
        if reply is not None and isinstance(event, HandedOff):
            reply.speaks(self._agents[event.agent])
        await self._around(event.turn, lines.seat(event, self._agents))

    async def _around(self, turn: str, line: Line) -> None:
        """What happens to a conversation beside its turns: a line of its own."""
        reply = self._replies.get(turn)
        if reply is None:
            await self._conversation.add(line)
            return
        self._conversation.touched()
        await reply.tell(line)
        await reply.wait("Thinking …")

    async def _worked(self, event: TaskChanged | CollaborationChanged) -> None:
        """One line for each piece of team work, which changes with it."""
        if (work := lines.work_told(event, self._agents)) is None:
            return
        for line in self._conversation.query(WorkLine):
            if line.work == work.id:  # told before, or read from the ledger
                line.tell(work.mark, work.text, kind=work.kind)
                return
        await self._around(work.turn, work.line)

    async def _planned(self, event: PlanTold) -> None:
        """One checklist for each turn, which changes in its place."""
        reply = await self._reply(event.turn, event.agent)
        name, text = f"plan of {event.turn}", "\n  ".join(["Plan", *event.checklist])
        for line in reply.query(WorkLine):
            if line.work == name:
                line.tell("·", text, kind="info")
                return
        await reply.tell(WorkLine(name, "·", text, kind="info"))

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
            await reply.wait(f"{event.text} …")

    async def _finish(self, reply: ReplyBlock, event: TurnFinished) -> None:
        if event.text.startswith(reply.source) and event.text != reply.source:
            await reply.say(event.text.removeprefix(reply.source))  # what of it was not heard
        if not event.text.strip() and event.tool_calls:
            await reply.say("\n".join(in_short(event.tool_calls)))
        reply.message_id = event.message_id
        recalled = self._recalled.get(event.turn, 0)
        await reply.close(lines.figures(event.usage, recalled=recalled))
        self._forget(event.turn)

    async def _fail(self, reply: ReplyBlock, event: TurnFailed) -> None:
        reply.message_id = event.message_id
        if line := lines.stopped(event):
            await reply.note(line)
        await reply.close("")
        if error := lines.error(event, self._agents[event.agent].name):
            if reply.bare:
                await reply.remove()
            await self._conversation.add(error)
        self._forget(event.turn)

    def _forget(self, turn: str) -> None:
        for known in (self._replies, self._recalled, self._decided):
            known.pop(turn, None)
