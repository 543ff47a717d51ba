"""A piece of work while this process has it."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from skill_agent.team.tasks.line import Place
from skill_agent.values import Requester, Work

from .records import Kept, with_changes

Stopping = Literal["", "pause", "cancel", "close"]


@dataclass(slots=True, eq=False, kw_only=True)
class Running:
    """What is known of work only while it waits in line or runs."""

    kept: Kept
    """As it stands now."""
    requester: Requester | None = None
    made: "asyncio.Future[None]"
    """Done once its beginning is written down."""
    new: bool = False
    """Nothing of it is written down yet."""
    unwritten: bool = False
    """How it stands is not."""
    task: "asyncio.Task[Work] | None" = None
    place: Place | None = None
    started: bool = False
    stopping: Stopping = ""
    """Why it is to end."""
    told_at: float = field(default=float("-inf"))
    """When its progress was told last, in the loop's time."""

    def change(self, **changes: Any) -> None:
        self.kept = with_changes(self.kept, **changes)

    def mark(self, marks: dict[str, Any]) -> None:
        self.kept = replace(self.kept, marks={**self.kept.marks, **marks})

    def stop(self, why: Stopping) -> None:
        """Has it end soon. It is cancelled once: a second cancel would cut short its ending; but a
        person's "stop" goes before a pause."""
        first = not self.stopping
        if first or why == "cancel":
            self.stopping = why
        if first and self.started and self.task is not None:
            self.task.cancel()
