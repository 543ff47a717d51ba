"""A process that is killed in its turn: as that calls the model, or with `shows` when half of the
reply was shown for a moment. Usage: dies_in_turn.py HOME KEY [shows]"""

import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import HashEmbedder
from skill_agent.cli.opening.home import open_home

from skill_agent.models.scripted import Pause, ScriptedGateway, ScriptedModel
from skill_agent.ports import ModelRequest


def dies(_request: ModelRequest) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


async def waits_and_dies(seconds: float) -> None:
    await asyncio.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


async def main(home: str, key: str, *how: str) -> None:
    if how:
        model = ScriptedModel(otherwise=["Half ", "of it. ", Pause(3.0)], sleep=waits_and_dies)
    else:
        model = ScriptedModel(otherwise=dies)
    gateway = ScriptedGateway(model)
    async with open_home(home, create=True, gateway=gateway, embedder=HashEmbedder()) as runtime:
        async for _ in runtime.ask("hi", key=key):
            pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
