"""Evidence retrieval and its speed, through the product's own path: import, ledger, index, search.

    python benchmarks/memory/recall.py [--locomo FILE] [--beam FILE] [--items 10000] [--precision]
                                       [--mem0] [--ablation] [--embedder DIR] [--json]

The FILEs are lists of LoCoMo conversations and of BEAM chats. Turn recall@k is the share of a
question's evidence turns among the first k, averaged over all questions with usable evidence;
session recall@k the same over sessions, each ranked by its best turn. Every conversation gets a
home of its own. --ablation asks the same of the order without the second look, and of it with late
interaction alone. With --items N a further home holds N varied turns (their vectors are varied
too, not computed, for that would take minutes), each search restricted to what one agent may see.
With --mem0 the first turns are also kept and searched one by one beside mem0 (mem0_beside.py).
Exit code 2: no FILE, no embedder, no mem0.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import precision
from in_process import open_in_process
from learn_ranking import figures, first_look, look, show, with_late
from mem0_beside import beside, print_beside, why_not
from skill_agent.store.embedding import OnnxEmbedder
from talks import Talk, read_beam, read_locomo

from skill_agent.files.home import find_home
from skill_agent.host.runtime import Runtime
from skill_agent.memory.recall.fusion import Fusion
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import Embedder
from skill_agent.values import IndexItem, Search

PRECISION = Path(__file__).resolve().parents[2] / "tests" / "memory" / "precision_set.json"
DEPTH = 100
"""Hits asked for, enough to rank ten sessions."""
BESIDE = 200
"""Memories and searches beside mem0."""


@dataclass(slots=True)
class Tally:
    """Shares found, by metric and kind of question."""

    shares: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    seconds: list[float] = field(default_factory=list)

    def add(self, metric: str, kind: str, wanted: frozenset[str], found: Sequence[str]) -> None:
        self.shares[metric][kind].append(len(wanted & set(found)) / len(wanted))

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean per metric: overall and by kind of question."""
        told: dict[str, dict[str, float]] = {}
        for metric, by_kind in self.shares.items():
            everything = [share for shares in by_kind.values() for share in shares]
            told[metric] = {"overall": round(statistics.fmean(everything), 4)} | {
                kind: round(statistics.fmean(shares), 4) for kind, shares in sorted(by_kind.items())
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


def row_of(item: IndexItem) -> dict[str, Any]:
    """A turn as it is imported."""
    return {
        "id": item.id,
        "content": item.text,
        "speaker": item.speaker,
        "session": item.session,
        "created_at": item.created_at.isoformat(),
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


async def ask_all(talk: Talk, embedder: Embedder, tally: Tally) -> float:
    """Imports one conversation and asks its questions; returns the rows imported per second."""
    rows = [row_of(item) for item in talk.items]
    session_of = {item.id: str(item.session) for item in talk.items}
    with tempfile.TemporaryDirectory() as folder:
        async with home(Path(folder) / "home", embedder) as runtime:
            await runtime.memory.search("open the index")
            start = time.perf_counter()
            await runtime.memory.import_rows(rows)
            await runtime.memory.search("settle")
            rate = len(rows) / (time.perf_counter() - start)
            for asked in talk.questions:
                start = time.perf_counter()
                found = await runtime.memory.search(Search(asked.text, limit=DEPTH))
                tally.seconds.append(time.perf_counter() - start)
                ids = [one.hit.item.id for one in found]
                sessions = list(dict.fromkeys(session_of[name] for name in ids))
                tally.add("turn_recall@5", asked.kind, asked.wanted, ids[:5])
                tally.add("turn_recall@10", asked.kind, asked.wanted, ids[:10])
                wanted = frozenset(session_of[name] for name in asked.wanted)
                tally.add("session_recall@10", asked.kind, wanted, sessions[:10])
    return rate


async def time_haystack(talks: Sequence[Talk], embedder: Embedder, items: int) -> list[float]:
    """Seconds of each search among that many items, as one agent."""
    rows = [row_of(item) for talk in talks for item in talk.items]
    questions = [asked.text for talk in talks for asked in talk.questions][:300]
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
    result: dict[str, Any] = {"id": "recall", "embedder": embedder.name, "talk": {}}
    if options.precision:
        result["precision"] = await ask_precisely(embedder)
    talks = {
        "locomo": read_locomo(options.locomo) if options.locomo else [],
        "beam": read_beam(options.beam) if options.beam else [],
    }
    for name, told in talks.items():
        if told:
            result["talk"][name] = await measure_talk(told, embedder)
            if options.ablation:
                result["talk"][name]["ablation"] = ablation(told, embedder)
    every = [talk for told in talks.values() for talk in told]
    if options.items and every:
        seconds = await time_haystack(every, embedder, options.items)
        result["haystack"] = {"items": options.items} | milliseconds(seconds)
    if options.mem0 and every:
        texts = [item.text for talk in every for item in talk.items][:BESIDE]
        questions = [asked.text for talk in every for asked in talk.questions][:BESIDE]
        result["mem0"] = await beside(embedder, texts, questions)
    return result


async def measure_talk(talks: Sequence[Talk], embedder: Embedder) -> dict[str, Any]:
    """Recall and speed on conversations of one set."""
    tally = Tally()
    rates = [await ask_all(talk, embedder, tally) for talk in talks]
    return {
        "conversations": len(talks),
        "questions": sum(len(talk.questions) for talk in talks),
        "recall": tally.summary(),
        "search": milliseconds(tally.seconds),
        "ingest_per_s": round(statistics.fmean(rates), 1),
    }


def ablation(talks: Sequence[Talk], embedder: OnnxEmbedder) -> dict[str, Any]:
    """Recall of the candidates in each order."""
    fusion = Fusion()
    orders = {
        "first look": first_look,
        "with late": with_late,
        "fusion": lambda one: fusion.weighed(one.found),
    }
    looked = [one for talk in talks for one in look(talk, embedder)]
    return {name: figures(looked, order, (5, 10)) for name, order in orders.items()}


def print_table(result: dict[str, Any]) -> None:
    """The result for people."""
    if "precision" in result:
        print("what enters the prompt, labelled set")
        for name, value in result["precision"].items():
            print(f"  {name:24}{value}")
    for name, told in result["talk"].items():
        print_talk(name, told)
    if "haystack" in result:
        print("among {items} items: p50 {p50_ms} ms, p95 {p95_ms} ms".format(**result["haystack"]))
    if "mem0" in result:
        print_beside(result["mem0"])


def print_talk(name: str, told: dict[str, Any]) -> None:
    kinds = list(told["recall"]["turn_recall@5"])
    print(f"\n{name}: {told['questions']} questions, {told['conversations']} conversations")
    print(f"{'':28}" + "".join(f"{metric:>20}" for metric in told["recall"]))
    for kind in kinds:
        print(f"{kind:28}" + "".join(f"{row[kind]:20.3f}" for row in told["recall"].values()))
    print("search   p50 {p50_ms} ms, p95 {p95_ms} ms".format(**told["search"]))
    print(f"ingest   {told['ingest_per_s']} items/s, embedding included")
    if "ablation" in told:
        show("each order of the candidates", (5, 10), told["ablation"])


def main() -> int:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--locomo", type=Path, metavar="FILE")
    parser.add_argument("--beam", type=Path, metavar="FILE")
    parser.add_argument("--ablation", action="store_true", help="also the orders it is made of")
    parser.add_argument("--items", type=int, default=0, help="also time a haystack of this size")
    parser.add_argument("--precision", action="store_true", help="also ask the labelled set")
    parser.add_argument("--mem0", action="store_true", help="also time mem0 beside us")
    parser.add_argument("--embedder", type=Path, default=find_home().models / EMBEDDER)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if not (options.locomo or options.beam or options.precision):
        parser.error("nothing to measure: give --locomo FILE, --beam FILE or --precision")
    for file in (options.locomo, options.beam):
        if file and not file.is_file():
            print(f"there is no file {file}", file=sys.stderr)
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
