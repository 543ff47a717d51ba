"""How much of what was said is kept, and how much of it rightly, in several languages.

    python benchmarks/memory/extraction.py [--set build|choose|final] [--home DIR] [--model NAME]
                                           [--no-model] [--lang de] [--show] [--json]

The conversations of extraction_SET.json are read without a model (certain patterns) and with one.
What counts as stating a fact is told in benchmarks/scoring.py. For each way of reading, and for
what a model adds alone, it prints

    recall     facts stated by at least one memory that states nothing wrong / all labelled facts
    precision  memories that state a fact or something neutral, and nothing wrong / all kept
    profile    the same over the memories that stand in every system message

A memory that states several facts finds them all and counts once for precision. Wrong is what must
not be kept: another person's fact as the user's, what was quoted, supposed, pasted or said by the
assistant. Thresholds are chosen on `choose`; `final` is looked at once.
Exit code 2: no such set, no model, or a model that failed on every conversation.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from scoring import Labelled, Score, judge, read_set
from skill_agent.cli.opening.home_files import read_settings

from skill_agent.errors import NotFound, SkillAgentError
from skill_agent.files.home import find_home
from skill_agent.memory.extraction.extract import extract
from skill_agent.memory.extraction.statement import Candidate
from skill_agent.models.gateway import Gateway
from skill_agent.ports import Model


@dataclass(slots=True)
class Run:
    """What one way of reading gave."""

    name: str
    score: Score = field(default_factory=Score)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def add(self, talk: Labelled, found: list[Candidate]) -> None:
        self.score.judged.append(judge(talk, [(one.content, one.memory_type) for one in found]))

    def summary(self) -> dict[str, Any]:
        languages = dict.fromkeys(one.labelled.lang for one in self.score.judged)
        by_language = {
            code: Score([one for one in self.score.judged if one.labelled.lang == code]).summary()
            for code in languages
        }
        count = len(self.score.judged) or 1
        told = {"name": self.name} | self.score.summary()
        return told | {
            "languages": by_language,
            "cpu_seconds_per_conversation": round(self.seconds / count, 3),
            "problems": self.problems,
        }


async def read(talks: list[Labelled], model: Model | None, *, quiet: bool) -> list[Run]:
    """The talks read one way; with a model also what it alone gave."""
    whole = Run(f"patterns and {model.info.name}" if model else "patterns alone")
    alone = Run(f"{model.info.name} alone" if model else "")
    for number, talk in enumerate(talks, 1):
        start = time.process_time()
        done = await extract(talk.messages, model, lambda _: True)
        whole.seconds += time.process_time() - start
        whole.add(talk, [*done.candidates])
        alone.add(talk, [one for one in done.candidates if one.model])
        if done.problem:
            whole.problems.append(f"{talk.id}: {done.problem}")
        if model and not quiet:
            print(f"\r{number}/{len(talks)} conversations", end="", file=sys.stderr, flush=True)
    return [alone, whole] if model else [whole]


async def measure(options: argparse.Namespace, talks: list[Labelled]) -> list[Run]:
    """Every way asked for; raises SkillAgentError where there is no such model or home."""
    runs = await read(talks, None, quiet=True)
    if options.no_model:
        return runs
    home = find_home(options.home)
    gateway = Gateway(read_settings(home), home)
    try:
        model = await gateway.model(options.model)
        if not model.info.installed:
            raise NotFound(f"{model.info.name} is not installed in {home.root}")
        return runs + await read(talks, model, quiet=options.json)
    finally:
        await gateway.close()


def line(name: str, told: dict[str, Any]) -> str:
    return (
        f"  {name:<34} facts {told['facts']:>3}  kept {told['extracted']:>3}  "
        f"recall {told['recall']:.3f}  precision {told['precision']:.3f}  "
        f"profile {told['profile_precision']:.3f} of {told['profile']}  wrong {told['wrong']}"
    )


def print_run(run: Run, *, show: bool) -> None:
    """The figures for people."""
    told = run.summary()
    print(line(run.name, told))
    for code, part in told["languages"].items():
        print(line(f"  {code}", part))
    for problem in run.problems:
        print(f"  failed: {problem}")
    for one in run.score.judged if show else ():
        misses = [fact.fact for fact in one.labelled.facts if fact.id not in one.hit]
        print(*[f"    {one.labelled.id}: missed {fact}" for fact in misses], sep="\n")
        for content in one.false:
            mark = "WRONG" if content in one.wrong else "false"
            print(f"    {one.labelled.id}: {mark} {content}")


def missing(why: str) -> int:
    """Tells why nothing could be measured; the exit code."""
    print(f"{why}: `ska models list` shows what there is, or use --no-model", file=sys.stderr)
    return 2


def main() -> int:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", choices=("build", "choose", "final"), default="choose")
    parser.add_argument("--home", type=Path, help="whose models and settings to use")
    parser.add_argument("--model", default="extract", help="a role or provider/model")
    parser.add_argument("--no-model", action="store_true", help="measure the patterns alone")
    parser.add_argument("--lang", help="conversations in this language only")
    parser.add_argument("--show", action="store_true", help="print the misses and the false ones")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    file = Path(__file__).with_name(f"extraction_{options.set}.json")
    if not file.is_file():
        print(f"there is no {file.name} beside this script", file=sys.stderr)
        return 2
    talks = [one for one in read_set(file) if options.lang in (None, one.lang)]
    try:
        runs = asyncio.run(measure(options, talks))
    except SkillAgentError as problem:
        return missing(str(problem))
    if options.json:
        told = {"id": "extraction", "set": options.set, "runs": [run.summary() for run in runs]}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{options.set}: {len(talks)} conversations")
        for run in runs:
            print_run(run, show=options.show)
    if runs[-1].problems and len(runs[-1].problems) == len(talks):
        return missing(f"the model failed on every conversation ({runs[-1].problems[0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
