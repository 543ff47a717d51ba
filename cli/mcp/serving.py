"""`ska mcp serve`: the home over standard streams.

A relay: what a client says goes to the host of the home, where the server runs. Where nobody hosts
the home, this process does, and is its own host's client.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.backups.unfinished import check_not_half_restored
from skill_agent.errors import HomeBusy, NotFound, SkillAgentError

from ..event_loop import run
from ..streams import NobodyReads
from ..surroundings import Surroundings, on_this_machine

if TYPE_CHECKING:
    from skill_agent.attach.remote import Remote
    from skill_agent.mcp_server.relay import Wire

    from ..opening.hosting import Hosted

PATIENCE_S = 60.0
"""How long a home is waited for whose holder does not answer."""
_AGAIN_S = 0.05


def register(app: typer.Typer) -> None:
    """Puts the command on its group."""
    app.command()(serve)


def serve(
    ctx: typer.Context,
    sees_as: Annotated[
        str,
        typer.Option(
            "--as", metavar="AGENT", help="See and write as this agent of your team (else its own)."
        ),
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Offer nothing that changes or asks anything.")
    ] = False,
) -> None:
    """Serve the home to one program over stdin and stdout.

    Programs start this themselves: put it into their settings, or let `ska mcp install` do that.
    Each gets an agent of its own to see with, named after it, unless --as names one. Nothing but
    the protocol goes to stdout. Over the network the same is at /mcp of `ska serve`, with a key.

    \b
    Examples:
      ska mcp serve
      ska mcp serve --as kyra --read-only
      ska --home ~/work mcp serve

    \b
    Exit codes: 0 the program has gone, 1 failed, 2 no home or no such agent, 141 nobody reads,
    143 told to end.
    """
    around = on_this_machine(ctx)
    home = around.home
    if not home.exists:
        check_not_half_restored(home)
        raise NotFound(f"there is no skill-agent home at {home.root}", hint="ska init")
    run(_serve(around, sees_as, read_only))


async def _serve(around: Surroundings, sees_as: str, read_only: bool) -> None:
    from skill_agent.mcp_server.relay import ClientGone, Relay

    from .streams import Standard

    async with AsyncExitStack() as ending:
        way = _Way(around, sees_as, read_only, ending)
        first = await way.join()  # what is wrong is told before anything is read
        found: list[Wire] = [first]

        async def join() -> "Wire":
            return found.pop() if found else await way.join()

        relay = asyncio.create_task(Relay(Standard(), join).run())
        stopped = asyncio.create_task(way.stopped.wait())
        try:
            await asyncio.wait((relay, stopped), return_when=asyncio.FIRST_COMPLETED)
            if relay.done():
                relay.result()
        except ClientGone:
            raise NobodyReads from None
        finally:
            relay.cancel()
            stopped.cancel()
            await asyncio.gather(relay, stopped, return_exceptions=True)


class _Way:
    """How this process comes to a host: another's, or its own."""

    def __init__(
        self, around: Surroundings, sees_as: str, read_only: bool, ending: AsyncExitStack
    ) -> None:
        self._around, self._ending = around, ending
        self._sees_as, self._read_only = sees_as, read_only
        self._own: Hosted | None = None
        self.stopped = asyncio.Event()
        """Somebody asked this process, as the host, to end."""

    async def join(self) -> "Wire":
        """Raises HomeBusy while the home's holder does not answer, and what a host refuses."""
        from skill_agent.api.door.addresses import live_socket
        from skill_agent.mcp_server.relay import Lost

        from .wire import connected

        while True:
            path = live_socket(self._around.home)
            if path is not None:
                try:
                    return await connected(path, sees_as=self._sees_as, read_only=self._read_only)
                except Lost:
                    await asyncio.sleep(_AGAIN_S)
            elif self._own is not None:
                raise SkillAgentError(
                    "this process hosts the home and cannot be reached itself", hint="ska logs"
                )
            await self._find()

    async def _find(self) -> None:
        """Waits until somebody hosts the home, who may be this process."""
        if self._own is not None:
            return
        from ..output import narrate

        found = await self._found()
        if found.here is False:
            await found.close()
            return
        self._own = found
        self._ending.push_async_callback(found.close)
        watching = asyncio.create_task(self._watch(found))
        self._ending.callback(watching.cancel)
        await found.opened()
        narrate(f"hosting {self._around.home.root} for this program")

    async def _found(self) -> "Remote | Hosted":
        """With more patience than a person has: whoever takes over may be slow in that."""
        from ..opening.joining import Joining
        from ..opening.options import OpenOptions
        from ..output import narrate

        options = replace(
            self._around.opening or OpenOptions(), role="mcp", hosting=True, tell=narrate
        )
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await Joining(self._around.home, options).find()
            except HomeBusy:
                if time.monotonic() > until:
                    raise

    async def _watch(self, own: "Hosted") -> None:
        await own.runtime.until_stopped()
        self.stopped.set()
