"""Work with a key that is under way once, however many ask for it at the same time.

What was done earlier is for the stores to know; nothing is remembered here once it has ended.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from skill_agent.errors import Conflict, UsageError

Result = TypeVar("Result")


class Once:
    """Owns the tasks of keyed work. Who asks may leave; the work goes on to its end."""

    def __init__(self) -> None:
        self._under_way: dict[str, tuple[object, asyncio.Task[Any]]] = {}

    async def run(
        self, key: str, said: object, work: Callable[[], Coroutine[Any, Any, Result]]
    ) -> Result:
        """Does the work, or waits for the same that is under way; `said` is what makes it the
        same. Raises Conflict where it is not, and whatever the work raises."""
        if (found := self._under_way.get(key)) is None:
            task = asyncio.create_task(work(), name=f"once {key}")
            self._under_way[key] = (said, task)
            task.add_done_callback(lambda ended: self._ended(key, ended))
        else:
            before, task = found
            if before != said:
                raise conflict(key)
        return await asyncio.shield(task)

    def _ended(self, key: str, task: "asyncio.Task[Any]") -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            task.exception()  # who asked may have left; somebody must have looked

    async def settled(self, key: str) -> None:
        """Returns once nothing with this key is under way."""
        if found := self._under_way.get(key):
            await asyncio.wait((found[1],))

    async def close(self) -> None:
        """Waits for all that is under way."""
        if tasks := [task for _, task in self._under_way.values()]:
            await asyncio.wait(tasks)


def checked_key(key: str) -> str:
    """The key as ids are written; raises UsageError where it is no UUID."""
    try:
        known = str(UUID(key))
    except ValueError:
        known = ""
    if not known or known != key.lower():
        raise UsageError(f"{key[:80]!r} is no key: a key is a UUID", hint="make a fresh UUIDv7")
    return known


def conflict(key: str) -> Conflict:
    return Conflict(
        f"{key} stands for something else that was asked before", hint="use a fresh key"
    )
