"""A task while this process works on it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from skill_agent.models.money.purses import Purse
from skill_agent.values import AgentTask, Requester

from .line import Place


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """What is known of a task only while it runs."""

    task: AgentTask
    """As it stands now."""
    parent: "Job | None"
    purse: Purse
    chain: tuple[str, ...]
    """Who asked whom for what, up to it."""
    requester: Requester | None = None
    made: "asyncio.Future[None]"
    """Done once it is written down."""
    worker: "asyncio.Task[AgentTask] | None" = None
    place: Place | None = None
    started: bool = False
    stopped: str | None = None
    """Why it is to end."""
    closing: bool = False
    """The home is being closed: it is taken up again later."""
    tries: int = 0
    """Since it was given, or given again by hand."""
    before: int = 0
    """Tries before that."""
    failures: list[str] = field(default_factory=list)
    deadline: float = float("inf")
    """In the loop's time."""
    said: list[str] = field(default_factory=list)
    """What a person says to it and no turn has heard yet."""
    spent: tuple[int, float] = (0, 0.0)
    """Tokens and dollars of earlier tries by hand or before a crash."""

    @property
    def above(self) -> "Iterator[Job]":
        """The job that gave it, the one that gave that, and so on."""
        one = self.parent
        while one is not None:
            yield one
            one = one.parent

    def stop(self, reason: str, *, closing: bool = False) -> None:
        """Makes it end soon. Once is enough: a second cancel would cut short its ending."""
        if self.stopped is not None:
            return
        self.stopped, self.closing = reason, closing
        if self.started and self.worker is not None:
            self.worker.cancel()

    def used(self) -> AgentTask:
        """The task with what it has used so far."""
        tokens, usd = self.spent
        return replace(
            self.task,
            tokens_used=tokens + self.purse.own_tokens,
            cost_usd=usd + self.purse.own_usd,
        )
