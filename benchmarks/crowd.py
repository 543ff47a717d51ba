"""Many clients of one host: each asks, waits for the reply, thinks, and asks again.

    python benchmarks/crowd.py [--clients 50] [--rounds 6] [--model-seconds 2.0] [--json]

The model is scripted: its pieces come at fixed moments, so that everything a turn takes longer
than the model is our own. Needs no model files but the embedder; the person's own is used.
"""

import argparse
import asyncio
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

from in_process import open_in_process
from measuring import Row, calibrated, show

from skill_agent.events import TextDelta, TurnFailed, TurnStarted
from skill_agent.files.home import Home, find_home
from skill_agent.host.runtime import Runtime
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.models.scripted import ScriptedGateway
from skill_agent.ports import EndPart, ModelPart, ModelRequest, TextPart
from skill_agent.values import ModelInfo, Usage

REPLY = "a reply of some twenty words that streams in pieces, " * 2
SECONDS, ITEMS = 2.0, 10_000
"""What the model takes for a reply, and memories in the home."""
THINKS = (0.5, 2.5)
"""Seconds between a reply and the next question."""


class PacedModel:
    """Says its reply over a fixed time, a word at a time; keeps nothing of what it was asked."""

    def __init__(self, seconds: float) -> None:
        self.pieces = [f"{word} " for word in REPLY.split()]
        self.seconds = seconds
        self.info = ModelInfo(
            name="paced/model", provider="paced", context_window=32_768, local=False
        )

    async def load(self) -> None:
        """Nothing to load."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        """The pieces, the last one at the end of the time."""
        start, count = time.perf_counter(), len(self.pieces)
        for number, piece in enumerate(self.pieces, start=1):
            due = start + self.seconds * number / count
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            yield TextPart(text=piece)
        yield EndPart(usage=Usage(model=self.info.name, completion_tokens=count))

    async def prefill(self, request: ModelRequest) -> None:
        """Nothing to prepare."""

    async def count_tokens(self, text: str) -> int:
        return -(-len(text) // 4)


@dataclass(slots=True)
class Load:
    """What the clients met; seconds."""

    overhead: list[float] = field(default_factory=list)
    """Of whole turns, without the model's time."""
    begun: list[float] = field(default_factory=list)
    """Until the first piece was there, without the model's time for it."""
    cpu: float = 0.0
    """Of the process, a turn."""
    wrong: int = 0
    """Turns of which not every event came, in order."""
    grown: float = 0.0
    """Megabytes the process grew from the second half's beginning to its end."""


async def client(runtime: Runtime, number: int, rounds: int, model: PacedModel, load: Load) -> None:
    """One person at one session."""
    chance, session = random.Random(number), None
    for turn in range(rounds):
        await asyncio.sleep(chance.uniform(*THINKS) if turn else chance.uniform(0, THINKS[1]))
        start, first, heard, text = time.perf_counter(), 0.0, 0, ""
        question = f"{number}: what do you know about topic {chance.randrange(500)} of part {turn}?"
        async for event in runtime.ask(question, session=session):
            session = event.session
            load.wrong += heard == 0 and not isinstance(event, TurnStarted)
            heard += 1
            if isinstance(event, TextDelta):
                first = first or time.perf_counter() - start
                text += event.text
            if isinstance(event, TurnFailed):
                raise SystemExit(f"a turn failed: {event.message}")
        load.overhead.append(time.perf_counter() - start - model.seconds)
        load.begun.append(first - model.seconds / len(model.pieces))
        load.wrong += text != "".join(model.pieces)


async def crowd(runtime: Runtime, model: PacedModel, *, clients: int, rounds: int) -> Load:
    """All of them at once, a first round that does not count included."""
    warm = Load()
    await asyncio.gather(*(client(runtime, n, 1, model, warm) for n in range(clients)))
    load, cpu = Load(), time.process_time()
    half = rounds // 2
    await asyncio.gather(*(client(runtime, n, half, model, load) for n in range(clients)))
    before = _resident_mb()
    await asyncio.gather(*(client(runtime, n, rounds - half, model, load) for n in range(clients)))
    load.cpu = (time.process_time() - cpu) / len(load.overhead)
    load.grown = _resident_mb() - before
    return load


def _resident_mb() -> float:
    """What the process holds now; on platforms without /proc the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def rows_of(load: Load, clients: int, seconds: float = SECONDS) -> list[Row]:
    """The figures as a table."""
    ordered, begun = sorted(load.overhead), sorted(load.begun)
    late = int(0.95 * len(ordered))
    who = f"{clients} clients, replies of {seconds:g} s"
    turns = f"{len(ordered)} turns, thinking {THINKS[0]:g}-{THINKS[1]:g} s"
    work = calibrated().work
    return [
        Row(what=f"{who}: overhead p50", value=statistics.median(ordered), unit="s", note=turns),
        Row(
            what=f"{who}: overhead p95",
            value=ordered[late],
            unit="s",
            baseline=work,
            budget=13 * work,
            note="baseline: ten rows and some Python",
        ),
        Row(what=f"{who}: first piece, overhead p95", value=begun[late], unit="s"),
        Row(what=f"{who}: processor time a turn", value=load.cpu, unit="s"),
        Row(what=f"{who}: turns with events missing", value=load.wrong, unit="", budget=0),
        Row(what=f"{who}: memory grown, second half", value=load.grown, unit="MB"),
    ]


async def measured(
    folder: Path, clients: int, rounds: int, seconds: float = SECONDS, items: int = ITEMS
) -> Load:
    """In a home of its own that holds so many memories."""
    model = PacedModel(seconds)
    home = Home(folder)
    home.models.mkdir(parents=True)
    (home.models / EMBEDDER).symlink_to(find_home().models / EMBEDDER, target_is_directory=True)
    async with open_in_process(
        folder, create=True, hosting=True, gateway=ScriptedGateway(model)
    ) as runtime:
        notes = ({"content": f"note {n} about topic {n % 500}"} for n in range(items))
        await runtime.memory.import_rows(notes)
        await runtime.memory.settle()
        return await crowd(runtime, model, clients=clients, rounds=rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=6, help="turns of each client that count")
    parser.add_argument("--model-seconds", type=float, default=SECONDS)
    parser.add_argument("--items", type=int, default=ITEMS, help="memories in the home")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (find_home().models / EMBEDDER).exists():
        sys.exit(f"the embedder is not installed: ska models pull {EMBEDDER}")
    with tempfile.TemporaryDirectory() as folder:
        load = asyncio.run(
            measured(
                Path(folder) / "home",
                options.clients,
                options.rounds,
                options.model_seconds,
                options.items,
            )
        )
    rows = rows_of(load, options.clients, options.model_seconds)
    show("One host, many clients", rows, as_json=options.json)


if __name__ == "__main__":
    main()
