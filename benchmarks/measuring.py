"""Timing whole processes and printing what was measured on this run."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure beside its baseline of the same run and its budget."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    baseline: float | None = None
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """Whether the budget (an upper bound, or a lower one for shares) was kept."""
        if self.budget is None:
            return None
        higher_is_better = self.unit == "share"
        return self.value >= self.budget if higher_is_better else self.value <= self.budget


def process_seconds(
    command: Sequence[str], *, rounds: int = 5, env: dict[str, str] | None = None
) -> float:
    """Best wall-clock time of a process that must succeed; the first, cold round is not counted."""
    best = float("inf")
    for number in range(rounds + 1):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, env=env, stdin=subprocess.DEVNULL)
        spent = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.decode()[-2000:]}")
        best = min(best, spent) if number else best
    return best


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def show(title: str, rows: Sequence[Row], *, as_json: bool) -> None:
    """A table on stdout, or the same as JSON."""
    if as_json:
        print(json.dumps({"title": title, "rows": [asdict(r) | {"kept": r.kept} for r in rows]}))
        return
    print(f"\n{title}")
    print(f"{'what':<58} {'measured':>12} {'baseline':>10} {'budget':>10}")
    for row in rows:
        budget = "" if row.budget is None else f"{row.budget:.3f}"
        baseline = "" if row.baseline is None else f"{row.baseline:.3f}"
        mark = {True: "ok", False: "MISSED", None: ""}[row.kept]
        value = f"{row.value:.3f} {row.unit}"
        print(f"{row.what:<58} {value:>12} {baseline:>10} {budget:>10} {mark} {row.note}")
