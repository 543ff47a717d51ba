"""A process that is killed between a request to a webhook and its note.

Usage: dies_sending.py HOME URL AFTER: adds a webhook, remembers ten things, and dies once the
receiver has taken so many of them.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from fakes import HashEmbedder, StepClock
from in_process import open_in_process
from webhook_home import added, looked, webhooks

from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.webhooks.posting import Answer, Posting


class DyingPosting(Posting):
    """Ends the process after so many requests."""

    left = 0

    async def post(self, text: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = await super().post(text, body, headers)
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


async def main(home: str, url: str, after: str) -> None:
    clock = StepClock()
    gateway = ScriptedGateway(ScriptedModel(otherwise="All right."))
    async with open_in_process(
        home, gateway=gateway, embedder=HashEmbedder(), clock=clock
    ) as runtime:
        print((await added(runtime, url, "memory.created")).secret, flush=True)
        for number in range(10):
            await runtime.memory.add(f"Fact number {number}")
        posting = DyingPosting(("127.0.0.1",), clock)
        posting.left = int(after)
        await looked(webhooks(runtime, clock, posting=posting))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
