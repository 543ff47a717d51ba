"""`ska mcp list|test|tools|logs|add|remove`: servers whose tools agents may use."""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.text.clock import minute_of

from ..opening.running import with_runtime
from ..options import JsonOption
from ..output import emit_json, emit_text, narrate, plain, table
from . import adding

if TYPE_CHECKING:
    from skill_agent.values import ToolServer

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As `ska mcp list` shows it.")]


def register(app: typer.Typer) -> None:
    """Puts the commands on their group."""
    app.command("list")(list_)
    app.command()(test)
    app.command()(tools)
    app.command()(logs)
    app.command()(adding.add)
    app.command()(adding.remove)


def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the servers of config.toml, how each stands, and which agents may use it.

    A server is started when an agent that may use it takes a turn, and ended
    when nobody used it for mcp.idle_minutes, or with the host.

    \b
    Examples:
      ska mcp list
      ska mcp list --json | jq '.[] | select(.state == "failed") | .problem'
    """
    found = with_runtime(ctx, lambda runtime: runtime.mcp.list())
    if as_json:
        emit_json([_object(one) for one in found])
        return
    table(
        ("server", "state", "tools", "since", "used by", "what", "problem"),
        (
            (
                one.name, one.state, one.tools or "", minute_of(one.since) if one.since else "",
                one.used_by, one.target, one.problem,
            )
            for one in found
        ),
        empty="no servers yet; `ska mcp add NAME -- COMMAND` names one",
    )  # fmt: skip
    unused = [one.name for one in found if not one.used_by and one.state != "disabled"]
    if unused:
        narrate(f"no agent may use {', '.join(unused)}: {adding.next_step(unused[0])}")


def test(ctx: typer.Context, name: NameArgument, as_json: JsonOption = False) -> None:
    """Start a server, or ask the one that runs, and say how it stands.

    One that failed too often to be started again is tried anew.

    \b
    Examples:
      ska mcp test github
      ska mcp test github --json | jq .tools

    \b
    Exit codes: 0 it answers, 1 it does not, 2 there is none of that name.
    """
    found = with_runtime(ctx, lambda runtime: runtime.mcp.test(name))
    answers = found.state == "running"
    if as_json:
        emit_json(_object(found))
        if not answers:
            raise typer.Exit(1)
        return
    if not answers:
        from skill_agent.errors import ToolFailed

        said = found.problem or f"it is {found.state}"
        raise ToolFailed(f"{name} does not answer: {said}", hint=found.hint)
    title = found.title or "it"
    narrate(f"{title} answers: tools {found.tools}, protocol {found.protocol}")
    if found.problem:
        narrate(f"warning: {found.problem}")


def tools(ctx: typer.Context, name: NameArgument, as_json: JsonOption = False) -> None:
    """List the tools of a server, as it describes them; starts it if need be.

    What it says of them, such as `read-only`, is its own word and no permission.

    \b
    Examples:
      ska mcp tools github
      ska mcp tools github --json | jq '.[] | select(.problem != "")'

    \b
    Exit codes: 0 listed, 1 it cannot be asked, 2 there is none of that name.
    """
    found = with_runtime(ctx, lambda runtime: runtime.mcp.tools(name))
    if as_json:
        emit_json([{"id": one.name, **plain(one)} for one in found])
        return
    table(
        ("tool", "says of itself", "standing", "description or problem"),
        (
            (one.name, one.hints, one.standing, one.problem or _first_line(one.description))
            for one in found
        ),
        empty=f"{name} has no tools",
    )


def logs(
    ctx: typer.Context,
    name: NameArgument,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many from the end.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show what a server wrote to its standard error, keys and passwords masked.

    \b
    Examples:
      ska mcp logs github
      ska mcp logs github -n 500
    """
    found = with_runtime(ctx, lambda runtime: runtime.mcp.log(name, lines=lines))
    if as_json:
        emit_json(found)
        return
    for line in found:
        emit_text(line)
    if not found:
        narrate(f"{name} has written nothing yet")


def _object(one: "ToolServer") -> dict[str, object]:
    return {"id": one.name, **plain(one)}


def _first_line(text: str) -> str:
    from skill_agent.text.shaping import one_line

    return one_line(text, 120)
