"""A process to be killed: everything that writes, at once, on one home; used by `crash.py`.

    python benchmarks/crash_load.py HOME SEED

Every acknowledged write is printed as a line the moment it is acknowledged: `ready`, then
`added ID TEXT`, `imported ID…`, `corrected OLD NEW TEXT`, `pinned ID`, `forgot ID`,
`restoring ID`, `restored ID`, `erasing ID…`, `erased ID…`, `saved ID`, `reply ID TEXT`,
`closed SESSION`, `extracted ID…`,
`failed`, `compacted SESSION`, `merged ID…`, `summarised ID…`, `expired ID…`, `consolidated`.
"""

import asyncio
import random
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from crash_model import Hashed, gateway
from in_process import open_in_process
from skill_agent.cli.opening.home_files import init_home

from skill_agent.errors import SkillAgentError
from skill_agent.events import Compacted, MemoriesExtracted, MemorySaved, TurnFinished
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.privacy.erasure import Eraser
from skill_agent.values import MemoryFilter, NewMemory

_SAYINGS = (
    "My locker number is {}.",
    "My favourite colour is shade {}.",
    "I keep {} nails in the shed. It smells of paint {}.",
    "Our cellar door opens with code {}.",
    "I work at Company {}.",
    "Remember that my shelf is number {}",
    "Just between us: my nickname is Owl {}. Keep it in mind.",
)
_PURGE_ONE_IN = 40
"""Of what is altered; a purge writes the whole file anew."""
_LONG = 150
"""Messages after which the next process begins another long session."""
_ASKED_SHARE = 0.3
"""Of the turns, after which the session is summed up because it is asked for."""


def tell(*words: object) -> None:
    """One acknowledgement, out of this process before anything else happens."""
    print(*words, flush=True)


class Load:
    """The tasks that write."""

    def __init__(self, runtime: Runtime, dice: random.Random) -> None:
        self._runtime, self._dice = runtime, dice
        self._ids: list[str] = []

    async def run(self) -> None:
        known = await self._runtime.memory.list(MemoryFilter(limit=200))
        self._ids = [one.id for one in known]
        async with asyncio.TaskGroup() as group:
            talking = (self.talk_on, self.talk_shortly)
            for work in (*talking, self.add, self.alter, self.tidy, self.watch):
                group.create_task(work())

    def _number(self) -> int:
        return self._dice.randrange(10**8, 10**9)

    async def _rest(self, longest: float) -> None:
        await asyncio.sleep(self._dice.random() * longest)

    # -- what a person does with memories ----------------------------------------------------

    async def add(self) -> None:
        while True:
            await self._rest(0.3)
            soon = datetime.now(UTC) + timedelta(seconds=1)
            memory = await self._runtime.memory.add(
                NewMemory(
                    f"fact {self._number()} is that",
                    importance=self._dice.randint(1, 9),
                    expires_at=soon if self._dice.random() < 0.1 else None,
                ),
            )
            self._ids.append(memory.id)
            tell("added", memory.id, memory.content)

    async def alter(self) -> None:
        """Corrects, pins, forgets, restores and now and then erases what is there."""
        while True:
            await self._rest(0.3)
            if not self._ids:
                continue
            memory_id = self._ids.pop(self._dice.randrange(len(self._ids)))
            try:
                if self._dice.randrange(_PURGE_ONE_IN):
                    await self._alter(memory_id)
                else:
                    await self._erase(memory_id)
            except SkillAgentError:
                continue  # replaced or erased meanwhile, which is as good

    async def _alter(self, memory_id: str) -> None:
        book = self._runtime.memory
        match self._dice.randrange(4):
            case 0:
                new = await book.correct(memory_id, f"corrected to {self._number()}")
                self._ids.append(new.id)
                tell("corrected", memory_id, new.id, new.content)
            case 1:
                if (await book.pin(memory_id)).status == "active":
                    tell("pinned", memory_id)
            case 2:
                if (await book.forget(memory_id)).status == "archived":
                    tell("forgot", memory_id)
            case _:
                tell("restoring", memory_id)
                await book.forget(memory_id)
                if (await book.restore(memory_id)).status == "active":
                    tell("restored", memory_id)

    async def _erase(self, memory_id: str) -> None:
        plan = await self._runtime.eraser.plan([memory_id])
        gone = [one.id for one in (*plan.memories, *plan.messages)]
        tell("erasing", *gone)
        try:
            report = await cast(Eraser, self._runtime.eraser).purge(plan)
        except SkillAgentError as problem:
            tell("trouble", f"purge raised {problem!r}")
            return
        if report.problems:
            tell("trouble", *report.problems)
        tell("erased", *gone)

    # -- talking -----------------------------------------------------------------------------

    async def talk_on(self) -> None:
        """One long session, which outlives this process and is summed up, also when asked for."""
        session = await self._longest()
        while True:
            session = await self._turn(session)
            if session is None or self._dice.random() > _ASKED_SHARE:
                continue
            try:
                await self._runtime.summaries.compact(session)
            except SkillAgentError:
                continue  # the model failed; nothing has left the prompt

    async def _longest(self) -> str | None:
        found = await self._runtime.conversations.list(limit=100_000)
        longest = max(found, key=lambda one: one.messages, default=None)
        return longest.id if longest and longest.messages < _LONG else None

    async def talk_shortly(self) -> None:
        """Turns in one session after another."""
        while True:
            session = None
            for _ in range(2):
                session = await self._turn(session)
            if session is not None:
                await self._runtime.conversations.delete(session)
                tell("closed", session)

    async def _turn(self, session: str | None) -> str | None:
        saying = self._dice.choice(_SAYINGS)
        text = re.sub(r"\{\}", lambda _: str(self._number()), saying)
        if not saying.startswith(("Remember", "Just")):
            text += " and so on" * self._dice.randint(20, 100)
        async for event in self._runtime.ask(text, session=session):
            session = event.session
            match event:
                case MemorySaved():
                    self._ids.append(event.memory_id)
                    tell("saved", event.memory_id)
                case TurnFinished():
                    tell("reply", event.message_id, event.text)
                case _:
                    pass
        return session

    # -- housekeeping ------------------------------------------------------------------------

    async def tidy(self) -> None:
        while True:
            await self._rest(2.0)
            await self._import()
            report = await self._runtime.upkeep.consolidate(summarise=self._dice.random() < 0.5)
            for action in report.actions:
                if action.kind in ("merged", "summarised"):
                    tell(action.kind, *action.ids)
            tell("consolidated")
            if gone := (await self._runtime.upkeep.expire()).expired:
                tell("expired", *(one.id for one in gone))

    async def _import(self) -> None:
        """Old small events, to be summed up, and things said twice, to be merged."""
        now, number = datetime.now(UTC), self._number()
        old = now - timedelta(days=self._dice.randint(40, 300))
        event = {"memory_type": "episodic", "importance": 2, "created_at": old.isoformat()}
        rows = [
            {**event, "id": f"event-{number}-{n}", "content": f"ate {n} plums on walk {number}"}
            for n in range(3)
        ]
        rows += [
            {"id": f"twin-{number}-{n}", "content": f"the blue bucket number {number} leaks{end}"}
            for n, end in enumerate(("", "."))
        ]
        await self._runtime.memory.import_rows(rows)
        tell("imported", *(row["id"] for row in rows))

    async def watch(self) -> None:
        """What happens in the background."""
        with self._runtime.turns.subscribe() as events:
            async for event in events:
                match event:
                    case MemoriesExtracted():
                        fresh = (*event.created, *event.versioned, *event.disputed)
                        self._ids += fresh
                        tell("failed" if event.problem else "extracted", *fresh)
                    case Compacted():
                        tell("compacted", event.session)
                    case _:
                        pass


async def main(home: str, seed: int) -> None:
    """Works until killed."""
    place = Home(Path(home))
    if not place.agents.exists():
        init_home(place)
        often = re.sub(r"(summarize_interval = )\d+", r"\g<1>6", place.agents.read_text("utf-8"))
        place.agents.write_text(often, "utf-8")
    opened = open_in_process(home, create=True, hosting=True, gateway=gateway(), embedder=Hashed())
    async with opened as runtime:
        await runtime.turns.prepare(runtime.settings.general.default_agent)
        tell("ready")
        await Load(runtime, random.Random(seed)).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
