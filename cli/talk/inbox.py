"""`ska inbox`: what the home has told its person, how far each way of telling got, and replies."""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError
from skill_agent.text.clock import minute_of
from skill_agent.values import Attachment, Delivery, InboxItem

from ..lazy import LateTyper
from ..opening.running import ready_to_talk, with_runtime
from ..options import IdArgument, JsonOption, LimitOption, newest
from ..output import emit_json, emit_text, narrate, plain, table, without_controls
from ..surroundings import surroundings
from .ask import one_turn
from .driver import talking
from .render import ObjectView, Outcome, TextView

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

app = LateTyper(
    help="See what jobs and agents left for you, reply to it, deliver it again.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
)

UnreadOption = Annotated[bool, typer.Option("--unread", "-u", help="Only what was not read.")]


@app.callback()
def inbox(
    ctx: typer.Context,
    unread: UnreadOption = False,
    as_json: JsonOption = False,
) -> None:
    """See what jobs and agents left for you, reply to it, deliver it again.

    Without a command it lists what was not read.

    \b
    Examples:
      ska inbox
      ska inbox --json | jq -r '.[].title'
      ska inbox show latest
      ska inbox reply latest "do the second one first"
    """
    if ctx.invoked_subcommand is None:
        _list(ctx, unread=True, archived=False, limit=20, as_json=as_json)
    elif unread or as_json:
        raise UsageError("put the options behind the command", hint="ska inbox list --unread")


@app.command("list")
def list_(
    ctx: typer.Context,
    unread: UnreadOption = False,
    archived: Annotated[
        bool, typer.Option("--archived", help="What was put away, and nothing else.")
    ] = False,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """List what is in the inbox, the newest first.

    \b
    Examples:
      ska inbox list
      ska inbox list --unread --json | jq -r '.[] | select(.sort == "failure") | .id'

    \b
    Exit codes: 0 listed (also: nothing), 2 --unread and --archived together.
    """
    _list(ctx, unread=unread, archived=archived, limit=limit, as_json=as_json)


def _list(ctx: typer.Context, *, unread: bool, archived: bool, limit: int, as_json: bool) -> None:
    found = with_runtime(
        ctx,
        lambda runtime: runtime.inbox.list(unread=unread, archived=archived, limit=limit + 1),
    )
    found = newest(found, limit)
    if as_json:
        emit_json([plain(one) for one in found])
        return
    rows = [
        (
            one.id,
            minute_of(one.created_at),
            "" if one.read_at else "new",
            one.sort,
            one.agent,
            without_controls(one.title),
            _ways(one),
        )
        for one in found
    ]
    empty = "nothing unread; all of it: ska inbox list" if unread else "the inbox is empty"
    table(("id", "at", "", "sort", "agent", "title", "elsewhere"), rows, empty=empty)


def _ways(item: InboxItem) -> str:
    return ", ".join(f"{one.target} {one.state}" for one in item.deliveries[1:])


@app.command()
def show(ctx: typer.Context, item: IdArgument, as_json: JsonOption = False) -> None:
    """Show one thing whole, with how far each way of telling got; it counts as read then.

    \b
    Examples:
      ska inbox show latest
      ska inbox show 019f3ca1 --json | jq -r '.deliveries[] | select(.state == "given_up")'

    \b
    Exit codes: 0 shown, 2 there is no such thing.
    """

    async def shown(runtime: "Workstation") -> InboxItem:
        return await runtime.inbox.read((await runtime.inbox.get(item)).id)

    found = with_runtime(ctx, shown)
    if as_json:
        emit_json(plain(found))
        return
    emit_text(without_controls(found.title))
    emit_text(_facts(found))
    emit_text("")
    emit_text(without_controls(found.text))
    for one in found.deliveries[1:]:
        narrate(_told(one))
    if found.session:
        narrate(f'to go on with it: ska inbox reply {found.id} "…"')


def _facts(item: InboxItem) -> str:
    by = f"by {item.agent}" if item.agent else ""
    origins = f"with words of: {', '.join(item.origins)}" if item.origins else ""
    parts = (item.sort, minute_of(item.created_at), by, origins, "private" * item.private)
    return " · ".join(one for one in parts if one)


def _told(way: Delivery) -> str:
    """One way in a line."""
    tried = f" after {way.attempts} tries" if way.attempts > 1 else ""
    again = f", again {minute_of(way.next_try)}" if way.next_try else ""
    said = f": {way.error or way.receipt}" if way.error or way.receipt else ""
    return f"{way.target}: {way.state.replace('_', ' ')}{tried}{again}{said}"


@app.command()
def read(
    ctx: typer.Context,
    items: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Ids, or their first 6 characters.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever was not read.")] = False,
    unread: Annotated[
        bool, typer.Option("--unread", "-u", help="Mark it as not read again.")
    ] = False,
) -> None:
    """Mark things as read.

    \b
    Examples:
      ska inbox read latest
      ska inbox read --all

    \b
    Exit codes: 0 done, 2 there is no such thing, or nothing was named.
    """
    if bool(items) is everything or (everything and unread):
        raise UsageError("name what was read, or --all", hint="ska inbox")

    async def marked(runtime: "Workstation") -> int:
        names = items or [one.id for one in await runtime.inbox.list(unread=True, limit=1_000)]
        for one in names:
            await runtime.inbox.read(one, read=not unread)
        return len(names)

    done = with_runtime(ctx, marked)
    narrate(f"{done} marked as {'not read' if unread else 'read'}")


@app.command()
def archive(
    ctx: typer.Context,
    item: IdArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Put it back.")] = False,
) -> None:
    """Put a thing away: it is listed with --archived alone, and nothing of it is erased.

    \b
    Example:
      ska inbox archive latest

    \b
    Exit codes: 0 done, 2 there is no such thing.
    """
    found = with_runtime(ctx, lambda runtime: runtime.inbox.archive(item, archived=not undo))
    narrate(f"{'put back' if undo else 'put away'}: {without_controls(found.title)}")


@app.command()
def deliver(ctx: typer.Context, item: IdArgument, as_json: JsonOption = False) -> None:
    """Try once more, now, what was given up, waits for another try or for the end of quiet hours.

    \b
    Example:
      ska inbox deliver latest

    \b
    Exit codes: 0 all of it arrived, 1 some did not, 2 there is no such thing or nothing to try.
    """
    found = with_runtime(ctx, lambda runtime: runtime.inbox.deliver_again(item))
    if as_json:
        emit_json(plain(found))
    else:
        for one in found.deliveries[1:]:
            emit_text(_told(one))
    if any(one.state != "delivered" for one in found.deliveries):
        raise typer.Exit(1)


@app.command()
def reply(
    ctx: typer.Context,
    item: IdArgument,
    words: Annotated[list[str], typer.Argument(metavar="TEXT", help="What to say.")],
    as_json: JsonOption = False,
) -> None:
    """Go on in the conversation a thing came from; `ska ask --session` does the same.

    What came from no conversation begins one, and is read beside your words.

    \b
    Example:
      ska inbox reply latest "do the second one first"

    \b
    Exit codes: as those of `ska ask`.
    """
    around = surroundings(ctx)
    text = " ".join(words).strip()
    if not text:
        raise UsageError("the reply is empty", hint='ska inbox reply ID "…"')
    ready_to_talk(around)
    outcome = Outcome()
    view = ObjectView(outcome) if as_json else TextView()
    with talking(around, role="ask") as talk:
        found = talk.call(talk.runtime.inbox.get, item)
        beside = () if found.session else (_beside(found),)
        agent = None if found.session else found.agent or None
        one_turn(
            talk, around, text, outcome, view, session=found.session, agent=agent,
            attachments=beside,
        )  # fmt: skip
        talk.call(talk.runtime.inbox.read, found.id)
    raise typer.Exit(outcome.exit_code)


def _beside(item: InboxItem) -> Attachment:
    origin = item.origins[0] if item.origins else "agent"
    return Attachment(f"{item.title}\n\n{item.text}", origin=origin, name="inbox")
