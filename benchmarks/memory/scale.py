"""The index among many items: time of a search, memory, start-up, files; and what estimates lose.

    python benchmarks/memory/scale.py [--items 10000 100000] [--keep DIR] [--json]

Items are made up: words drawn as in a language, over subjects, in sessions of thirty; vectors are
sums of word vectors, so that sense and words agree as far as they do in talk. Each size is written
by one process and searched by a new one, as one of three agents. `matmul` is what numpy needs for
the cosines alone, of whole vectors in memory (timed there up to 100,000 items, and by proportion
beyond): the ratio is a median search to it. `found` is the share of the ten best that are the same
as by exact scores of everything; sizes up to 100,000 are compared. A million items take half an
hour and 5 GB of disk: ask for them. With --keep the index is left there and used again. CPU times
count all threads. Exit code 2: no room in DIR.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from skill_agent.store.lance_index.index import LanceIndex

from skill_agent.values import Delta, IndexItem, RecallQuery, Scope

DIMENSIONS, WORDS, SUBJECTS = 384, 20_000, 400
BATCH, QUESTIONS, COMPARED = 8192, 120, 100_000
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGENTS = ("kyra", "luke", "sage")


class WordVectors:
    """Unit sums of a fixed vector per word; ordinary words weigh little."""

    name = "word-vectors"
    dimensions = DIMENSIONS

    def __init__(self) -> None:
        chance = np.random.default_rng(1)
        self._vectors = chance.normal(size=(WORDS, DIMENSIONS)).astype(np.float32)
        self._vectors *= np.minimum(1, np.log1p(np.arange(WORDS)) / 6)[:, None].astype(np.float32)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), DIMENSIONS)."""
        rows = np.empty((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            known = [
                int(word[1:]) for word in text.split() if word[:1] == "w" and word[1:].isdigit()
            ]
            rows[row] = self._vectors[known or [0]].sum(axis=0)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def made_up(count: int, seed: int = 0) -> Iterator[IndexItem]:
    """That many items, the same each time."""
    chance = np.random.default_rng(seed)
    for first in range(0, count, BATCH):
        size = min(BATCH, count - first)
        subjects = np.repeat(chance.integers(0, SUBJECTS, size // 30 + 1), 30)[:size]
        ordinary = np.minimum(WORDS - 1, chance.zipf(1.3, (size, 9)))
        # Half of the words that matter are the subject's own.
        own = chance.integers(0, 60, (size, 4)) + subjects[:, None] * 40 + 500
        for row in range(size):
            number = first + row
            words = [*ordinary[row].tolist(), *own[row].tolist()]
            yield IndexItem(
                id=f"01900000-0000-7000-8000-{number:012d}",
                kind="turn",
                seq=number + 1,
                text=" ".join(f"w{word}" for word in words),
                created_at=NOW - timedelta(minutes=count - number),
                speaker="user" if number % 2 else AGENTS[number // 30 % 3],
                session=f"session-{number // 30}",
                position=number % 30,
                agent=AGENTS[number // 30 % 3],
                user="me",
            )


def asked() -> list[str]:
    """Questions: a few words of a subject and some others."""
    chance = np.random.default_rng(7)
    found: list[str] = []
    for _ in range(QUESTIONS):
        own = chance.integers(0, 60, 3) + chance.integers(0, SUBJECTS) * 40 + 500
        other = np.minimum(WORDS - 1, chance.zipf(1.3, 3))
        found.append(" ".join(f"w{word}" for word in [*own, *other]) + " ?")
    return found


async def write(folder: Path, count: int, in_memory: int | None = None) -> None:
    """Fills an index as a projector would, and closes it."""
    options: dict[str, Any] = {} if in_memory is None else {"in_memory": in_memory}
    index = await LanceIndex.open(folder, WordVectors(), **options)
    reached = await index.watermark()
    batch: list[IndexItem] = []
    for item in made_up(count):
        if item.seq <= reached:
            continue
        batch.append(item)
        if len(batch) == BATCH:
            await index.apply(Delta(items=tuple(batch), removed=(), up_to=item.seq))
            print(f"  {item.seq:,} of {count:,}", end="\r", file=sys.stderr, flush=True)
            batch = []
    if batch:
        await index.apply(Delta(items=tuple(batch), removed=(), up_to=batch[-1].seq))
    await index.tend()
    await index.close()


async def search(folder: Path, in_memory: int | None = None) -> dict[str, Any]:
    """Opens a written index and asks everything; for a process of its own."""
    embedder = WordVectors()
    options: dict[str, Any] = {} if in_memory is None else {"in_memory": in_memory}
    before = _status_mb("RssAnon"), _status_mb("RssFile")
    wall, cpu = time.perf_counter(), time.process_time()
    index = await LanceIndex.open(folder, embedder, only_reads=True, **options)
    told: dict[str, Any] = {
        "start_ms": _ms(time.perf_counter() - wall),
        "start_cpu_ms": _ms(time.process_time() - cpu),
    }
    walls: list[float] = []
    cpus: list[float] = []
    ids: list[list[str]] = []
    for number, question in enumerate(asked()):
        scope = Scope(agent=AGENTS[number % 3], user="me")
        query = RecallQuery(text=question, scope=scope, now=NOW, limit=10)
        wall, cpu = time.perf_counter(), time.process_time()
        hits = await index.recall(query)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        ids.append([hit.item.id for hit in hits])
    for name, values in (("search", walls), ("search_cpu", cpus)):
        told |= {f"{name}_p{p}_ms": _ms(float(np.percentile(values, p))) for p in (50, 95)}
    told["first_ms"] = _ms(walls[0])
    told["own_mb"] = round(_status_mb("RssAnon") - before[0])
    told["mapped_mb"] = round(_status_mb("RssFile") - before[1])
    await index.close()
    return told | {"ids": ids}


def matmul_ms(count: int) -> float:
    """CPU milliseconds of the cosines of so many whole vectors with one."""
    size = min(count, 100_000)
    rows = np.random.default_rng(0).normal(size=(size, DIMENSIONS)).astype(np.float32)
    times: list[float] = []
    for _ in range(9):
        start = time.process_time()
        np.vecdot(rows, rows[0])
        times.append(time.process_time() - start)
    return _ms(float(np.median(times)) * count / size)


def measure(folder: Path, count: int) -> dict[str, Any]:
    """One size."""
    place = folder / f"items-{count}"
    start = time.process_time()
    asyncio.run(write(place, count))
    told = {"items": count, "write_cpu_s": round(time.process_time() - start, 1)}
    told["write_peak_mb"] = round(_status_mb("VmHWM"))
    told |= _in_new_process(place)
    ids = told.pop("ids")
    told["disk_mb"] = round(sum(f.stat().st_blocks for f in place.rglob("*")) * 512 / 1e6)
    told["matmul_ms"] = matmul_ms(count)
    told["ratio"] = round(told["search_cpu_p50_ms"] / told["matmul_ms"], 2)
    if count <= COMPARED:
        whole = folder / f"whole-{count}"
        asyncio.run(write(whole, count, 10**9))
        exact = asyncio.run(search(whole, 10**9))["ids"]
        shares = [len(set(a) & set(b)) / max(1, len(b)) for a, b in zip(ids, exact, strict=True)]
        told["found"] = round(float(np.mean(shares)), 4)
    return told


def _in_new_process(place: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--searched", str(place)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _status_mb(name: str) -> float:
    """What this process has in memory: of its own, mapped from files, or the most it ever had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1000


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def print_sizes(sizes: Sequence[dict[str, Any]]) -> None:
    """A line per figure, a column per size."""
    for name in dict.fromkeys(name for told in sizes for name in told):
        print(f"{name:20}" + "".join(f"{told.get(name, '–'):>14}" for told in sizes))


def main() -> int:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--keep", type=Path, help="leave the indexes here and use them again")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--searched", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.searched:
        print(json.dumps(asyncio.run(search(options.searched))))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        needed = sum(options.items) * 5_000
        if shutil.disk_usage(folder).free < needed:
            print(f"{folder} has no room for {needed / 1e9:.1f} GB", file=sys.stderr)
            return 2
        sizes = [measure(folder, count) for count in options.items]
    if options.json:
        print(json.dumps({"id": "scale", "sizes": sizes}))
    else:
        print_sizes(sizes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
