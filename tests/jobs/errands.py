"""Background work for tests: kinds that do what they are told, and an engine over a real ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from skill_agent.errors import StoreError
from skill_agent.events import WorkChanged
from skill_agent.host.runtime import Runtime
from skill_agent.jobs.work.background import Background
from skill_agent.jobs.work.kind import Errand, Kind, Outcome
from skill_agent.jobs.work.records import KIND
from skill_agent.jobs.work.step import Step
from skill_agent.ports import Asks
from skill_agent.values import Answer, NewQuestion, NewWork, Work


class Slices(Kind):
    """So many slices, each of which waits for leave; it goes on after the last one."""

    name = "slices"

    def __init__(self, *, free: bool = True) -> None:
        self.done: list[int] = []
        self.begun: list[str] = []
        """The titles in the order in which they were begun."""
        self.leave = asyncio.Semaphore(1_000_000 if free else 0)
        self.at_once = self.most = 0

    async def checked(self, new: NewWork) -> Errand:
        return Errand(title=new.title or "Slices", payload=new.payload)

    async def do(self, step: Step) -> Outcome:
        self.begun.append(step.work.title)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            count = step.work.payload.get("count", 3)
            for number in range(step.marks.get("next", 0), count):
                await self.leave.acquire()
                self.done.append(number)
                step.keep(next=number + 1)
                await step.point(number + 1, count, "slices")
            return Outcome(text=f"{count} slices", origins=("agent",))
        finally:
            self.at_once -= 1


class Once(Slices):
    """The same, but nobody may begin it again."""

    name = "once"
    repeatable = False


class Failing(Kind):
    """Fails with each of these in turn, then does well."""

    name = "failing"

    def __init__(self, *problems: Exception) -> None:
        self.problems = list(problems)
        self.tries = 0

    async def checked(self, new: NewWork) -> Errand:
        return Errand(title="Failing")

    async def do(self, step: Step) -> Outcome:
        self.tries += 1
        if self.problems:
            raise self.problems.pop(0)
        return Outcome(text="in the end")


class Questioning(Kind):
    """Asks before it goes on."""

    name = "questioning"

    async def checked(self, new: NewWork) -> Errand:
        return Errand(title="Questioning")

    async def do(self, step: Step) -> Outcome:
        answer = await step.ask("begin", "Shall I?", default="cancel")
        return Outcome(text=f"{answer.action} {answer.words}".strip())


class Waiting(Asks):
    """Keeps questions until a test answers them."""

    def __init__(self) -> None:
        self.asked: list[NewQuestion] = []
        self.withdrawn: list[str] = []
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    async def ask(self, question: NewQuestion) -> Answer:
        self.asked.append(question)
        return await asyncio.shield(self.answer)

    async def withdraw(self, key: str) -> None:
        self.withdrawn.append(key)


class Sleeps:
    """A sleep that keeps what it was asked for and takes no time, unless it is held."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.held = False

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        while self.held:  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def passing() -> Exception:
    return StoreError("the disk is busy", hint="wait")


def engine(runtime: Runtime, *kinds: Kind, asks: Asks | None = None, **more: Any) -> Background:
    """One over the ledger of a runtime, with these kinds."""
    parts: dict[str, Any] = {"sleep": Sleeps(), "clock": runtime._clock} | more
    return Background(
        ledger=runtime.ledger,
        kinds=kinds,
        asks=asks or runtime._automation.asks,
        delivers=runtime._automation.delivers,
        publish=runtime._bus.publish,
        **parts,
    )


@asynccontextmanager
async def working(runtime: Runtime, *kinds: Kind, **more: Any) -> AsyncIterator[Background]:
    made = engine(runtime, *kinds, **more)
    await made.begin(hosting=True)
    try:
        yield made
    finally:
        await made.end()


async def crashed(background: Background) -> None:
    """Its process is gone: nothing is written down any more."""

    async def nothing(*_: Any, **__: Any) -> None:
        raise StoreError("the process is gone")

    background._closing = True
    background._records.save = nothing  # type: ignore[method-assign]
    await background.end()


async def in_state(background: Background, name: str, *states: str) -> Work:
    while (found := await background.get(name)).state not in states:  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    return found


async def ended(background: Background, name: str) -> Work:
    return await in_state(background, name, "completed", "failed", "cancelled", "dead")


async def comes(about: Callable[[], bool]) -> None:
    while not about():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


async def rows(runtime: Runtime, name: str) -> list[dict[str, Any]]:
    """What the log has of a piece of work."""
    found = await runtime.ledger.log(name, kinds=(KIND,))
    return [one.new["work"] for one in found if one.new]


async def inbox(runtime: Runtime) -> list[str]:
    """The titles of what was told."""
    return [one.new["title"] for one in await runtime.ledger.log(kinds=("inbox.item",)) if one.new]


@asynccontextmanager
async def hearing(runtime: Runtime) -> AsyncIterator[list[WorkChanged]]:
    heard: list[WorkChanged] = []
    begun = asyncio.Event()

    async def listen() -> None:
        with runtime.turns.subscribe() as events:
            begun.set()
            async for event in events:
                heard.append(event) if isinstance(event, WorkChanged) else None

    listening = asyncio.create_task(listen())
    await begun.wait()
    try:
        yield heard
    finally:
        await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait([listening])


def new(kind: str = "slices", **more: Any) -> NewWork:
    return NewWork(kind=kind, **more)
