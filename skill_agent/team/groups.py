"""Task groups that lose neither a cancel from outside nor anybody's error.

On Python 3.11 and 3.12 a `TaskGroup` swallows a cancel from outside when a child raises while it is
being cancelled (cpython gh-116720), and `asyncio.timeout` around one may give an ExceptionGroup in
place of TimeoutError.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


@asynccontextmanager
async def task_group() -> AsyncGenerator[asyncio.TaskGroup, None]:
    """A TaskGroup whose first error is raised bare, with the others beneath it as notes; a cancel
    from outside goes before any of them."""
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as problems:
        if task.cancelling() > before:
            raise asyncio.CancelledError from problems
        first, *others = roots(problems)
        for one in others:
            first.add_note(f"and {type(one).__name__}: {one}")
        raise first from None


def roots(problem: BaseException) -> list[BaseException]:
    """The errors at the bottom of groups within groups, each once, in order."""
    if not isinstance(problem, BaseExceptionGroup):
        return [problem]
    found: list[BaseException] = []
    for one in problem.exceptions:
        found += [root for root in roots(one) if root not in found]
    return found
