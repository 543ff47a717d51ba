"""A home with a scripted model behind its whole API, and readers of what a stream says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import httpx

from skill_agent.api.door.traffic import AsgiApp
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel


class Present:
    """Whatever workstation is open now; so one app, slow to build, serves every test's home."""

    def __init__(self) -> None:
        self.station: Runtime | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.station, name)


Served = Callable[[AsgiApp], AbstractAsyncContextManager[str]]
"""The `served` fixture: serves an app on a loopback port, gives its URL."""


@dataclass(frozen=True)
class Api:
    """A served home."""

    url: str
    http: httpx.AsyncClient
    runtime: Runtime
    model: ScriptedModel

    @property
    def ws(self) -> str:
        return self.url.replace("http://", "ws://")


OpenApi = Callable[..., AbstractAsyncContextManager[Api]]
"""The `open_api` fixture: opens the test's home with these replies and serves it."""


async def until(holds: Callable[[], object]) -> None:
    """Returns once it holds; what it looks at tells nobody when it changes."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def until_idle(api: Api) -> None:
    """Returns once no turn runs."""
    for task in await api.runtime.turns.list():
        while (await api.runtime.turns.get(task.id)).state == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def frames(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The server-sent events of a chat stream; each one's name is its type."""
    event = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            frame = json.loads(line.removeprefix("data: "))
            assert frame["type"] == event
            yield frame
