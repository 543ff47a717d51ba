"""Evidence retrieval and its speed, through the product's own path: import, ledger, index, search.

    python benchmarks/recall.py [--locomo FILE] [--items 10000] [--precision] [--mem0]
                                [--embedder DIR] [--json]

FILE is a list of LoCoMo conversations. Turn recall@k is the share of a question's evidence turns
among the first k, averaged over all questions with usable evidence; session recall@k the same over
sessions, each ranked by its best turn. Every conversation gets a home of its own.
With --items N a further home holds N varied turns (their vectors are varied too, not computed, for
that would take minutes), each search restricted to what one agent may see. With --mem0 the first
turns are also kept and searched one by one beside mem0 (mem0_beside.py). Exit code 2: no FILE, no
embedder, no mem0.
"""

import argparse
import asyncio
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).with_name("memory")))

import numpy as np
import precision
from in_process import open_in_process
from mem0_beside import beside, print_beside, why_not
from skill_agent.cli.opening.building import EMBEDDER
from skill_agent.store.embedding import OnnxEmbedder

from skill_agent.files.home import find_home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import Embedder
from skill_agent.values import Search

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
PRECISION = Path(__file__).resolve().parents[1] / "tests" / "memory" / "precision_set.json"
DEPTH = 100
"""Hits asked for, enough to rank ten sessions."""
BESIDE = 200
"""Memories and searches beside mem0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Rows to import, and questions as (text, evidence ids, category)."""

    rows: list[dict[str, Any]]
    questions: list[tuple[str, set[str], int]]


@dataclass(slots=True)
class Tally:
    """Shares found, by metric and category."""

    shares: dict[str, dict[int, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    seconds: list[float] = field(default_factory=list)

    def add(self, metric: str, category: int, wanted: set[Any], found: Sequence[Any]) -> None:
        self.shares[metric][category].append(len(wanted & set(found)) / len(wanted))

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean per metric: overall and by category."""
        told: dict[str, dict[str, float]] = {}
        for metric, by_category in self.shares.items():
            everything = [share for shares in by_category.values() for share in shares]
            told[metric] = {"overall": round(statistics.fmean(everything), 4)} | {
                CATEGORIES.get(category, str(category)): round(statistics.fmean(shares), 4)
                for category, shares in sorted(by_category.items())
            }
        return told


class Varied:
    """Real vectors for questions, real vectors with noise for a haystack of varied lines."""

    def __init__(self, inner: Embedder, lines: Sequence[str]) -> None:
        self._inner = inner
        self._known = inner.embed(lines)
        self._noise = np.random.default_rng(0)

    @property
    def name(self) -> str:
        return f"varied-{self._inner.name}"

    @property
    def dimensions(self) -> int:
        return self._inner.dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        if len(texts) == 1:
            return self._inner.embed(texts)
        rows = self._known[self._noise.integers(0, len(self._known), len(texts))]
        rows = rows + self._noise.normal(0, 0.02, rows.shape).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def read_conversations(file: Path) -> list[Conversation]:
    """LoCoMo's JSON as import rows, one per turn, ids `D1:3`."""
    return [_conversation(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def _conversation(entry: dict[str, Any]) -> Conversation:
    said = entry["conversation"]
    numbers = sorted(int(name[8:]) for name in said if re.fullmatch(r"session_\d+", name))
    rows = [
        row
        for number in numbers
        for row in _session_rows(
            number, said[f"session_{number}"], said[f"session_{number}_date_time"]
        )
    ]
    known = {row["id"] for row in rows}
    questions = []
    for asked in entry["qa"]:
        pairs = re.findall(r"D(\d+):0*(\d+)", " ".join(asked["evidence"]))
        wanted = {f"D{session}:{turn}" for session, turn in pairs} & known
        if wanted:
            questions.append((asked["question"], wanted, int(asked["category"])))
    return Conversation(rows=rows, questions=questions)


def _session_rows(number: int, turns: list[dict[str, Any]], when: str) -> Iterator[dict[str, Any]]:
    start = datetime.strptime(when, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
    for position, turn in enumerate(turns):
        caption = f" [image: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
        yield {
            "id": turn["dia_id"],
            "content": turn["text"] + caption or "…",
            "speaker": turn["speaker"],
            "session": f"session_{number}",
            "created_at": (start + timedelta(seconds=position)).isoformat(),
        }


def haystack(rows: Sequence[dict[str, Any]], items: int) -> Iterator[dict[str, Any]]:
    """That many variations of the rows: other words mixed in, other ids, sessions of 30."""
    chance = random.Random(0)
    words = " ".join(row["content"] for row in rows).split()
    for i in range(items):
        row = chance.choice(rows)
        extra = " ".join(chance.choices(words, k=4))
        yield row | {
            "id": f"h{i}",
            "content": f"{row['content']} {extra}",
            "session": f"session_{i // 30}",
            "agent": ("kyra", "luke", None)[i % 3],
        }


def home(folder: Path, embedder: Embedder) -> AbstractAsyncContextManager[Runtime]:
    """A new home; no model is ever called here."""
    return open_in_process(
        folder, create=True, gateway=ScriptedGateway(ScriptedModel()), embedder=embedder
    )


async def ask_all(talk: Conversation, embedder: Embedder, tally: Tally) -> float:
    """Imports one conversation and asks its questions; returns the rows imported per second."""
    with tempfile.TemporaryDirectory() as folder:
        async with home(Path(folder) / "home", embedder) as runtime:
            await runtime.memory.search("open the index")
            start = time.perf_counter()
            await runtime.memory.import_rows(talk.rows)
            await runtime.memory.search("settle")
            rate = len(talk.rows) / (time.perf_counter() - start)
            for question, wanted, category in talk.questions:
                start = time.perf_counter()
                found = await runtime.memory.search(Search(question, limit=DEPTH))
                tally.seconds.append(time.perf_counter() - start)
                ids = [one.hit.item.id for one in found]
                sessions = list(dict.fromkeys(name.split(":")[0] for name in ids))
                tally.add("turn_recall@5", category, wanted, ids[:5])
                tally.add("turn_recall@10", category, wanted, ids[:10])
                wanted_sessions = {name.split(":")[0] for name in wanted}
                tally.add("session_recall@10", category, wanted_sessions, sessions[:10])
    return rate


async def time_haystack(talks: list[Conversation], embedder: Embedder, items: int) -> list[float]:
    """Seconds of each search among that many items, as one agent."""
    rows = [row for talk in talks for row in talk.rows]
    questions = [question for talk in talks for question, _, _ in talk.questions][:300]
    varied = Varied(embedder, [row["content"] for row in rows[:1000]])
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with home(Path(folder) / "home", varied) as runtime:
            await runtime.memory.import_rows(haystack(rows, items))
            await runtime.memory.search(Search("settle", agent="kyra"))
            for question in questions:
                start = time.perf_counter()
                await runtime.memory.search(Search(question, agent="kyra", limit=10))
                seconds.append(time.perf_counter() - start)
    return seconds


def milliseconds(seconds: list[float]) -> dict[str, float]:
    """p50 and p95 in ms."""
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


async def ask_precisely(embedder: Embedder) -> dict[str, Any]:
    """The figures of the labelled set."""
    with tempfile.TemporaryDirectory() as folder:
        return (await precision.measure(PRECISION, embedder, Path(folder) / "home")).summary()


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything asked for, as one object."""
    embedder = OnnxEmbedder(options.embedder)
    result: dict[str, Any] = {"id": "recall", "embedder": embedder.name}
    if options.precision:
        result["precision"] = await ask_precisely(embedder)
    return result | (await measure_locomo(options, embedder) if options.locomo else {})


async def measure_locomo(options: argparse.Namespace, embedder: Embedder) -> dict[str, Any]:
    """Recall and speed on conversations."""
    talks = read_conversations(options.locomo)
    tally = Tally()
    rates = [await ask_all(talk, embedder, tally) for talk in talks]
    result: dict[str, Any] = {
        "conversations": len(talks),
        "questions": sum(len(talk.questions) for talk in talks),
        "recall": tally.summary(),
        "search": milliseconds(tally.seconds),
        "ingest_per_s": round(statistics.fmean(rates), 1),
    }
    if options.items:
        seconds = await time_haystack(talks, embedder, options.items)
        result["haystack"] = {"items": options.items} | milliseconds(seconds)
    if options.mem0:
        texts = [row["content"] for talk in talks for row in talk.rows][:BESIDE]
        questions = [text for talk in talks for text, _, _ in talk.questions][:BESIDE]
        result["mem0"] = await beside(embedder, texts, questions)
    return result


def print_table(result: dict[str, Any]) -> None:
    """The result for people."""
    if "precision" in result:
        print("what enters the prompt, labelled set")
        for name, value in result["precision"].items():
            print(f"  {name:24}{value}")
    if "recall" not in result:
        return
    names = list(next(iter(result["recall"].values())))
    print(f"{'':20}" + "".join(f"{name:>13}" for name in names))
    for metric, values in result["recall"].items():
        print(f"{metric:20}" + "".join(f"{values.get(name, 0):13.3f}" for name in names))
    print(f"\n{result['questions']} questions, {result['conversations']} conversations")
    print("search   p50 {p50_ms} ms, p95 {p95_ms} ms".format(**result["search"]))
    print(f"ingest   {result['ingest_per_s']} items/s, embedding included")
    if "haystack" in result:
        print("among {items} items: p50 {p50_ms} ms, p95 {p95_ms} ms".format(**result["haystack"]))
    if "mem0" in result:
        print_beside(result["mem0"])


def main() -> int:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--locomo", type=Path, metavar="FILE")
    parser.add_argument("--items", type=int, default=0, help="also time a haystack of this size")
    parser.add_argument("--precision", action="store_true", help="also ask the labelled set")
    parser.add_argument("--mem0", action="store_true", help="also time mem0 beside us")
    parser.add_argument("--embedder", type=Path, default=find_home().models / EMBEDDER)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if not (options.locomo or options.precision):
        parser.error("nothing to measure: give --locomo FILE or --precision")
    if options.locomo and not options.locomo.is_file():
        print(f"there is no file {options.locomo}", file=sys.stderr)
        return 2
    if not (options.embedder / "model.onnx").is_file():
        print(f"no embedder in {options.embedder}: ska models pull {EMBEDDER}", file=sys.stderr)
        return 2
    if options.mem0 and why_not():
        print(why_not(), file=sys.stderr)
        return 2
    result = asyncio.run(measure(options))
    if options.json:
        print(json.dumps(result))
    else:
        print_table(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
