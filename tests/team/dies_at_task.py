"""A process that is killed while it works on a task. Usage: dies_at_task.py HOME KEY STAGE

STAGE is `after N` or `before N`: around the Nth note about the task; or `reply`: in the middle of
the model's reply. With `waits` at the end somebody waits for the task.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from fakes import HashEmbedder
from giving import ended, engine, task
from in_process import open_in_process

from skill_agent.models.scripted import Pause, ScriptedGateway, ScriptedModel
from skill_agent.team.tasks.records import KIND, TaskRecords


class Dying:
    """A ledger whose process dies around one note."""

    def __init__(self, ledger: Any, when: str, number: int) -> None:
        self._ledger, self._when, self._left = ledger, when, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def note(self, kind: str, entity: str, **said: Any) -> int:
        self._left -= kind == KIND
        here = kind == KIND and self._left == 0
        if here and self._when == "before":
            die()
        written = await self._ledger.note(kind, entity, **said)
        if here:
            die()
        return written


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def dies(_seconds: float) -> None:
    await asyncio.sleep(0.2)
    die()


async def main(home: str, key: str, stage: str, *how: str) -> None:
    when, _, number = stage.partition(" ")
    reply = ["Half ", Pause(1.0)] if when == "reply" else "The whole reply."
    gateway = ScriptedGateway(ScriptedModel(otherwise=reply, sleep=dies))
    parts: dict[str, Any] = {"gateway": gateway, "embedder": HashEmbedder()}
    async with open_in_process(home, create=True, **parts) as runtime:
        tasks = engine(runtime)
        if number:
            ledger: Any = Dying(runtime.ledger, when, int(number))
            tasks._work.records = TaskRecords(ledger)
        new = task("Look at it", key=key)
        give: Callable[[Any], Awaitable[Any]] = tasks.run if "waits" in how else tasks.delegate
        await give(new)
        await ended(runtime, key)
        print("not killed", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
