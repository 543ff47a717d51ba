"""A process to be killed: queues, begins to read, and never ends; prints what is in the log.

Usage: killed_reader.py FOLDER
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import StepClock
from memory_home import FACT, memory_home

from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.ports import ModelRequest


async def main(folder: str) -> None:
    def never(_request: ModelRequest) -> list[Gate]:
        print("reading", flush=True)
        return [Gate(asyncio.Event())]

    async with memory_home(Path(folder), StepClock()) as home:
        reader = home.reader(ScriptedModel(otherwise=never))
        for number in range(3):
            session = await home.session("I live in Porto.", f"{FACT} {number} weeks ago")
            reader.session_closed(session.id)
            await reader.settle()
            print("queued", session.id, flush=True)
        home.clock.advance(seconds=60)
        await reader.work()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
