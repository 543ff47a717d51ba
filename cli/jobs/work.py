"""`ska work`: long work in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import Closing, UsageError
from skill_agent.events import Event, HostFound, WorkChanged, to_json
from skill_agent.values import Work

from ..opening.running import with_runtime
from ..options import IdArgument, JsonOption, LimitOption, group, newest
from ..output import emit_json, emit_jsonl, emit_text, narrate, record, table, tell_error
from ..progress import Bar
from ..teamwork.leaving import goes_on

if TYPE_CHECKING:
    from skill_agent.events.bus import Subscription
    from skill_agent.workstation import Workstation

Deed = Callable[["Workstation"], Awaitable[Work]]
_STEPS = 100
"""Of how many the progress is drawn."""

app = group("See, pause, resume, stop and retry long work in the background.")


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: LimitOption = 20,
    running: Annotated[bool, typer.Option("--running", help="Only what has not ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List background work, what has not ended first.

    \b
    Examples:
      ska work list
      ska work list --json | jq -r '.[] | select(.state == "dead") | .id'

    \b
    Exit codes: 0 listed (also: nothing).
    """
    found = with_runtime(ctx, lambda runtime: runtime.work.list(ended=not running, limit=limit + 1))
    found = newest(found, limit)
    if as_json:
        emit_json(found)
        return
    table(
        ("id", "state", "done", "priority", "tries", "begun", "what", "message"),
        map(_row, found),
        empty="no work in the background: ska memory rebuild --detach begins some",
    )


def _row(work: Work) -> tuple[object, ...]:
    return (
        work.id, work.state.replace("_", " "), f"{work.progress:.0%}", work.priority, work.attempts,
        work.created_at, work.title, work.error or work.message,
    )  # fmt: skip


@app.command()
def show(ctx: typer.Context, ref: IdArgument, as_json: JsonOption = False) -> None:
    """Show one piece of work: how it stands, what came of it, and why it failed.

    \b
    Example:
      ska work show 0198f2

    \b
    Exit codes: 0 shown, whatever its state; 2 there is none of that id, or there are several.
    """
    found: Work = with_runtime(ctx, lambda runtime: runtime.work.get(ref))
    if as_json:
        emit_json(found)
        return
    record(
        (
            ("id", found.id),
            ("what", found.title),
            ("kind", found.kind),
            ("state", found.state.replace("_", " ")),
            ("done", f"{found.progress:.0%}"),
            ("message", found.message),
            ("tries", f"{found.attempts} of {found.max_attempts}"),
            ("next try", found.next_try),
            ("error", found.error),
            ("created", found.created_at),
            ("begun", found.started_at),
            ("ended", found.ended_at),
            ("result", found.result),
        )
    )


@app.command()
def watch(
    ctx: typer.Context,
    ref: IdArgument,
    as_json: JsonOption = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print every event as one JSON line, as it happens.")
    ] = False,
) -> None:
    """Watch a piece of work until it has ended, and print what came of it.

    Nothing is stopped by it: Ctrl+C leaves the work running in the host.

    \b
    Examples:
      ska work watch 0198f2
      ska work watch 0198f2 --jsonl | jq -r .progress

    \b
    Exit codes: 0 it was done, 1 it failed, was given up or stopped; 2 there is none of that id;
    130 interrupted (it goes on).
    """
    if as_json and jsonl:
        raise UsageError("--json prints the end, --jsonl every event: one of them")

    async def work(runtime: "Workstation") -> Work:
        try:
            return await _followed(
                runtime, lambda here: here.work.get(ref), _json_line if jsonl else None
            )
        except asyncio.CancelledError:
            narrate(f"no longer watched; it goes on: ska work watch {ref}")
            raise

    _tell_end(with_runtime(ctx, work), as_json=as_json, quiet=jsonl)


@app.command()
def pause(ctx: typer.Context, ref: IdArgument, as_json: JsonOption = False) -> None:
    """Have a piece of work stand still, within a second where it can.

    Others have its place meanwhile; `ska work resume` has it go on, also after a restart.

    \b
    Example:
      ska work pause 0198f2

    \b
    Exit codes: 0 it stands still, or will; 2 it has ended or cannot be paused, or there is none
    of that id.
    """
    _steered(ctx, lambda runtime: runtime.work.pause(ref), as_json=as_json)


@app.command()
def resume(ctx: typer.Context, ref: IdArgument, as_json: JsonOption = False) -> None:
    """Have a piece of work go on after a pause.

    Where the home has a host (`ska up`) it goes on there; otherwise this command stays until it
    has ended.

    \b
    Example:
      ska work resume 0198f2

    \b
    Exit codes: 0 it goes on in the host, or was done; 1 it failed; 2 it is not paused, or there is
    none of that id; 130 interrupted.
    """
    _gone_on(ctx, lambda runtime: runtime.work.resume(ref), as_json=as_json)


@app.command()
def cancel(ctx: typer.Context, ref: IdArgument, as_json: JsonOption = False) -> None:
    """Stop a piece of work; what there is of it stays.

    \b
    Example:
      ska work cancel 0198f2

    \b
    Exit codes: 0 stopped, or it had ended before; 2 there is none of that id.
    """
    _steered(ctx, lambda runtime: runtime.work.cancel(ref), as_json=as_json)


@app.command()
def retry(ctx: typer.Context, ref: IdArgument, as_json: JsonOption = False) -> None:
    """Do a piece of work once more that failed, was stopped or was given up.

    Where the home has a host (`ska up`) it goes on there; otherwise this command stays until it
    has ended.

    \b
    Example:
      ska work list --json | jq -r '.[] | select(.state == "dead") | .id' | xargs -n1 ska work retry

    \b
    Exit codes: 0 begun in the host, or done; 1 it failed again; 2 it has not ended or was done, or
    there is none of that id; 130 interrupted.
    """
    _gone_on(ctx, lambda runtime: runtime.work.retry(ref), as_json=as_json)


def _steered(ctx: typer.Context, deed: Deed, *, as_json: bool) -> None:
    found = with_runtime(ctx, deed)
    if as_json:
        emit_json(found)
    else:
        narrate(f"{found.title}: {found.state.replace('_', ' ')}, {found.progress:.0%}")


def _gone_on(ctx: typer.Context, deed: Deed, *, as_json: bool) -> None:
    """Has it go on where there is a host, and stays with it where there is none."""

    async def work(runtime: "Workstation") -> Work:
        return await deed(runtime) if goes_on(runtime) else await _followed(runtime, deed)

    _tell_end(with_runtime(ctx, work), as_json=as_json)


async def _followed(
    runtime: "Workstation", deed: Deed, show: Callable[[Event], None] | None = None
) -> Work:
    """Does this to a piece of work, and gives it as it ended."""
    with runtime.turns.subscribe() as events, Bar("working", total=_STEPS) as bar:
        found = await deed(runtime)
        _draw(bar, found, show)
        while not found.ended:
            event = await _next(events, found.id)
            if show is not None:
                show(event)
            found = await runtime.work.get(found.id)
            _draw(bar, found, show)
    return found


async def _next(events: "Subscription", work: str) -> Event:
    """The next event that says something of this work, or of whoever does it."""
    async for event in events:
        ours = isinstance(event, WorkChanged) and event.work == work
        if ours or isinstance(event, HostFound):
            return event
    raise Closing("the home was closed meanwhile", hint=f"ska work show {work}")


def _draw(bar: Bar, work: Work, show: Callable[[Event], None] | None) -> None:
    if show is None:
        bar(round(work.progress * _STEPS), _STEPS, work.message or work.state.replace("_", " "))


def _json_line(event: Event) -> None:
    emit_jsonl(to_json(event))


def _tell_end(work: Work, *, as_json: bool, quiet: bool = False) -> None:
    """What came of it on stdout; raises Exit(1) where it did not come to a good end."""
    if as_json:
        emit_json(work)
    elif not work.ended:
        narrate(f"it goes on in the host: ska work watch {work.id}")
    elif work.state != "completed":
        tell_error(f"{work.state}: {work.error}" if work.error else work.state,
                   f"ska work retry {work.id}")  # fmt: skip
    elif work.result and not quiet:
        emit_text(work.result)
    if work.ended and work.state != "completed":
        raise typer.Exit(1)
