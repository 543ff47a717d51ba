"""A host with a test's own sets: `python fitted_host.py HOME`; says `ready`, and stays."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from hosted import hosted

from skill_agent.files.home import Home


async def main(root: str) -> None:
    async with hosted(Home(Path(root))):
        print("ready", flush=True)
        await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
