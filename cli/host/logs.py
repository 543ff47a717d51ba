"""`ska logs`: what the home's host has to say, read from its files; the home is not opened."""

import select
import sys
import time
from typing import Annotated

import typer

from skill_agent.files.log_tail import LogTail
from skill_agent.host.presence import LOG

from ..options import single
from ..output import INTERRUPTED, emit_text, narrate
from ..surroundings import on_this_machine
from .up import LOG as HOST_LOG

_LOOK_S = 0.2

app = single()


@app.command()
def logs(
    ctx: typer.Context,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on showing what is added, until Ctrl+C.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many from the end.")] = 50,
    host: Annotated[
        bool, typer.Option("--host", help="What `ska up` itself printed, instead of the log.")
    ] = False,
) -> None:
    """Show what the home's host has to say.

    Reads the files in the home's logs folder, so it works whoever has the home open. Secrets are
    taken out before anything is logged. What models were sent and answered is not in there: see
    `ska sessions show --prompts`.

    \b
    Examples:
      ska logs
      ska logs -f
      ska logs --host -n 200
      ska logs -n 1000 | grep WARNING

    \b
    Exit codes: 0 shown (also if there is nothing yet), 130 ended by Ctrl+C.
    """
    path = on_this_machine(ctx).home.logs / (HOST_LOG if host else LOG)
    tail = LogTail(path)
    try:
        found = tail.read(most=lines)
        for line in found.lines:
            emit_text(line)
        if not path.exists():
            narrate(f"nothing in {path} yet")
        if follow:
            _follow(tail, found.after)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _follow(tail: LogTail, after: str) -> None:
    sys.stdout.flush()
    while not _nobody_reads():
        found = tail.read(after)
        after = found.after
        for line in found.lines:
            emit_text(line)
        sys.stdout.flush()
        if not found.lines:
            time.sleep(_LOOK_S)


def _nobody_reads() -> bool:
    """Whether the reader of a pipe is gone; a quiet log would never find out by writing."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return False
    if not hasattr(select, "poll"):
        return False
    asked = select.poll()
    asked.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in asked.poll(0))
