"""How long it takes until something is there: help, first paint, keypress echo, an attached
command, a cold search.

    python benchmarks/startup.py [--items 10000] [--json]

Each figure stands beside a baseline timed in the same run. The cold search needs the embedder
(`ska models pull all-minilm-l6-v2`) and is left out, with a note, where it is missing.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from measuring import Row, calibrated, process_seconds, processor_seconds, python, show
from skill_agent.cli.opening.home import open_home

from skill_agent.files.home import find_home
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.models.scripted import Pause, ScriptedGateway, ScriptedModel
from skill_agent.workstation import Workstation as Station

FIRST_PAINT = [sys.executable, str(Path(__file__).with_name("first_paint.py"))]
SKA = "from skill_agent.cli.main import main; main()"


def help_time() -> Row:
    typer = process_seconds(python("import typer"))
    return Row(
        what="ska --help (baseline: import typer, budget 2x)",
        value=process_seconds([sys.executable, "-c", SKA, "--help"]),
        unit="s",
        baseline=typer,
        budget=2 * typer,
    )


def first_paint() -> Row:
    textual, paint = processor_seconds(python("import textual.app")), processor_seconds(FIRST_PAINT)
    return Row(
        what="TUI first paint (baseline: import textual.app, 2x + 0.2)",
        value=paint,
        unit="s",
        baseline=textual,
        budget=2 * textual + 0.2,
        note="processor seconds",
    )


async def keypress_echo(folder: Path, presses: int = 40) -> Row:
    """Worst of many keypresses while a reply streams in small pieces."""
    from skill_agent.tui.app import WorkstationApp
    from skill_agent.tui.talk.foot.composer import Composer

    pieces = [part for n in range(4_000) for part in (f"word{n} ", Pause(0.002))]
    gateway = ScriptedGateway(ScriptedModel(otherwise=pieces))

    def opener() -> AbstractAsyncContextManager[Station]:
        return open_home(folder, create=True, gateway=gateway)

    app = WorkstationApp(opener, draft_dir=folder / "drafts")
    spent: list[float] = []
    async with app.run_test(size=(100, 30)) as pilot:
        while app.runtime is None:
            await asyncio.sleep(0.02)
        composer = app.screen.query_one(Composer)
        composer.text = "go"
        await pilot.press("enter")
        await asyncio.sleep(1.0)
        for _ in range(presses):
            before = len(composer.text)
            start = time.perf_counter()
            app.simulate_key("x")
            while len(composer.text) == before:
                await asyncio.sleep(0)
            spent.append(time.perf_counter() - start)
            await asyncio.sleep(0.03)
        await pilot.press("escape")
    spent.sort()
    work = calibrated().work
    return Row(
        what="keypress echo while a reply streams, p95",
        value=spent[int(0.95 * len(spent))],
        unit="s",
        baseline=work,
        budget=3 * work,
        note="baseline: ten rows and some Python",
    )


async def fill(folder: Path, items: int) -> None:
    """A home with so many indexed memories, its embedder linked from the person's own home."""
    async with open_home(folder, create=True, gateway=ScriptedGateway(ScriptedModel())) as runtime:
        source = find_home().models / EMBEDDER
        shutil.copytree(source, runtime.home.models / EMBEDDER, copy_function=os.link)
        rows = (
            {"content": f"note {n}: topic {n % 97} was discussed with team {n % 13}"}
            for n in range(items)
        )
        await runtime.memory.import_rows(rows)
        await runtime.memory.settle()


def cold_search(folder: Path, items: int) -> list[Row]:
    if not (find_home().models / EMBEDDER / "model.onnx").is_file():
        print(f"left out: cold search (ska models pull {EMBEDDER})", file=sys.stderr)
        return []
    asyncio.run(fill(folder, items))
    search = ["memory", "search", "what was discussed with team 5", "--json"]
    command = [sys.executable, "-c", SKA, "--home", str(folder), *search]
    imports = process_seconds(python("import lancedb, onnxruntime, duckdb"), rounds=3)
    return [
        Row(
            what=f"ska memory search, cold, own host, {items} items",
            value=process_seconds(command, rounds=3),
            unit="s",
            budget=2 * imports,
            baseline=imports,
            note="baseline: importing lancedb, onnxruntime and duckdb",
        )
    ]


def attached(folder: Path) -> list[Row]:
    """Commands that go through a host, beside the import they cannot do without."""
    ska = [sys.executable, "-c", SKA, "--home", str(folder)]
    subprocess.run([*ska, "memory", "add", "I drink tea"], check=True, capture_output=True)
    subprocess.run([*ska, "up"], check=True, capture_output=True)
    try:
        baseline = process_seconds(python("import httpx"))
        return [
            Row(
                what=f"ska {' '.join(words)}, attached (baseline: import httpx)",
                value=process_seconds([*ska, *words]),
                unit="s",
                budget=2.5 * baseline,
                baseline=baseline,
            )
            for words in (["memory", "search", "tea"], ["memory", "list"], ["sessions", "list"])
        ]
    finally:
        subprocess.run([*ska, "down"], check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [help_time(), first_paint()]
        rows.append(asyncio.run(keypress_echo(Path(folder) / "tui")))
        rows += attached(Path(folder) / "host")
        rows += cold_search(Path(folder) / "search", options.items)
    show("Start-up", rows, as_json=options.json)


if __name__ == "__main__":
    main()
