"""`ska down`: ends the host of a home in good order, and where that does not help, by force.

Never attaches and never takes the home: who ends a host must not become the next one.
"""

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import HomeBusy, SkillAgentError
from skill_agent.files.home import Home
from skill_agent.host.presence import SERVICES

from ..ending import CLOSING_S
from ..options import single
from ..output import narrate
from ..surroundings import on_this_machine
from .up import described

if TYPE_CHECKING:
    from ...store.lock import Holder, HomeLock

PATIENCE_S = CLOSING_S + 2
"""How long a host gets each time: asked, told by a signal, killed. Its own clock is a little
shorter."""
_SPEAK_S = 2.0
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

    Turns under way are ended with what was said kept; whoever is attached is told. A host that has
    not closed after 12 seconds, whatever it is doing, is told by a signal, and after 12 more it is
    killed: what is saved stays whole. A host that is a person's screen is left alone unless --force
    is given.

    \b
    Examples:
      ska down
      ska down --force

    \b
    Exit codes: 0 it has ended (also if none was running), 1 it was left alone.
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
    if holder.pid <= 0:
        raise HomeBusy(
            "the process that has the home left no name", pid=None, hint="find it: ps aux"
        )
    _end(home, lock, holder, force=force)
    narrate(f"process {holder.pid} has closed the home")
    if (now := lock.holder()) is not None:
        narrate(f"the home has been taken over by {described(now)}")


def _end(home: Home, lock: "HomeLock", holder: "Holder", *, force: bool) -> None:
    """Asks, then tells, then kills; raises SkillAgentError where not even that helps."""
    # A screen asks its person nothing when it is told by a signal, and closes as well.
    if holder.role in SERVICES and _ask(home, force=force) and _gone(lock, holder, "is closing"):
        return
    _signal(holder, signal.SIGTERM)
    if _gone(lock, holder, "was told to end (SIGTERM)"):
        return
    narrate(f"process {holder.pid} does not end by itself; killing it (what is saved stays whole)")
    _signal(holder, signal.SIGKILL)
    if not _gone(lock, holder, "was killed"):
        raise SkillAgentError(
            f"process {holder.pid} does not even end when it is killed",
            hint=f"look at it: ps -o pid,stat,wchan,cmd -p {holder.pid}",
        )


def _ask(home: Home, *, force: bool) -> bool:
    """Whether the host heard that it shall end."""
    from skill_agent.api.door.addresses import live_socket

    from .socket_request import request

    path = live_socket(home)
    if path is None:
        return False
    status, _ = request(path, "POST", "/v1/host/stop", {"force": force})
    return 200 <= status < 300


def _signal(holder: "Holder", number: signal.Signals) -> None:
    try:
        os.kill(holder.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise SkillAgentError(
            f"process {holder.pid} belongs to another user", hint="end it as that user"
        ) from None


def _gone(lock: "HomeLock", holder: "Holder", doing: str) -> bool:
    """Whether the holder let the home go and ended, within the time it gets; says what one waits
    for."""
    began = time.monotonic()
    spoke = began
    while (now := time.monotonic()) - began < PATIENCE_S:
        if _left(lock, holder) and _ended(holder.pid):
            return True
        if now - spoke > _SPEAK_S:
            spoke = now
            narrate(f"process {holder.pid} {doing} … {now - began:.0f} s of {PATIENCE_S:.0f}")
        time.sleep(_LOOK_S)
    return False


def _left(lock: "HomeLock", holder: "Holder") -> bool:
    now = lock.holder()
    return now is None or now.pid not in (holder.pid, 0)


def _ended(pid: int) -> bool:
    """Whether a process is gone; one whose parent has not looked yet counts."""
    try:
        os.kill(pid, 0)
    except OSError:
        return True
    try:
        said = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return not Path("/proc/self").exists()  # elsewhere only the home tells
    return said.rpartition(")")[2].split()[0] in ("Z", "X")
