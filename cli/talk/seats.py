"""`ska sessions agents|handoff|back`: who takes part in a conversation."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError
from skill_agent.values import Handoff, Seat

from ..opening.running import with_runtime
from ..options import JsonOption, SessionArgument
from ..output import emit_json, emit_text, narrate, table

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="Name or slug of the agent.")]


def register(app: typer.Typer) -> None:
    """Adds these commands to the group."""
    app.command("agents")(agents)
    app.command("handoff")(handoff)
    app.command("back")(back)


def agents(
    ctx: typer.Context,
    session: SessionArgument = "latest",
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="AGENT", help="Bring one in; repeatable.")
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="AGENT", help="Take one out; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who takes part in a conversation, bring agents in, take them out.

    Of several agents the one whose name you write answers (`@ada`), else the one that fits the
    message best, else the primary one. Each has its own memory, and hears what the others said.

    \b
    Examples:
      ska sessions agents
      ska sessions agents "release plan" --add luke --add ada
      ska sessions agents latest --remove ada --json
    """
    work = partial(_seats, session=session, add=add or [], remove=remove or [])
    found = with_runtime(ctx, work)
    if as_json:
        emit_json(found)
        return
    table(
        ("agent", "role", "joined", "left"),
        ((one.id, one.role, one.joined_at, one.left_at or "") for one in found),
    )


async def _seats(
    runtime: "Workstation", *, session: str, add: list[str], remove: list[str]
) -> list[Seat]:
    if both := {*add} & {*remove}:
        raise UsageError(f"--add and --remove both name {', '.join(sorted(both))}")
    found = await runtime.conversations.find(session)
    if add:
        await runtime.seats.invite(found.id, add)
    for slug in remove:
        await runtime.seats.leave(found.id, slug)
    return await runtime.seats.list(found.id)


def handoff(
    ctx: typer.Context,
    session: SessionArgument,
    agent: AgentArgument,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; both agents remember it.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Give a conversation to another agent.

    It reads the conversation but for what was told to the other one alone, and gets a summary of
    what matters. In a conversation you may also just say so: "hand this over to Luke".

    \b
    Examples:
      ska sessions handoff latest luke
      ska sessions handoff "release plan" luke --reason "it is about code now"
    """
    found = with_runtime(
        ctx, lambda runtime: runtime.seats.hand_over(session, agent, reason=reason)
    )
    _told(found, as_json=as_json)


def back(
    ctx: typer.Context, session: SessionArgument = "latest", as_json: JsonOption = False
) -> None:
    """Give a conversation back to the agent it came from.

    \b
    Example:
      ska sessions back latest
    """
    _told(with_runtime(ctx, lambda runtime: runtime.seats.go_back(session)), as_json=as_json)


def _told(done: Handoff, *, as_json: bool) -> None:
    if as_json:
        emit_json(done)
        return
    narrate(f"{done.from_agent} hands over to {done.to_agent}: {done.reason}")
    emit_text(done.id)
