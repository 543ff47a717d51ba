"""`ska down`: ends the host of a home in good order, and only then by a signal.

Never attaches and never takes the home: who ends a host must not become the next one.
"""

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import HomeBusy, SkillAgentError
from skill_agent.files.home import Home
from skill_agent.host.presence import SERVICES

from ..options import single
from ..output import narrate
from ..surroundings import on_this_machine
from .up import described

if TYPE_CHECKING:
    from ...store.lock import Holder, HomeLock

_PATIENCE_S = 10.0
_LOOK_S = 0.05

app = single()


@app.command()
def down(
    ctx: typer.Context,
    force: Annotated[
        bool, typer.Option("--force", help="Also end a host that is somebody's screen.")
    ] = False,
) -> None:
    """End the host of the home.

    Turns under way are ended with what was said kept; whoever is attached is told. A host that is
    a person's screen is left alone unless --force is given.

    \b
    Examples:
      ska down
      ska down --force

    \b
    Exit codes: 0 it has ended (also if none was running), 1 it was left alone or does not end.
    """
    from ...store.lock import HomeLock

    home = on_this_machine(ctx).home
    lock = HomeLock(home.lock)
    holder = lock.holder() if home.exists else None
    if holder is None:
        narrate(f"nobody hosts {home.root}")
        return
    if holder.role not in SERVICES and not force:
        raise HomeBusy(
            f"{home.root} is in use by {described(holder)}, which is no `ska up`",
            pid=holder.pid,
            hint="close it there, or end it from here: ska down --force",
        )
    asked = _ask(home, force=force)
    if asked and _gone(lock, holder):
        _tell(lock, holder)
        return
    _signal(holder)
    if not _gone(lock, holder):
        raise SkillAgentError(
            f"process {holder.pid} does not end", hint=f"ska logs; then kill -9 {holder.pid}"
        )
    _tell(lock, holder)


def _ask(home: Home, *, force: bool) -> bool:
    """Whether the host heard that it shall end."""
    from skill_agent.api.door.addresses import live_socket

    from .socket_request import request

    path = live_socket(home)
    if path is None:
        return False
    status, _ = request(path, "POST", "/v1/host/stop", {"force": force})
    return 200 <= status < 300


def _signal(holder: "Holder") -> None:
    if holder.pid <= 0:
        raise HomeBusy(
            "the process that has the home left no name", pid=None, hint="find it: ps aux"
        )
    with suppress(ProcessLookupError):
        os.kill(holder.pid, signal.SIGTERM)


def _gone(lock: "HomeLock", holder: "Holder") -> bool:
    """Whether the holder let the home go within the time it gets."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        now = lock.holder()
        if now is None or now.pid not in (holder.pid, 0):
            return True
        time.sleep(_LOOK_S)
    return False


def _tell(lock: "HomeLock", holder: "Holder") -> None:
    narrate(f"process {holder.pid} has closed the home")
    if (now := lock.holder()) is not None:
        narrate(f"the home has been taken over by {described(now)}")
