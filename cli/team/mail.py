"""`ska agents inbox` and `tell`: what agents write to one another, and a word to one of them."""

from typing import Annotated

import typer

from skill_agent.text.clock import minute_of

from ..opening.running import with_runtime
from ..options import JsonOption, LimitOption
from ..output import emit_json, emit_text, narrate, plain, table, without_controls


def register(app: typer.Typer) -> None:
    app.command()(inbox)
    app.command()(tell)


def inbox(
    ctx: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Slug or name of the agent.")],
    everything: Annotated[bool, typer.Option("--all", help="Those it has read too.")] = False,
    limit: LimitOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Show what was written to an agent and that it has not read, the newest first.

    It reads them when it answers next; looking here leaves them unread. The newest 200 are
    listed, with --all those that were read too.

    \b
    Examples:
      ska agents inbox luke
      ska agents inbox luke --all --json
    """
    found = with_runtime(
        ctx, lambda runtime: runtime.mail.inbox(agent, unread_only=not everything, limit=limit)
    )
    if as_json:
        emit_json([plain(one) for one in found])
        return
    rows = [
        (
            minute_of(one.created_at),
            one.sender,
            one.channel,
            one.message_type,
            without_controls(one.content),
        )
        for one in found
    ]
    table(("at", "from", "channel", "type", "message"), rows, empty="nothing unread")


def tell(
    ctx: typer.Context,
    agent: Annotated[
        str, typer.Argument(metavar="AGENT", help="Slug of the agent; `all` is every active one.")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What it is to know.")],
    as_json: JsonOption = False,
) -> None:
    """Leave a message for an agent; it reads it when it answers next.

    \b
    Example:
      ska agents tell luke "The release is on Friday"
    """
    sent = with_runtime(ctx, lambda runtime: runtime.mail.send(agent, text))
    if as_json:
        emit_json(plain(sent))
    else:
        emit_text(sent.id)
        whom = sent.to or "every active agent"
        narrate(f"left for {whom}; what waits there: ska agents inbox {sent.to or 'AGENT'}")
