"""How well code tells what concerns the team from what is somebody's own, in seven languages.

    python benchmarks/memory/sharing.py [--set build|choose|final] [--lang de] [--learn]
                                        [--show] [--json]

Each sentence of sharing_SET.json is judged by its words alone (`memory/extraction/concerns`). It
prints, for all languages and each,

    precision  sentences rightly shared / all that were shared
    recall     sentences rightly shared / all that are the team's

`--learn` prints weights learned from the build set (ridge logistic regression, the whole of it in a
second), to be put into `concerns.WEIGHTS` by hand. The threshold is chosen on `choose`; `final` is
looked at once. Exit code 1: precision under .9 or recall under .6; 2: no such set.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skill_agent.memory.extraction.concerns import SHARES, WEIGHTS, chance_of, signs_in

PRECISION, RECALL = 0.9, 0.6
_RIDGE, _STEPS = 1.0, 100
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Case:
    """A labelled sentence."""

    lang: str
    text: str
    shared: bool


def read_cases(name: str) -> list[Case]:
    told = json.loads((_FOLDER / f"sharing_{name}.json").read_text("utf-8"))
    return [Case(**one) for one in told["cases"]]


def measured(cases: Sequence[Case]) -> dict[str, float]:
    """Precision and recall over some cases."""
    told = [(one.shared, chance_of(one.text, one.lang) >= SHARES) for one in cases]
    right = sum(is_so and said for is_so, said in told)
    said = sum(said for _, said in told)
    there = sum(is_so for is_so, _ in told)
    return {
        "cases": len(told),
        "precision": round(right / said, 3) if said else 1.0,
        "recall": round(right / there, 3) if there else 1.0,
    }


def learned(cases: Sequence[Case]) -> dict[str, float]:
    """Weights by Newton's method; the bias is not held back."""
    names = [name for name in WEIGHTS if name != "bias"]
    rows = np.array([[1.0, *(signs_in(one.text, one.lang)[n] for n in names)] for one in cases])
    wanted = np.array([float(one.shared) for one in cases])
    ridge = np.diag([0.0, *[_RIDGE] * len(names)])
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (likely - wanted) + ridge @ weights
        bend = (rows * (likely * (1 - likely))[:, None]).T @ rows + ridge
        weights -= np.linalg.solve(bend, slope)
    return dict(zip(["bias", *names], weights.round(2).tolist(), strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", default="choose", choices=("build", "choose", "final"))
    parser.add_argument("--lang")
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    if not (_FOLDER / f"sharing_{wanted.set}.json").is_file():
        print(f"there is no set {wanted.set}", file=sys.stderr)
        return 2
    if wanted.learn:
        print(json.dumps(learned(read_cases("build"))))
        return 0
    cases = [one for one in read_cases(wanted.set) if wanted.lang in (None, one.lang)]
    languages = dict.fromkeys(one.lang for one in cases)
    figures: dict[str, Any] = measured(cases) | {
        "languages": {code: measured([c for c in cases if c.lang == code]) for code in languages}
    }
    if wanted.json:
        print(json.dumps(figures))
    else:
        _tell(figures)
    if wanted.show:
        _tell_mistakes(cases)
    return int(figures["precision"] < PRECISION or figures["recall"] < RECALL)


def _tell(figures: dict[str, Any]) -> None:
    for code, one in [("all", figures), *figures["languages"].items()]:
        print(f"{code:4} {one['cases']:4}  precision {one['precision']:.2f}"
              f"  recall {one['recall']:.2f}")  # fmt: skip


def _tell_mistakes(cases: Sequence[Case]) -> None:
    for one in cases:
        chance = chance_of(one.text, one.lang)
        if (chance >= SHARES) != one.shared:
            print(f"{'missed' if one.shared else 'WRONG '} {chance:.2f} {one.lang} {one.text}")


if __name__ == "__main__":
    sys.exit(main())
