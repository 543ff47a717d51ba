"""`--detach`: long work that is left to the host of the home, and how a command says so."""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.values import NewWork, Work

from ..output import emit_json, emit_text, narrate
from ..surroundings import Surroundings
from ..teamwork.leaving import check_host, goes_on, no_host

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

DetachOption = Annotated[
    bool, typer.Option("--detach", help="Print the work's id and leave; the host goes on with it.")
]


def check_detached(around: Surroundings, *, detach: bool) -> None:
    """Raises UsageError where nothing could go on without this process."""
    if detach:
        check_host(around)


async def left_behind(runtime: "Workstation", new: NewWork, *, files: bool = False) -> Work:
    """Begins it in the host; raises UsageError where that has ended in this moment. `files` says
    that it speaks of files of this machine."""
    if not goes_on(runtime):
        raise no_host()
    return await (runtime.work.start_here(new) if files else runtime.work.start(new))


def told_left(work: Work, *, as_json: bool) -> None:
    """Its id on stdout, and how to follow it."""
    if as_json:
        emit_json(work)
        return
    emit_text(work.id)
    narrate(f"it goes on in the host: ska work watch {work.id}")
