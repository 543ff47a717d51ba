"""The test's home as seen from within its process and from another one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes import StepClock
from hosts import OpenStation, OpenWindow, attached, serving

from skill_agent.attach.remote_workstation import RemoteWorkstation
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.workstation import Workstation


@pytest.fixture
def open_window(home: Home, clock: StepClock) -> OpenWindow:
    """A window and the runtime behind it: `open_window(model)`."""

    @asynccontextmanager
    async def opened(model: ScriptedModel) -> AsyncIterator[tuple[RemoteWorkstation, Runtime]]:
        async with serving(home, model, clock) as runtime, attached(home, clock) as window:
            yield window, runtime

    return opened


@pytest.fixture(params=["in-process", "attached"])
def open_station(request: pytest.FixtureRequest, home: Home, clock: StepClock) -> OpenStation:
    """The home's workstation, in its own process and from another one."""

    @asynccontextmanager
    async def opened(model: ScriptedModel) -> AsyncIterator[Workstation]:
        async with serving(home, model, clock) as runtime:
            if request.param == "in-process":
                yield runtime
                return
            async with attached(home, clock) as window:
                yield window

    return opened
