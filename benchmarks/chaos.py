"""The host is killed every few seconds while windows work: is anything acknowledged lost or done
twice, and do the windows find their way back by themselves?

    python benchmarks/chaos.py [--seconds 180] [--clients 8] [--every 2 6] [--seed N] [--json]

Whoever holds the home's lock is killed with SIGKILL, be it the host without a screen or a window
that took over; a killed process is started anew, as its person would. In the end the ledger
verifies, every acknowledged memory and reply is there exactly once, and no prompt reached the model
twice. Exit code 1 otherwise; the home is kept then.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crash_model import Hashed
from measuring import Row, show
from skill_agent.cli.opening.home import open_home
from skill_agent.cli.opening.home_files import init_home
from window_model import TOKEN, gateway

from skill_agent.files.home import Home

WORKER = Path(__file__).with_name("chaos_worker.py")
BACK_S = 2.0
"""Within so many seconds a window has a host again."""


@dataclass(slots=True)
class Stage:
    """The processes and what was done to them."""

    home: Home
    folder: Path
    names: Counter[str] = field(default_factory=Counter)
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    died: list[str] = field(default_factory=list)

    def start(self, role: str) -> None:
        """A process of this role, `host` or a client's number, under a name of its own."""
        self.names[role] += 1
        command = [sys.executable, str(WORKER), str(self.home.root), str(self.folder)]
        if role != "host":
            command += ["--client", f"{role}-{self.names[role]}"]
        errors = (self.folder / f"{role}-{self.names[role]}.err").open("w")
        self.running[role] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, text=True
        )
        errors.close()

    def play(self, seconds: float, clients: int, every: tuple[float, float], seed: int = 1) -> None:
        """The whole chaos, from the first process to the end of the last."""
        dice = random.Random(seed)
        init_home(self.home)
        self.start("host")
        time.sleep(2)
        for number in range(clients):
            self.start(str(number))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(dice.uniform(*every))
            self.look()
            self.kill_the_host()
        self.end()

    def kill_the_host(self) -> None:
        """Ends whoever holds the home, and starts it anew."""
        pid = self._holder()
        role = next((r for r, one in self.running.items() if one.pid == pid), "")
        if not role:
            return
        os.kill(pid, signal.SIGKILL)
        self.ended(role)
        self.kills["host" if role == "host" else "window"] += 1
        self.start(role)

    def look(self) -> None:
        """Nobody ends by himself."""
        for role, one in list(self.running.items()):
            if one.poll() is not None:
                said = (self.folder / f"{role}-{self.names[role]}.err").read_text()
                self.died.append(f"{role} ended by itself ({one.returncode}): {said[-1500:]}")
                self.ended(role)
                self.start(role)

    def ended(self, role: str) -> None:
        """Waits for a process that ends, and lets go of its pipe."""
        with self.running[role]:
            pass

    def end(self) -> None:
        """Lets everybody come to an end, the host last."""
        for role in sorted(self.running, key=lambda one: one == "host"):
            one = self.running[role]
            assert one.stdin
            one.stdin.close()
            try:
                if code := one.wait(30):
                    said = (self.folder / f"{role}-{self.names[role]}.err").read_text()
                    self.died.append(f"{role} ended with {code}: {said[-1500:]}")
            except subprocess.TimeoutExpired:
                one.send_signal(signal.SIGUSR1)
                time.sleep(1)
                one.kill()
                said = (self.folder / f"{role}-{self.names[role]}.err").read_text()
                self.died.append(f"{role} did not end:\n{said[-6000:]}")

    def _holder(self) -> int:
        try:
            note = self.home.lock.with_name(self.home.lock.name + ".json").read_text()
            return int(json.loads(note)["pid"])
        except (OSError, ValueError, KeyError):
            return 0

    def lines(self) -> list[dict[str, Any]]:
        """Everything that clients were told."""
        found: list[dict[str, Any]] = []
        for file in self.folder.glob("*.jsonl"):
            for line in file.read_text().splitlines():
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue  # torn by a kill
        return found


async def wrong(stage: Stage) -> list[str]:
    """What is not as it was acknowledged."""
    problems = list(stage.died)
    lines = stage.lines()
    async with open_home(
        stage.home.root, role="check", gateway=gateway(0), embedder=Hashed()
    ) as station:
        report = await station.memory.verify()
        problems += report.problems
        for line in lines:
            if line["what"] == "memory":
                kept = await station.memory.get(line["id"])
                if kept.content != line["content"]:
                    problems.append(f"memory {line['id']} says {kept.content!r}")
        problems += await _wrong_turns(station, [one for one in lines if one["what"] == "turn"])
    problems += _called_twice(stage.folder / "calls.txt")
    contents = Counter(one["content"] for one in lines if one["what"] == "memory")
    problems += [f"acknowledged twice: {content}" for content, n in contents.items() if n > 1]
    return problems


async def _wrong_turns(station: Any, acknowledged: list[dict[str, Any]]) -> list[str]:
    problems: list[str] = []
    for session in dict.fromkeys(one["session"] for one in acknowledged):
        messages = await station.conversations.messages(session)
        asked = Counter(
            token for m in messages if m.role == "user" for token in TOKEN.findall(m.content)
        )
        problems += [f"{token} was saved {n} times" for token, n in asked.items() if n > 1]
        replies = Counter(m.turn for m in messages if m.role == "assistant")
        known = {m.id: m for m in messages}
        for one in acknowledged:
            if one["session"] != session:
                continue
            reply = known.get(one["message"])
            if reply is None or reply.content != one["text"]:
                problems.append(f"the reply to {one['token']} is not there as acknowledged")
            if replies[one["id"]] != 1:
                problems.append(f"{one['token']} has {replies[one['id']]} replies")
    return problems


def _called_twice(calls: Path) -> list[str]:
    counted = Counter(line.split()[0] for line in calls.read_text().splitlines() if line.strip())
    counted.pop("token-none", None)
    return [f"{token} reached the model {n} times" for token, n in counted.items() if n > 1]


def rows(stage: Stage, problems: list[str], seconds: float) -> list[Row]:
    """What happened, in figures."""
    lines = stage.lines()
    said = Counter(one["what"] for one in lines)
    away = sorted(one["seconds"] for one in lines if one["what"] == "recovered")
    reasons = Counter(one["reason"] for one in lines if one["what"] == "failed")
    errors = Counter(one["kind"] for one in lines if one["what"] == "error")
    found = [
        Row(what="hosts killed", value=stage.kills.total(), unit="", note=str(dict(stage.kills))),
        Row(what="memories acknowledged", value=said["memory"], unit=""),
        Row(what="turns finished", value=said["turn"], unit=f"in {seconds:.0f} s"),
        Row(what="turns ended with a word", value=said["failed"], unit="", note=str(dict(reasons))),
        Row(what="calls refused", value=said["error"], unit="", note=str(dict(errors))),
        Row(what="lost, doubled or wrong", value=len(problems), unit="", budget=0),
    ]  # fmt: skip
    if len(away) > 1:
        found.append(Row(what="host away, p50", value=statistics.median(away), unit="s"))
        p95 = statistics.quantiles(away, n=20)[18]
        found.append(Row(what="host away, p95", value=p95, unit="s", budget=BACK_S))
        found.append(Row(what="host away, longest", value=away[-1], unit="s"))
    return found


def main() -> int:
    """Prints what happened; 1 where something was lost or doubled."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--every", type=float, nargs=2, default=(2.0, 6.0))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ska-chaos-"))
    stage = Stage(Home(folder / "home"), folder)
    stage.play(options.seconds, options.clients, options.every, options.seed)
    problems = asyncio.run(wrong(stage))
    show("Hosts killed under their windows", rows(stage, problems, options.seconds),
         as_json=options.json)  # fmt: skip
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    if problems:
        print(f"kept: {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
