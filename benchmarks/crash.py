"""kill -9 at random moments under load; after each: is everything acknowledged still there?

    python benchmarks/crash.py [--kills 200] [--home DIR] [--seed N] [--json]

One home lives through all kills. After each one it is opened again and held against every line the
killed processes printed: `verify` finds nothing, every acknowledged memory and reply is there in a
state that follows from what was acknowledged, what was erased is gone, and once the index has
caught up it holds exactly what the ledger says. Exit code 1 at the first thing that is not so; the
home is kept then.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from crash_load import Hashed

from skill_agent import open_home
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import MemoryFilter
from skill_agent.runtime import Runtime
from skill_agent.values import Memory, Scope

LOAD = Path(__file__).with_name("crash_load.py")
LONGEST = 3.0
"""Seconds a process lives once it is ready."""


@dataclass(slots=True)
class Acknowledged:
    """What the killed processes said was on disk."""

    memories: set[str] = field(default_factory=set)
    replies: set[str] = field(default_factory=set)
    replaced: dict[str, str] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    going: set[str] = field(default_factory=set)
    """Memories and messages somebody began to erase: there or not, both is right."""
    erased: set[str] = field(default_factory=set)
    lines: Counter[str] = field(default_factory=Counter)

    def take(self, line: str) -> None:
        """One line of a killed process."""
        match line.split():
            case ["added" | "saved" | "extracted", memory]:
                self.memories.add(memory)
            case ["corrected", old, new]:
                self.memories.add(new)
                self.replaced[old] = new
            case ["forgot", memory]:
                self.forgotten.add(memory)
            case ["erasing", *entities]:
                self.going.update(entities)
            case ["erased", *memories]:
                self.erased.update(memories)
            case ["reply", message]:
                self.replies.add(message)
            case _:
                pass
        self.lines[line.split()[0]] += 1


def run_and_kill(home: Path, seed: int, dice: random.Random, told: Acknowledged) -> None:
    """One process, killed at a random moment, sometimes before it is ready."""
    process = subprocess.Popen(
        [sys.executable, str(LOAD), str(home), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stderr
    early = dice.random() < 0.1
    if early:
        time.sleep(dice.random() * 1.5)
    elif process.stdout.readline().strip() == "ready":
        time.sleep(dice.random() * LONGEST)
    if process.poll() is not None:
        raise SystemExit(f"the load ended by itself:\n{process.stderr.read()[-3000:]}")
    process.kill()
    output, _ = process.communicate()
    whole = output.splitlines() if output.endswith("\n") else output.splitlines()[:-1]
    for line in whole:
        told.take(line)


async def wrong(home: Path, told: Acknowledged) -> list[str]:
    """Everything that is not as it was acknowledged."""
    gateway = ScriptedGateway(ScriptedModel(otherwise="ok"))
    async with open_home(home, create=True, gateway=gateway, embedder=Hashed()) as runtime:
        problems = list((await runtime.memory.verify()).problems)
        memories = {one.id: one for one in await _all(runtime)}
        problems += _memories(memories, told)
        known = await runtime.ledger.messages_by_id(sorted(told.replies))
        lost = told.replies - known.keys() - told.going
        problems += [f"reply {one} is missing" for one in lost]
        problems += await _index(runtime, memories)
    return problems


def _memories(memories: dict[str, Memory], told: Acknowledged) -> list[str]:
    """Acknowledged memories against the ledger."""
    there = told.erased & memories.keys()
    problems = [f"memory {one} was erased and is there" for one in there]
    missing = told.memories - memories.keys() - told.going
    problems += [f"memory {one} is missing" for one in missing]
    for old, new in told.replaced.items():
        if old in memories and memories[old].superseded_by is None:
            problems.append(f"memory {old} was replaced by {new} and does not say so")
    for one in told.forgotten & memories.keys():
        if memories[one].status not in ("archived", "superseded"):
            problems.append(f"memory {one} was forgotten and is {memories[one].status}")
    return problems


async def _all(runtime: Runtime) -> list[Memory]:
    return await runtime.memory.list(MemoryFilter(limit=10_000_000))


async def _index(runtime: Runtime, memories: dict[str, Memory]) -> list[str]:
    """The index against the ledger, once it has caught up."""
    await runtime.memory.settle()
    index = await runtime._projector.index()
    counts = await index.counts()
    problems: list[str] = []
    if counts["memories"] != len(memories):
        problems.append(
            f"{counts['memories']} memories are indexed, the ledger has {len(memories)}"
        )
    asked = sorted(memories)[:: max(1, len(memories) // 40)]
    scope = Scope(include_cold=True, kinds=("memory",))
    found = await index.similar([memories[one].content for one in asked], scope=scope, limit=8)
    for one, hits in zip(asked, found, strict=True):
        texts = {hit.item.id: hit.item for hit in hits}
        item = texts.get(one)
        if item is not None and (item.status, item.text) != (
            memories[one].status, memories[one].content,
        ):  # fmt: skip
            problems.append(f"memory {one} is indexed as it no longer is")
    return problems


def main() -> int:
    """Kills, checks, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--home", type=Path, help="use and keep this folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="crash-")) / "home"
    dice, told = random.Random(options.seed), Acknowledged()
    started = time.perf_counter()
    for number in range(1, options.kills + 1):
        run_and_kill(home, options.seed * 100_000 + number, dice, told)
        if problems := asyncio.run(wrong(home, told)):
            print(f"after {number} kills, in {home}:", *problems[:20], sep="\n  ", file=sys.stderr)
            return 1
        if number % 20 == 0:
            print(f"{number} kills, {sum(told.lines.values())} lines", file=sys.stderr, flush=True)
    result = {
        "id": "crash",
        "kills": options.kills,
        "acknowledged": dict(told.lines),
        "lost": 0,
        "seconds": round(time.perf_counter() - started, 1),
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{options.kills} kills, nothing acknowledged lost, every ledger whole")
        print("acknowledged: " + ", ".join(f"{n} {what}" for what, n in told.lines.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
