"""A process to be killed: asks a person, tells the question's id once it is shown, and waits.

Usage: asks_and_dies.py HOME KEY
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import HashEmbedder
from skill_agent.cli.opening.home import open_home

from skill_agent.events import QuestionAsked
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import NewQuestion


async def main(home: str, key: str) -> None:
    gateway, embedder = ScriptedGateway(ScriptedModel()), HashEmbedder()
    async with open_home(home, create=True, gateway=gateway, embedder=embedder) as runtime:
        assert isinstance(runtime, Runtime)
        with runtime.turns.subscribe() as events:
            new = NewQuestion(text="Send the report?", key=key, timeout_s=3600)
            asking = asyncio.create_task(runtime.asks.ask(new))
            async for event in events:
                if isinstance(event, QuestionAsked):
                    print(event.question, flush=True)
                    break
        await asking


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
