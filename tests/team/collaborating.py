"""Collaborations over real stores whose tasks are played: what comes of each, a function says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from fakes import OpenRuntime, StepClock

from skill_agent.events import CollaborationChanged, Event
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.models.money.purses import Purses
from skill_agent.models.scripted import ScriptedModel
from skill_agent.settings.schema import Settings
from skill_agent.team.sessions.sessions import Sessions
from skill_agent.team.tasks.tasks import RunsTasks
from skill_agent.values import (
    AgentTask,
    Collaboration,
    ModelProfile,
    NewCollaboration,
    NewTask,
    Origin,
    Participant,
    Pattern,
    TaskState,
)

GOAL = "Which tree fits a small garden?"
SMALL = ModelProfile(strength="small")


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of a task."""

    text: str = ""
    status: TaskState = "completed"
    error: str = ""
    cost: float = 0.0
    origins: tuple[Origin, ...] = ()


Play = Callable[[NewTask], Awaitable[str | Came]]


async def agreeable(new: NewTask) -> str:
    """Says in each step who speaks; approves, and votes for the apple."""
    if new.response_schema is None:
        return f"{new.assigned_to} on {new.stage}"
    wanted = new.response_schema["properties"]
    if "approved" in wanted:
        return json.dumps({"approved": True, "comments": "Good."})
    if "choice" in wanted:
        return json.dumps({"choice": "Apple", "reason": f"{new.assigned_to} likes it"})
    return json.dumps({"parts": [{"agent": "luke", "task": "Look at roots"}]})


class Played(RunsTasks):
    """An engine of tasks that plays them, and keeps what it was asked."""

    def __init__(self, play: Play, clock: StepClock, purses: Purses) -> None:
        self.play, self._clock, self._purses = play, clock, purses
        self.seen: list[NewTask] = []
        self.cancelled: list[str] = []
        self.running = self.most = 0

    async def run(self, new: NewTask) -> AgentTask:
        self.seen.append(new)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            came = await self.play(new)
        except asyncio.CancelledError:
            self.cancelled.append(new.assigned_to)
            raise
        finally:
            self.running -= 1
        came = Came(text=came) if isinstance(came, str) else came
        if (purse := self._purses.of_collaboration(new.collaboration)) and came.cost:
            (await purse.draw(10, lambda _: came.cost)).settle(came.cost, 10)
        return AgentTask(
            id=new.key or new_id(),
            assigned_to=new.assigned_to,
            created_by=new.created_by,
            title=new.title,
            instructions=new.instructions,
            context=new.context,
            stage=new.stage,
            status=came.status,
            result=came.text,
            error=came.error,
            origins=(*new.origins, *came.origins),
            tokens_used=10,
            cost_usd=came.cost,
            created_at=self._clock(),
            completed_at=self._clock(),
        )

    def asked(self, agent: str, stage: str = "") -> NewTask:
        """The one task of an agent, in a stage where it had several."""
        (found,) = [
            n for n in self.seen if n.assigned_to == agent and n.stage in (stage or n.stage)
        ]
        return found


@dataclass
class Stage:
    """What a test drives."""

    runtime: Runtime
    sessions: Sessions
    played: Played
    model: ScriptedModel
    told: list[CollaborationChanged] = field(default_factory=list)

    async def run(self, pattern: Pattern, *people: str, **more: Any) -> Collaboration:
        return await self.sessions.run(asked(pattern, *people, **more))

    async def start(self, pattern: Pattern, *people: str, **more: Any) -> Collaboration:
        return await self.sessions.start(asked(pattern, *people, **more))

    async def ended(self, one: Collaboration) -> Collaboration:
        """Once nothing of it runs any more."""
        if (running := self.sessions._running.get(one.id)) is not None:
            await asyncio.wait([running.task])
        return await self.sessions.get(one.id)


def asked(pattern: Pattern, *people: str, **more: Any) -> NewCollaboration:
    """The first named leads, but for a pipeline and a review."""
    if people and pattern not in ("pipeline", "peer_review"):
        more.setdefault("lead", people[0])
    participants = tuple(Participant(slug=one) for one in people)
    return NewCollaboration(
        **{"goal": GOAL, "pattern": pattern, "participants": participants, **more}
    )


@asynccontextmanager
async def staged(
    open_runtime: OpenRuntime,
    clock: StepClock,
    play: Play = agreeable,
    *,
    local: bool = False,
    profile: ModelProfile = SMALL,
    settings: Settings | None = None,
) -> AsyncIterator[Stage]:
    """A home with a team; its models are elsewhere, and run at the same time, unless `local`."""
    model = ScriptedModel(profile=profile)
    model.info = replace(model.info, local=local, own_server=not local)
    async with open_runtime(model) as runtime:
        played = Played(play, clock, runtime._budgets.purses)
        told: list[CollaborationChanged] = []

        def publish(event: Event) -> None:
            if isinstance(event, CollaborationChanged):
                told.append(event)

        sessions = Sessions(
            settings=settings or Settings(),
            ledger=runtime.ledger,
            clock=clock,
            directory=runtime.directory,
            models=runtime._models,
            tasks=played,
            purses=runtime._budgets.purses,
            publish=publish,
            asks=lambda: runtime.asks,
        )
        yield Stage(runtime=runtime, sessions=sessions, played=played, model=model, told=told)
        await sessions.end()
