"""How well each embedder finds what was said, in seven languages and from one to another.

    python benchmarks/memory/embedders.py [--set build|choose] [--models FOLDER] [--json]

Each fact of the set is said in one language and asked for in one; the haystack is the other facts
in the language of the one looked for (or, `mixed`, each in a language of its own). No words are
matched: it is the embedder alone. `scale` says how its products lie beside the shipped one's, from
which `gain` in the catalogue is taken. Exit code 2: the set or the embedders are not there.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from skill_agent.store.embedders.choosing import chosen_embedder, embedder_named
from skill_agent.store.embedding import as_questions

from skill_agent.files.home import find_home
from skill_agent.models.files.catalogue import EMBEDDER, entries
from skill_agent.ports import Embedder

HERE = Path(__file__).parent
MIXES = 20


class Set:
    """The facts, and what one embedder makes of them."""

    def __init__(self, facts: list[dict[str, dict[str, str]]], embedder: Embedder) -> None:
        self.languages = list(facts[0]["said"])
        self.count = len(facts)
        began = time.process_time()
        self.said = {
            code: embedder.embed([_line(at, one["said"][code]) for at, one in enumerate(facts)])
            for code in self.languages
        }
        self.asked = {
            code: as_questions(embedder, [one["q"][code] for one in facts])
            for code in self.languages
        }
        texts = 2 * len(facts) * len(self.languages)
        self.ms = (time.process_time() - began) / texts * 1000

    def ranks(self, asked: str, said: np.ndarray) -> np.ndarray:
        """The place of each question's answer among these lines, from 0."""
        products = self.asked[asked] @ said.T
        return (products > np.diag(products)[:, None]).sum(axis=1)

    def same(self, code: str) -> np.ndarray:
        return self.ranks(code, self.said[code])

    def across(self) -> np.ndarray:
        pairs = ((a, b) for a in self.languages for b in self.languages if a != b)
        return np.concatenate([self.ranks(a, self.said[b]) for a, b in pairs])

    def mixed(self) -> np.ndarray:
        """Half of what was said in English, the rest in any other language."""
        draw, found = random.Random(5), []
        for _ in range(MIXES):
            chosen = [
                "en" if draw.random() < 0.5 else draw.choice(self.languages[1:])
                for _ in range(self.count)
            ]
            lines = np.stack([self.said[code][at] for at, code in enumerate(chosen)])
            found += [self.ranks(code, lines) for code in self.languages]
        return np.concatenate(found)

    def scale(self, codes: list[str]) -> dict[str, float]:
        apart = ~np.eye(self.count, dtype=bool)
        products = [self.asked[code] @ self.said[code].T for code in codes]
        chance = np.concatenate([one[apart] for one in products])
        hit = np.concatenate([np.diag(one) for one in products])
        return {
            "chance": round(float(chance.mean()), 3),
            "spread": round(float(chance.std()), 3),
            "answer": round(float(hit.mean()), 3),
        }


def _line(at: int, text: str) -> str:
    return f"user ({at % 28 + 1} May 2025): {text}"


def _figures(ranks: np.ndarray) -> dict[str, float]:
    return {
        "r1": round(float((ranks < 1).mean()), 3),
        "r5": round(float((ranks < 5).mean()), 3),
        "mrr": round(float((1 / (ranks + 1)).mean()), 3),
    }


def measure(facts: list[dict[str, Any]], embedder: Embedder) -> dict[str, Any]:
    embedder.embed(["load it"])
    seen = Set(facts, embedder)
    others = [code for code in seen.languages if code != "en"]
    return {
        "embedder": embedder.name,
        "english": _figures(seen.same("en")),
        "others": _figures(np.concatenate([seen.same(code) for code in others])),
        "across": _figures(seen.across()),
        "mixed": _figures(seen.mixed()),
        "by_language": {code: _figures(seen.same(code))["mrr"] for code in seen.languages},
        "scale_english": seen.scale(["en"]),
        "scale_others": seen.scale(others),
        "ms_a_text": round(seen.ms, 2),
    }


def installed(models: Path) -> Iterator[Embedder]:
    """Each embedder of the catalogue that is there: alone, then beside the one it goes with."""
    for one in entries():
        alone = embedder_named(one.name, models) if one.kind == "embedder" else None
        if alone is None:
            continue
        yield alone
        both = chosen_embedder(one.name, models)
        if both.name != alone.name:
            yield both


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", choices=("build", "choose", "final"), default="choose")
    parser.add_argument("--models", type=Path, default=find_home().models)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    file = HERE / f"embedders_{options.set}.json"
    if not file.is_file():
        print(f"there is no {file.name}", file=sys.stderr)
        return 2
    facts = json.loads(file.read_text("utf-8"))["facts"]
    found = [measure(facts, one) for one in installed(options.models)]
    if not found:
        print(f"no embedder in {options.models}: ska models pull {EMBEDDER}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"id": "embedders", "set": options.set, "embedders": found}))
        return 0
    print(f"{options.set} set, {len(facts)} facts in 7 languages: first / among five / MRR")
    for one in found:
        print(one["embedder"])
        for name in ("english", "others", "across", "mixed"):
            print(
                f"  {name:10}{one[name]['r1']:.2f} / {one[name]['r5']:.2f} / {one[name]['mrr']:.2f}"
            )
        for name in ("scale_english", "scale_others"):
            print(f"  {name:14} {one[name]}")
        print(f"  {one['ms_a_text']} ms of processor a text")
    return 0


if __name__ == "__main__":
    sys.exit(main())
