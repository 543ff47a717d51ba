"""A home with everything in it, served whole in a thread: as over TCP and as on its own socket.

For clients that are not asynchronous. Nothing but the model and the embedder is made up.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fakes import HashEmbedder, obliging
from skill_agent.cli.opening.home import open_home

from skill_agent.access.keys import SCOPES, KeyRing, keys_file
from skill_agent.api.app import BY_HAND, create_app
from skill_agent.api.door.limiting import PER_MINUTE, Limiter
from skill_agent.api.door.protect import protect
from skill_agent.api.door.rules import rules_from
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import NewMemory
from skill_agent.workstation import table

NO_LIMITS: Mapping[Any, int] = {kind: 10**9 for kind in PER_MINUTE}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """A served home and what stands in it."""

    folder: Path
    runtime: Runtime
    loop: asyncio.AbstractEventLoop
    tcp: str
    """URL where an API key is needed."""
    own: str
    """URL of what the home's own socket offers."""
    door: str
    """URL of the home's own listener on TCP, with the usual limits."""
    key: str
    """With every scope."""
    session: str
    turn: str
    reply: str
    memory: str

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Something done inside, from outside."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def client(self, *, own: bool = False, key: str | None = None) -> httpx.Client:
        given = self.key if key is None else key
        headers = {"Authorization": f"Bearer {given}"} if given and not own else {}
        return httpx.Client(base_url=self.own if own else self.tcp, headers=headers, timeout=60)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Opens and serves a home below the folder for as long as the block runs."""
    begun, end = threading.Event(), threading.Event()
    found: list[World | BaseException] = []

    async def live() -> None:
        try:
            async with _open(folder) as made:
                found.append(made)
                begun.set()
                await asyncio.to_thread(end.wait)
        except BaseException as problem:
            found.append(problem)
            begun.set()

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="world")
    thread.start()
    begun.wait()
    try:
        if not isinstance(found[0], World):
            raise found[0]
        yield found[0]
    finally:
        end.set()
        thread.join()
    if isinstance(found[-1], BaseException):
        raise found[-1]


def _open(folder: Path):
    from contextlib import asynccontextmanager

    from guarded import on_a_port

    @asynccontextmanager
    async def opened():
        home = folder / "home"
        opening = open_home(
            home,
            create=True,
            hosting=True,
            role="up",
            gateway=ScriptedGateway(ScriptedModel([obliging] * 1_000_000)),
            embedder=HashEmbedder(),
            clock=now,
        )
        async with opening as runtime:
            assert isinstance(runtime, Runtime)
            _, key = KeyRing(keys_file(home), now).create("test", SCOPES)
            rules = rules_from([*(one.route for one in table()), *BY_HAND])
            tcp = protect(
                create_app(runtime, local=False), home=runtime.home, clock=now, tcp=True,
                rules=rules, limiter=Limiter(now, NO_LIMITS),
            )  # fmt: skip
            own = protect(
                create_app(runtime, local=True), home=runtime.home, clock=now, tcp=False,
                rules=rules,
            )  # fmt: skip
            async with on_a_port(tcp) as one, on_a_port(own) as other:
                ends = [event async for event in runtime.ask("@kyra I like green tea")]
                address = await runtime.host.listen("127.0.0.1", 0)
                memory = await runtime.memory.add(
                    NewMemory("The bread is blue", subject="user.bread")
                )
                yield World(
                    folder=folder, runtime=runtime, loop=asyncio.get_running_loop(),
                    tcp=f"http://127.0.0.1:{one}", own=f"http://127.0.0.1:{other}",
                    door=f"http://{address}", key=key,
                    session=ends[-1].session, turn=ends[-1].turn,
                    reply=getattr(ends[-1], "message_id", ""), memory=memory.id,
                )  # fmt: skip
                await tcp.close()

    return opened()
