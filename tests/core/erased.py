"""A process to be killed: is told a secret and purges it, over real stores.

Usage: erased.py HOME
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import HashEmbedder
from skill_agent.cli.opening.home import open_home

from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.privacy.erasure import Eraser


async def main(home: str) -> None:
    gateway = ScriptedGateway(ScriptedModel(otherwise="It is quokka-4711."))
    async with open_home(home, create=True, gateway=gateway, embedder=HashEmbedder()) as runtime:
        assert isinstance(runtime, Runtime)
        eraser = Eraser(
            ledger=runtime.ledger,
            projector=runtime._projector,
            home=runtime.home,
            clock=lambda: datetime.now(UTC),
            user="me",
        )
        await runtime.turns.wake()
        async for _ in runtime.ask("Remember that my code is quokka-4711"):
            pass
        await runtime.memory.settle()
        (turn,) = await runtime.turns.list()
        (call,) = await runtime.turns.prompt(turn.id)
        assert "quokka-4711" in call.messages[-1].content
        (memory,) = await runtime.memory.list()
        plan = await eraser.plan([memory.id])
        print("purging", flush=True)
        await eraser.purge(plan)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
