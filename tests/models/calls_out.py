"""A process of its own that lives in a home for a while; `test_calls_out` runs it.

Arguments: the home, and the address of a provider or nothing. Prints a JSON list of what was
connected to or looked up, but for the home's own socket.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes import HashEmbedder
from in_process import open_in_process

from skill_agent.models.remote import RemoteModel
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import ModelInfo


async def live(root: str, base: str, file: str) -> None:
    info = ModelInfo(name="openai/gpt-4o-mini", provider="openai")
    elsewhere: Any = RemoteModel(info, timeout_s=60, base=base)
    gateway = ScriptedGateway(elsewhere if base else ScriptedModel(otherwise="Noted."))
    home = open_in_process(root, create=True, gateway=gateway, embedder=HashEmbedder())
    async with home as runtime:
        for said in ("Remember that the gym opens at six. I live in Graz.", "When is the gym?"):
            async for _ in runtime.ask(said, interactive=False):
                pass
        await runtime.settle()
        await runtime.extractions.run()
        assert await runtime.memory.search("gym")
        await runtime.user_data.export(file)
        await runtime.skills.list()


if __name__ == "__main__":
    called: list[str] = []

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            called.append(f"{arguments[1][0]}:{arguments[1][1]}")
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            called.append(str(arguments[0]))

    sys.addaudithook(heard)
    asyncio.run(live(*sys.argv[1:]))
    print(json.dumps(sorted(set(called))))
