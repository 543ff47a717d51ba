"""`ska sessions pin|unpin|archive|unarchive|branch`: keeping conversations in order."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.values import Session

from ..opening.running import with_runtime
from ..options import JsonOption, SessionArgument
from ..output import emit_json, emit_text, narrate

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


def register(app: typer.Typer) -> None:
    """Adds these commands to the group."""
    app.command("pin")(pin)
    app.command("unpin")(unpin)
    app.command("archive")(archive)
    app.command("unarchive")(unarchive)
    app.command("branch")(branch)


def pin(ctx: typer.Context, session: SessionArgument, as_json: JsonOption = False) -> None:
    """Keep a conversation at the head of the window's list.

    \b
    Examples:
      ska sessions pin "release plan"
      ska sessions list --pinned
    """
    _set(ctx, lambda station: station.conversations.pin(session), "pinned", as_json)


def unpin(ctx: typer.Context, session: SessionArgument, as_json: JsonOption = False) -> None:
    """Let a pinned conversation take its place by time again.

    \b
    Example:
      ska sessions unpin "release plan"
    """
    work = lambda station: station.conversations.pin(session, pinned=False)  # noqa: E731
    _set(ctx, work, "no longer pinned", as_json)


def archive(ctx: typer.Context, session: SessionArgument, as_json: JsonOption = False) -> None:
    """Put a conversation away: off the list, but remembered, and found when you ask for it.

    \b
    Examples:
      ska sessions archive latest
      ska sessions list --archived
    """
    _set(ctx, lambda station: station.conversations.archive(session), "put away", as_json)


def unarchive(ctx: typer.Context, session: SessionArgument, as_json: JsonOption = False) -> None:
    """Put a conversation back on the list.

    \b
    Example:
      ska sessions unarchive "release plan"
    """
    work = lambda station: station.conversations.archive(session, archived=False)  # noqa: E731
    _set(ctx, work, "back on the list", as_json)


def branch(
    ctx: typer.Context,
    session: SessionArgument = "latest",
    upto: Annotated[
        str,
        typer.Option(
            "--upto", metavar="MESSAGE", help="Id of the last message to take along; else all."
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Begin another conversation with what was said in this one.

    The first one stays as it is. What is copied costs nothing, and is not read into memory a second
    time.

    \b
    Examples:
      ska sessions branch latest
      ska sessions branch "release plan" --upto 0198f2a4-7c1e-7000-8000-5a6b7c8d9e0f --json
    """
    work = lambda station: station.conversations.branch(session, upto=upto)  # noqa: E731
    _set(ctx, work, "branched off:", as_json)


def _set(
    ctx: typer.Context, work: "Callable[[Workstation], Any]", what: str, as_json: bool
) -> None:
    found: Session = with_runtime(ctx, work)
    if as_json:
        emit_json(found)
    else:
        narrate(f"{what} {found.title!r}")
        emit_text(found.id)
