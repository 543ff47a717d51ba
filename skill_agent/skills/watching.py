"""Looks now and then whether a skill is another one than it was, while somebody listens."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from time import monotonic

from skill_agent.values import Skill

EVERY_S = 1.5
_REST = 20
"""Times as long as a look took it rests: thousands of skills are looked at less often."""

_log = logging.getLogger(__name__)

Marks = dict[str, tuple[object, ...]]


class SkillWatch:
    """Begun and ended on the loop of whoever listens; `changed` is told names of skills.

    Files are looked at in a thread, each only once it has changed. There is no other way to notice
    an edit, for a skill lies in folders that other programs write.
    """

    def __init__(
        self,
        look: Callable[[], Collection[Skill]],
        changed: Callable[[frozenset[str]], Awaitable[None]],
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._look, self._changed, self._every_s = look, changed, every_s
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None

    def begin(self) -> None:
        """What is changed from now on is told."""
        if not self.running:
            seen = _marks(self._look())
            self._task = asyncio.get_running_loop().create_task(self._watch(seen))

    async def end(self) -> None:
        if (task := self.stop()) is not None:
            await asyncio.gather(task, return_exceptions=True)

    def stop(self) -> "asyncio.Task[None] | None":
        """As `end`, without waiting for what it gives."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    async def _watch(self, seen: Marks) -> None:
        took = 0.0
        while True:
            await asyncio.sleep(max(self._every_s, _REST * took))
            begun = monotonic()
            try:
                now = _marks(await asyncio.to_thread(self._look))
                took = monotonic() - begun
                names = {name for name in seen | now if seen.get(name) != now.get(name)}
                if names:
                    await self._changed(frozenset(names))
                seen = now
            except Exception:  # one look that failed is no reason to look no more
                _log.exception("the skills could not be looked at")


def _marks(skills: Collection[Skill]) -> Marks:
    """What a tool is made of, by the name of its skill."""
    return {
        one.name: (one.loaded, one.digest, one.trust, one.approved_for, one.hidden)
        for one in reversed([*skills])
    }
