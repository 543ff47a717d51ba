"""A home whose process stays, as the tests of jobs see it; and the engine alone over a ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes import StepClock
from skill_agent.scheduler.calendar import LocalCalendar
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import UsageError
from skill_agent.events import Event, JobRunChanged
from skill_agent.host.runtime import Runtime
from skill_agent.jobs.kinds.kind import Outcome, Plain
from skill_agent.jobs.parts import JobParts
from skill_agent.settings.schema import Settings
from skill_agent.values import Dispatch, InboxItem, Job, JobRun, Schedule

OpenHost = Callable[..., AbstractAsyncContextManager[Runtime]]


def parts_of(runtime: Runtime) -> JobParts:
    return runtime._automation.jobs


async def looked(of: Runtime | JobParts) -> None:
    """What an alarm would do, and everything that came of it."""
    parts = of if isinstance(of, JobParts) else parts_of(of)
    await parts.engine.look()
    await parts.runs.settled()


class Mortal:
    """A ledger whose process dies in the place of its n-th note about runs."""

    def __init__(self, ledger: DuckLedger, dies_at: int) -> None:
        self._ledger, self._left = ledger, dies_at
        self.dead = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def die(self) -> None:
        """Nothing is written from now on."""
        self.dead.set()
        await asyncio.Event().wait()

    async def note(self, kind: str, entity: str, **rest: Any) -> int:
        if kind in ("job.run", "job.said"):
            if self._left == 0:
                await self.die()
            self._left -= 1
        return await self._ledger.note(kind, entity, **rest)


class Told:
    """Takes what is told, by the key it is told under."""

    def __init__(self) -> None:
        self.items: dict[str, Dispatch] = {}
        self.order: list[Dispatch] = []

    def check(self, target: str) -> None:
        if target != "inbox":
            raise UsageError(f"nothing can be delivered to {target!r}")

    async def deliver(self, dispatch: Dispatch) -> InboxItem:
        assert dispatch.key is not None
        for target in dispatch.targets:
            self.check(target)
        if dispatch.key not in self.items:
            self.order.append(dispatch)
        self.items[dispatch.key] = dispatch
        return InboxItem(
            id=dispatch.key, title=dispatch.title, text=dispatch.text, created_at=StepClock().now
        )


class Bell:
    """Alarms that a test rings itself."""

    def __init__(self) -> None:
        self.put_for: dict[str, Schedule] = {}

    def begin(self, fire: Callable[[str], Any]) -> None: ...

    def put(self, id: str, schedule: Schedule) -> None:
        self.put_for[id] = schedule

    def drop(self, id: str) -> None:
        self.put_for.pop(id, None)

    async def end(self) -> None: ...


class Doing(Plain):
    """A kind that does what a test says, and remembers for what."""

    repeatable = False

    def __init__(self) -> None:
        self.done: list[JobRun] = []
        self.outcomes: list[Outcome | Exception] = []
        self.refused: Exception | None = None
        self.held: asyncio.Event | None = None
        self.begun = asyncio.Semaphore(0)

    async def preflight(self, job: Job) -> None:
        if self.refused is not None:
            raise self.refused

    async def run(self, job: Job, run: JobRun) -> Outcome:
        self.done.append(run)
        self.begun.release()
        if self.held is not None:
            await self.held.wait()
        came = self.outcomes.pop(0) if self.outcomes else Outcome(text="done")
        if isinstance(came, Exception):
            raise came
        return came


@dataclass
class World:
    """What outlives a process: the ledger's file, the clock, what was told, what was done."""

    folder: Path
    clock: StepClock = field(default_factory=StepClock)
    told: Told = field(default_factory=Told)
    doing: Doing = field(default_factory=Doing)
    bell: Bell = field(default_factory=Bell)
    heard: list[JobRunChanged] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    hosts: int = 0
    mortal: type[Mortal] = Mortal

    @asynccontextmanager
    async def open(
        self, *, hosting: bool = True, dies_at: int | None = None
    ) -> AsyncIterator[JobParts]:
        """The engine of a process; one that dies leaves everything as it is at that note."""
        self.hosts += 1
        ledger: Any = await DuckLedger.open(self.folder / "ledger.duckdb", self.clock, user="me")
        mortal = ledger if dies_at is None else self.mortal(ledger, dies_at)
        parts = self._parts(mortal, hosting)
        try:
            if dies_at is None:
                await parts.begin()
                yield parts
                await parts.end()
            else:
                yield parts
        finally:
            for one in [*parts.runs.now.values()]:
                if one.task is not None:
                    one.task.cancel()
            await ledger.close()

    def _parts(self, ledger: Any, hosting: bool) -> JobParts:
        chores = {"consolidate": False, "expire": False}
        settings = Settings.model_validate(
            {"upkeep": chores, "backup": {"daily": False}, **self.settings}
        )
        return JobParts(
            settings=settings,
            ledger=ledger,
            clock=self.clock,
            directory=AgentDirectory(self.folder / "agents.toml", known_skills=list),
            delivers=self.told,
            publish=self._hear,
            calendar=LocalCalendar(),
            alarms=self.bell,
            done={},
            kinds={"expire": self.doing},
            host=f"host {self.hosts}",
            hosting=hosting,
        )

    def _hear(self, event: Event) -> None:
        if isinstance(event, JobRunChanged):
            self.heard.append(event)
