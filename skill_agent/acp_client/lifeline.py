"""Stands between this program and one it starts: `lifeline.py FD PROGRAM ARGUMENTS…`.

Run as a script, by `process`, at the head of a process group of its own. Once the other end of the
pipe FD is gone, because whoever held it was ended, however hard, the whole group is ended too: what
the program has started itself, and what does not mind that its input is closed. No module of ours
is imported: it starts in milliseconds.
"""

import os
import select
import signal
import sys

PATIENCE_S = 2.0
"""A program that sees its input end may put its things away for so long."""


def main() -> None:
    lifeline, command = int(sys.argv[1]), sys.argv[2:]
    heard, rings = os.pipe()
    os.set_blocking(rings, False)
    signal.set_wakeup_fd(rings)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Not SIG_IGN, which the program would inherit.
        signal.signal(number, lambda *_: None)
    child = os.fork()
    if child == 0:
        os.close(lifeline)
        try:
            os.execv(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error.strerror}\n".encode())
            os._exit(127)
    _let_go()
    patience: float | None = None
    while (ended := _ended(child)) is None:
        watched = [heard] if patience is not None else [lifeline, heard]
        ready, _, _ = select.select(watched, [], [], patience)
        if heard in ready:
            os.read(heard, 4096)
        if patience is not None and not ready:
            os.killpg(0, signal.SIGKILL)
        if lifeline in ready:
            patience = PATIENCE_S
    if patience is not None:
        os.killpg(0, signal.SIGKILL)
    os._exit(ended if ended >= 0 else 128 - ended)


def _let_go() -> None:
    """The program's streams are its own: who reads them must see that it ended."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)


def _ended(child: int) -> int | None:
    found, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    main()
