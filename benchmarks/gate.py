"""How well it is told from a message whether it can want a tool, on labelled messages.

    python benchmarks/gate.py [build|choose|final …] [--letters] [--show] [--embedder DIR] [--json]

Needless is the share of messages that want words and were given any tool; missed the share of those
that want a tool and were not given it; right the share of the messages given a tool they want where
that tool came first. Lines marked beside stand for words typed beside a diff, a table or a log.

The examples in skills/*/references were written while looking at the mistakes on `build` and
`choose`, and the margin was chosen on both. `final` was measured before anything was learned from
it; the first figure was 1 needless of 86 and 13 missed of 46, and it is no longer unseen. The same
scenario stands there in several languages, so mistakes come in rows. --letters goes without the
embedder, --show lists the mistakes. Exit code 2: no embedder.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skill_agent.store.embedding import OnnxEmbedder

from skill_agent.files.home import find_home
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.skills.book import SkillBook
from skill_agent.tools.gate.gate import HTTP_GET, Gate
from skill_agent.values import Skill

HERE = Path(__file__).resolve().parent
SKILLS = HERE.parent / "skills"
SETS = ("build", "choose", "final")
OWN_CRAFT = ("code-review", "data-analysis")
"""Skills that are what an agent is for stand in its instructions and are not offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One labelled message and what the gate let pass."""

    text: str
    language: str
    kind: str
    want: str
    """A tool or skill; empty for words."""
    given: tuple[str, ...]

    @property
    def needless(self) -> bool:
        return not self.want and bool(self.given)

    @property
    def missed(self) -> bool:
        return bool(self.want) and self.want not in self.given


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Some judged messages, counted."""

    words: int
    needless: int
    tools: int
    missed: int
    first: int

    @property
    def line(self) -> str:
        parts = (
            f"needless {_share(self.needless, self.words)}",
            f"missed {_share(self.missed, self.tools)}",
            f"right {_share(self.first, self.tools - self.missed)}",
        )
        return "  ".join(parts)


def offered_skills() -> list[Skill]:
    return [skill for skill in SkillBook([SKILLS]).skills() if skill.name not in OWN_CRAFT]


async def judge(gate: Gate, name: str) -> list[Judged]:
    """Every message of a set through the gate."""
    offered = {HTTP_GET, *(skill.name for skill in offered_skills())}
    judged: list[Judged] = []
    for row in json.loads((HERE / f"gate_{name}.json").read_text("utf-8")):
        beside = row["kind"] == "beside"
        found = await gate.plausible(row["text"], offered=offered, beside=beside)
        judged.append(Judged(**row, given=tuple(one.name for one in found)))
    return judged


def figures(judged: Sequence[Judged]) -> Figures:
    wanting = [one for one in judged if one.want]
    return Figures(
        words=len(judged) - len(wanting),
        needless=sum(one.needless for one in judged),
        tools=len(wanting),
        missed=sum(one.missed for one in wanting),
        first=sum(one.given[:1] == (one.want,) for one in wanting),
    )


def _share(part: int, whole: int) -> str:
    return f"{part:>3}/{whole:<3} {100 * part / whole:4.1f} %" if whole else "   -"


def _show(name: str, judged: Sequence[Judged], milliseconds: float, mistakes: bool) -> None:
    print(f"\n{name}: {len(judged)} messages, {milliseconds:.1f} ms of the processor each")
    print(f"  {'all':<12} {figures(judged).line}")
    for key in ("language", "kind"):
        for value in dict.fromkeys(getattr(one, key) for one in judged):
            part = [one for one in judged if getattr(one, key) == value]
            print(f"  {value:<12} {figures(part).line}")
    for one in judged if mistakes else ():
        if one.needless or one.missed:
            print(
                f"  {'NEEDLESS' if one.needless else 'MISSED'} {one.want or one.given}: {one.text}"
            )


async def measure(arguments: argparse.Namespace, embedder: OnnxEmbedder | None) -> int:
    gate = Gate(known=offered_skills, embedder=(lambda: embedder) if embedder else None)
    start = time.process_time()
    await gate.warm()
    learning = time.process_time() - start
    if not arguments.json:
        print(f"the examples are learned in {learning:.1f} s of the processor")
    for name in arguments.sets or SETS[:2]:
        start = time.process_time()
        judged = await judge(gate, name)
        milliseconds = (time.process_time() - start) / len(judged) * 1000
        if arguments.json:
            counted = figures(judged)
            row = {field: getattr(counted, field) for field in Figures.__dataclass_fields__}
            print(json.dumps({"set": name, **row, "ms": round(milliseconds, 2)}))
        else:
            _show(name, judged, milliseconds, arguments.show)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help="default: build and choose")
    parser.add_argument("--letters", action="store_true", help="go without the embedder")
    parser.add_argument("--show", action="store_true", help="list the mistakes")
    parser.add_argument("--embedder", type=Path, default=find_home().models / EMBEDDER)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if unknown := {*arguments.sets} - {*SETS}:
        parser.error(f"no set {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    if arguments.letters:
        return asyncio.run(measure(arguments, None))
    if not (arguments.embedder / "model.onnx").is_file():
        print(
            "no embedder; run `ska models pull`, or give --embedder or --letters", file=sys.stderr
        )
        return 2
    return asyncio.run(measure(arguments, OnnxEmbedder(arguments.embedder)))


if __name__ == "__main__":
    raise SystemExit(main())
