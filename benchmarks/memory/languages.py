"""What memory understands in ten languages: requests to remember, times, and a search for an
answer in the same language.

    python benchmarks/memory/languages.py [--set build|choose|final] [--embedder DIR] [--show]
                                          [--ablate] [--json]

languages_build.json was looked at while the words were written, languages_choose.json to choose
between variants, languages_final.json once.
    remember  requests found with the content a person would expect, and talk of remembering that
              asks for nothing let alone / all
    time      times found as exactly the right days, and what only looks like one left alone / all
    search    questions whose answer is the first (R@1) or among the first five (R@5) of what was
              said, beside some four hundred other messages of the same language (those of
              kinds_build.json that ask nothing), through the product's own index; `embedder` the
              same by its vectors alone
With --ablate the search again without stop words, without pairs of characters, without endings.
Exit code 2: no such set, no embedder.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from skill_agent.store.embedding import OnnxEmbedder
from skill_agent.store.lance_index.resident import Resident
from skill_agent.store.lance_index.rows import schema, stem_line, to_table

from skill_agent.files.home import find_home
from skill_agent.memory.recall import question, wording
from skill_agent.memory.recall.late import pack
from skill_agent.memory.remembrances import remembrances
from skill_agent.memory.words.when import find_times
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.ports import Pieces
from skill_agent.text.language import english, language
from skill_agent.values import IndexItem, RecallQuery, Scope

HERE = Path(__file__).parent
NOW = datetime(2026, 5, 13, 15, 0, tzinfo=UTC)
FIRST = 5
_OTHERS = ("tell", "chat", "keep", "do")

Figures = dict[str, dict[str, float]]
Stems = Callable[[str], list[str]]


def right_request(case: Mapping[str, Any]) -> bool:
    """Whether what is kept is what a person would expect; blanks and signs do not count."""
    found = remembrances(case["text"], language(case["lang"]) or english())
    if case["content"] is None:
        return not found
    return [_letters(one.content) for one in found] == [_letters(case["content"])]


def right_time(case: Mapping[str, Any]) -> bool:
    """Whether the days are the ones meant; null stands for an open end."""
    now = datetime.fromisoformat(case["now"])
    found = find_times(case["text"], now if now.tzinfo else now.replace(tzinfo=UTC))
    if not case["days"]:
        return not found
    if len(found) != 1:
        return False
    start, end = (one.astimezone(now.tzinfo).date() for one in (found[0].start, found[0].end))
    if found[0].grain == "part":
        end = start + timedelta(1)
    told = zip(case["days"], (start, end), strict=True)
    return all(wanted is None or wanted == str(day) for wanted, day in told)


class Searched:
    """The figures of the searches of one language."""

    def __init__(self, embedder: OnnxEmbedder) -> None:
        self._embedder = embedder
        self._kept: dict[str, tuple[np.ndarray, Pieces]] = {}

    def ranks(self, case: Mapping[str, Any]) -> list[tuple[int, int]]:
        """For each question the place of its answer: by the product, by the vectors alone."""
        texts = [*case["said"], *_others(case["lang"])]
        items = [_item(at, text) for at, text in enumerate(texts)]
        vectors, pieces = self._read([wording.dated_line(item) for item in items])
        index = Resident(vectors.shape[1])
        shape = schema(vectors.shape[1], self._embedder.name)
        stems = [stem_line(item) for item in items]
        index.put(to_table(items, vectors, stems, [pack(one) for one in pieces], shape), items)
        found: list[tuple[int, int]] = []
        for asked in case.get("questions") or [case]:
            (vector,), (said,) = self._read([asked["q"]])
            query = RecallQuery(
                text=asked["q"], scope=Scope(agent=None, user="u"), limit=len(items), now=NOW
            )
            hits = [int(hit.item.id) for hit in index.search(query, vector, said)]
            alone = np.argsort(-(vectors @ vector), kind="stable").tolist()
            found.append((_place(hits, asked["answers"]), _place(alone, asked["answers"])))
        return found

    def _read(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Pieces]]:
        missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if missing:
            found = zip(*self._embedder.embed_pieces(missing), strict=True)
            self._kept.update(zip(missing, found, strict=True))
        read = [self._kept[text] for text in texts]
        return np.stack([vector for vector, _ in read]), [pieces for _, pieces in read]


def _place(order: Sequence[int], answers: Sequence[int]) -> int:
    return next((at for at, one in enumerate(order) if one in answers), len(order) + FIRST)


def _item(at: int, text: str) -> IndexItem:
    return IndexItem(
        id=str(at), kind="memory", seq=at + 1, text=text, speaker="user", user="u",
        created_at=NOW - timedelta(hours=5 * at + 1), memory_type="semantic",
    )  # fmt: skip


def _others(code: str) -> list[str]:
    """Other messages of the language that ask nothing; what has slots is filled with a name."""
    told = json.loads((HERE.parent / "kinds_build.json").read_text(encoding="utf-8"))["messages"]
    others = [text for kind in _OTHERS for text in told.get(code, {}).get(kind, ())]
    return [re.sub(r"\{\w+\}", "Xara", text) for text in others]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def measured(cases: Sequence[Mapping[str, Any]], searched: Searched, *, show: bool) -> Figures:
    """Shares by language and kind."""
    figures: Figures = {}
    for code in dict.fromkeys(case["lang"] for case in cases):
        own = [case for case in cases if case["lang"] == code]
        told: dict[str, float] = {}
        for kind, right in (("remember", right_request), ("time", right_time)):
            judged = [(case, right(case)) for case in own if case["kind"] == kind]
            if judged:
                told[kind] = sum(good for _, good in judged) / len(judged)
            for case, good in judged:
                if show and not good:
                    print(f"  {code} {kind}: {case['text']}", file=sys.stderr)
        told |= _search_figures(own, searched)
        figures[code] = {name: round(value, 3) for name, value in told.items()}
    return figures


def _search_figures(cases: Sequence[Mapping[str, Any]], searched: Searched) -> dict[str, float]:
    ranks = [one for case in cases if case["kind"] == "search" for one in searched.ranks(case)]
    if not ranks:
        return {}
    return {
        f"{who} R@{first}": sum(rank[at] < first for rank in ranks) / len(ranks)
        for at, who in enumerate(("search", "embedder"))
        for first in (1, FIRST)
    }


def ablated(cases: Sequence[Mapping[str, Any]], searched: Searched) -> Figures:
    """Search over all languages with a part of the words left out."""
    whole = wording.stems
    variants: dict[str, Stems] = {
        "all": whole,
        "characters, no pairs": lambda text: [s for s in whole(text) if not _is_pair(s)],
        "no endings, no stop words": lambda text: question.words(text),
    }
    figures: Figures = {}
    for name, stems in variants.items():
        question.stems = wording.stems = stems
        figures[name] = {
            key: round(value, 3) for key, value in _search_figures(cases, searched).items()
        }
    question.stems = wording.stems = whole
    return figures


def _is_pair(stem: str) -> bool:
    return len(stem) == 2 and stem[0] > "\u2fff"


def main() -> int:
    """Prints the figures of one set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", choices=("build", "choose", "final"), default="choose")
    parser.add_argument("--embedder", type=Path)
    for flag in ("show", "ablate", "json"):
        parser.add_argument(f"--{flag}", action="store_true")
    given = parser.parse_args()
    file = HERE / f"languages_{given.set}.json"
    folder = given.embedder or find_home().models / EMBEDDER
    for path, name in ((file, "set"), (folder / "model.onnx", "embedder")):
        if not path.is_file():
            print(f"no {name} at {path}", file=sys.stderr)
            return 2
    cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
    searched = Searched(OnnxEmbedder(folder))
    told: dict[str, Any] = {"set": given.set, **measured(cases, searched, show=given.show)}
    if given.ablate:
        told["ablation"] = ablated(cases, searched)
    if given.json:
        print(json.dumps(told, ensure_ascii=False))
        return 0
    for name, figures in told.items():
        rows = figures.items() if name == "ablation" else [(name, figures)]
        for row, values in rows:
            print(row, values)
    return 0


if __name__ == "__main__":
    sys.exit(main())
