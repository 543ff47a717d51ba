"""How much of what was said is kept: labelled conversations through the rules and through a model.

    python benchmarks/extraction.py [--home DIR] [--model NAME] [--half first] [--show] [--json]

Each of the conversations in extraction.json is read (a) by the rules alone and (b) by the rules and
a model's two passes. What counts as stating a fact is told in scoring.py.

    recall     facts stated by at least one memory that states nothing wrong / all labelled facts
    precision  memories that state a fact or something neutral, and nothing wrong / all extracted
    F1         2 x precision x recall / (precision + recall)

A memory that states several facts finds them all and counts once for precision. Wrong is what must
not be kept: another person's fact as the user's, what was corrected, quoted, supposed, pasted or
said by the assistant. Recall by kind is over the facts of that kind. With --half, the set is cut in
the middle, so that rules and prompts can be tuned on one half and measured on the other.
Exit code 2: no model, or a model that failed on every conversation; --floor-only needs none.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scoring import Labelled, Score, judge, read_set
from skill_agent.cli.opening.home_files import read_settings

from skill_agent.errors import NotFound, SkillAgentError
from skill_agent.files.home import find_home
from skill_agent.memory.extraction.extract import extract
from skill_agent.memory.extraction.rule_reading import read_by_rules
from skill_agent.memory.extraction.statement import Candidate
from skill_agent.models.gateway import Gateway
from skill_agent.ports import Model

SET = Path(__file__).with_name("extraction.json")


@dataclass(slots=True)
class Run:
    """What one way of reading gave."""

    name: str
    score: Score = field(default_factory=Score)
    seconds: float = 0.0
    dropped: int = 0
    passes: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Candidates of the rules, the first and the second pass."""
    problems: list[str] = field(default_factory=list)

    def add(self, labelled: Labelled, found: tuple[Candidate, ...], seconds: float) -> None:
        memories = [(one.content, one.memory_type) for one in found]
        self.score.judged.append(judge(labelled, memories))
        self.seconds += seconds

    def summary(self) -> dict[str, Any]:
        count = len(self.score.judged) or 1
        told = {"name": self.name} | self.score.summary()
        return told | {
            "seconds_per_conversation": round(self.seconds / count, 3),
            "floor_first_second": self.passes,
            "dropped": self.dropped,
            "problems": self.problems,
        }


def run_rules(talks: list[Labelled]) -> Run:
    """The rules alone."""
    run = Run("rules alone")
    for talk in talks:
        start = time.perf_counter()
        found = tuple(read_by_rules(talk.messages))
        run.add(talk, found, time.perf_counter() - start)
    return run


async def run_model(talks: list[Labelled], model: Model, *, quiet: bool) -> Run:
    """The rules and a model."""
    run = Run(f"rules and {model.info.name}")
    for number, talk in enumerate(talks, 1):
        start = time.perf_counter()
        done = await extract(talk.messages, model, user="me", agent="kyra")
        run.add(talk, done.candidates, time.perf_counter() - start)
        run.dropped += done.dropped
        counts = (done.by_rules, done.first_pass, done.second_pass)
        run.passes = [a + b for a, b in zip(run.passes, counts, strict=True)]
        if done.problem:
            run.problems.append(f"{talk.id}: {done.problem}")
        if not quiet:
            print(f"\r{number}/{len(talks)} conversations", end="", file=sys.stderr, flush=True)
    if not quiet:
        print(file=sys.stderr)
    return run


async def measure(options: argparse.Namespace) -> list[Run]:
    """Every way asked for; raises SkillAgentError where there is no such model or home."""
    talks = read_set(SET, options.half, options.limit)
    runs = [run_rules(talks)]
    if options.floor_only:
        return runs
    home = find_home(options.home)
    gateway = Gateway(read_settings(home), home)
    try:
        model = await gateway.model(options.model)
        if not model.info.installed:
            raise NotFound(f"{model.info.name} is not installed in {home.root}")
        runs.append(await run_model(talks, model, quiet=options.json))
    finally:
        await gateway.close()
    return runs


def missing(why: str) -> int:
    """Tells why no model could be measured; the exit code."""
    print(f"{why}: `ska models list` shows what there is, or use --floor-only", file=sys.stderr)
    return 2


def print_run(run: Run, *, show: bool) -> None:
    """The figures for people."""
    told = run.summary()
    print(
        f"\n{run.name}: {told['conversations']} conversations, {told['facts']} facts, "
        f"{told['extracted']} memories\n"
        f"  recall {told['recall']:.3f}   precision {told['precision']:.3f}   F1 {told['f1']:.3f}\n"
        f"  wrong {told['wrong']}, repeats {told['repeats']}, false where there is no fact "
        f"{told['false_where_no_fact']}, type as labelled {told['type_agreement']:.2f}, "
        f"{told['seconds_per_conversation']:.2f} s per conversation"
    )
    if sum(run.passes):
        floor, first, second = run.passes
        print(f"  rules {floor}, first pass {first}, second pass {second}, dropped {run.dropped}")
    kinds = [f"{kind} {a}/{b}" for kind, (a, b) in run.score.by_kind().items()]
    for start in range(0, len(kinds), 6):
        print("  " + "   ".join(kinds[start : start + 6]))
    for problem in run.problems:
        print(f"  failed: {problem}")
    if show:
        print_details(run.score)


def print_details(score: Score) -> None:
    """Every miss and every false memory, by conversation."""
    for one in score.judged:
        misses = [fact for fact in one.labelled.facts if fact.id not in one.hit]
        if misses or one.false:
            print(f"\n  {one.labelled.id}")
        for fact in misses:
            print(f"    missed  {fact.fact}  [{fact.kind}]")
        for content in one.false:
            print(f"    {'WRONG ' if content in one.wrong else 'false '}  {content}")


def main() -> int:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--home", type=Path, help="whose models and settings to use")
    parser.add_argument("--model", default="extract", help="a role or provider/model")
    parser.add_argument("--floor-only", action="store_true", help="measure the rules alone")
    parser.add_argument("--half", choices=("first", "second", "all"), default="all")
    parser.add_argument("--limit", type=int, default=0, help="at most so many conversations")
    parser.add_argument("--show", action="store_true", help="print the misses and the false ones")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    try:
        runs = asyncio.run(measure(options))
    except SkillAgentError as problem:
        return missing(str(problem))
    if options.json:
        print(json.dumps({"id": "extraction", "runs": [run.summary() for run in runs]}))
    else:
        for run in runs:
            print_run(run, show=options.show)
    read = runs[-1]
    if read.problems and len(read.problems) == len(read.score.judged):
        return missing(f"{read.name} failed on every conversation ({read.problems[0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
