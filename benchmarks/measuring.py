"""Timing whole processes and printing what was measured on this run."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure beside its baseline of the same run and its budget."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    baseline: float | None = None
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """Whether the budget (an upper bound, or a lower one for shares) was kept."""
        if self.budget is None:
            return None
        higher_is_better = self.unit == "share"
        return self.value >= self.budget if higher_is_better else self.value <= self.budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What this machine, as busy as it is now, takes for work that is always the same; seconds."""

    insert: float
    """One row into DuckDB, on disk when it returns."""
    insert_cpu: float
    """Of it, the processor's."""
    python: float
    """A fixed piece of Python, the processor's."""

    @property
    def work(self) -> float:
        """Processor seconds of ten such rows and one such piece: the unit of a turn's cost."""
        return 10 * self.insert_cpu + self.python


def calibrated(rounds: int = 60) -> Calibration:
    """Measured in this process, so that both sides of a ratio meet the same machine; medians.

    On a thread and with pauses, as a turn's work comes: in a tight loop the caches are warm, and
    half of the time is gone.
    """
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        database = duckdb.connect(str(Path(folder) / "rows.duckdb"), config={"threads": 1})
        database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text VARCHAR NOT NULL)")

        def insert(number: int) -> object:
            return database.execute("INSERT INTO rows VALUES (?, ?)", [number, "word " * 40])

        inserts: list[tuple[float, float]] = []
        pieces: list[tuple[float, float]] = []
        with ThreadPoolExecutor(1) as thread:
            for number in range(rounds):
                time.sleep(_PAUSE_S)
                inserts.append(thread.submit(_clocked, insert, number).result())
                pieces.append(_clocked(_python_work, number))
        database.close()
    return Calibration(
        insert=statistics.median(wall for wall, _ in inserts),
        insert_cpu=statistics.median(cpu for _, cpu in inserts),
        python=statistics.median(cpu for _, cpu in pieces),
    )


def _clocked(work: Callable[[int], object], number: int) -> tuple[float, float]:
    """Seconds and processor seconds of one call."""
    start, cpu = time.perf_counter(), time.process_time()
    work(number)
    return time.perf_counter() - start, time.process_time() - cpu


def _python_work(number: int) -> object:
    """Words into a dict and out as JSON: what most of a turn's own Python is like."""
    counts: dict[str, int] = {}
    for at in range(4_000):
        word = f"word{(at * 7 + number) % 997}"
        counts[word] = counts.get(word, 0) + len(word)
    return json.dumps(sorted(counts.items()))


def process_seconds(
    command: Sequence[str], *, rounds: int = 5, env: dict[str, str] | None = None
) -> float:
    """Best wall-clock time of a process that must succeed; the first, cold round is not counted."""
    best = float("inf")
    for number in range(rounds + 1):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, env=env, stdin=subprocess.DEVNULL)
        spent = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.decode()[-2000:]}")
        best = min(best, spent) if number else best
    return best


def processor_seconds(command: Sequence[str], *, rounds: int = 5) -> float:
    """Median of what a process takes of the processors, its own children included; the first, cold
    round is not counted. A busy machine stretches it less than the wall clock's time."""
    spent = []
    for _ in range(rounds + 1):
        before = getrusage(RUSAGE_CHILDREN)
        process_seconds(command, rounds=0)
        after = getrusage(RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(spent[1:])


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def show(title: str, rows: Sequence[Row], *, as_json: bool) -> None:
    """A table on stdout, or the same as JSON."""
    if as_json:
        print(json.dumps({"title": title, "rows": [asdict(r) | {"kept": r.kept} for r in rows]}))
        return
    print(f"\n{title}")
    print(f"{'what':<58} {'measured':>12} {'baseline':>10} {'budget':>10}")
    for row in rows:
        budget = "" if row.budget is None else f"{row.budget:.3f}"
        baseline = "" if row.baseline is None else f"{row.baseline:.3f}"
        mark = {True: "ok", False: "MISSED", None: ""}[row.kept]
        value = f"{row.value:.3f} {row.unit}"
        print(f"{row.what:<58} {value:>12} {baseline:>10} {budget:>10} {mark} {row.note}")
