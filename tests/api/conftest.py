"""A real server on a loopback port, and the whole API of a scripted home behind it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
import pytest
import uvicorn
from api_home import Api, OpenApi, Present, Served, until
from fakes import OpenRuntime, StepClock

from skill_agent.api.app import create_app
from skill_agent.api.door.protect import protect
from skill_agent.api.door.traffic import AsgiApp
from skill_agent.models.scripted import ScriptedModel
from skill_agent.workstation import Workstation


@pytest.fixture
def served() -> Served:
    """Serves an app on a free loopback port for as long as the block runs; gives its URL."""

    @asynccontextmanager
    async def serving(app: AsgiApp) -> AsyncIterator[str]:
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=2)  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        running = asyncio.create_task(server._serve([bound]))
        await until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running

    return serving


@pytest.fixture(scope="session")
def present() -> Present:
    return Present()


@pytest.fixture(scope="session")
def whole_app(present: Present) -> AsgiApp:
    return create_app(cast(Workstation, present), local=True)


@pytest.fixture(scope="session")
def outer_app(present: Present) -> AsgiApp:
    """As over TCP."""
    return create_app(cast(Workstation, present), local=False)


@pytest.fixture
def open_api(
    open_runtime: OpenRuntime,
    served: Served,
    clock: StepClock,
    present: Present,
    whole_app: AsgiApp,
) -> OpenApi:
    """Opens the test's home and serves its whole API: `open_api(*replies)`."""

    @asynccontextmanager
    async def opened(*replies: object, **settings: object) -> AsyncIterator[Api]:
        model = ScriptedModel(list(replies), **settings)  # type: ignore[arg-type]
        async with open_runtime(model) as runtime:
            present.station = runtime
            app = protect(whole_app, home=runtime.home, clock=clock, tcp=False)
            async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
                yield Api(url=url, http=http, runtime=runtime, model=model)

    return opened
