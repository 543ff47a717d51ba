"""Runs a server's program, and ends it with all it began once whoever started it is gone.

A program of its own, which a connection starts in a session of its own; it imports nothing of the
package, so that it is there at once. A host that is killed closes its end of the pipe `sys.argv[1]`
whatever becomes of it, and no server is left behind, even one that cares for neither the end of its
input nor SIGTERM. Only what has put itself into yet another session gets away.
"""

import os
import signal
import sys
import time
from types import FrameType

_PATIENCE_S = 2.0
_NOT_FOUND = 127


def main() -> None:
    alive, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(alive, False)
    signal.signal(signal.SIGTERM, _stays)
    signal.signal(signal.SIGCHLD, _ended)
    try:
        os.posix_spawnp(command[0], command, os.environ, setsigdef=(signal.SIGPIPE,))
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(_NOT_FOUND)
    _let_go_of_streams()
    os.read(alive, 1)
    _end_all()


def _stays(number: int, frame: FrameType | None) -> None:
    """SIGTERM is for the others of the group; a handler, for what is ignored would be inherited."""


def _ended(number: int, frame: FrameType | None) -> None:
    """The server is gone: what it left behind goes too, and its exit code is passed on."""
    pid, status = os.waitpid(-1, os.WNOHANG)
    if pid:
        os.killpg(0, signal.SIGTERM)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)


def _let_go_of_streams() -> None:
    """So that each end of the server's streams is seen as such."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _end_all() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.killpg(0, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if os.waitpid(-1, os.WNOHANG)[0]:
            break
        time.sleep(0.02)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
