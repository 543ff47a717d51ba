"""A home whose process stays, with a clock that is moved by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from fakes import HashEmbedder, StepClock
from job_home import OpenHost

from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel


@pytest.fixture
def open_host(home: Home, clock: StepClock) -> OpenHost:
    """Opens the test's home as a process that stays: `open_host(model)`."""
    from in_process import open_in_process

    @asynccontextmanager
    async def opened(model: ScriptedModel, *, hosting: bool = True) -> AsyncIterator[Runtime]:
        opener = partial(open_in_process, home.root, create=True, hosting=hosting)
        async with opener(
            gateway=ScriptedGateway(model), embedder=HashEmbedder(), clock=clock
        ) as runtime:
            yield runtime

    return opened
