"""A conversation read from the ledger as blocks: what one would have seen had one been there.

What each thing looks like stands in `lines`; the live side is `turn_view`. A model's thoughts are
not kept, and so are all that is missing here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.widget import Widget

from skill_agent.conversations.in_order import Called, Said, in_order
from skill_agent.conversations.seats_told import told_of
from skill_agent.conversations.told_apart import told_apart
from skill_agent.conversations.turn_states import told
from skill_agent.events import MemorySaved, TurnFailed
from skill_agent.values import Compaction, Message, SeatMoment
from skill_agent.workstation.past import Past

from ...frame.agents import AgentList
from . import lines
from .blocks import Line, ToolBlock, UserBlock, addressed
from .prose import Prose
from .reply import ReplyBlock

SHOWN = 200
"""Messages of a conversation that are read at once, the newest first."""


def blocks_of(past: Past, agents: AgentList) -> list[Widget]:
    """One block a user message, one a reply with all its tool calls, one an error."""
    begun = past.messages[0].created_at if past.messages else None
    summed_up = [one for one in past.summed_up if begun and one.at >= begun]
    beside, spoke_with = past.seats_beside(), ""
    blocks: list[Widget] = []
    for messages in past.by_turn():
        turn = _Turn(past, messages, agents)
        while beside and turn.asked and beside[0].at < turn.asked.created_at:
            blocks.append(_seat(beside.pop(0), agents))
        while summed_up and turn.asked and summed_up[0].at < turn.asked.created_at:
            blocks.append(lines.summed_up(summed_up.pop(0).line))
        meanwhile = [one for one in summed_up if turn.answered_after(one)]
        summed_up = summed_up[len(meanwhile) :]
        turn.to = addressed(turn.agent, spoke_with, agents)
        spoke_with = turn.agent or spoke_with
        blocks += turn.blocks(agents, [lines.summed_up(one.line) for one in meanwhile])
    blocks += [lines.summed_up(one.line) for one in summed_up]
    return blocks + [_seat(one, agents) for one in beside]


def _seat(moment: SeatMoment, agents: AgentList) -> Widget:
    return lines.seat(told_of(moment, ""), agents)


def kept_in(past: Past) -> list[MemorySaved]:
    """What the conversation put into memory, the oldest first."""
    shown = dict.fromkeys(one.turn for one in past.messages)
    return [
        MemorySaved(
            session=state.session,
            turn=state.id,
            agent=state.agent,
            memory_id=memory.id,
            content=memory.content,
            memory_type=memory.memory_type,
            pinned=memory.pinned,
            importance=memory.importance,
        )
        for turn in shown
        if (state := past.turns.get(turn))
        for memory_id in state.saved
        if (memory := past.saved.get(memory_id))
    ]


class _Turn:
    """One turn's messages, and what is known of its end."""

    def __init__(self, past: Past, messages: Sequence[Message], agents: AgentList) -> None:
        self._past, self._messages, self._agents = past, messages, agents
        self.asked = next((one for one in messages if one.role == "user"), None)
        self.agent = (self.asked.agent if self.asked else None) or ""
        self.to = ""
        """Who it was said to, where that was not who was spoken with before."""
        self._replies = [one for one in messages if one.role in ("assistant", "tool")]
        self._state = past.turns.get(messages[0].turn)

    def answered_after(self, compaction: Compaction) -> bool:
        """Whether earlier messages were summed up before any of its reply was there."""
        return bool(self._replies) and compaction.at < self._replies[0].created_at

    def blocks(self, agents: AgentList, first: Sequence[Widget]) -> list[Widget]:
        """`first` stands at the head of the reply."""
        ended = told(self._state) if self._state and self._state.state != "running" else None
        failed = ended if isinstance(ended, TurnFailed) else None
        seats = [_seat(one, agents) for one in self._past.seats_in(self._messages[0].turn)]
        parts = [*seats, *first, *self._saved(), *self._said(), *self._notes(failed)]
        found: list[Widget] = [_said(self.asked, to=self.to)] if self.asked else []
        if parts or self._replies:
            found.append(self._reply(agents, parts, failed))
        if failed and (error := lines.error(failed, agents[failed.agent].name)):
            found.append(error)
        return found

    def _reply(
        self, agents: AgentList, parts: Sequence[Widget], failed: TurnFailed | None
    ) -> ReplyBlock:
        replies, rated = self._replies, self._past.ratings
        agent = next((m.agent for m in (*replies, *self._messages) if m.agent), "") or ""
        usage = next((m.usage for m in reversed(replies) if m.usage), None)
        return ReplyBlock(
            agents[agent],
            self._messages[0].turn,
            parts=parts,
            said="\n\n".join(m.content for m in replies if m.role == "assistant" and m.content),
            figures=() if failed else lines.figures(usage),
            at=lines.when(self.asked.created_at) if self.asked else "",
            sources=self.asked.recalled if self.asked else (),
            message_id=next((m.id for m in reversed(replies) if m.role == "assistant"), None),
            rating=next((rated[m.id] for m in replies if m.id in rated), None),
        )

    def _saved(self) -> Iterator[Widget]:
        for memory_id in self._state.saved if self._state else ():
            if memory := self._past.saved.get(memory_id):
                yield lines.saved(memory.content, pinned=memory.pinned)

    def _said(self) -> Iterator[Widget]:
        """Its words, and each call where it was made."""
        work = self._work()
        for part in in_order(self._replies):
            match part:
                case Said(message=message, text=text):
                    yield from _until(work, message.created_at)
                    yield Prose(text)
                case Called():
                    yield from _called(part)
                    if part.result is not None:
                        yield from _until(work, part.result.created_at)
        yield from (line for _, line in work)

    def _work(self) -> list[tuple[datetime, Widget]]:
        """Its lines of team work and what the person said meanwhile, the oldest first, with when
        each was."""
        turn = self._messages[0].turn
        every = [*self._past.together, *self._past.tasks]
        begun = sorted(every, key=lambda one: one.created_at)
        told = ((one.created_at, lines.work_kept(one, self._agents)) for one in begun)
        work = [(at, work.block) for at, work in told if work.turn == turn]
        said = [one for one in self._messages if one.role == "user" and one is not self.asked]
        meanwhile = [(one.created_at, _said(one)) for one in said]
        return sorted([*work, *meanwhile], key=lambda one: one[0])

    def _notes(self, failed: TurnFailed | None) -> Iterator[Widget]:
        for text in self._state.notices if self._state else ():
            yield lines.warning(text)
        known = self._state is not None and (self._state.reason or self._state.state != "failed")
        if failed and known:
            if line := lines.stopped(failed):
                yield line
        elif any(one.state == "partial" for one in self._replies):
            yield Line("■", "Stopped here", kind="warning")


def _said(message: Message, *, to: str = "") -> UserBlock:
    return UserBlock(*told_apart(message), turn=message.turn, message_id=message.id, to=to)


def _until(work: list[tuple[datetime, Widget]], at: datetime) -> Iterator[Widget]:
    """What was begun by then, taken out."""
    while work and work[0][0] <= at:
        yield work.pop(0)[1]


def _called(made: Called) -> Iterator[Widget]:
    outcome, block = made.outcome, ToolBlock(made.call.name, made.call.arguments)
    result = made.result.content if made.result else ""
    if outcome and outcome.choice:
        yield lines.decision(outcome.choice, outcome.by)
    if outcome:
        block.finish(ok=outcome.ok, result=result, seconds=outcome.seconds)
    else:  # it ran before outcomes were kept
        block.finish(ok=None, result=result)
    yield block
