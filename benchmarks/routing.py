"""How well it is told which tier a message needs, and what that saves, on labelled messages.

    python benchmarks/routing.py [build|choose|final …] [--embedder NAME] [--letters] [--ablation]
                                 [--show] [--prices FAST BALANCED POWERFUL] [--json]

    exact     given the tier of the label
    right     given that one, or another that the label calls as good
    under     messages that need the powerful tier and were given less: what a saving costs
    unsure    left to the balanced tier, or to the fast model where there is one to ask

Each message is judged by itself, after what the person said before it (`history`); that a
conversation is never lowered is left out, for it is a rule and no judgement. The examples the
router learns from lie in skill_agent/team/router/examples and share no message with the sets; its
figures were chosen on `build` and checked on `choose`.

Costs are those of litellm's list for the models named by --prices. A reply has about so many tokens
as its label says, whoever gives it: ASSUMED. Exit code 2: no embedder.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from skill_agent.store.embedders.choosing import chosen_embedder

from skill_agent.agents.tiers import TIERS
from skill_agent.files.home import find_home
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.models.remote_facts import price_list
from skill_agent.ports import Embedder
from skill_agent.team.router import difficulty as difficulty_module
from skill_agent.team.router import scorer
from skill_agent.team.router.difficulty import Difficulty
from skill_agent.team.router.score import overall, tier_of
from skill_agent.values import TierName

HERE = Path(__file__).parent
SETS = ("build", "choose", "final")
Mix = Mapping[TierName, float]
MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
ASSUMED = {"fast": (700, 120), "balanced": (900, 600), "powerful": (1_600, 2_400)}
"""Tokens of the prompt (the agent, what is recalled, the message) and of the reply."""
ORDINARY: Mix = {"fast": 60, "balanced": 30, "powerful": 10}
"""Of a hundred messages, in a home where most are small; assumed as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A labelled message and the tier it was given."""

    lang: str
    text: str
    tier: TierName
    also: tuple[str, ...]
    figure: float
    given: TierName
    unsure: bool
    ms: float

    @property
    def right(self) -> bool:
        return self.given == self.tier or self.given in self.also

    @property
    def under(self) -> bool:
        return self.tier == "powerful" and self.given != "powerful" and not self.right


def read_set(name: str) -> list[dict[str, Any]]:
    return json.loads((HERE / f"routing_{name}.json").read_text("utf-8"))["cases"]


async def judge(found: Difficulty, name: str, *, abstains: bool = True) -> list[Case]:
    """Every message of a set, as the router would have it."""
    cases: list[Case] = []
    for row in read_set(name):
        begun = time.perf_counter()
        complexity = await found.of(row["text"], earlier=row.get("history", ()))
        ms = (time.perf_counter() - begun) * 1000
        figure = overall(complexity)
        unsure = abstains and complexity.sure < scorer.SURE
        cases.append(
            Case(
                lang=row["lang"],
                text=row["text"],
                tier=row["tier"],
                also=tuple(row.get("also", ())),
                figure=figure,
                given="balanced" if unsure else tier_of(figure),
                unsure=unsure,
                ms=ms,
            )
        )
    return cases


def costs(cases: Sequence[Case], models: Sequence[str], mix: Mix) -> dict[str, float]:
    """US dollars for a hundred messages, by who answers; `mix` says how many need each tier."""
    prices = price_list()
    each = {tier: prices[model] for tier, model in zip(TIERS, models, strict=True)}

    def cost(case: Case, tier: str) -> float:
        prompt, reply = ASSUMED[case.tier]
        price = each[tier]
        usd = prompt * price["input_cost_per_token"] + reply * price["output_cost_per_token"]
        return usd * mix[case.tier] / sum(one.tier == case.tier for one in cases)

    return {
        "always powerful": sum(cost(one, "powerful") for one in cases),
        "always balanced": sum(cost(one, "balanced") for one in cases),
        "oracle": sum(cost(one, one.tier) for one in cases),
        "routed": sum(cost(one, one.given) for one in cases),
    }


def mixes(cases: Sequence[Case]) -> dict[str, Mix]:
    counted = Counter(one.tier for one in cases)
    as_it_is: Mix = {tier: 100 * counted[tier] / len(cases) for tier in TIERS}
    return {"as the set is": as_it_is, "an ordinary day": ORDINARY}


def figures(cases: Sequence[Case]) -> dict[str, Any]:
    powerful = [one for one in cases if one.tier == "powerful"]
    return {
        "messages": len(cases),
        "exact": _share(sum(one.given == one.tier for one in cases), len(cases)),
        "right": _share(sum(one.right for one in cases), len(cases)),
        "under": _share(sum(one.under for one in powerful), len(powerful)),
        "unsure": _share(sum(one.unsure for one in cases), len(cases)),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0


def _line(told: dict[str, Any]) -> str:
    return "  ".join(f"{name} {value:>5}" for name, value in told.items())


def show(name: str, cases: Sequence[Case], models: Sequence[str], *, mistakes: bool) -> None:
    print(f"\n{name}\n  {'all':<10} {_line(figures(cases))}")
    for lang in dict.fromkeys(one.lang for one in cases):
        print(f"  {lang:<10} {_line(figures([one for one in cases if one.lang == lang]))}")
    print(f"  {'given:':<12}" + "".join(f"{tier:>10}" for tier in TIERS))
    counted = Counter((one.tier, one.given) for one in cases)
    for tier in TIERS:
        print(f"  {tier:<12}" + "".join(f"{counted[tier, given]:>10}" for given in TIERS))
    for told, mix in mixes(cases).items():
        shares = ", ".join(f"{mix[tier]:.0f} {tier}" for tier in TIERS)
        print(f"  a hundred messages, {told} ({shares})")
        found = costs(cases, models, mix)
        for who, usd in found.items():
            saved = 100 * (usd / found["always powerful"] - 1)
            print(f"    {who:<16} ${usd:6.3f}  {saved:+4.0f} %")
    ms = sorted(one.ms for one in cases)
    cuts = quantiles(ms, n=20)
    print(f"  a message takes {cuts[9]:.1f} ms (p50), {cuts[18]:.1f} ms (p95)")
    for one in cases if mistakes else ():
        if not one.right:
            print(f"  {one.figure:5.2f} {one.given} for {one.tier}: {one.text[:100]!r}")


async def ablation(embedder: "Embedder | None", sets: Sequence[str]) -> None:
    """What each part is worth: the shares of exact and right without it."""
    shape, leans = scorer._SHAPE, difficulty_module._LEANS_FROM
    for told in ("whole", "meaning", "shape", "what was said before", "abstaining"):
        scorer._SHAPE = 0.0 if told == "shape" else shape
        never = told == "what was said before"
        difficulty_module._LEANS_FROM = 99.0 if never else leans
        difficulty_module._by_letters.cache_clear()
        found = difficulty_with(None if told == "meaning" else embedder)
        for name in sets:
            cases = await judge(found, name, abstains=told != "abstaining")
            without = told if told == "whole" else f"without {told}"
            print(f"  {without:<30} {name:<8} {_line(figures(cases))}")
    scorer._SHAPE, difficulty_module._LEANS_FROM = shape, leans


def difficulty_with(embedder: "Embedder | None") -> Difficulty:
    return Difficulty(embedder=None if embedder is None else (lambda: embedder))


async def measure(arguments: argparse.Namespace, embedder: "Embedder | None") -> int:
    found = difficulty_with(embedder)
    start = time.process_time()
    await found.warm()
    learning = time.process_time() - start
    sets = arguments.sets or SETS[:2]
    for name in sets:
        cases = await judge(found, name)
        if arguments.json:
            told = {"set": name, **figures(cases), "usd": {}}
            for which, mix in mixes(cases).items():
                told["usd"][which] = costs(cases, arguments.prices, mix)
            print(json.dumps(told))
        else:
            show(name, cases, arguments.prices, mistakes=arguments.show)
    if not arguments.json:
        print(f"\nthe examples are learned in {learning:.1f} s of the processor, once a home")
    if arguments.ablation:
        await ablation(embedder, sets)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help="default: build and choose")
    parser.add_argument("--letters", action="store_true", help="go without the embedder")
    parser.add_argument("--ablation", action="store_true", help="what each part is worth")
    parser.add_argument("--show", action="store_true", help="list the mistakes")
    parser.add_argument("--embedder", default=EMBEDDER, help="by name, in the home's models")
    parser.add_argument("--prices", nargs=3, default=MODELS, metavar="MODEL")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if unknown := {*arguments.sets} - {*SETS}:
        parser.error(f"no set {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    if arguments.letters:
        return asyncio.run(measure(arguments, None))
    found = chosen_embedder(arguments.embedder, find_home().models)
    if found.dimensions == 1:
        print("no embedder; run `ska models pull`, or give --letters", file=sys.stderr)
        return 2
    return asyncio.run(measure(arguments, found))


if __name__ == "__main__":
    raise SystemExit(main())
