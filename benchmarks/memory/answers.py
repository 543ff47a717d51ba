"""Which statements stand in the prompt for plain, compound and unanswerable questions.

    python benchmarks/memory/answers.py [--set build|choose|final] [--json] [--show] [--model NAME]

Through the product's own path: what a person said is said to an agent on its day, each question is
asked in a conversation of its own, and what counts is what recall put beside that message. Every
case has a home of its own; the model says nothing but "Noted.".

    recall      share of the wanted statements that entered, by kind of question
    precision   share of what entered that was wanted, over the answerable ones
    empty       unanswerable questions for which nothing entered
    marked      unanswerable ones for which nothing entered, or, with --model, what entered is no
                answer by that model's word
    lost        answerable ones marked so
    covered     questions of a span or an order whose statements stand there, alone or summed up

build is written by hand, choose filled from templates: other topics, other words. Exit code 2: no
such set, or no embedder.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from in_process import open_in_process  # noqa: E402
from skill_agent.cli.opening.home_files import read_settings  # noqa: E402
from skill_agent.store.embedding import OnnxEmbedder  # noqa: E402

from skill_agent.events import MemoryRecalled  # noqa: E402
from skill_agent.files.home import find_home  # noqa: E402
from skill_agent.host.runtime import Runtime  # noqa: E402
from skill_agent.memory.recall.knowing import ANSWERED, answered  # noqa: E402
from skill_agent.models.files.catalogue import EMBEDDER  # noqa: E402
from skill_agent.models.gateway import Gateway  # noqa: E402
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel  # noqa: E402
from skill_agent.ports import Embedder  # noqa: E402

ASKED = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)
SPANS = ("summary", "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question and the statements that stood in its prompt."""

    lang: str
    kind: str
    question: str
    wanted: frozenset[int]
    entered: frozenset[int]
    summed: frozenset[int]
    """Statements told by a summary."""
    strays: int
    """Other items that entered."""
    lines: tuple[str, ...]
    """The texts that entered, best first."""
    likely: float = 1.0
    """How likely a model holds it that they answer the question."""

    @property
    def empty(self) -> bool:
        return not (self.entered or self.summed or self.strays)

    @property
    def unanswered(self) -> bool:
        return self.empty or self.likely < ANSWERED


class Moving:
    """A clock that moves a second each time it is read, and where it is put."""

    def __init__(self) -> None:
        self.now = ASKED

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


async def ask_case(case: dict[str, Any], embedder: Embedder, folder: Path) -> list[Asked]:
    """Says and asks everything of one case in a new home."""
    clock = Moving()
    gateway = ScriptedGateway(ScriptedModel(otherwise="Noted."))
    parts = {"create": True, "embedder": embedder, "clock": clock, "gateway": gateway}
    async with open_in_process(folder, **parts) as runtime:
        places: dict[str, int] = {}
        session: tuple[str, str] = ("", "")
        for place, said in enumerate(case["said"]):
            clock.now = datetime.fromisoformat(said["at"])
            ref = session[1] if session[0] == said["at"][:10] else None
            opened, _ = await _ask(runtime, said["text"], ref)
            session = (said["at"][:10], opened)
            first = [one for one in await runtime.ledger.messages(opened) if one.role == "user"]
            places[first[-1].id] = place
        clock.now = ASKED
        await _tidied(runtime)
        return [await _judged(runtime, case, one, places) for one in case["questions"]]


async def _ask(runtime: Runtime, text: str, session: str | None) -> tuple[str, MemoryRecalled]:
    opened, found = "", None
    async for event in runtime.ask(text, session=session):
        opened = event.session
        found = event if isinstance(event, MemoryRecalled) else found
    if found is None:
        raise SystemExit(f"no recall for {text!r}")
    return opened, found


async def _tidied(runtime: Runtime) -> None:
    """What an idle host would do of itself: read what was said, sum up what has ended."""
    await runtime.settle()
    await runtime.upkeep.consolidate(summarise=False)
    await runtime.memory.settle()


async def _judged(
    runtime: Runtime, case: dict[str, Any], asked: dict[str, Any], places: dict[str, int]
) -> Asked:
    _, event = await _ask(runtime, asked["q"], None)
    found = await runtime.ledger.memories_by_id([one.id for one in event.items])
    entered, summed, strays = set[int](), set[int](), 0
    for item in event.items:
        memory = found.get(item.id)
        sources = memory.source.message_ids if memory else (item.id,)
        there = {places[one] for one in sources if one in places}
        told = memory.metadata.get("messages", ()) if memory else ()
        if told:
            summed |= {places[one] for one in told if one in places}
        elif there:
            entered |= there
        else:
            strays += 1
    return Asked(
        lang=case["lang"],
        kind=asked["kind"],
        question=asked["q"],
        wanted=frozenset(asked["answers"]),
        entered=frozenset(entered),
        summed=frozenset(summed),
        strays=strays,
        lines=tuple(one.content for one in sorted(event.items, key=lambda one: -one.score)),
    )


def figures(asked: list[Asked]) -> dict[str, Any]:
    """The figures of a list of questions; see the head of this file."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    for one in asked:
        if one.wanted:
            there = one.entered | one.summed if one.kind in SPANS else one.entered
            by_kind[one.kind].append(len(one.wanted & there) / len(one.wanted))
    direct = [one for one in asked if one.wanted and one.kind not in SPANS]
    shares = [
        len(one.wanted & one.entered) / (len(one.entered) + one.strays)
        for one in direct
        if one.entered or one.strays
    ]
    none = [one for one in asked if one.kind == "none"]
    return {
        "recall": {kind: round(statistics.fmean(values), 3) for kind, values in by_kind.items()},
        "precision": round(statistics.fmean(shares), 3) if shares else None,
        "empty": _share([one.empty for one in none]),
        "marked": _share([one.unanswered for one in none]),
        "lost": _share([one.unanswered for one in direct]),
        "questions": len(asked),
    }


def _share(given: list[bool]) -> float | None:
    return round(sum(given) / len(given), 3) if given else None


async def measure(cases: list[dict[str, Any]], embedder: Embedder) -> list[Asked]:
    asked: list[Asked] = []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            asked += await ask_case(case, embedder, Path(folder) / "home")
    return asked


async def doubted(asked: list[Asked], name: str) -> list[Asked]:
    """The questions with a model's word on what entered for them; seconds each."""
    home = find_home()
    gateway = Gateway(read_settings(home), home)
    try:
        model = await gateway.model(name)
        return [
            replace(one, likely=await answered(model, one.question, one.lines))
            if one.lines and one.kind not in SPANS
            else one
            for one in asked
        ]
    finally:
        await gateway.close()


def print_table(asked: list[Asked]) -> None:
    languages = dict.fromkeys(one.lang for one in asked)
    for name in ("all", *languages):
        told = figures([one for one in asked if name in ("all", one.lang)])
        kinds = "  ".join(f"{kind} {value:.3f}" for kind, value in told["recall"].items())
        rest = "  ".join(
            f"{key} {told[key]:.3f}"
            for key in ("precision", "empty", "marked", "lost")
            if told[key] is not None
        )
        print(f"{name:4} {told['questions']:4} questions  recall: {kinds}  {rest}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", default="choose", choices=("build", "choose", "final"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", action="store_true", help="each question that went wrong")
    parser.add_argument("--model", help="also ask this model whether what entered answers")
    models = Path.home() / ".cache" / "skill-agent" / "models"
    parser.add_argument("--embedder", type=Path, default=models / EMBEDDER)
    options = parser.parse_args()
    file = HERE / f"answers_{options.set}.json"
    if not file.is_file():
        print(f"no such set: {file}", file=sys.stderr)
        return 2
    if not (options.embedder / "model.onnx").is_file():
        print(f"no embedder in {options.embedder}: ska models pull {EMBEDDER}", file=sys.stderr)
        return 2
    cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
    asked = asyncio.run(measure(cases, OnnxEmbedder(options.embedder)))
    if options.model:
        asked = asyncio.run(doubted(asked, options.model))
    if options.json:
        print(json.dumps(figures(asked)))
        return 0
    print_table(asked)
    for one in asked if options.show else ():
        if one.wanted - one.entered or (not one.wanted and not one.empty):
            told = f"wanted {sorted(one.wanted)}, got {sorted(one.entered)} + {one.strays}"
            print(f"{one.lang} {one.kind:8} {one.question}  {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
