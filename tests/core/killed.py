"""A process to be killed: works on a home over real stores and prints what was acknowledged.

Usage: killed.py HOME import|turns, or killed.py HOME past FILE
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import HashEmbedder
from skill_agent.cli.opening.home import open_home

from skill_agent.events import TurnFinished
from skill_agent.host.runtime import Runtime
from skill_agent.memory.book import MemoryBook
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import PastRequest


def tell(*words: object) -> None:
    print(*words, flush=True)


async def imports(book: MemoryBook) -> None:
    """Rows without end; each acknowledged chunk is told by its row count."""
    rows = ({"id": f"row-{n}", "content": f"fact number {n}"} for n in range(10_000_000))

    def progress(done: int, _total: int, what: str) -> None:
        if what == "saved":
            tell("rows", done)

    await book.import_rows(rows, progress=progress)


async def past(runtime: Runtime, path: str) -> None:
    """What another program exported; each slice that is on disk is told."""

    def progress(done: int, _total: int, what: str) -> None:
        if what == "saved":
            tell("saved", done)

    await runtime.imports.bring(PastRequest(path, source="chatgpt"), progress=progress)


async def main(home: str, work: str, path: str = "") -> None:
    model = ScriptedModel(otherwise="a reply of some words")
    gateway, embedder = ScriptedGateway(model), HashEmbedder()
    async with open_home(home, create=True, gateway=gateway, embedder=embedder) as runtime:
        assert isinstance(runtime, Runtime)
        tell("ready")
        if work == "import":
            await runtime.turns.wake()
            await imports(runtime.book)
        if work == "past":
            await past(runtime, path)
        number = 0
        while True:
            number += 1
            async for event in runtime.ask(f"Remember that my number {number} is {number * 7}"):
                if event.__class__.__name__ == "MemorySaved":
                    tell("memory", event.memory_id)  # type: ignore[union-attr]
                if isinstance(event, TurnFinished):
                    tell("reply", event.message_id)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
