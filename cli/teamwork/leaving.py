"""Work that goes on in the host after a command has left, and how a command tells of the end."""

from typing import TYPE_CHECKING

import typer

from skill_agent.errors import UsageError
from skill_agent.values import AgentTask, Collaboration

from ..output import emit_json, emit_text, narrate, tell_error
from ..surroundings import Surroundings

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

Work = AgentTask | Collaboration


def check_host(around: Surroundings) -> None:
    """Raises UsageError where nothing could go on without this process."""
    if around.api:
        return
    from ..host.up import staying_holder

    if not around.home.exists or staying_holder(around.home) is None:
        raise no_host()


def no_host() -> UsageError:
    return UsageError(
        "--detach leaves the work to the host of the home, and there is none that stays",
        hint="start one with `ska up`, then ask again; or leave --detach out",
    )


def goes_on(runtime: "Workstation") -> bool:
    """Whether what is begun goes on without this process."""
    return not getattr(runtime, "here", True)


def told_begun(work: Work, *, as_json: bool) -> None:
    """Its id on stdout, and how to follow it."""
    if as_json:
        emit_json(work)
        return
    emit_text(work.id)
    narrate(f"it goes on in the host: ska team watch {work.id}")


def told_end(work: Work, *, as_json: bool) -> None:
    """What came of it on stdout; raises Exit(1) where it did not come to a good end."""
    if not work.ended:
        return told_begun(work, as_json=as_json)
    result = work.result if isinstance(work, AgentTask) else work.final_output
    if as_json:
        emit_json(work)
    elif result:
        emit_text(result)
    failed = work.status != "completed"
    if failed:
        words = work.status.replace("_", " ")
        hint = "" if work.status == "cancelled" else f"ska team retry {work.id}"
        tell_error(f"{words}: {work.error}" if work.error else words, hint)
    elif work.error:
        narrate(f"note: {work.error}")
    if failed:
        raise typer.Exit(1)
    return None
