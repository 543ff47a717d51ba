"""A process of the chaos: a host without a screen, or a client that works until it is told to end.

What is acknowledged to a client is a line of its file, on disk before the next step.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crash_model import Hashed
from skill_agent.cli.opening.home import open_home
from window_model import gateway

from skill_agent.errors import SkillAgentError
from skill_agent.events import HostFound, HostLost, TurnFailed, TurnFinished
from skill_agent.values import Search
from skill_agent.workstation import Workstation

MODEL_S = 0.6


@dataclass(slots=True)
class Work:
    """A client's work and what it was told."""

    name: str
    file: Path
    session: str | None = None
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.name)

    def told(self, **fields: Any) -> None:
        """One line, on disk when this returns."""
        with self.file.open("a") as file:
            file.write(json.dumps({"by": self.name, "at": time.time(), **fields}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    async def step(self, station: Workstation, number: int) -> None:
        """A memory, a turn or a search."""
        token = f"token-{self.name}-{number}"
        began = time.monotonic()
        try:
            match self.dice.choice(("memory", "turn", "turn", "search")):
                case "memory":
                    kept = await station.memory.add(f"The number of {token} is known.")
                    self.told(what="memory", id=kept.id, content=kept.content, since=began)
                case "turn":
                    await self._turn(station, token)
                case _:
                    await station.memory.search(Search(f"number of token-{self.name}", limit=3))
                    self.told(what="search")
        except SkillAgentError as problem:
            self.told(what="error", kind=type(problem).__name__, message=problem.message)
            await asyncio.sleep(0.2)
        self.told(what="step", seconds=time.monotonic() - began)

    async def _turn(self, station: Workstation, token: str) -> None:
        async for event in station.ask(f"What about {token}?", session=self.session):
            match event:
                case TurnFinished():
                    self.session = event.session
                    self.told(
                        what="turn", id=event.turn, session=event.session, token=token,
                        message=event.message_id, text=event.text,
                    )  # fmt: skip
                case TurnFailed():
                    self.session = event.session or self.session
                    self.told(what="failed", id=event.turn, token=token, reason=event.reason)
                case _:
                    pass

    async def watch(self, station: Workstation) -> None:
        """How long the host was away, as a window is told."""
        lost = 0.0
        with station.turns.subscribe(session="none") as events:
            async for event in events:
                if isinstance(event, HostLost):
                    lost = time.monotonic()
                elif isinstance(event, HostFound):
                    self.told(what="recovered", seconds=time.monotonic() - lost, here=event.here)


async def client(home: Path, name: str, folder: Path) -> None:
    """Works in a closed loop until standard input ends."""
    _tell_where_it_hangs()
    work = Work(name, folder / f"{name}.jsonl")
    model = gateway(MODEL_S, folder / "calls.txt")
    over = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    async with open_home(
        home, hosting=True, role="chaos", gateway=model, embedder=Hashed()
    ) as station:
        watching = asyncio.create_task(work.watch(station))
        number = 0
        while not over.done():
            await work.step(station, number)
            await asyncio.sleep(work.dice.uniform(0, 0.4))
            number += 1
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def _tell_where_it_hangs() -> None:
    """On SIGUSR1: every task and where it waits, on stderr."""

    def tell() -> None:
        for task in asyncio.all_tasks():
            task.print_stack(file=sys.stderr)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)


async def host(home: Path, folder: Path) -> None:
    """Holds the home, or stands by until it can."""
    _tell_where_it_hangs()
    model = gateway(MODEL_S, folder / "calls.txt")
    async with open_home(home, hosting=True, role="up", gateway=model, embedder=Hashed()):
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--client", default="")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        if options.client:
            asyncio.run(client(options.home, options.client, options.folder))
        else:
            asyncio.run(host(options.home, options.folder))


if __name__ == "__main__":
    main()
