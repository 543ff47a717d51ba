"""How well "ask Luke to …" is told from talk about Luke, on labelled messages.

python benchmarks/delegation.py [--set build|choose|final] [--letters] [--show]

Precision and recall by language: of what was handed over how much was to be, to the right colleague
and with the right words; of what was to be handed over how much was. `--letters` goes without the
embedder, `--show` lists what went wrong.

The examples in `team/mail/requests` were written while looking at the mistakes on `build` and
`choose`, and the thresholds were chosen on both; only `final` was never looked at.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skill_agent.store.embedding import OnnxEmbedder

from skill_agent.files.home import find_home
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.team.mail.asking import Asking
from skill_agent.text.language import language, language_of

AGENTS = {one: (one, one.title()) for one in ("luke", "ada", "max", "zoe")}
"""The colleagues of whoever is spoken to."""


def cases_of(name: str) -> list[dict[str, Any]]:
    file = Path(__file__).with_name(f"delegation_{name}.json")
    return json.loads(file.read_text("utf-8"))["cases"]


async def judged(asking: Asking, case: dict[str, Any]) -> tuple[str, str]:
    """`right`, `kept` (nothing was to be done), `missed`, `wrong` or `needless`, and what was
    made of it."""
    found = await asking.errand(case["text"], AGENTS, language(language_of(case["text"])))
    told = f"{found.to}: {found.what}" if found else ""
    if found is None:
        return ("missed" if case["to"] else "kept"), told
    if case["to"] is None:
        return "needless", told
    words = (case["what"] or "").casefold() in found.what.casefold()
    return ("right" if found.to == case["to"] and words else "wrong"), told


async def measured(name: str, asking: Asking, *, show: bool) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for case in cases_of(name):
        verdict, told = await judged(asking, case)
        for row in (case["lang"], "all"):
            counts.setdefault(row, Counter())[verdict] += 1
        if show and verdict not in ("right", "kept"):
            margins = [
                f"{one.slug} {one.margin:.2f}" for one in await asking.read(case["text"], AGENTS)
            ]
            print(f"{verdict:9} {case['lang']} {case['text']!r} -> {told!r} ({', '.join(margins)})")
    return counts


def table(counts: dict[str, Counter[str]]) -> list[str]:
    lines = ["language  cases  precision  recall"]
    for row, count in counts.items():
        given = count["right"] + count["wrong"] + count["needless"]
        wanted = count["right"] + count["wrong"] + count["missed"]
        precision = count["right"] / given if given else 1.0
        recall = count["right"] / wanted if wanted else 1.0
        lines.append(f"{row:8}  {count.total():5}  {precision:9.3f}  {recall:6.3f}")
    return lines


def embedder_in(folder: Path) -> Callable[[], Any]:
    """The embedder that lies in a folder; exit code 2 where none does."""
    if not folder.is_dir():
        print(f"no embedder in {folder}: ska models pull {EMBEDDER}, or --letters", file=sys.stderr)
        raise SystemExit(2)
    embedder = OnnxEmbedder(folder, threads=2)
    return lambda: embedder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="choose", choices=("build", "choose", "final"))
    parser.add_argument("--letters", action="store_true", help="without the embedder")
    parser.add_argument("--show", action="store_true", help="list what went wrong")
    parser.add_argument("--embedder", type=Path, default=find_home().models / EMBEDDER)
    args = parser.parse_args()
    asking = Asking(embedder=None if args.letters else embedder_in(args.embedder))
    print("\n".join(table(asyncio.run(measured(args.set, asking, show=args.show)))))


if __name__ == "__main__":
    main()
