"""The cost of keeping and finding memories beside another library, mem0, in one run.

    python benchmarks/memory/mem0_beside.py [--items 200] [--embedder DIR] [--json]

Both get the same texts and queries in turns, one by one, through one and the same embedder; mem0
keeps them in faiss with `infer=False`, so that no model writes anything. Our adds are timed twice:
until the memory is on disk, and until it can also be found. Ratios are mem0's time to ours: above
1 ours is faster. mem0 finds by vectors alone here, ours also by words and time. Its telemetry is
off and its files are in a folder that goes. Exit code 2: mem0ai or faiss-cpu is not installed, or
there is no embedder.
"""

import argparse
import asyncio
import importlib.util
import json
import logging
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from scoring import read_set
from skill_agent.cli.opening.home import open_home
from skill_agent.store.embedding import OnnxEmbedder

from skill_agent.files.home import find_home
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import Embedder
from skill_agent.values import Search

SET = Path(__file__).with_name("extraction_build.json")
USER = "me"
HITS = 10
Times = dict[str, list[float]]


class SameEmbedder:
    """Our embedder where mem0 expects one of its own."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        return self._inner.embed([text])[0].tolist()

    def embed_batch(self, texts: list[str], memory_action: str = "add") -> list[list[float]]:
        return self._inner.embed(texts).tolist()


def why_not() -> str:
    """What is missing for mem0 to run; empty if nothing is."""
    wanted = {"mem0": "mem0ai", "faiss": "faiss-cpu"}
    missing = [name for module, name in wanted.items() if not importlib.util.find_spec(module)]
    return f"not installed: {', '.join(missing)} (pip install 'skill-agent[bench]')" * bool(missing)


async def time_both(
    folder: Path, embedder: Embedder, texts: Sequence[str], queries: Sequence[str]
) -> tuple[Times, Times]:
    """Seconds of each call on new stores, ours and mem0's in turns, so that both meet the same
    load; what mem0 adds can be found at once."""
    theirs = _open_mem0(folder, embedder)
    ours: Times = defaultdict(list)
    mem0s: Times = defaultdict(list)
    gateway = ScriptedGateway(ScriptedModel())
    home = open_home(folder / "home", create=True, gateway=gateway, embedder=embedder)
    async with home as runtime:
        await runtime.memory.search("open the index")
        for text in texts:
            start = time.perf_counter()
            await runtime.memory.add(text)
            ours["add"].append(time.perf_counter() - start)
            await runtime.memory.settle()
            ours["add_findable"].append(time.perf_counter() - start)
            start = time.perf_counter()
            theirs.add(text, user_id=USER, infer=False)
            mem0s["add"].append(time.perf_counter() - start)
        for query in queries:
            start = time.perf_counter()
            await runtime.memory.search(Search(query, limit=HITS))
            ours["search"].append(time.perf_counter() - start)
            start = time.perf_counter()
            theirs.search(query, filters={"user_id": USER}, top_k=HITS)
            mem0s["search"].append(time.perf_counter() - start)
    mem0s["add_findable"] = mem0s["add"]
    return ours, mem0s


def _open_mem0(folder: Path, embedder: Embedder) -> Any:
    """mem0 reads its environment when it is imported; the key is a dummy, nothing is called."""
    os.environ |= {"MEM0_TELEMETRY": "False", "MEM0_DIR": str(folder / "mem0")}
    logging.getLogger("mem0").setLevel(logging.ERROR)
    mem0 = importlib.import_module("mem0")
    dummy = {"api_key": "none", "embedding_dims": embedder.dimensions}
    store = {
        "path": str(folder / "faiss"),
        "collection_name": "beside",
        "embedding_model_dims": embedder.dimensions,
        "distance_strategy": "cosine",
    }
    memory = mem0.Memory.from_config(
        {
            "embedder": {"provider": "openai", "config": dummy},
            "llm": {"provider": "openai", "config": {"api_key": "none"}},
            "vector_store": {"provider": "faiss", "config": store},
            "history_db_path": str(folder / "history.db"),
        }
    )
    memory.embedding_model = SameEmbedder(embedder)
    return memory


async def beside(
    embedder: Embedder, texts: Sequence[str], queries: Sequence[str]
) -> dict[str, Any]:
    """Both libraries' p50 and p95 in ms, by operation, with the ratios."""
    embedder.embed(["warm up"])
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = await time_both(Path(folder), embedder, texts, queries)
    told: dict[str, Any] = {"items": len(texts), "queries": len(queries)}
    for what in ours:
        for percent in (50, 95):
            mine, other = (float(np.percentile(one[what], percent)) for one in (ours, theirs))
            told[f"{what}_p{percent}"] = {
                "ours_ms": round(mine * 1000, 2),
                "mem0_ms": round(other * 1000, 2),
                "ratio": round(other / mine, 2),
            }
    return told


def print_beside(told: dict[str, Any]) -> None:
    """The comparison for people."""
    print(f"\nbeside mem0, {told['items']} memories added one by one, {told['queries']} searches")
    print(f"{'':18}{'ours ms':>10}{'mem0 ms':>10}{'mem0/ours':>11}")
    for what, row in told.items():
        if isinstance(row, dict):
            name = what.replace("_", " ")
            print(f"{name:18}{row['ours_ms']:10.2f}{row['mem0_ms']:10.2f}{row['ratio']:11.2f}")


def main() -> int:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--items", type=int, default=200, help="at most so many memories")
    parser.add_argument("--embedder", type=Path, default=find_home().models / EMBEDDER)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    problem = why_not()
    if not (options.embedder / "model.onnx").is_file():
        problem = f"no embedder in {options.embedder}: ska models pull {EMBEDDER}"
    if problem:
        print(problem, file=sys.stderr)
        return 2
    talks = read_set(SET)
    texts = [fact.fact for talk in talks for fact in talk.facts][: options.items]
    queries = [one.content for talk in talks for one in talk.messages if one.role == "user"]
    told = asyncio.run(beside(OnnxEmbedder(options.embedder), texts, queries[: options.items]))
    if options.json:
        print(json.dumps({"id": "mem0_beside"} | told))
    else:
        print_beside(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
