"""What stands under a run of the tests: where processor time went by folder, and remarks.

Processor seconds, not the clock's: they say the same on a machine where others work. What a test's
child processes took counts once they have ended. Each worker collects all tests by itself; that is
a line of its own. With `--durations` the dearest tests are listed too.
"""

import json
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

BUDGETS = Path(__file__).with_name("cpu_budgets.json")
"""Processor seconds by folder as last agreed on, all lanes but the deep ones."""
DOUBLED = 2.0
LEAST_WARNED_OF = 10.0
DEAREST = 25
PROPERTY, REMARK = "cpu_seconds", "remark"


def spent() -> float:
    """Processor seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def folder_of(nodeid: str) -> str:
    """`tests/api` of `tests/api/test_app.py::test_x`; `tests` of what lies in no folder."""
    parts = nodeid.split("::")[0].split("/")
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


class RunReport:
    """Measures in each worker, adds up where the run is reported."""

    def __init__(self) -> None:
        self.mark = 0.0
        self.by_test: dict[str, float] = {}
        self.by_folder: dict[str, float] = {}
        self.workers = 0.0
        self.remarks: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        self.mark = spent()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, Any]:
        report = yield
        now = spent()
        report.user_properties = [*report.user_properties, (PROPERTY, now - self.mark)]
        self.mark = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, float):
                folder = folder_of(report.nodeid)
                self.by_test[report.nodeid] = self.by_test.get(report.nodeid, 0.0) + value
                self.by_folder[folder] = self.by_folder.get(folder, 0.0) + value
            if name == REMARK and report.when == "call":
                self.remarks.append(str(value))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[PROPERTY] = spent()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.workers += getattr(node, "workeroutput", {}).get(PROPERTY, 0.0)

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        if hasattr(config, "workerinput") or not self.by_test:
            return
        # Workers are children of this process, but how it counts them depends on how they end.
        whole = self.workers + sum(os.times()[:2]) if self.workers else spent()
        rest = whole - sum(self.by_folder.values())
        terminalreporter.section("processor seconds")
        for folder, seconds in Counter(self.by_folder).most_common():
            terminalreporter.line(f"{seconds:8.1f}  {folder}{_against_budget(folder, seconds)}")
        terminalreporter.line(f"{rest:8.1f}  starting, collecting, between the tests")
        terminalreporter.line(f"{whole:8.1f}  in all")
        if config.getoption("durations") is not None:
            for test, seconds in Counter(self.by_test).most_common(DEAREST):
                terminalreporter.line(f"{seconds:8.1f}  {test[:110]}")
        for remark in sorted(self.remarks):
            terminalreporter.line(f"remark: {remark}", yellow=True)


def _against_budget(folder: str, seconds: float) -> str:
    budget = json.loads(BUDGETS.read_text(encoding="utf-8")).get(folder, LEAST_WARNED_OF)
    if seconds <= max(DOUBLED * budget, LEAST_WARNED_OF):
        return ""
    return f"   <- twice its {budget} of {BUDGETS.name}: find out why, or agree on more"
