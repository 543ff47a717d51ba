"""How well it is told whom a message is for, on labelled messages, and how long that takes.

    python benchmarks/experts.py [build|choose|final …] [--embedder NAME] [--letters] [--show]
                                 [--ablation] [--speed] [--fit] [--json]

Accuracy on the four agents of agents.toml and on those with ten invented ones beside them, by
language and kind. A message counts as right where the agent that answers is the one it is for, or
one that is as right. The calibration of `team/gate/skill_match` was learned on `build` (--fit
learns it again and prints it); thresholds were picked on `build`; `choose` is only looked at.
`final` was written by somebody else. Without --embedder it is the one that `config.toml` begins
with; `use-multilingual-3` is read beside it. --letters goes without. --ablation leaves parts out.
--speed measures the processor time of decisions over 4, 100 and 1000 agents. Exit code 2: no such
embedder.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from skill_agent.store.embedders.choosing import chosen_embedder

from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.parsing import parse_agents
from skill_agent.files.home import find_home
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.skills.book import SkillBook
from skill_agent.team.gate.choosing import MARGIN, chosen
from skill_agent.team.gate.comparing import Comparing, subject_of
from skill_agent.team.gate.scoring import standing
from skill_agent.team.gate.skill_match import Calibration, SkillMatch
from skill_agent.values import TurnRequest

if TYPE_CHECKING:
    from skill_agent.ports import Embedder

HERE = Path(__file__).resolve().parent
SETS = ("build", "choose", "final")
DEFAULT = "kyra"
TEAMS = ("four", "fourteen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled message and who is chosen for it."""

    lang: str
    text: str
    agent: str
    also: tuple[str, ...]
    team: str
    current: str | None
    kind: str
    chosen: str = ""

    @property
    def right(self) -> bool:
        return self.chosen in (self.agent, *self.also)


def four() -> tuple[AgentDNA, ...]:
    return parse_agents((HERE.parent / "agents.toml").read_text("utf-8"), "agents.toml").agents


def invented(rows: Sequence[dict[str, Any]]) -> list[AgentDNA]:
    return [
        AgentDNA(
            slug=row["slug"],
            name=row["name"],
            tagline=row["tagline"],
            personality={"tone": row["tone"], "traits": row["traits"]},  # type: ignore[arg-type]
            boundaries={  # type: ignore[arg-type]
                "can_do": row["can_do"],
                "cannot_do": row["cannot_do"],
                "escalates_to": row.get("escalates_to"),
            },
        )
        for row in rows
    ]


def cases_of(name: str) -> tuple[list[AgentDNA], list[Case]]:
    data = json.loads((HERE / f"experts_{name}.json").read_text("utf-8"))
    cases = [Case(**{**row, "also": tuple(row["also"])}) for row in data["cases"]]
    return invented(data["agents"]), cases


def book() -> SkillBook:
    return SkillBook([HERE.parent / "skills"])


def judged(
    comparing: Comparing,
    name: str,
    *,
    calibration: Calibration | None = None,
    margin: float = MARGIN,
) -> list[Case]:
    """Every message of a set with the agent that answers it: idle, unrated agents."""
    others, cases = cases_of(name)
    teams = {"four": four(), "fourteen": (*four(), *others)}
    return asyncio.run(_judged(comparing, cases, teams, calibration, margin))


async def _judged(
    comparing: Comparing,
    cases: Sequence[Case],
    teams: dict[str, tuple[AgentDNA, ...]],
    calibration: Calibration | None,
    margin: float,
) -> list[Case]:
    done: list[Case] = []
    for team in TEAMS:
        agents = teams[team]
        known = {one.slug: one for one in agents}
        for case in cases:
            if case.team != team:
                continue
            subject = subject_of(TurnRequest(case.text))
            if subject.idle >= 0.9:
                done.append(replace(case, chosen=case.current or DEFAULT))
                continue
            compared = await comparing.compared(subject, agents)
            if calibration is not None:
                match: SkillMatch = compared.match
                match.calibration = calibration
                matches = match.matches(subject.text, compared.vector, idle=subject.idle)
                compared = replace(compared, matches=matches)
            found = standing(compared, similar={}, trust={}, loads={})
            made = chosen(found, known, current=case.current, default=DEFAULT, margin=margin)
            done.append(replace(case, chosen=made.agent))
    return done


def share(cases: Sequence[Case]) -> str:
    right = sum(one.right for one in cases)
    return f"{right:>3}/{len(cases):<3} {100 * right / len(cases):5.1f} %" if cases else "   -"


def show(name: str, cases: Sequence[Case], mistakes: bool) -> None:
    print(f"\n{name}: {len(cases)} messages, right {share(cases)}")
    for team in TEAMS:
        part = [one for one in cases if one.team == team]
        print(f"  {team:<12} {share(part)}")
        for key in ("lang", "kind"):
            for value in dict.fromkeys(getattr(one, key) for one in part):
                print(f"    {value:<10} {share([x for x in part if getattr(x, key) == value])}")
    wrong = Counter((one.agent, one.chosen) for one in cases if not one.right)
    for (meant, got), number in wrong.most_common():
        print(f"  {meant} went to {got}: {number}")
    for one in cases if mistakes else ():
        if not one.right:
            print(f"  WRONG {one.agent} -> {one.chosen} ({one.current}): {one.text[:80]}")


def ablation(make: Callable[[], Comparing], letters: Comparing, name: str) -> None:
    """What is lost without a part."""
    usual = Calibration()
    parts = {
        "all": usual,
        "without trades": replace(usual, trade=0.0),
        "without meanings": replace(usual, meaning=0.0),
        "without letters": replace(usual, letters=0.0),
        "without kinds": replace(usual, idle_weight=0.0, bias=usual.bias - usual.idle_weight / 2),
        "meanings alone": replace(usual, trade=0.0, letters=0.0),
    }
    comparing = make()
    print(f"\n{name} without a part:")
    for told, calibration in parts.items():
        print(f"  {told:<18} {_both(judged(comparing, name, calibration=calibration))}")
    print(f"  {'without margin':<18} {_both(judged(comparing, name, margin=0.0))}")
    print(f"  {'no embedder':<18} {_both(judged(letters, name))}")
    tfidf = replace(usual, trade=0.0, meaning=0.0, letters=0.3)
    print(f"  {'TF-IDF alone':<18} {_both(judged(letters, name, calibration=tfidf))}")


def _both(cases: Sequence[Case]) -> str:
    return "   ".join(f"{t} {share([one for one in cases if one.team == t])}" for t in TEAMS)


# -- learning the calibration --------------------------------------------------------------------


def fit(comparings: Sequence[Comparing]) -> None:
    """Logistic regression of "is this the agent" on the evidence, weights at least 0."""
    rows: list[list[float]] = []
    wanted: list[float] = []
    counts: list[float] = []
    others, cases = cases_of("build")
    teams = {"four": four(), "fourteen": (*four(), *others)}
    for comparing in comparings:
        for case in cases:
            if case.current == case.agent:
                continue
            agents = teams[case.team]
            for row, want, count in asyncio.run(_evidence(comparing, case, agents)):
                rows.append(row)
                wanted.append(want)
                counts.append(count)
    x, y, n = np.array(rows), np.array(wanted), np.array(counts)
    weights, bias = np.zeros(x.shape[1]), 0.0
    for _ in range(3000):
        error = (1 / (1 + np.exp(-(x @ weights + bias))) - y) * n
        weights = np.maximum(0.0, weights - 2 * x.T @ error / len(y) - 0.001 * weights)
        bias -= 2 * float(error.mean())
    print(f"evidence, lead, idle, everyday: {weights.round(2).tolist()}, bias {bias:.2f}")


async def _evidence(
    comparing: Comparing, case: Case, agents: tuple[AgentDNA, ...]
) -> list[tuple[list[float], float, float]]:
    from skill_agent.team.gate.skill_match import lead_of

    subject = subject_of(TurnRequest(case.text))
    compared = await comparing.compared(subject, agents)
    matches, most = compared.matches, compared.match.calibration.lead
    leads = lead_of(matches.evidence, most)
    found: list[tuple[list[float], float, float]] = []
    for number, dna in enumerate(agents):
        if dna.slug == DEFAULT:  # it answers what nobody matches
            continue
        want = float(case.agent != DEFAULT and dna.slug in (case.agent, *case.also))
        row = [
            float(matches.evidence[number]), float(leads[number]), -subject.idle,
            -matches.heard.everyday,
        ]  # fmt: skip
        found.append((row, want, 1.0 if want else 3.0 / len(agents)))
    return found


# -- speed ---------------------------------------------------------------------------------------


def speed(make: Callable[[], Comparing]) -> None:
    _, cases = cases_of("build")
    texts = [case.text for case in cases]
    for size in (4, 100, 1000):
        agents = (*four(), *_crowd(size - 4))
        asyncio.run(_timed(make(), agents, texts))


def _crowd(number: int) -> list[AgentDNA]:
    others = [one for name in ("build", "choose") for one in cases_of(name)[0]]
    made: list[AgentDNA] = []
    for at in range(number):
        one = others[at % len(others)]
        bounds = one.boundaries.model_copy(
            update={"can_do": tuple(f"{text} {at}" for text in one.boundaries.can_do)}
        )
        made.append(one.model_copy(update={"slug": f"a{at}", "boundaries": bounds}))
    return made


async def _timed(comparing: Comparing, agents: tuple[AgentDNA, ...], texts: Sequence[str]) -> None:
    begun = time.process_time()
    compared = await comparing.compared(subject_of(TurnRequest(texts[0])), agents)
    made = time.process_time() - begun
    known = {one.slug: one for one in agents}
    whole: list[float] = []
    without: list[float] = []
    for text in texts:
        start = time.process_time()
        subject = subject_of(TurnRequest(text))
        compared = await comparing.compared(subject, agents)
        found = standing(compared, similar={}, trust={}, loads={})
        chosen(found, known, current=None, default=DEFAULT)
        found.told()
        whole.append(time.process_time() - start)
        start = time.process_time()
        matches = compared.match.matches(subject.text, compared.vector, idle=subject.idle)
        found = standing(replace(compared, matches=matches), similar={}, trust={}, loads={})
        chosen(found, known, current=None, default=DEFAULT)
        found.told()
        without.append(time.process_time() - start)
    for told, taken in (("whole", whole), ("embedded before", without)):
        p50, p95 = np.percentile(np.array(taken) * 1000, [50, 95])
        print(f"  {len(agents):>4} agents, {told:<15} p50 {p50:5.1f} ms  p95 {p95:5.1f} ms")
    print(f"  {len(agents):>4} agents, made ready in {made:.2f} s of the processor")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help="default: build and choose")
    parser.add_argument("--embedder", default=EMBEDDER, metavar="NAME")
    parser.add_argument("--models", type=Path, default=find_home().models)
    for flag in ("letters", "show", "ablation", "speed", "fit", "json"):
        parser.add_argument(f"--{flag}", action="store_true")
    arguments = parser.parse_args()
    if unknown := {*arguments.sets} - {*SETS}:
        parser.error(f"no set {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    embedder = None if arguments.letters else chosen_embedder(arguments.embedder, arguments.models)
    if embedder is not None and embedder.dimensions < 2:
        print("no embedder; run `ska models pull`, or give --models or --letters", file=sys.stderr)
        return 2
    return _measured(arguments, embedder)


def _measured(arguments: argparse.Namespace, embedder: "Embedder | None") -> int:
    def make(chosen_one: "Embedder | None" = embedder) -> Comparing:
        found = None if chosen_one is None else lambda: chosen_one
        return Comparing(skills=book(), embedder=found, folder=None, patience_s=600)  # type: ignore[arg-type]

    if arguments.fit:
        names = (EMBEDDER, "use-multilingual-3")
        fit([make(chosen_embedder(name, arguments.models)) for name in names])
        return 0
    if arguments.speed:
        speed(make)
        return 0
    comparing = make()
    for name in arguments.sets or SETS[:2]:
        if arguments.ablation:
            ablation(make, make(None), name)
            continue
        cases = judged(comparing, name)
        if arguments.json:
            figures = {t: [x.right for x in cases if x.team == t] for t in TEAMS}
            row = {t: round(sum(found) / max(1, len(found)), 4) for t, found in figures.items()}
            print(json.dumps({"set": name, "messages": len(cases), **row}))
        else:
            show(name, cases, arguments.show)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
