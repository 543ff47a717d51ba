"""Shared fixtures: a home of its own for every test, and runtimes over real stores."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fakes import HashEmbedder, OpenRuntime, StepClock

from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel


def pytest_configure() -> None:
    """A shell ignores Ctrl+C for what it starts in the background, and children inherit that; the
    tests of Ctrl+C would wait for ever."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the machine's home, keys or settings."""
    import os

    for name in list(os.environ):
        if name.startswith("SKILL_AGENT_") and name != "SKILL_AGENT_MODEL_CACHE":
            monkeypatch.delenv(name)
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SKILL_AGENT_HOME", str(tmp_path / "home"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The paths of a home that is not made yet."""
    return Home(tmp_path / "home")


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def open_runtime(home: Home, clock: StepClock) -> OpenRuntime:
    """Opens the test's home over real stores: `open_runtime(model)`."""
    from skill_agent.cli.opening.home import open_home

    @asynccontextmanager
    async def opened(model: ScriptedModel) -> AsyncIterator[Runtime]:
        opener = partial(open_home, home.root, create=True)
        gateway = ScriptedGateway(model)
        async with opener(gateway=gateway, embedder=HashEmbedder(), clock=clock) as runtime:
            yield runtime

    return opened
