"""Follows a piece of work to its end: tells what happens, has the person answer what is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from skill_agent.errors import UsageError
from skill_agent.events import (
    ApprovalAsked,
    CollaborationChanged,
    Event,
    HostFound,
    HostLost,
    QuestionAsked,
    TaskChanged,
    TeamEvent,
)
from skill_agent.team.groups import task_group
from skill_agent.values import AgentTask, Collaboration

from ..output import narrate
from ..surroundings import surroundings

if TYPE_CHECKING:
    from skill_agent.events.bus import Subscription
    from skill_agent.workstation import Workstation

Work = AgentTask | Collaboration
Show = Callable[[Event], None]
Came = TypeVar("Came")
_INTERRUPTED = "interrupted by the person"


class Belonging:
    """Which events are of a piece of work: its own, and those of all that is part of it."""

    def __init__(self, root: str) -> None:
        self._ids = {root}

    def has(self, event: Event) -> bool:
        match event:
            case TaskChanged():
                found = {event.task, event.collaboration, event.parent_task} & self._ids
                if found:
                    self._ids |= {event.task, event.work or event.task}
                return bool(found)
            case CollaborationChanged():
                found = {event.collaboration, event.parent} & self._ids
                if found:
                    self._ids.add(event.collaboration)
                return bool(found)
            case QuestionAsked():
                return bool({event.turn, event.session} & self._ids)
            case _:
                return event.session in self._ids


class News:
    """What of the events is news: the same line of the same work is none."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __call__(self, event: Event) -> bool:
        match event:
            case TaskChanged():
                name = event.task
            case CollaborationChanged():
                name = event.collaboration
            case _:
                return isinstance(event, TeamEvent | HostLost | HostFound)
        fresh = self._told.get(name) != event.line
        self._told[name] = event.line
        return fresh


def lines() -> Show:
    """Tells what happens on stderr."""
    news = News()
    return lambda event: narrate(event.line) if news(event) else None


class Follower:
    """One command's ear. Questions are put to the person; where there is none, they are denied."""

    def __init__(
        self, runtime: "Workstation", ctx: typer.Context, show: Show | None = None
    ) -> None:
        self._runtime, self._show = runtime, show or lines()
        self._around = surroundings(ctx)

    async def to_end(self, begin: "Callable[[], Awaitable[Work]]") -> Work:
        """Begins the work and gives it as it ended. Interrupted, it stops the work first."""
        with self._runtime.turns.subscribe() as events:
            work = await begin()
            belonging = Belonging(work.id)
            try:
                async for event in events:
                    if isinstance(event, HostLost | HostFound):
                        self._show(event)
                    elif not belonging.has(event):
                        continue
                    else:
                        self._show(event)
                    if isinstance(event, ApprovalAsked | QuestionAsked):
                        await self._answer(event)
                    if _may_end(event, work.id) and (now := await self._now(work)).ended:
                        return now
            except asyncio.CancelledError:
                await self._stop(work)
                raise
        return await self._now(work)

    async def during(self, root: str, work: "Coroutine[Any, Any, Came]") -> "Came":
        """What comes of work whose tasks name `root` as their collaboration. Interrupted, it stops
        them first."""
        with self._runtime.turns.subscribe() as events:
            async with task_group() as group:
                listening = group.create_task(self._listen(root, events), name="what happens")
                try:
                    return await work
                except asyncio.CancelledError:
                    narrate("stopping …")
                    for task in await self._runtime.tasks.list(collaboration=root):
                        if not task.ended:  # a host goes on with what nobody waits for
                            await self._runtime.tasks.cancel(task.id, reason=_INTERRUPTED)
                    raise
                finally:
                    listening.cancel()

    async def _listen(self, root: str, events: "Subscription") -> None:
        belonging = Belonging(root)
        async for event in events:
            if isinstance(event, HostLost | HostFound) or belonging.has(event):
                self._show(event)
                if isinstance(event, ApprovalAsked | QuestionAsked):
                    await self._answer(event)

    async def _now(self, work: Work) -> Work:
        if isinstance(work, AgentTask):
            return await self._runtime.tasks.get(work.id)
        return await self._runtime.collaborations.get(work.id)

    async def _stop(self, work: Work) -> None:
        narrate("stopping …")
        if isinstance(work, AgentTask):
            await self._runtime.tasks.cancel(work.id, reason=_INTERRUPTED)
        else:
            await self._runtime.collaborations.cancel(work.id, reason=_INTERRUPTED)
        narrate(f"stopped; what there is of it is kept: ska team show {work.id}")

    async def _answer(self, event: ApprovalAsked | QuestionAsked) -> None:
        if isinstance(event, QuestionAsked):
            await self._reply(event)
            return
        choice, words = "deny", ""
        if self._around.interactive:
            from ..talk.approvals import asking

            choice, words = await asyncio.to_thread(asking(self._around), event)
        else:
            narrate(f"denied, for nobody is here to ask: {event.line}")
        await self._runtime.approvals.answer(event.approval, choice, words=words)

    async def _reply(self, event: QuestionAsked) -> None:
        """Asks until the answer is clear; where nobody is here it waits for whoever comes."""
        from ..talk.questions import BY, not_taken, replying

        if not self._around.interactive:
            narrate(f"it waits: ska questions answer {event.question} yes")
            return
        again = True
        while again:
            said = await asyncio.to_thread(replying(self._around), event)
            try:
                await self._runtime.questions.answer(event.question, said, by=BY)
                again = False
            except UsageError as problem:
                again = not_taken(problem)


def _may_end(event: Event, work: str) -> bool:
    """Whether it is worth a look if the work has ended."""
    match event:
        case TaskChanged():
            return event.task == work and event.status not in ("pending", "in_progress")
        case CollaborationChanged():
            running = ("planning", "active", "synthesizing")
            return event.collaboration == work and event.status not in running
        case _:
            return isinstance(event, HostFound)
