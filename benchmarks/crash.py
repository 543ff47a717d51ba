"""kill -9 at random moments under load; after each: is everything acknowledged still there?

    python benchmarks/crash.py [--kills 200] [--home DIR] [--seed N] [--json]

One home lives through all kills. After each one it is opened again and held against every line the
killed processes printed: `verify` finds nothing, every acknowledged memory and reply is there in a
state that follows from what was acknowledged, versions and disputes agree with each other, what
was erased is gone from every file, nothing is stuck, and once the index has caught up it holds
exactly what the ledger says. In the end what waits to be read is read. Exit code 1 at the first
thing that is not so; the home is kept then.
"""

import argparse
import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).parent))

from crash_check import Acknowledged, wrong
from crash_model import Hashed, gateway
from skill_agent.cli.opening.home import open_home

LOAD = Path(__file__).with_name("crash_load.py")
AFTER = ("ready", "reply", "reply", "extracted", "compacted", "merged", "summarised", "erased")
"""What a process has told, one to three times, when it is killed soon after."""
PATIENCE = 8.0
"""Seconds a process lives at most."""
EARLY = 0.1
"""Share of the processes that are killed before they are ready."""


@dataclass(slots=True)
class Trial:
    """One home and what was done to it."""

    home: Path
    seed: int
    patience: float = PATIENCE
    told: Acknowledged = field(default_factory=Acknowledged)
    kills: int = 0
    checking_s: float = 0.0
    """The longest check."""
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def kill_one(self) -> None:
        """One process, killed at a random moment; raises RuntimeError if it ends by itself."""
        self.kills += 1
        process = subprocess.Popen(
            [sys.executable, str(LOAD), str(self.home), str(self.seed * 100_000 + self.kills)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout and process.stderr
        if self.home.exists() and self.dice.random() < EARLY:
            time.sleep(self.dice.random() * 3)
        else:
            self._listen(process.stdout)
        ended = process.poll() is not None
        process.kill()
        # Not `communicate`: it passes by what `readline` has buffered.
        for line in process.stdout:
            self._take(line)
        if ended:
            raise RuntimeError(f"the load ended by itself:\n{process.stderr.read()[-3000:]}")
        process.stderr.close()
        process.stdout.close()
        process.wait()

    def _listen(self, told: IO[str]) -> None:
        """Returns a random moment after something of a random kind was told some times."""
        kind, times = self.dice.choice(AFTER), self.dice.randint(1, 3)
        latest, heard = time.monotonic() + self.patience, Counter[str]()
        while heard[kind] < times and time.monotonic() < latest and (line := told.readline()):
            heard[self._take(line)] += 1
        time.sleep(self.dice.random() * 0.5)

    def _take(self, line: str) -> str:
        """Gives the kind of a line; one that was cut short says nothing."""
        if line.endswith("\n"):
            self.told.take(line.rstrip("\n"))
        return line.split()[0] if line.endswith("\n") else ""

    async def check(self) -> list[str]:
        """What is wrong now."""
        started = time.perf_counter()
        problems = await wrong(self.home, self.told)
        self.checking_s = max(self.checking_s, time.perf_counter() - started)
        return problems

    async def finish(self) -> list[str]:
        """Reads what waits to be read; what is wrong then."""
        async with open_home(self.home, gateway=gateway(), embedder=Hashed()) as runtime:
            await runtime.extractions.run()
            waiting = await runtime.extractions.list(("waiting", "running"), limit=1_000)
        told = [f"extraction {job.id} is still {job.state}" for job in waiting]
        return told + await wrong(self.home, self.told)


def run(trial: Trial, kills: int) -> list[str]:
    """Kills and checks until something is wrong; gives that."""
    for _ in range(kills):
        trial.kill_one()
        if problems := asyncio.run(trial.check()):
            return problems
        if trial.kills % 20 == 0:
            told = sum(trial.told.lines.values())
            print(f"{trial.kills} kills, {told} lines", file=sys.stderr, flush=True)
    return asyncio.run(trial.finish())


def main() -> int:
    """Kills, checks, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--home", type=Path, help="use and keep this folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="crash-")) / "home"
    trial, started = Trial(home, options.seed), time.perf_counter()
    problems = run(trial, options.kills)
    result = {
        "id": "crash",
        "kills": trial.kills,
        "acknowledged": dict(sorted(trial.told.lines.items())),
        "problems": len(problems),
        "longest_check_s": round(trial.checking_s, 2),
        "seconds": round(time.perf_counter() - started, 1),
    }
    if options.json:
        print(json.dumps(result))
    else:
        lines = ", ".join(f"{n} {what}" for what, n in sorted(trial.told.lines.items()))
        print(f"{trial.kills} kills, {len(problems)} problems; told: {lines}")
    if problems:
        print(f"in {home}:", *problems[:20], sep="\n  ", file=sys.stderr)
        return 1
    if options.home is None:
        shutil.rmtree(home.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
