"""Turns as work: what runs, what came of those that ended, what a lost host left behind.

The ledger is asked for what this process did not run itself; nothing here starts or stops a turn.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from skill_agent.events import Event, FailureReason, Finish, TurnFailed, TurnFinished
from skill_agent.values import Message, Usage

TaskState = Literal["running", "finished", "failed", "interrupted"]

MOST_ENDED = 200
"""So many ended turns are kept in mind; older ones are read from the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A turn as work. `interrupted` is one whose process died: its message is kept, it does not
    run and is never run again."""

    id: str
    """The turn."""
    kind: Literal["turn"] = "turn"
    state: TaskState
    session: str
    agent: str
    started_at: datetime
    """When the person's message was saved."""
    message_id: str | None = None
    """The reply, whole or what was kept of it."""
    text: str = ""
    """Of that reply."""
    usage: Usage | None = None
    finish: Finish = "stop"
    """Why that reply ended. The ledger does not keep it: another host says `stop`."""
    reason: FailureReason | None = None
    """Why it failed, as far as it is known."""
    problem: str = ""
    """That in words, with what to do next in `hint`."""
    hint: str = ""


class TaskBoard:
    """The turns of this process's life: those that run, and the last ones that ended."""

    def __init__(self, *, most: int = MOST_ENDED) -> None:
        self._most = most
        self._running: dict[str, Task] = {}
        self._ended: OrderedDict[str, Task] = OrderedDict()
        self._of_others: set[str] = set()

    def began(self, message: Message) -> None:
        """A person's message is saved and its turn starts."""
        self._running[message.turn] = _task(message, "running")

    def lent(self, turn: str) -> None:
        """It runs for another process."""
        self._of_others.add(turn)

    @property
    def of_others(self) -> frozenset[str]:
        """The turns that run for other processes."""
        return frozenset(self._of_others)

    def heard(self, event: Event) -> None:
        """Takes note of a turn's end; must hear of it before anybody else does."""
        if not isinstance(event, TurnFinished | TurnFailed):
            return
        if task := self._running.pop(event.turn, None):
            self._ended[event.turn] = _ended(task, event)
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

    def get(self, turn: str) -> Task | None:
        return self._running.get(turn) or self._ended.get(turn)

    def tasks(self, limit: int) -> list[Task]:
        """Those that run, then those that ended, each the newest first."""
        running, ended = reversed(self._running.values()), reversed(self._ended.values())
        return [*running, *ended][:limit]


def folded(messages: Sequence[Message]) -> Task | None:
    """What the ledger's messages of a turn that does not run say of it; None without a person's
    message. A failure that left no text reads as `interrupted`."""
    asked = next((one for one in messages if one.role == "user"), None)
    if asked is None:
        return None
    replies = [one for one in messages if one.role == "assistant" and not one.tool_calls]
    if not replies:
        return _task(asked, "interrupted")
    reply = next((one for one in replies if one.state == "complete"), replies[-1])
    state: TaskState = "finished" if reply.state == "complete" else "failed"
    found = replace(_task(asked, state), agent=reply.agent or asked.agent or "")
    return replace(found, message_id=reply.id, text=reply.content, usage=reply.usage)


def told(task: Task) -> TurnFinished | TurnFailed:
    """The event that ends the turn for somebody who missed it."""
    if task.state == "finished":
        return TurnFinished(
            session=task.session,
            turn=task.id,
            agent=task.agent,
            message_id=task.message_id or "",
            text=task.text,
            usage=task.usage or Usage(),
            finish=task.finish,
        )
    return TurnFailed(
        session=task.session,
        turn=task.id,
        agent=task.agent,
        reason=task.reason or "host_lost",
        message=task.problem or "the reply was cut short: the process that ran the turn is gone",
        hint=task.hint or ("" if task.reason else "ask again"),
        message_id=task.message_id,
        text=task.text,
        usage=task.usage,
    )


def _task(message: Message, state: TaskState) -> Task:
    return Task(
        id=message.turn,
        state=state,
        session=message.session,
        agent=message.agent or "",
        started_at=message.created_at,
    )


def _ended(task: Task, event: TurnFinished | TurnFailed) -> Task:
    known = replace(task, message_id=event.message_id, text=event.text, usage=event.usage)
    if isinstance(event, TurnFinished):
        return replace(known, state="finished", finish=event.finish)
    return replace(
        known, state="failed", reason=event.reason, problem=event.message, hint=event.hint
    )
