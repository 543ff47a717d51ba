"""Which statements that change an earlier one are noticed, through the product's own path.

    python benchmarks/memory/changes.py [--set build] [--model NAME --home DIR] [--show] [--json]

Each case is a home of its own: its statements are kept in the order of their dates, as a person
asks for it, and compared as after a turn. With --model the model is asked as well about what code
left open, whether or not the product would ask it.

    noticed    cases that replace something of which the statement meant was replaced, disputed, or
               marked as not what was said last / all such cases
    precision  pairs noticed that are right / all pairs noticed
    retired    statements that gave way and should not have: must be none

The ablation tells what each rule noticed, rightly and wrongly, and what other heights of the gate
would do. Exit code 2: no such set, no embedder, or no such model.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from skill_agent.cli.opening.home_files import read_settings
from skill_agent.store.embedders.choosing import embedder_named

from skill_agent.errors import SkillAgentError
from skill_agent.files.home import find_home
from skill_agent.host.runtime import Runtime
from skill_agent.memory.contradictions.judge import GATE, judge_by_rules
from skill_agent.models.gateway import Gateway
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import Embedder, Model
from skill_agent.values import Memory, NewMemory

sys.path.append(str(Path(__file__).parents[1]))
from in_process import open_in_process

EMBEDDER = "all-minilm-l6-v2"
GATES = (0.25, 0.35, 0.45, 0.55, 0.65)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was noticed between the new statement of a case and one earlier statement."""

    case: dict[str, Any]
    old: int
    right: bool
    """The new statement does replace this one."""
    what: str
    """`replaced`, `disputed`, `updated`, `waiting` or empty."""
    why: str
    gates: dict[float, bool]
    """Whether it would be noticed with another height of the gate."""


class _Told:
    """A clock that stands where it is told."""

    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-01-01T00:00+00:00")

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


async def run(
    cases: Iterable[dict[str, Any]], embedder: Embedder, model: Model | None
) -> list[Seen]:
    """Every case in a home of its own."""
    seen: list[Seen] = []
    for case in cases:
        clock = _Told()
        with tempfile.TemporaryDirectory() as folder:
            gateway = ScriptedGateway(ScriptedModel())
            parts = {"embedder": embedder, "clock": clock, "gateway": gateway}
            async with open_in_process(folder, create=True, **parts) as runtime:
                seen += await _one(case, runtime, clock, embedder, model)
    return seen


async def _one(
    case: dict[str, Any], runtime: Runtime, clock: _Told, embedder: Embedder, model: Model | None
) -> list[Seen]:
    ids: dict[str, str] = {}
    for said in sorted([*case["old"], case["new"]], key=lambda one: one["at"]):
        clock.now = datetime.fromisoformat(said["at"].replace("Z", "+00:00"))
        ids[said["text"]] = (await runtime.memory.add(NewMemory(said["text"]))).id
        await runtime.memory.settle()
        while (await runtime.reconciler.catch_up()).behind:
            pass
    if model is not None:
        await runtime.reconciler.judge(model)
    updates = {(one.older.id, one.newer.id): one for one in await runtime.memory.updates()}
    texts = [one["text"] for one in case["old"]]
    new = await runtime.memory.get(ids[case["new"]["text"]])
    olds = [await runtime.memory.get(ids[text]) for text in texts]
    vectors = embedder.embed([new.content, *texts])
    seen: list[Seen] = []
    for at, old in enumerate(olds):
        update = updates.get((old.id, new.id))
        cosine = float(vectors[0] @ vectors[at + 1])
        ruled = _ruled(new, old, cosine)
        seen.append(
            Seen(
                case=case,
                old=at,
                right=case["expect"] == "replaces" and case["target"] == at,
                what=_what(old, new) or (update.state if update else ""),
                why=update.reason if update else ruled[GATE][1],
                gates={gate: ruled[gate][0] not in ("coexist", "same") for gate in GATES},
            )
        )
    return seen


def _what(old: Memory, new: Memory) -> str:
    if old.superseded_by == new.id:
        return "replaced"
    return "disputed" if new.id in old.contradicts else ""


def _ruled(new: Memory, old: Memory, cosine: float) -> dict[float, tuple[str, str]]:
    """What code would say at each height of the gate, of the two as they were."""
    fresh = [replace(one, status="active", related_to=()) for one in (new, old)]
    told = {}
    for gate in GATES:
        one = judge_by_rules(*fresh, cosine=cosine + GATE - gate, changes=False)
        told[gate] = (one.action, one.reason)
    return told


def figures(seen: list[Seen]) -> dict[str, Any]:
    """The figures of some of what was seen."""
    wanted = [one for one in seen if one.right]
    found = [one for one in seen if one.what]
    right = [one for one in found if one.right]
    same = [one for one in found if one.case["expect"] == "same"]
    told = len(found) - len(same)
    return {
        "pairs": len(seen),
        "changes": len(wanted),
        "noticed": round(len(right) / len(wanted), 3) if wanted else None,
        "precision": round(len(right) / told, 3) if told else None,
        "retired": sum(one.what == "replaced" and not one.right for one in found) - len(same),
    }


def report(seen: list[Seen]) -> dict[str, Any]:
    """All of it, and by language, style and rule."""
    told: dict[str, Any] = {"all": figures(seen)}
    for name in ("lang", "style"):
        groups: dict[str, list[Seen]] = defaultdict(list)
        for one in seen:
            groups[one.case[name]].append(one)
        told[name] = {key: figures(group) for key, group in groups.items()}
    told["what"] = dict(Counter(one.what or "nothing" for one in seen if one.right))
    told["rules"] = {
        why: {"right": sum(o.right for o in group), "wrong": sum(not o.right for o in group)}
        for why in {one.why for one in seen if one.what}
        if (group := [one for one in seen if one.what and one.why == why])
    }
    told["gates"] = {
        str(gate): {
            "noticed": sum(one.gates[gate] for one in seen if one.right),
            "wrong": sum(one.gates[gate] for one in seen if not one.right),
        }
        for gate in GATES
    }
    return told


def _print(told: dict[str, Any]) -> None:
    print("all", told["all"])
    for name in ("lang", "style"):
        for key, one in told[name].items():
            noticed, precise = (str(one[figure]) for figure in ("noticed", "precision"))
            count = f"of {one['changes']} in {one['pairs']} pairs"
            print(f"  {name} {key:10} noticed {noticed:6} precision {precise:6} {count}")
    print("what was noticed:", told["what"])
    for why, one in told["rules"].items():
        print(f"  rule: {why}: right {one['right']}, wrong {one['wrong']}")
    for gate, one in told["gates"].items():
        print(f"  gate at {gate} (pairs alone): right {one['noticed']}, wrong {one['wrong']}")


async def main(options: argparse.Namespace) -> int:
    file = Path(__file__).with_name(f"changes_{options.set}.json")
    home = find_home(options.home)
    embedder = embedder_named(options.embedder, home.models)
    if not file.is_file() or embedder is None:
        print(f"no {file.name}" if embedder else "the embedder is not installed", file=sys.stderr)
        return 2
    cases = json.loads(file.read_text("utf-8"))["cases"]
    gateway = Gateway(read_settings(home), home) if options.model else None
    try:
        model = await gateway.model(options.model) if gateway else None
        seen = await run(cases, embedder, model)
    except SkillAgentError as problem:
        print(problem.message, file=sys.stderr)
        return 2
    finally:
        if gateway is not None:
            await gateway.close()
    told = report(seen)
    if options.json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _print(told)
    for one in seen if options.show else ():
        if bool(one.what) != one.right:
            old = one.case["old"][one.old]["text"]
            print(
                f"{one.what or 'missed'} | {one.case['lang']} | {old} | {one.case['new']['text']}"
            )
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--set", default="build", choices=("build", "choose", "final", "fresh"))
    parser.add_argument("--model", default="")
    parser.add_argument("--home", default=None)
    parser.add_argument("--embedder", default=EMBEDDER)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--json", action="store_true")
    raise SystemExit(asyncio.run(main(parser.parse_args())))
