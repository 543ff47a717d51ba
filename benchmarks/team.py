"""What it costs to work as a team: a delegation, many at once, a thousand agents.

    python benchmarks/team.py [--tasks 50] [--agents 1000] [--json]

A scripted model answers at once, so that all that is measured is ours: stores are real and in a
folder that goes. An overhead is the time of a task less that of a plain turn of the same agent in
the same run. Beside it Microsoft's agent framework (`agent-framework-core`) sends the same goal to
as many agents of its own over a model that answers at once too; it keeps nothing on disk, while
each of our tasks ends in the ledger. Above 1 ours takes longer. Exit code 1: a budget was not kept.
Where the framework is not installed its line is left out, and that is said.
"""

import argparse
import asyncio
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from in_process import open_in_process
from measuring import Row, show

from skill_agent.events import TaskChanged
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.team.groups import task_group
from skill_agent.values import NewTask, TurnRequest

GOAL = "Say in one sentence what a ledger is for."
ANSWER = "It says what was done, in order."
DELEGATION_MS = 20.0
ROUTING_MS = 15.0
TRIALS = 40


def model() -> ScriptedModel:
    return ScriptedModel(otherwise=ANSWER)


async def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=50, help="tasks at once")
    parser.add_argument("--agents", type=int, default=1000, help="agents in the large team")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [*await delegations(asked.tasks), *await large_team(asked.agents)]
    show("working as a team", rows, as_json=asked.json)
    return 1 if any(row.kept is False for row in rows) else 0


async def delegations(count: int) -> list[Row]:
    """One task beside one plain turn, then many at once beside the framework."""
    with tempfile.TemporaryDirectory() as folder:
        opener = open_in_process(folder, create=True, gateway=ScriptedGateway(model()))
        async with opener as runtime:
            turn = await median(lambda: plain(runtime))
            task = await median(lambda: delegated(runtime))
            seconds, events, missing = await at_once(runtime, count)
    overhead = max(0.0, task - turn) * 1000
    rows = [
        Row(what="a plain turn", value=turn * 1000, unit="ms"),
        Row(what="a delegation, over that", value=overhead, unit="ms", budget=DELEGATION_MS),
        Row(what=f"{count} tasks at once", value=seconds * 1000, unit="ms"),
        Row(what="events of tasks", value=events / seconds, unit="a second"),
        Row(what="tasks whose end was not told", value=missing, unit="", budget=0),
    ]
    peer = await by_framework(count)
    if peer is not None:
        rows.append(Row(what="the framework's fan-out", value=peer * 1000, unit="ms"))
        rows.append(Row(what="ours to the framework's", value=seconds / peer, unit="times"))
    return rows


async def plain(runtime: Runtime) -> None:
    async for _ in runtime.turns.ask(TurnRequest(GOAL, agent="luke")):
        pass


async def delegated(runtime: Runtime) -> None:
    done = await team(runtime).run(NewTask(assigned_to="luke", instructions=GOAL))
    assert done.status == "completed", done.error


def team(runtime: Runtime) -> Any:
    return runtime.tasks


async def at_once(runtime: Runtime, count: int) -> tuple[float, int, int]:
    """Seconds, events of tasks, and tasks whose end no listener heard of."""
    slugs = [one.slug for one in await runtime.agents.list()]
    heard: list[TaskChanged] = []

    async def listen() -> None:
        with runtime.turns.subscribe() as events:
            while True:
                event = await events.next()
                if isinstance(event, TaskChanged):
                    heard.append(event)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    begun = time.perf_counter()
    async with task_group() as group:
        for number in range(count):
            new = NewTask(assigned_to=slugs[number % len(slugs)], instructions=GOAL)
            group.create_task(team(runtime).run(new))
    seconds = time.perf_counter() - begun
    await asyncio.sleep(0.2)
    listening.cancel()
    ended = {one.task for one in heard if one.status == "completed"}
    return seconds, len(heard), count - len(ended)


async def by_framework(count: int) -> float | None:
    """Seconds in which the framework's agents have answered; None where it is not installed."""
    if importlib.util.find_spec("agent_framework") is None:
        print("not beside agent-framework-core: it is not installed", file=sys.stderr)
        return None
    from peer_framework import agents

    made = agents(count, ANSWER)
    await made[0].run(GOAL)
    begun = time.perf_counter()
    await asyncio.gather(*(one.run(GOAL) for one in made))
    return time.perf_counter() - begun


async def large_team(agents: int) -> list[Row]:
    """Opening a home, and finding who answers, with so many agents."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_in_process(folder, create=True, gateway=ScriptedGateway(model())):
            pass
        few = await opened(folder)
        file = Path(folder) / "agents.toml"
        tables = (
            f'\n[agents.extra{n}]\nname = "Extra {n}"\ntagline = "Knows subject {n}"\n'
            for n in range(agents)
        )
        file.write_text(file.read_text() + "".join(tables))
        many = await opened(folder)
        opener = open_in_process(folder, gateway=ScriptedGateway(model()))
        async with opener as runtime:
            await runtime.routing.decide(GOAL)
            times = []
            for number in range(TRIALS):
                begun = time.perf_counter()
                await runtime.routing.decide(f"{GOAL} {number}")
                times.append(time.perf_counter() - begun)
    return [
        Row(what="opening a home with 4 agents", value=few * 1000, unit="ms"),
        Row(what=f"… with {agents} more", value=many * 1000, unit="ms"),
        Row(what="… of them for one more agent", value=(many - few) / agents * 1000, unit="ms"),
        Row(
            what=f"who answers, of {agents}",
            value=statistics.quantiles(times, n=20)[-1] * 1000,
            unit="ms",
            budget=ROUTING_MS,
            note="p95, no embedder",
        ),
    ]


async def opened(folder: str) -> float:
    begun = time.perf_counter()
    async with open_in_process(folder, gateway=ScriptedGateway(model())) as runtime:
        await runtime.agents.list()
    return time.perf_counter() - begun


async def median(work: Callable[[], Awaitable[None]], rounds: int = 15) -> float:
    await work()
    times: list[float] = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
