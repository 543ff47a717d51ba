"""One host, many attached clients: is every event of every turn heard once and in order?

    python benchmarks/soak.py [--clients 50] [--turns 2000] [--model-s 2.0] [--think-s 2.0]
                              [--models DIR] [--json]

A host without a screen holds a home of its own; the clients are windows in other processes, each
with a session that one or two of them listen to. They come within fifteen seconds and work in a
closed loop: a turn, a pause of up to `--think-s` seconds, the next turn. The scripted model takes
`--model-s` seconds to say 40 words. Overhead is the time from submitting to the end of the reply,
less the model's. One more listener hears everything and reads one event a second. Exit code 1 where
an event was lost, doubled or out of order, or a budget is missed.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crash_model import Hashed
from measuring import Row, calibrated, show
from skill_agent.cli.opening.home import open_home
from skill_agent.cli.opening.home_files import init_home
from window_model import gateway

from skill_agent.files.home import Home

CLIENTS = Path(__file__).with_name("soak_clients.py")
PROCESSES = 5
SLOW_S = 1.0


def linked(home: Home, models: Path | None) -> None:
    """The installed embedder, seen from the home of the measurement."""
    if models is not None:
        for source in models.iterdir():
            if "minilm" in source.name:
                (home.models / source.name).symlink_to(source, target_is_directory=True)


async def host(home: Path, seconds: float, *, real: bool) -> None:
    """Holds the home until standard input ends; tells when it may be attached to."""
    model = gateway(seconds)
    embedder = None if real else Hashed()
    async with open_home(
        home, hosting=True, role="up", gateway=model, embedder=embedder
    ) as station:
        async for _ in station.ask("Are you awake, token-0?"):
            pass  # the index is open then, as in any host that has been at work
        while not (home / "run" / "host.sock").exists():
            await asyncio.sleep(0.01)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def slow_listener(home: Path, stop: asyncio.Event) -> int:
    """Hears everything and reads one event a second; gives how many it got to read."""
    count = 0
    async with open_home(home, role="slow") as station:
        with station.turns.subscribe() as events:
            while not stop.is_set():
                try:
                    async with asyncio.timeout(SLOW_S):
                        await events.next()
                except TimeoutError:
                    continue
                count += 1
                await asyncio.sleep(SLOW_S)
    return count


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def watched_memory(pid: int, stop: asyncio.Event) -> list[float]:
    """The host's memory every two seconds."""
    seen: list[float] = []
    while not stop.is_set():
        seen.append(rss_mb(pid))
        try:
            async with asyncio.timeout(2):
                await stop.wait()
        except TimeoutError:
            continue
    return seen


async def soak(options: argparse.Namespace, home: Path) -> dict[str, Any]:
    """Everything that the clients measured, and the host's memory."""
    flags = ["--real"] if options.models else []
    holder = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, __file__, "--host", str(home), "--model-s", str(options.model_s), *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout and holder.stdin
    if holder.stdout.readline().strip() != "ready":
        raise SystemExit("the host did not start")
    stop = asyncio.Event()
    memory = asyncio.create_task(watched_memory(holder.pid, stop))
    slow = asyncio.create_task(slow_listener(home, stop))
    began, cpu = time.monotonic(), cpu_seconds(holder.pid)
    share = options.clients // PROCESSES
    rounds = options.turns // options.clients
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(CLIENTS), str(home), str(number * share), str(share), str(rounds),
            str(options.model_s), str(options.think_s), stdout=subprocess.PIPE, limit=1 << 24,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    told = await asyncio.gather(*(worker.communicate() for worker in workers))
    seconds, used = time.monotonic() - began, cpu_seconds(holder.pid) - cpu
    stop.set()
    heard_slowly, seen = await slow, await memory
    holder.stdin.close()
    code = holder.wait(30)
    holder.stdout.close()
    parts = [json.loads(out) for out, _ in told]
    return {
        "overheads": [one for part in parts for one in part["overheads"]],
        "problems": [one for part in parts for one in part["problems"]],
        "events": sum(part["events"] for part in parts),
        "turns": sum(part["turns"] for part in parts),
        "listeners": sum(part["listeners"] for part in parts),
        "seconds": seconds,
        "host_cpu": used,
        "memory": seen,
        "heard_slowly": heard_slowly,
        "host_exit": code,
    }


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows(found: dict[str, Any]) -> list[Row]:
    """The figures beside their budgets."""
    spent = sorted(found["overheads"])
    quantiles = statistics.quantiles(spent, n=100)
    memory: list[float] = found["memory"]
    work = calibrated().work * 1e3
    settled, last = max(memory[: len(memory) // 2]), max(memory[len(memory) // 2 :])
    return [
        Row(what="turns", value=found["turns"], unit="", note=f"{found['listeners']} listeners"),
        Row(what="events heard", value=found["events"], unit=""),
        Row(what="lost, doubled or out of order", value=len(found["problems"]), unit="", budget=0),
        Row(what="overhead p50", value=quantiles[49] * 1e3, unit="ms"),
        Row(
            what="overhead p95",
            value=quantiles[94] * 1e3,
            unit="ms",
            baseline=work,
            budget=13 * work,
            note="baseline: ten rows and some Python",
        ),
        Row(what="overhead p99", value=quantiles[98] * 1e3, unit="ms"),
        Row(
            what="host's processor",
            value=found["host_cpu"] / found["turns"] * 1e3,
            unit="ms a turn",
            note=f"{found['turns'] / found['seconds']:.1f} turns a second",
        ),
        Row(what="host's memory, first half", value=settled, unit="MB"),
        Row(what="host's memory, second half", value=last, unit="MB", budget=settled * 1.1 + 10),
        Row(what="events the slow listener read", value=found["heard_slowly"], unit=""),
    ]


def main() -> int:
    """Prints what was measured; 1 where something was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--turns", type=int, default=2000)
    parser.add_argument("--model-s", type=float, default=2.0)
    parser.add_argument("--think-s", type=float, default=2.0)
    parser.add_argument("--models", type=Path, help="a home's models/, for its real embedder")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--host", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--real", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.host:
        asyncio.run(host(options.host, options.model_s, real=options.real))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        init_home(home)
        linked(home, options.models)
        found = asyncio.run(soak(options, home.root))
    measured: Sequence[Row] = rows(found)
    show("One host, many windows", measured, as_json=options.json)
    for problem in found["problems"][:20]:
        print(problem, file=sys.stderr)
    return int(any(one.kept is False for one in measured) or found["host_exit"] != 0)


if __name__ == "__main__":
    sys.exit(main())
