"""What the runtime adds to a model call, how durable memory costs, and how much prompt is reused.

    python benchmarks/turn.py [--turns 40] [--clients 50] [--model NAME] [--no-model] [--json]

The first part uses a scripted model, so that only our own work is timed; many clients of one host
are `crowd`'s part. The second holds two
turns on an embedded model (the home's default, or --model), then one turn of a new process, and
reads the cached share of the prompt from the usage each turn records.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crowd import measured, rows_of
from in_process import open_in_process
from measuring import Row, calibrated, show
from skill_agent.cli.opening.home_files import read_settings

from skill_agent.events import TextDelta, TurnFailed, TurnFinished, TurnStarted
from skill_agent.files.home import Home, find_home
from skill_agent.host.runtime import Runtime
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import ChatMessage, ModelRequest
from skill_agent.settings.schema import Settings

UNIT = "baseline: ten rows and some Python"
REPLY = "a reply of some twenty words that streams in pieces, " * 2


def link_models(home: Home, names: Sequence[str]) -> None:
    """The person's own installed models, seen from a home made for the measurement."""
    for name in names:
        source, target = find_home().models / name, home.models / name
        if source.exists() and not target.exists():
            target.symlink_to(source, target_is_directory=source.is_dir())


async def bare_call(model: ScriptedModel) -> float:
    request = ModelRequest(messages=(ChatMessage(role="user", content="hi"),))
    start = time.perf_counter()
    async for _ in model.stream(request):
        pass
    return time.perf_counter() - start


async def one_turn(runtime: Runtime, text: str, session: str | None) -> tuple[float, str]:
    start = time.perf_counter()
    async for event in runtime.ask(text, session=session):
        if isinstance(event, TurnFailed):
            raise SystemExit(f"a turn failed: {event.message}")
        session = event.session
    return time.perf_counter() - start, session or ""


async def own_work(folder: Path, turns: int) -> list[Row]:
    model = ScriptedModel(otherwise=REPLY)
    async with open_in_process(folder, create=True, gateway=ScriptedGateway(model)) as runtime:
        link_models(runtime.home, [EMBEDDER])
        rows = ({"content": f"note {n} about topic {n % 89}"} for n in range(1_000))
        await runtime.memory.import_rows(rows)
        await runtime.memory.settle()
        await one_turn(runtime, "warm up", None)
        bare = statistics.median([await bare_call(model) for _ in range(turns)])
        spent, session, cpu = [], None, time.process_time()
        for number in range(turns):
            seconds, session = await one_turn(runtime, f"what about topic {number}?", session)
            spent.append(seconds)
        cpu = (time.process_time() - cpu) / turns
        durable = await remember(runtime, 200)
        instant, lost = await many_sessions(runtime, 50)
    unit = calibrated()
    overhead, late = statistics.median(spent) - bare, sorted(spent)[int(0.95 * turns)] - bare
    return [
        Row(
            what=f"runtime's overhead on a turn, p50 of {turns}",
            value=overhead,
            unit="s",
            baseline=unit.work,
            budget=3 * unit.insert + 3 * unit.work,
            note=f"over the bare model call of {bare:.3f} s; {UNIT}",
        ),
        Row(what=f"runtime's overhead on a turn, p95 of {turns}", value=late, unit="s"),
        Row(
            what="processor time of a turn, all threads",
            value=cpu,
            unit="s",
            baseline=unit.work,
            budget=3 * unit.work,
            note=UNIT,
        ),
        Row(
            what="durable remember, p50 of 200",
            value=durable,
            unit="s",
            baseline=unit.insert,
            budget=5 * unit.insert,
            note="baseline: one durable row",
        ),
        Row(
            what="50 sessions begun in the same instant: overhead p95",
            value=instant - bare,
            unit="s",
            baseline=unit.work,
            budget=60 * unit.work,
            note=f"a model that takes no time; {UNIT}",
        ),
        Row(
            what="50 sessions begun in the same instant: events lost", value=lost, unit="", budget=0
        ),
    ]


async def remember(runtime: Runtime, count: int) -> float:
    spent = []
    for number in range(count):
        start = time.perf_counter()
        await runtime.memory.add(f"durable fact {number}")
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


async def many_sessions(runtime: Runtime, count: int) -> tuple[float, int]:
    """p95 of a turn's time when so many run at once, and how many events went missing."""
    await runtime.memory.settle()
    with runtime.turns.subscribe() as events:
        async with asyncio.TaskGroup() as group:
            turns = [
                group.create_task(one_turn(runtime, f"hello number {n}", None))
                for n in range(count)
            ]
        seen: dict[str, list[object]] = {}
        while sum(isinstance(e[-1], TurnFinished) for e in seen.values()) < count:
            event = await events.next()
            seen.setdefault(event.turn, []).append(event)
    lost = 0
    for heard in seen.values():
        text = "".join(event.text for event in heard if isinstance(event, TextDelta))
        lost += not isinstance(heard[0], TurnStarted)
        lost += text != REPLY
    seconds = sorted(turn.result()[0] for turn in turns)
    return seconds[int(0.95 * count)], lost


def real_turn(home: Path, model: str, *words: str) -> dict[str, Any]:
    """The usage of one turn in a process of its own."""
    command = [sys.executable, "-m", "skill_agent.cli", "--home", str(home), "ask", "--jsonl"]
    done = subprocess.run(
        [*command, "-m", model, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    for line in done.stdout.splitlines():
        event = json.loads(line)
        if event["type"] == "turn_finished":
            return event["usage"]
    raise SystemExit(f"a turn on {model} failed:\n{done.stderr[-2000:]}")


async def two_turns(folder: Path, model: str) -> list[dict[str, Any]]:
    """The usages of two turns of one session in this process, after the agent was woken."""
    usages = []
    async with open_in_process(folder, create=True) as runtime:
        session = None
        for text in ("Tell me in one sentence what bread is.", "And butter? One sentence."):
            async for event in runtime.ask(text, session=session, model=model):
                session = event.session
                if isinstance(event, TurnFailed):
                    raise SystemExit(f"a turn on {model} failed: {event.message} {event.hint}")
                if isinstance(event, TurnFinished):
                    usages.append(asdict(event.usage))
    return usages


def reuse(folder: Path, model: str) -> list[Row]:
    """Cached shares and first-token times; the new process's are the person's experience."""
    home = Home(folder)
    folder.mkdir(parents=True)
    home.models.mkdir()
    link_models(home, [EMBEDDER, model.removeprefix("embedded/")])
    first, second = asyncio.run(two_turns(folder, model))
    fresh = real_turn(folder, model, "What is cheese? One sentence.")

    def row(what: str, usage: dict[str, Any], budget: float | None) -> Row:
        return Row(
            what=what,
            value=usage["cached_tokens"] / max(1, usage["prompt_tokens"]),
            unit="share",
            budget=budget,
            note=f"{usage['prompt_tokens']:.0f} tokens, first after {usage['first_token_s']:.2f} s",
        )

    return [
        row(f"{model}: prompt reused, turn 1, cold", first, None),
        row(f"{model}: prompt reused, turn 2", second, 0.8),
        row(f"{model}: prompt reused, turn 1 of a new process", fresh, 0.8),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--model", help="an embedded model; default: the home's")
    parser.add_argument("--no-model", action="store_true", help="only the scripted part")
    parser.add_argument("--clients", type=int, default=50, help="of one host; 0 leaves them out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    home = find_home()
    if not (home.models / EMBEDDER).exists():
        sys.exit(f"the embedder is not installed: ska models pull {EMBEDDER}")
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(own_work(Path(folder) / "scripted", options.turns))
        if options.clients:
            load = measured(Path(folder) / "crowd", options.clients, rounds=6)
            rows += rows_of(asyncio.run(load), options.clients)
        settings = read_settings(home) if home.exists else Settings()
        model = options.model or settings.models.default
        if not options.no_model and model.startswith("embedded/"):
            rows += reuse(Path(folder) / "real", model)
    show("Turns", rows, as_json=options.json)


if __name__ == "__main__":
    main()
