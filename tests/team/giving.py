"""Tasks for tests: given, waited for, and heard of."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from skill_agent.events import Event, TaskChanged
from skill_agent.host.runtime import Runtime
from skill_agent.team.tasks.tasks import Tasks
from skill_agent.values import AgentTask, NewTask


def task(instructions: str = "Look at it", to: str = "luke", **more: Any) -> NewTask:
    return NewTask(assigned_to=to, instructions=instructions, **more)


def engine(runtime: Runtime) -> Tasks:
    """The engine with all that nobody reaches from outside of the process."""
    found = runtime.tasks
    assert isinstance(found, Tasks)
    return found


async def ended(runtime: Runtime, name: str) -> AgentTask:
    while not (found := await runtime.tasks.get(name)).ended:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return found


async def in_state(runtime: Runtime, name: str, status: str) -> AgentTask:
    while (found := await runtime.tasks.get(name)).status != status:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return found


async def comes(about: Callable[[], bool]) -> None:
    while not about():  # noqa: ASYNC110  in other tasks
        await asyncio.sleep(0.005)


def states(heard: list[Event], name: str) -> list[str]:
    return [one.status for one in heard if isinstance(one, TaskChanged) and one.task == name]


@asynccontextmanager
async def hearing(runtime: Runtime) -> AsyncIterator[list[Event]]:
    """Every event from now on."""
    heard: list[Event] = []

    async def listen() -> None:
        with runtime.turns.subscribe() as events:
            begun.set()
            async for event in events:
                heard.append(event)

    begun = asyncio.Event()
    listening = asyncio.create_task(listen())
    await begun.wait()
    try:
        yield heard
    finally:
        await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait([listening])


@contextmanager
def no_task_left() -> Iterator[None]:
    """Nothing that was begun meanwhile still runs for a task or its turn."""
    yield
    left = [
        one.get_name()
        for one in asyncio.all_tasks()
        if one.get_name().startswith(("task ", "turn ", "a task", "once"))
    ]
    assert left == []
