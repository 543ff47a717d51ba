"""`ska serve`: the home's API on TCP, for as long as this process stays.

Whoever hosts the home listens; what is refused, and why, is the door's to say.
"""

import asyncio
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.events import HostFound, HostLost

from ..event_loop import run
from ..opening.running import ready_home
from ..options import single
from ..output import emit_text, narrate
from ..surroundings import Surroundings, on_this_machine

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

PORT = 8347

_AGAIN_S = 5.0
"""How long a dead host's address may stay taken."""
_LOOK_S = 0.1
_ORIGIN = re.compile(r"\*|https?://[^/\s?#@*]+")

app = single()


@app.command()
def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="0 takes a free one.")
    ] = (PORT),
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let every program on this machine in without a key.")
    ] = False,
    cors: Annotated[
        list[str] | None,
        typer.Option("--cors", metavar="ORIGIN", help="Website that may call; repeatable."),
    ] = None,
) -> None:
    """Serve the home's API over the network.

    Prints the address and stays until Ctrl+C. Callers need an API key (`ska keys create NAME`).
    Without a key, only programs on this machine can be let in. No website may call unless named.

    \b
    Examples:
      ska serve
      ska serve --host 0.0.0.0 --port 8000
      ska serve --no-auth --cors http://localhost:3000

    \b
    Exit codes: 0 ended, 2 the address cannot be had or would not be safe.
    """
    around = on_this_machine(ctx)
    wanted = _Wanted(host, port, not no_auth, _origins(cors or []))
    ready_home(around)
    run(_serve(around, wanted))


_OPEN = (
    "warning: no key is asked for. Every user and program of this machine can read and change all "
    "of this home, and a web page that a browser shows from this machine may ask, too."
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What shall be listened on."""

    host: str
    port: int
    auth: bool
    cors: tuple[str, ...]


def _origins(given: list[str]) -> tuple[str, ...]:
    for origin in given:
        if not _ORIGIN.fullmatch(origin):
            raise UsageError(
                f"{origin!r} is no origin of a website", hint="--cors https://example.org"
            )
    return tuple(given)


async def _serve(around: Surroundings, wanted: _Wanted) -> None:
    from .until_stopped import end_signal, until_stopped

    with end_signal() as told:
        async with around.open_home(role="serve", hosting=True) as station:
            address = await _listen(station, wanted)
            emit_text(f"http://{address}")
            sys.stdout.flush()
            narrate("Ctrl+C ends it")
            if not wanted.auth:
                narrate(_OPEN)
            again = asyncio.create_task(_listen_again(station, wanted, address))
            try:
                await until_stopped(station, told)
            finally:
                again.cancel()
                await asyncio.gather(again, return_exceptions=True)
            if not getattr(station, "here", True):  # a host of our own ends its turns first
                with suppress(SkillAgentError):
                    await station.host.unlisten(address)


async def _listen(station: "Workstation", wanted: _Wanted) -> str:
    return await station.host.listen(wanted.host, wanted.port, auth=wanted.auth, cors=wanted.cors)


async def _listen_again(station: "Workstation", wanted: _Wanted, address: str) -> None:
    """Listens on the same address whenever another process has become host."""
    same = _Wanted(wanted.host, int(address.rpartition(":")[2]), wanted.auth, wanted.cors)
    with station.turns.subscribe() as events:
        async for event in events:
            match event:
                case HostLost(pid=pid):
                    narrate(f"the host (process {pid}) is gone")
                case HostFound(pid=pid):
                    await _take_up(station, same)
                    narrate(f"process {pid} serves http://{address} now")


async def _take_up(station: "Workstation", same: _Wanted) -> None:
    until = time.monotonic() + _AGAIN_S
    while True:
        try:
            await _listen(station, same)
            return
        except SkillAgentError as error:
            if time.monotonic() > until:
                narrate(f"not served any more: {error.message}")
                return
        await asyncio.sleep(_LOOK_S)
