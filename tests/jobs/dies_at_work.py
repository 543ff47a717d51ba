"""A process that is killed while it does background work. Usage: dies_at_work.py HOME KEY WHEN

WHEN is `slice N`: in the midst of the Nth slice; `note N`: right after the Nth note of the work.
With `once` at the end the work may not be begun again.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from errands import Once, Slices, ended, new, working
from fakes import HashEmbedder
from in_process import open_in_process

from skill_agent.models.scripted import ScriptedGateway, ScriptedModel


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(asyncio.Semaphore):
    """Leave for so many slices, then the end."""

    async def acquire(self) -> Any:
        if self.locked():
            die()
        return await super().acquire()


async def main(home: str, key: str, when: str, *how: str) -> None:
    what, _, number = when.partition(" ")
    kind = Once() if "once" in how else Slices()
    if what == "slice":
        kind.leave = Dying(int(number) - 1)
    gateway = ScriptedGateway(ScriptedModel())
    async with (
        open_in_process(home, create=True, gateway=gateway, embedder=HashEmbedder()) as runtime,
        working(runtime, kind) as work,
    ):
        if what == "note":
            _dies_after(work._records, int(number))
        await work.start(new(kind.name, key=key, payload={"count": 4}))
        await ended(work, key)
        await asyncio.sleep(0.2)
        print("not killed", flush=True)


def _dies_after(records: Any, number: int) -> None:
    save, left = records.save, [number]

    async def saved(*said: Any, **more: Any) -> None:
        await save(*said, **more)
        left[0] -= 1
        if not left[0]:
            die()

    records.save = saved


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
