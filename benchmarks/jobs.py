"""What it costs to have jobs: a day of a thousand of them, and an hour of none.

    python benchmarks/jobs.py [--jobs 1000] [--hours 24] [--json]
    python benchmarks/jobs.py --idle 60 [--json]

The day is driven by a clock of its own, over a real ledger; what the jobs do is nothing, so that
all that is measured is ours. Every figure is processor time. A run is told as the ratio to four
notes of the same ledger, for so many a run writes; opening is told against opening without jobs.
`--idle MINUTES` starts `ska up` on a home of its own with as many jobs, none of which is due, and
measures its share of a core, the rows its ledger grows by, the tokens it spends and its memory.
Exit code 1: a budget was not kept.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from in_process import open_in_process
from measuring import Row, show
from skill_agent.scheduler.calendar import LocalCalendar
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.agents.directory import AgentDirectory
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.jobs.kinds.kind import Outcome, Plain
from skill_agent.jobs.parts import JobParts
from skill_agent.jobs.records import JobRecords
from skill_agent.settings.schema import Settings
from skill_agent.values import Dispatch, InboxItem, Job, JobRun, Schedule

RUN_TO_NOTES = 4.0
"""A run with all that it decides may cost so many times the notes it writes."""
OPEN_MS_EACH = 1.0
"""Opening, for each job."""
LOOK_MS = 5.0
"""A look when nothing is due, at so many jobs."""
IDLE_SHARE = 0.01
GROWTH_MB = 8.0
BEGIN = datetime(2026, 11, 30, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


class Nothing(Plain):
    """A kind that does nothing."""

    async def run(self, job: Job, run: JobRun) -> Outcome:
        return Outcome()


class Silent:
    """Alarms that the benchmark rings itself, and an inbox that nothing is told to."""

    def begin(self, fire: Any) -> None: ...

    def put(self, id: str, schedule: Schedule) -> None: ...

    def drop(self, id: str) -> None: ...

    async def end(self) -> None: ...

    def check(self, target: str) -> None: ...

    async def deliver(self, dispatch: Dispatch) -> InboxItem:
        raise AssertionError(dispatch.text)


def parts(ledger: Any, clock: Clock, folder: Path) -> JobParts:
    silent = Silent()
    chores = {"consolidate": False, "expire": False}
    return JobParts(
        settings=Settings.model_validate({"upkeep": chores, "backup": {"daily": False}}),
        ledger=ledger,
        clock=clock,
        directory=AgentDirectory(folder / "agents.toml", known_skills=list),
        delivers=silent,
        publish=_nobody,
        calendar=LocalCalendar(),
        alarms=silent,
        done={},
        kinds={"expire": Nothing()},
        host="benchmark",
        hosting=True,
    )


def _nobody(event: Event) -> None: ...


def job(number: int) -> Job:
    """Every job has its minute; a third each run daily, every six hours and every hour."""
    hours = ("*", "*/6", str(number % 24))[number % 3]
    schedule = Schedule(kind="cron", expression=f"{number % 60} {hours} * * *")
    return Job(
        id=new_id(), name=f"job {number}", kind="expire", schedule=schedule, deliver=("none",),
        created_at=BEGIN,
    )  # fmt: skip


async def a_day(jobs: int, hours: int) -> list[Row]:
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = await DuckLedger.open(folder / "ledger.duckdb", clock, user="me")
        records = JobRecords(ledger)
        for number in range(jobs):
            await records.keep(job(number), since=BEGIN)
        await records.ids()  # a home that knows its jobs already
        begun = time.process_time()
        opened = parts(ledger, clock, folder)
        await opened.begin()
        opening = time.process_time() - begun
        look = await _looks(opened)
        note = await _notes(ledger)
        runs, spent = await _driven(opened, clock, hours)
        await opened.end()
        listed = time.process_time()
        assert len(await opened.operations.list()) == jobs
        listing = time.process_time() - listed
        await ledger.close()
    return [
        Row(what=f"opening with {jobs} jobs, each", value=1000 * opening / jobs, unit="ms",
            budget=OPEN_MS_EACH),
        Row(what="a look when nothing is due", value=1000 * look, unit="ms", budget=LOOK_MS),
        Row(what="a list of all", value=1000 * listing, unit="ms"),
        Row(what=f"{runs} runs in {hours} h", value=spent, unit="s of a core"),
        Row(what="a run", value=spent / max(runs, 1) / (4 * note), unit="x its notes",
            budget=RUN_TO_NOTES, note=f"{1000 * spent / max(runs, 1):.2f} ms"),
    ]  # fmt: skip


async def _looks(opened: JobParts, rounds: int = 200) -> float:
    begun = time.process_time()
    for _ in range(rounds):
        await opened.engine.look()
    return (time.process_time() - begun) / rounds


async def _notes(ledger: Any, rounds: int = 400) -> float:
    begun = time.process_time()
    for _ in range(rounds):
        await ledger.note("benchmark", new_id(), actor="host", data={"state": "running"})
    return (time.process_time() - begun) / rounds


async def _driven(opened: JobParts, clock: Clock, hours: int) -> tuple[int, float]:
    """How many runs there were, and the processor's seconds."""
    begun, before = time.process_time(), len(await _runs(opened))
    for _ in range(hours * 60):
        clock.now += timedelta(minutes=1)
        await opened.engine.look()
        await opened.runs.settled()
    spent = time.process_time() - begun
    return len(await _runs(opened)) - before, spent


async def _runs(opened: JobParts) -> list[JobRun]:
    every = await opened.operations.list()
    found: list[JobRun] = []
    for one in every:
        found += await opened.operations.history(one.id, limit=100)
    assert all(one.state == "completed" and not one.late for one in found)
    return found


async def idle(jobs: int, minutes: float) -> list[Row]:
    """`ska up` with nothing to do."""
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name) / "home")
        async with open_in_process(home.root, create=True) as runtime:
            records = JobRecords(runtime.ledger)
            now = datetime.now(UTC)
            for number in range(jobs):
                later = Schedule(kind="cron", expression="0 9 1 1 *")
                made = job(number)
                kept = Job(id=made.id, name=made.name, kind="expire", schedule=later,
                           created_at=now)  # fmt: skip
                await records.keep(kept, since=now)
        host = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "skill_agent.cli", "--home", str(home.root), "up",
            "--foreground", stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            return await asyncio.to_thread(_watched, host.pid, home, minutes)
        finally:
            host.terminate()
            await host.wait()


def _watched(pid: int, home: Home, minutes: float) -> list[Row]:
    while _asked(home, "status")["host"] is None:
        time.sleep(1)
    time.sleep(60)  # what is done once after opening is over
    counts = _log_rows(home)  # before the rest is measured: it makes the host work
    time.sleep(10)
    used, size = _used(pid)
    begun = time.monotonic()
    time.sleep(60 * minutes)
    spent, now = _used(pid)
    share, grown = (spent - used) / (time.monotonic() - begun), now - size
    told = _asked(home, "status")
    return [
        Row(what="of a core", value=100 * share, unit="%", budget=100 * IDLE_SHARE),
        Row(what="memory", value=grown, unit="MB more", budget=GROWTH_MB, note=f"{size:.0f} MB"),
        Row(what="ledger", value=_log_rows(home) - counts, unit="rows more", budget=0),
        Row(what="models", value=told["tokens_today"], unit="tokens", budget=0),
    ]


def _asked(home: Home, *command: str) -> Any:
    said = subprocess.run(
        [sys.executable, "-m", "skill_agent.cli", "--home", str(home.root), *command, "--json"],
        capture_output=True, check=False,  # doctor misses a model
    )  # fmt: skip
    return json.loads(said.stdout)


def _log_rows(home: Home) -> int:
    (found,) = [one for one in _asked(home, "doctor") if one["id"] == "ledger"]
    return int(found["detail"].split()[1])


def _used(pid: int) -> tuple[float, float]:
    """Processor seconds and megabytes of a process."""
    parted = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(parted[11]) + int(parted[12])) / os.sysconf("SC_CLK_TCK")
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return seconds, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1000, help="how many")
    parser.add_argument("--hours", type=int, default=24, help="of the simulated day")
    parser.add_argument("--idle", type=float, default=0.0, metavar="MINUTES")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.idle:
        rows = await idle(asked.jobs, asked.idle)
        show("a host with nothing to do", rows, as_json=asked.json)
    else:
        rows = await a_day(asked.jobs, asked.hours)
        show("jobs", rows, as_json=asked.json)
    return 1 if any(row.kept is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
