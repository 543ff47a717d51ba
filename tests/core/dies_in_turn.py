"""A process that is killed as its turn calls the model. Usage: dies_in_turn.py HOME KEY"""

import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import HashEmbedder
from skill_agent.cli.opening.home import open_home

from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import ModelRequest


def dies(_request: ModelRequest) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


async def main(home: str, key: str) -> None:
    gateway = ScriptedGateway(ScriptedModel(otherwise=dies))
    async with open_home(home, create=True, gateway=gateway, embedder=HashEmbedder()) as runtime:
        async for _ in runtime.ask("hi", key=key):
            pass


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
