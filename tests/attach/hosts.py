"""Hosts for the tests: a home served over a real Unix socket in this loop, or by a process that
dies on cue."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fakes import HashEmbedder, StepClock
from skill_agent.cli.opening.home_files import init_home
from skill_agent.cli.opening.hosting import Hosted
from skill_agent.cli.opening.joining import joined
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.store.lock import HomeLock

from skill_agent.attach.remote_workstation import RemoteWorkstation
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.workstation import Workstation

OpenStation = Callable[[ScriptedModel], AbstractAsyncContextManager[Workstation]]
OpenWindow = Callable[..., AbstractAsyncContextManager[tuple[RemoteWorkstation, Runtime]]]

MORTAL = Path(__file__).parent / "mortal_host.py"


@asynccontextmanager
async def serving(home: Home, model: ScriptedModel, clock: StepClock) -> AsyncIterator[Runtime]:
    """The home held and served in this process, its socket open from the start."""
    init_home(home)
    lock = HomeLock(home.lock, role="test")
    assert lock.try_acquire()
    host = Hosted(home, lock, _options(model, clock))
    await host.open()
    try:
        await host._door.open_socket()
        yield host.runtime
    finally:
        await host.close()


def _options(model: ScriptedModel, clock: StepClock) -> OpenOptions:
    return OpenOptions(
        role="test", gateway=ScriptedGateway(model), embedder=HashEmbedder(), clock=clock
    )


@asynccontextmanager
async def attached(
    home: Home, clock: StepClock, *, model: ScriptedModel | None = None
) -> AsyncIterator[RemoteWorkstation]:
    """A window on a home that somebody serves; `model` speaks once this process has taken over."""
    options = _options(model or ScriptedModel(otherwise="taken over"), clock)
    async with joined(home, options) as found:
        assert isinstance(found, RemoteWorkstation)
        yield found


@asynccontextmanager
async def dying(home: Home, mode: str) -> AsyncIterator["asyncio.subprocess.Process"]:
    """Another process that serves the home and kills itself as `mode` says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(MORTAL), str(home.root), mode, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
