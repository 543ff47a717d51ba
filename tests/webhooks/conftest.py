"""A home that may tell this machine's own addresses, and receivers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fakes import HashEmbedder, StepClock
from in_process import open_in_process
from receiver import Receiver, receiving
from skill_agent.cli.opening.home_files import init_home
from webhook_home import Opened

from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel

ALLOWED = '[webhooks]\nallow_private = ["127.0.0.1", "localhost"]\n'


@pytest.fixture
def opened(home: Home, clock: StepClock) -> Opened:
    """Opens the test's home; nothing is sent but where a test asks for it (`told`)."""

    @asynccontextmanager
    async def open_it(**parts: Any) -> AsyncIterator[Runtime]:
        if not home.exists:
            init_home(home)
            home.config.write_text(ALLOWED, encoding="utf-8")
        gateway = ScriptedGateway(ScriptedModel(otherwise="All right."))
        async with open_in_process(
            home.root, gateway=gateway, embedder=HashEmbedder(), clock=clock, **parts
        ) as runtime:
            yield runtime

    return open_it


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found
