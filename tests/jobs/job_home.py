"""A home whose process stays, as the tests of jobs see it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from skill_agent.host.runtime import Runtime
from skill_agent.jobs.parts import JobParts

OpenHost = Callable[..., AbstractAsyncContextManager[Runtime]]


def parts_of(runtime: Runtime) -> JobParts:
    return runtime._automation.jobs


async def looked(runtime: Runtime) -> None:
    """What an alarm would do, and everything that came of it."""
    await parts_of(runtime).engine.look()
    await parts_of(runtime).runs.settled()
