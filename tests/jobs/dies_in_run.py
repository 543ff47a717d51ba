"""A process that runs a due job and is killed in the place of its n-th note about runs.

python dies_in_run.py FOLDER NOTE HOURS
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from fakes import StepClock  # noqa: E402
from job_home import Mortal, World  # noqa: E402


class Killed(Mortal):
    """A ledger whose process is killed."""

    async def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: Path, note: int, hours: int) -> None:
    clock = StepClock()
    clock.advance(hours=hours)
    world = World(folder, clock=clock, mortal=Killed)
    async with world.open(dies_at=note) as parts:
        await parts.engine.take_up(hosting=True)
        await parts.engine.begin()
        await parts.runs.settled()
        print("survived", flush=True)


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
