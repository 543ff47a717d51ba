"""Turns as work: what runs, what came of those that ended, what a lost host left behind.

The ledger is asked for what this process did not run itself; nothing here starts or stops a turn.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from skill_agent.events import Event, MemorySaved, Notice, TurnFailed, TurnFinished
from skill_agent.text.shaping import one_line
from skill_agent.values import Message, TurnState, TurnStatus, Usage

from .client_calls import replies_in

MOST_ENDED = 200
"""So many ended turns are kept in mind; older ones are read from the ledger."""
WORDS = 80
"""Characters of a message that tell its turn from others in a listing."""


class TurnBoard:
    """The turns of this process's life: those that run, and the last ones that ended."""

    def __init__(self, *, most: int = MOST_ENDED) -> None:
        self._most = most
        self._running: dict[str, TurnState] = {}
        self._ended: OrderedDict[str, TurnState] = OrderedDict()
        self._of_others: set[str] = set()

    def began(self, message: Message) -> None:
        """A person's message is saved and its turn starts."""
        self._running[message.turn] = _state(message, "running")

    def lent(self, turn: str) -> None:
        """It runs for another process."""
        self._of_others.add(turn)

    def asked(self, turn: str, by: str) -> None:
        """Who asked for it, where that is not this process."""
        if state := self._running.get(turn):
            self._running[turn] = replace(state, by=by)

    @property
    def of_others(self) -> frozenset[str]:
        """The turns that run for other processes."""
        return frozenset(self._of_others)

    def heard(self, event: Event, at: datetime | None = None) -> None:
        """Takes note of a turn's warnings, of what it put into memory and of its end, `at` a
        moment; must hear of it before anybody else does."""
        state = self._running.get(event.turn)
        if state is not None and isinstance(event, Notice) and event.level == "warning":
            self._running[event.turn] = replace(state, notices=(*state.notices, event.text))
        if state is not None and isinstance(event, MemorySaved):
            self._running[event.turn] = replace(state, saved=(*state.saved, event.memory_id))
        if not isinstance(event, TurnFinished | TurnFailed):
            return
        if state := self._running.pop(event.turn, None):
            self._ended[event.turn] = replace(_ended(state, event), ended_at=at)
            while len(self._ended) > self._most:
                self._ended.popitem(last=False)

    def left(self, turn: str) -> None:
        """The turn's work is over, whether or not its end was heard."""
        self._running.pop(turn, None)
        self._of_others.discard(turn)

    def runs(self, turn: str) -> bool:
        return turn in self._running

    @property
    def running(self) -> frozenset[str]:
        return frozenset(self._running)

    def get(self, turn: str) -> TurnState | None:
        return self._running.get(turn) or self._ended.get(turn)

    def states(self, limit: int) -> list[TurnState]:
        """Those that run, then those that ended, each the newest first."""
        running, ended = reversed(self._running.values()), reversed(self._ended.values())
        return [*running, *ended][:limit]


def folded(messages: Sequence[Message]) -> TurnState | None:
    """What the ledger's messages of a turn that does not run say of it; None without a person's
    message. A failure that left no text reads as `interrupted`; how turns really ended is noted
    beside (`turn_ends`)."""
    asked = next((one for one in messages if one.role == "user"), None)
    if asked is None:
        return None
    replies = replies_in(messages)
    if not replies:
        return _state(asked, "interrupted")
    reply = next((one for one in replies if one.state == "complete"), replies[-1])
    state: TurnStatus = "finished" if reply.state == "complete" else "failed"
    found = replace(_state(asked, state), agent=reply.agent or asked.agent or "")
    found = replace(found, message_id=reply.id, text=reply.content, usage=reply.usage)
    if reply.tool_calls:
        return replace(found, finish="tool_calls", tool_calls=reply.tool_calls)
    return found


def told(state: TurnState) -> TurnFinished | TurnFailed:
    """The event that ends the turn for somebody who missed it."""
    if state.state == "finished":
        return TurnFinished(
            session=state.session,
            turn=state.id,
            agent=state.agent,
            message_id=state.message_id or "",
            text=state.text,
            usage=state.usage or Usage(),
            finish=state.finish,
            tool_calls=state.tool_calls,
        )
    return TurnFailed(
        session=state.session,
        turn=state.id,
        agent=state.agent,
        reason=state.reason or "host_lost",
        message=state.problem or "the reply was cut short: the process that ran the turn is gone",
        hint=state.hint or ("" if state.reason else "ask again"),
        message_id=state.message_id,
        text=state.text,
        usage=state.usage,
    )


def _state(message: Message, state: TurnStatus) -> TurnState:
    return TurnState(
        id=message.turn,
        state=state,
        session=message.session,
        agent=message.agent or "",
        started_at=message.created_at,
        words=one_line(message.content, WORDS),
    )


def _ended(state: TurnState, event: TurnFinished | TurnFailed) -> TurnState:
    known = replace(state, message_id=event.message_id, text=event.text, usage=event.usage)
    if isinstance(event, TurnFinished):
        known = replace(known, tool_calls=event.tool_calls)
        return replace(known, state="finished", finish=event.finish)
    return replace(
        known, state="failed", reason=event.reason, problem=event.message, hint=event.hint
    )
