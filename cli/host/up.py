"""`ska up`: a host without a screen, in the background or in the foreground.

How a home is opened is `opening`'s business; here a process is started and waited for.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import SkillAgentError
from skill_agent.files.home import Home
from skill_agent.host.presence import SERVICES

from ..event_loop import run
from ..opening.running import ready_home
from ..options import JsonOption, single
from ..output import emit_json, narrate
from ..surroundings import Surroundings, on_this_machine

if TYPE_CHECKING:
    from ...store.lock import Holder

LOG = "host.log"
LOG_BYTES = 1_000_000
STAYING = (*SERVICES, "tui", "chat", "mcp")
"""Roles of hosts that stay; any other command is soon done."""

_PATIENCE_S = 30.0
_SPEAK_S = 1.0
_LOOK_S = 0.05
_LAST_LINES = 15

app = single()


@app.command()
def up(
    ctx: typer.Context,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in this terminal, until Ctrl+C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Host the home without a screen.

    The host keeps models and memory ready; every other `ska` works through it and starts faster.
    It runs in the background and writes to logs/host.log. With --foreground it stays here, and
    where the home is hosted already it stands by to take over.

    \b
    Examples:
      ska up
      ska up --json | jq .pid
      ska up --foreground

    \b
    Exit codes: 0 the home is hosted (also if it was before), 1 the host could not start.
    """
    around = on_this_machine(ctx)
    home = ready_home(around)
    if foreground:
        run(_stand(around, home))
        return
    if (holder := staying_holder(home)) is not None:
        narrate(f"{home.root} is hosted already: {described(holder)}")
        _tell(home, holder.pid, as_json, started=False)
        return
    child = _spawn(home)
    pid = _wait(child, home)
    if pid == child.process.pid:
        narrate(f"hosting {home.root} as process {pid}; `ska down` ends it")
    _tell(home, pid, as_json, started=pid == child.process.pid)


def described(holder: "Holder") -> str:
    """Who a holder is, for people: `process 4711 (ska tui, since 2026-11-20T09:00:00Z)`."""
    from skill_agent.identifiers import iso

    name = f"ska {holder.role}, " if holder.role else ""
    return f"process {holder.pid} ({name}since {iso(holder.since)})"


async def _stand(around: Surroundings, home: Home) -> None:
    from .until_stopped import end_signal, until_stopped

    with end_signal() as told:
        async with around.open_home(role="up", hosting=True) as station:
            host = await station.host.status()
            if host.pid == os.getpid():
                narrate(f"hosting {home.root} as process {host.pid}; Ctrl+C or `ska down` ends it")
            else:
                narrate(f"process {host.pid} (ska {host.role}) hosts {home.root}; standing by")
            await until_stopped(station, told)
            narrate("closing")


def _tell(home: Home, pid: int, as_json: bool, *, started: bool) -> None:
    if as_json:
        told: dict[str, Any] = {"id": str(home.root), "pid": pid, "started": started}
        emit_json(told | {"log": str(home.logs / LOG)})
    else:
        typer.echo(pid)


def staying_holder(home: Home) -> "Holder | None":
    """The process that hosts the home and does not end by itself soon."""
    from ...store.lock import HomeLock

    holder = HomeLock(home.lock).holder()
    return holder if holder is not None and holder.role in STAYING else None


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    log: Path
    before: int
    """Size of the log when it was started."""


def _spawn(home: Home) -> _Child:
    """Starts the host in a session of its own, so that it outlives terminal and caller."""
    log = home.logs / LOG
    home.logs.mkdir(mode=0o700, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{LOG}.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        process = subprocess.Popen(
            # -P: a folder that happens to lie in the working directory is no code of ours.
            [sys.executable, "-P", "-m", "skill_agent.cli", "--home", str(home.root),
             "up", "--foreground"],
            stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor,
            cwd=home.root, start_new_session=True,
        )  # fmt: skip
        return _Child(process, log, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _wait(child: _Child, home: Home) -> int:
    """The pid of the host, once one that stays answers; raises SkillAgentError if none does."""
    from ...store.lock import HomeLock

    lock, began, spoke = HomeLock(home.lock), time.monotonic(), False
    while (waited := time.monotonic() - began) < _PATIENCE_S:
        if (code := child.process.poll()) is not None:
            raise _failed(child, code)
        holder = lock.said()
        if holder is not None and _answers(home):
            if holder.pid == child.process.pid:
                return holder.pid
            if holder.role in STAYING:
                return _not_needed(child, holder)
        if waited > _SPEAK_S and not spoke:
            spoke = True
            narrate(f"opening {home.root} …")
        time.sleep(_LOOK_S)
    raise SkillAgentError(
        f"process {child.process.pid} does not answer after {_PATIENCE_S:.0f} s; it goes on trying",
        hint="ska logs --host",
    )


def _answers(home: Home) -> bool:
    """Whether the host serves requests; a socket alone is there a little earlier."""
    from skill_agent.api.door.addresses import live_socket

    from .socket_request import request

    path = live_socket(home)
    return path is not None and request(path, "GET", "/v1/home")[0] == 200


def _not_needed(child: _Child, holder: "Holder") -> int:
    """Somebody else became host in the same moment; one is enough."""
    child.process.terminate()
    child.process.wait()
    narrate(f"the home is hosted already: {described(holder)}")
    return holder.pid


def _failed(child: _Child, code: int) -> SkillAgentError:
    with child.log.open("rb") as log:
        log.seek(child.before)
        said = log.read().decode("utf-8", "replace").splitlines()[-_LAST_LINES:]
    for line in said:
        narrate(f"  {line}")
    return SkillAgentError(
        f"the host ended with exit code {code}", hint="ska doctor; its log: ska logs --host"
    )
