"""Starts a program, and ends it with all it began once whoever wanted it is gone.

`lifeline.py FD PROGRAM ARGUMENTS…`, run as a script by `running`, in a session of its own; it
imports nothing of the package, so that it is there at once. A host that ends, however hard, closes
its end of the pipe FD: no program is left behind, even one that cares for neither the end of its
input nor SIGTERM. Only what has put itself into yet another session gets away.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Sequence

_PATIENCE_S = 1.0
"""It may take so long to end by itself once its input has ended, then so long after SIGTERM."""
_NOT_STARTED = 127
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""By Python; the program would inherit that."""


def main() -> None:
    alive, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(alive, False)
    rung = _signals()
    try:
        child = os.posix_spawn(command[0], command, os.environ, setsigdef=_IGNORED)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        sys.exit(_NOT_STARTED)
    _let_go_of_streams()
    code = _code_of(child, rung, (rung, alive))
    if code is None:
        if _code_of(child, rung, (rung,), _PATIENCE_S) is None:
            os.killpg(0, signal.SIGTERM)
            _code_of(child, rung, (rung,), _PATIENCE_S)
        os.killpg(0, signal.SIGKILL)
        return
    os.killpg(0, signal.SIGTERM)  # what it left behind goes too
    os._exit(code if code >= 0 else 128 - code)


def _signals() -> int:
    """Rings where the program may have ended. Requests to end are for the others of the group; they
    have a handler, for what is ignored would be inherited."""
    rung, rings = os.pipe()
    os.set_blocking(rings, False)
    signal.set_wakeup_fd(rings, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return rung


def _let_go_of_streams() -> None:
    """They are the program's own: who reads them must see that it ended."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


def _code_of(
    child: int, rung: int, watched: Sequence[int], seconds: float | None = None
) -> int | None:
    """Its exit code once it has ended; None where the time is over, or something else that is
    watched has come."""
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        left = None if until is None else max(0.0, until - time.monotonic())
        if rung not in select.select(watched, (), (), left)[0]:
            return None
        os.read(rung, 4096)


if __name__ == "__main__":
    main()
