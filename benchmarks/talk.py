"""How good a conversation with the team is: labelled turns through the whole product.

    python benchmarks/talk.py [--set build|choose|final] [--kind KIND] [--language CODE]
                              [--only ID] [--model NAME] [--jsonl FILE] [--show] [--json]

Each case is played in a home of its own, with what was said before it, on the home's default model
or --model, without chance and on a fixed day. Code judges the replies: what a reply must hold, its
language, echoes of what was said, the person's facts told as the agent's, values that nobody gave,
needless and missed tools (see talk_scoring). A turn with a tool ends where the tool begins.

There are three sets, written by different means: prompts are built on `build`, chosen between on
`choose`, and `final` is looked at once. Exit code 1: no case is left by the filters.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from talk_driving import Ran, play, staged, wake
from talk_scoring import KINDS, Case, Figures, Verdict, echoed, judge, read_cases

from skill_agent.ports import ModelRequest

SETS = ("build", "choose", "final")
AIMS = {
    "passed": (0.80, 1),
    "echo": (0.05, -1),
    "wrong person": (0.02, -1),
    "wrong language": (0.05, -1),
    "invented": (0.10, -1),
    "needless tools": (0.02, -1),
    "missed tools": (0.15, -1),
}
"""What the shipped model is to reach: at least (1), at most (-1)."""


def chosen_cases(options: argparse.Namespace) -> list[Case]:
    """The cases of the sets asked for that the filters leave."""
    folder = Path(__file__).parent
    cases = [one for name in options.set for one in read_cases(folder / f"talk_{name}.json")]
    return [
        one
        for one in cases
        if (not options.kind or one.kind in options.kind)
        and (not options.language or one.language in options.language)
        and (not options.only or one.id in options.only)
    ]


async def run(
    cases: Sequence[Case], model: str | None, *, transcript: TextIO | None, show: bool
) -> Figures:
    """Plays and judges them one after another."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        async with staged(Path(folder), model) as stage:
            for agent in dict.fromkeys(one.agent for one in cases):
                figures.woken[agent] = await wake(stage, agent)
                told = f"{agent} woken in {figures.woken[agent]:.1f} s"
                print(told, file=sys.stderr, flush=True)
            for number, case in enumerate(cases, 1):
                ran = await play(stage, case)
                verdict = judge(case, ran.answer)
                figures.verdicts.append(verdict)
                if transcript:
                    print(json.dumps(row(verdict, ran), ensure_ascii=False), file=transcript)
                    transcript.flush()
                tell(number, len(cases), verdict, show=show)
    return figures


def row(verdict: Verdict, ran: Ran) -> dict[str, Any]:
    """A case as one line of the transcript."""
    case = verdict.case
    run_length, share = echoed(case, verdict.answer.text)
    return {
        "id": case.id,
        "kind": case.kind,
        "language": case.language,
        "agent": case.agent,
        "before": [asdict(one) for one in case.before],
        "said": case.say,
        "passed": verdict.passed,
        "faults": verdict.faults,
        "echo": {"run": run_length, "share": round(share, 3)},
        **asdict(verdict.answer),
        "requests": [sent_row(sent) for sent in ran.requests],
        "events": ran.events,
    }


def sent_row(sent: ModelRequest) -> dict[str, Any]:
    """One call of the model, as far as it shapes the reply."""
    return {
        "messages": [{"role": one.role, "content": one.content} for one in sent.messages],
        "tools_offered": [one.name for one in sent.tools],
        "overrides": sent.overrides,
        "max_tokens": sent.max_tokens,
    }


def tell(number: int, count: int, verdict: Verdict, *, show: bool) -> None:
    """One case on stderr: how it went, and with --show its words."""
    answer, mark = verdict.answer, "ok  " if verdict.passed else "FAIL"
    told = f"{number:>3}/{count} {mark} {verdict.case.id:<24} {answer.total_s:6.1f} s"
    print(f"{told}  {'; '.join(verdict.faults)}", file=sys.stderr, flush=True)
    if show:
        said = " ".join((verdict.case.say, verdict.case.piped)).split()
        print(f"      > {' '.join(said)[:200]}", file=sys.stderr)
        print(f"      < {' '.join(answer.text.split())[:300] or answer.tools}", file=sys.stderr)


def print_figures(figures: Figures) -> None:
    """The table for people."""
    for title, what in (("kind", "kind"), ("language", "language")):
        print(f"\n{title:<16} {'passed':>10}")
        for name, (passed, count) in figures.by(what).items():
            print(f"{name:<16} {passed:>6}/{count:<3} {passed / count:>6.0%}")
    print(f"\n{'rate':<24} {'count':>9} {'share':>7} {'aim':>7}")
    for name, (count, every) in figures.rates().items():
        share = count / every if every else 0.0
        print(f"{name:<24} {count:>5}/{every:<3} {share:>7.1%} {aim_of(name, share)}")
    print()
    for name, value in figures.costs().items():
        print(f"{name:<24} {value:>9.2f}")


def aim_of(name: str, share: float) -> str:
    """The aim of a rate, and whether it is met."""
    if name not in AIMS:
        return ""
    aim, sign = AIMS[name]
    met = share >= aim if sign > 0 else share <= aim
    return f"{'≥' if sign > 0 else '≤'}{aim:>5.0%} {'ok' if met else 'MISSED'}"


def as_json(figures: Figures, options: argparse.Namespace) -> str:
    """The figures for scripts."""
    return json.dumps(
        {
            "id": "talk",
            "sets": options.set,
            "model": options.model or "default",
            "kinds": figures.by("kind"),
            "languages": figures.by("language"),
            "rates": figures.rates(),
            "costs": figures.costs(),
            "failed": {one.case.id: one.faults for one in figures.verdicts if not one.passed},
        },
        ensure_ascii=False,
    )


def main() -> int:
    """Parses, plays, prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", action="append", choices=SETS, help="default: build")
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--language", action="append", help="en, de, es, fr, ru, ja, zh")
    parser.add_argument("--only", action="append", metavar="ID")
    parser.add_argument("--model", help="any model the gateway knows; default: the home's")
    parser.add_argument("--jsonl", type=Path, help="write each case with all that was sent here")
    parser.add_argument("--show", action="store_true", help="show words and replies as they come")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    options.set = options.set or ["build"]
    cases = chosen_cases(options)
    if not cases:
        print("no case is left: --kind, --language and --only together", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        path = options.jsonl
        file = stack.enter_context(path.open("w", encoding="utf-8")) if path else None
        figures = asyncio.run(run(cases, options.model, transcript=file, show=options.show))
    print(as_json(figures, options)) if options.json else print_figures(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
