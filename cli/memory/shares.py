"""`ska memory shares|share|unshare|adopt`: whose a memory is, with a person's yes."""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.values import Memory

from ..opening.running import with_runtime
from ..options import AgentOption, IdArgument, JsonOption, slug_of
from ..output import narrate
from .view import show_changed, show_list

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


def register(app: typer.Typer) -> None:
    """Adds these commands to the group."""
    app.command("shares")(shares)
    app.command("share")(share)
    app.command("unshare")(unshare)
    app.command("adopt")(adopt)


def shares(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List what concerns the team and waits for your yes.

    Agents with `auto_share = "ask"` put it there; until then it stays with who heard it.

    \b
    Example:
      ska memory shares --json
    """
    found = with_runtime(ctx, lambda runtime: runtime.memory.shares())
    show_list(found, as_json=as_json)
    if found and not as_json:
        narrate("ska memory share ID: every agent knows it; ska memory unshare ID: it stays")


def share(ctx: typer.Context, memory_id: IdArgument, as_json: JsonOption = False) -> None:
    """Let every agent know a memory.

    \b
    Example:
      ska memory share 0198f2
    """
    memory = with_runtime(ctx, lambda runtime: runtime.memory.share(memory_id))
    show_changed(memory, "shared", as_json=as_json)


def unshare(
    ctx: typer.Context,
    memory_id: IdArgument,
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a shared memory back to the agent that heard it.

    One that waits to be shared stays with its agent and is asked about no more.

    \b
    Examples:
      ska memory unshare 0198f2
      ska memory unshare 0198f2 -a kyra
    """

    async def work(runtime: "Workstation") -> Memory:
        owner = await slug_of(runtime, agent)
        return await runtime.memory.unshare(memory_id, agent=owner)

    memory = with_runtime(ctx, work)
    show_changed(memory, f"known to {memory.agent}", as_json=as_json)


def adopt(
    ctx: typer.Context,
    memory_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Else all that waits is listed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make what an agent was told of itself part of who it is, or list what waits for that.

    "You are our release manager" is kept when you say it, and stands in each of that agent's
    prompts once you have adopted it.

    \b
    Examples:
      ska memory adopt
      ska memory adopt 0198f2
    """
    if memory_id is None:
        found = with_runtime(ctx, lambda runtime: runtime.memory.selves())
        show_list(found, as_json=as_json)
        return
    memory = with_runtime(ctx, lambda runtime: runtime.memory.adopt(memory_id))
    show_changed(memory, f"part of who {memory.agent} is", as_json=as_json)
