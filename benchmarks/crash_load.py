"""A process to be killed: everything that writes, at once, on one home; used by `crash.py`.

    python benchmarks/crash_load.py HOME SEED

Every acknowledged write is printed as a line the moment it is acknowledged: `ready`, `added ID`,
`corrected OLD NEW`, `forgot ID`, `erasing ID…`, `erased ID…`, `saved ID`, `reply ID`,
`extracted ID`, `compacted SESSION`, `consolidated COUNT`. The model is scripted: it replies,
extracts and sums up.
"""

import asyncio
import hashlib
import json
import random
import sys
from collections.abc import Sequence

import numpy as np

from skill_agent import open_home
from skill_agent.errors import SkillAgentError
from skill_agent.events import Compacted, MemoriesExtracted, MemorySaved, TurnFinished
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.runtime import Runtime


class Hashed:
    """Words hashed onto 64 axes: an embedder that costs nothing and changes never."""

    name = "hash-64"
    dimensions = 64

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.dimensions), 1e-6, np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                rows[row, hashlib.sha256(word.encode()).digest()[0] % self.dimensions] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def tell(*words: object) -> None:
    """One acknowledgement, out of this process before anything else happens."""
    print(*words, flush=True)


def answer(request: ModelRequest) -> str:
    """A reply, or whatever JSON is asked for."""
    if request.response_schema is None:
        return "a reply of some words"
    return json.dumps(_example(request.response_schema))


def _example(schema: dict[str, object]) -> object:
    """The emptiest value that satisfies a schema."""
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"type": "object", "properties": dict(parts)}:
            return {name: _example(part) for name, part in parts.items()}
        case {"type": "array"}:
            return []
        case {"type": "string"}:
            return "They spoke of this and that."
        case {"type": "integer" | "number"}:
            return 5
        case {"type": "boolean"}:
            return False
    return None


class Load:
    """The tasks that write."""

    def __init__(self, runtime: Runtime, dice: random.Random) -> None:
        self._runtime, self._dice = runtime, dice
        self._ids: list[str] = []

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for work in (self.add, self.alter, self.talk, self.talk, self.tidy, self.watch):
                group.create_task(work())

    async def add(self) -> None:
        number = self._dice.randrange(10**9)
        while True:
            number += 1
            memory = await self._runtime.memory.add(
                f"fact {number} is {number * 7}", importance=self._dice.randint(1, 9)
            )
            self._ids.append(memory.id)
            tell("added", memory.id)
            await asyncio.sleep(self._dice.random() * 0.02)

    async def alter(self) -> None:
        """Corrects, pins, forgets and now and then erases what was added."""
        while True:
            await asyncio.sleep(self._dice.random() * 0.03)
            if not self._ids:
                continue
            memory_id = self._ids.pop(self._dice.randrange(len(self._ids)))
            try:
                await self._alter(memory_id)
            except SkillAgentError:
                continue  # replaced or erased meanwhile, which is as good

    async def _alter(self, memory_id: str) -> None:
        book = self._runtime.memory
        match self._dice.randrange(20):
            case 0:
                plan = await self._runtime.eraser.plan([memory_id])
                tell("erasing", *(one.id for one in (*plan.memories, *plan.messages)))
                await self._runtime.eraser.purge(plan)
                tell("erased", *(one.id for one in plan.memories))
            case number if number < 8:
                new = await book.correct(memory_id, f"corrected {self._dice.random()}")
                self._ids.append(new.id)
                tell("corrected", memory_id, new.id)
            case number if number < 13:
                await book.pin(memory_id)
            case _:
                await book.forget(memory_id)
                tell("forgot", memory_id)

    async def talk(self) -> None:
        """Turns in one session, so long that it has to be summed up."""
        session: str | None = None
        while True:
            number = self._dice.randrange(10**6)
            text = f"My locker number is {number}. " + "and so on " * self._dice.randint(1, 30)
            if self._dice.random() < 0.3:
                text = f"Remember that my shelf is number {number}"
            async for event in self._runtime.ask(text, session=session):
                session = event.session
                match event:
                    case MemorySaved():
                        tell("saved", event.memory_id)
                    case TurnFinished():
                        tell("reply", event.message_id)
                    case _:
                        pass

    async def tidy(self) -> None:
        while True:
            await asyncio.sleep(self._dice.random() * 0.5)
            report = await self._runtime.upkeep.consolidate()
            tell("consolidated", len(report.actions))
            await self._runtime.upkeep.expire()

    async def watch(self) -> None:
        """What happens in the background."""
        with self._runtime.subscribe() as events:
            async for event in events:
                match event:
                    case MemoriesExtracted():
                        for memory_id in (*event.created, *event.versioned):
                            tell("extracted", memory_id)
                    case Compacted():
                        tell("compacted", event.session)
                    case _:
                        pass


async def main(home: str, seed: int) -> None:
    """Works until killed."""
    model = ScriptedModel(otherwise=answer, context_window=3_000)
    gateway = ScriptedGateway(model)
    async with open_home(home, create=True, gateway=gateway, embedder=Hashed()) as runtime:
        await runtime.wake()
        tell("ready")
        await Load(runtime, random.Random(seed)).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
