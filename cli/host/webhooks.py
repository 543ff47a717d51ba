"""`ska webhooks`: addresses that are told what happens in a home."""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import NotDelivered
from skill_agent.text.clock import minute_of
from skill_agent.values import NewWebhook

from ..opening.running import with_runtime
from ..options import JsonOption, LimitOption, group
from ..output import emit_json, emit_text, narrate, plain, table, without_controls

if TYPE_CHECKING:
    from skill_agent.values import Webhook

app = group("Have addresses of yours told what happens in the home.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `ska webhooks list` shows it.")]


@app.command()
def add(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are sent: https://…")],
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="EVENT", help="Only such events; repeatable."),
    ] = None,
    secret_env: Annotated[
        str,
        typer.Option(
            "--secret-env",
            metavar="NAME",
            help="Variable of the host's environment that holds the secret; it is kept nowhere.",
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Tell an address what happens from now on, and print the secret it is signed with, this once.

    Sent by a host that stays (`ska up`, `ska serve`, an open window); what
    happens meanwhile waits for it. Without --event it hears of all of these:

    \b
      conversation.created    conversation.completed    message.created
      memory.created          agent.status_changed
      job.completed           job.failed

    Texts are short previews without credentials; what is private never
    leaves. docs/webhooks.md says how to check a signature.

    \b
    Examples:
      ska webhooks add https://example.org/hook --event job.failed
      ska webhooks add https://example.org/hook --secret-env HOOK_SECRET
    """
    new = NewWebhook(url=url, secret_env=secret_env)
    if event:
        from dataclasses import replace

        new = replace(new, events=tuple(event))
    made = with_runtime(ctx, lambda runtime: runtime.webhooks.add(new))
    if as_json:
        emit_json(plain(made))
        return
    narrate(f"webhook {made.id}: {', '.join(made.events)}")
    if made.secret:
        narrate("Its secret is shown this once; whoever receives the events checks them by it.")
        emit_text(made.secret)
    narrate(f"try it: ska webhooks test {made.id}")


@app.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the webhooks there are, and how they fare.

    \b
    Examples:
      ska webhooks list
      ska webhooks list --json | jq '.[] | select(.state != "active")'
    """
    found = with_runtime(ctx, lambda runtime: runtime.webhooks.list())
    if as_json:
        emit_json([_object(one) for one in found])
        return
    table(
        ("id", "address", "events", "state", "failed tries", "dropped", "last taken", "problem"),
        (
            (
                one.id, without_controls(one.url), one.events, one.state, one.failures,
                one.dropped, minute_of(one.last_delivery) if one.last_delivery else "",
                one.problem,
            )
            for one in found
        ),
        empty="no webhooks yet; `ska webhooks add URL` makes one",
    )  # fmt: skip


@app.command()
def test(ctx: typer.Context, webhook: IdArgument, as_json: JsonOption = False) -> None:
    """Send a webhook the event `webhook.test` now, and say what came of it.

    One that was failing has events again once it takes this one. The exit
    code is 1 where it was not taken.

    \b
    Example:
      ska webhooks test w3f9a2c1d
    """
    done = with_runtime(ctx, lambda runtime: runtime.webhooks.test(webhook))
    if as_json:
        emit_json(plain(done))
        if done.state != "delivered":
            raise typer.Exit(1)
        return
    if done.state != "delivered":
        raise NotDelivered(f"not taken: {done.error}", hint=f"ska webhooks log {webhook}")
    narrate(f"taken: {done.id} (HTTP {done.status})")


@app.command()
def resume(ctx: typer.Context, webhook: IdArgument, as_json: JsonOption = False) -> None:
    """Let a failing webhook have events again, from where it stopped.

    \b
    Example:
      ska webhooks resume w3f9a2c1d
    """
    done = with_runtime(ctx, lambda runtime: runtime.webhooks.resume(webhook))
    if as_json:
        emit_json(_object(done))
    else:
        narrate(f"{done.id} is {done.state}")


@app.command()
def remove(ctx: typer.Context, webhook: IdArgument, as_json: JsonOption = False) -> None:
    """Tell an address nothing any more, and drop its secret.

    \b
    Example:
      ska webhooks remove w3f9a2c1d
    """
    gone = with_runtime(ctx, lambda runtime: runtime.webhooks.remove(webhook))
    if as_json:
        emit_json(_object(gone))
    else:
        narrate(f"removed: {gone.id} ({without_controls(gone.url)})")


@app.command()
def log(
    ctx: typer.Context, webhook: IdArgument, limit: LimitOption = 20, as_json: JsonOption = False
) -> None:
    """Show what was sent to a webhook and what came of it, the newest first.

    \b
    Examples:
      ska webhooks log w3f9a2c1d
      ska webhooks log w3f9a2c1d --json | jq '.[] | select(.state == "failed")'
    """
    found = with_runtime(ctx, lambda runtime: runtime.webhooks.log(webhook, limit=limit))
    if as_json:
        emit_json([plain(one) for one in found])
        return
    table(
        ("at", "event", "state", "tries", "status", "next try", "error", "id"),
        (
            (
                minute_of(one.created_at), one.event, one.state, one.attempts, one.status or "",
                minute_of(one.next_try) if one.next_try else "", one.error, one.id,
            )
            for one in found
        ),
        empty="nothing was sent yet",
    )  # fmt: skip


def _object(one: "Webhook") -> object:
    """A webhook without the place of its secret: that is told when it is added."""
    told = plain(one)
    assert isinstance(told, dict)
    return {name: value for name, value in told.items() if name != "secret"}
