"""A process that is killed while a paid call runs. Usage: dies_paying.py HOME

Its first turn ends, its second one is held by the provider.
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent.parent / "benchmarks"))

from paying import ask, opened

from skill_agent.files.home import Home


async def main(home: str) -> None:
    async with opened(Home(Path(home))) as runtime:
        await ask(runtime, "one")
        await runtime.turns.submit("two")
        while not (  # noqa: ASYNC110  it is held in another task
            (await runtime.figures.usage(by="agent")).budgets[0].held_usd
        ):
            await asyncio.sleep(0.01)
        print("held", flush=True)
        await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
