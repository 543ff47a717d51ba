"""`ska telegram`: the bot's token, who may write to it, and how it fares."""

import os
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.text.clock import minute_of

from ..opening.running import with_runtime
from ..options import JsonOption, YesOption, group
from ..output import emit_json, emit_text, narrate, record, table
from ..surroundings import on_this_machine, surroundings

if TYPE_CHECKING:
    from skill_agent.values import BridgeStatus, Pairing, PairingCode
    from skill_agent.workstation import Workstation

app = group("Let chats in on your Telegram bot; see how it fares.")

_NEGATIVE = MappingProxyType({"ignore_unknown_options": True})
"""A group's id begins with a minus sign, and is no option."""

ChatArgument = Annotated[
    str, typer.Argument(metavar="CHAT", help="Id of the chat, as `ska telegram list` shows it.")
]


@app.command()
def pair(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Make a code that lets one chat in.

    Send it to your bot within the hour. It is shown this once; at most three wait at a time. Who
    sends five wrong ones is locked out for an hour.

    \b
    Examples:
      ska telegram pair
      ska telegram pair --json | jq -r .id
    """

    async def made(station: "Workstation") -> "tuple[PairingCode, BridgeStatus]":
        return await station.bridges.pair(), (await station.bridges.status())[0]

    code, status = with_runtime(ctx, made)
    if as_json:
        emit_json(code)
        return
    bot = status.name or "your bot"
    narrate(f"send this to {bot} before {minute_of(code.expires)}:")
    emit_text(code.id)
    if status.state != "working":
        narrate(_not_working(status))


@app.command(context_settings=dict(_NEGATIVE))
def approve(
    ctx: typer.Context,
    chat: Annotated[
        str, typer.Argument(metavar="ID|CODE", help="Of a chat that wrote to the bot.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Let a chat in that wrote to the bot.

    By its id or the code that the bot told it.

    \b
    Example:
      ska telegram approve 7K3M9Q2X
    """

    async def approved(station: "Workstation") -> "Pairing":
        return await station.bridges.approve(chat)

    found = with_runtime(ctx, approved)
    if as_json:
        emit_json(found)
    else:
        narrate(f"let in: {found.id} {found.name}".rstrip())


@app.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the chats that are let in, and those that wait.

    \b
    Example:
      ska telegram list
    """
    found = with_runtime(ctx, lambda station: station.bridges.pairings())
    if as_json:
        emit_json(found)
        return
    table(
        ("id", "name", "state", "since", "waits until"),
        (
            (
                one.id,
                one.name,
                one.state,
                minute_of(one.since),
                minute_of(one.expires) if one.expires else "",
            )
            for one in found
        ),
        empty="no chat is let in; `ska telegram pair` makes a code for one",
    )


@app.command(context_settings=dict(_NEGATIVE))
def revoke(
    ctx: typer.Context, chat: ChatArgument, yes: YesOption = False, as_json: JsonOption = False
) -> None:
    """Let a chat in no longer.

    A reply that is being made for it is stopped, and its buttons answer nothing any more. What was
    said stays in its conversations. Without a terminal --yes is needed.

    \b
    Example:
      ska telegram revoke 123456789
    """
    around = surroundings(ctx)
    if not yes and not around.confirm(f"Let chat {chat} in no longer?", default=False):
        narrate("kept" if around.interactive else "kept: nobody could be asked; use --yes")
        raise typer.Exit(1)

    async def revoked(station: "Workstation") -> "Pairing":
        return await station.bridges.revoke(chat)

    found = with_runtime(ctx, revoked)
    if as_json:
        emit_json(found)
    else:
        narrate(f"no longer let in: {found.id} {found.name}".rstrip())


@app.command()
def token(
    ctx: typer.Context,
    forget: Annotated[bool, typer.Option("--forget", help="Take it out of the keyring.")] = False,
) -> None:
    """Keep the bot's token in the system's keyring.

    @BotFather in Telegram makes a bot and tells its token. It is asked for, or read from a pipe,
    and never stands in a file of the home. Without a keyring set TELEGRAM_BOT_TOKEN where the host
    is started. A host that runs takes it up when it is begun anew.

    \b
    Examples:
      ska telegram token
      pass show telegram-bot | ska telegram token
      ska telegram token --forget
    """
    around = on_this_machine(ctx)
    from ...bots.telegram.token import VARIABLE, forget_token, store_token

    if forget:
        narrate("forgotten" if forget_token() else "there was none in the keyring")
        return
    if around.interactive:
        said = around.read_secret("Token: ")
    else:
        piped = around.stdin or sys.stdin.buffer
        said = piped.readline(500).decode("utf-8", "replace")
    store_token(said)
    narrate("kept in the keyring; it counts from the next start of the host: ska down; ska up")
    if os.environ.get(VARIABLE):
        narrate(f"{VARIABLE} is set, and goes before it")


@app.command()
def status(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Say how the bot fares.

    \b
    Examples:
      ska telegram status
      ska telegram status --json | jq .state

    \b
    Exit codes: 0 it works or is off, 1 it does not.
    """
    [found] = with_runtime(ctx, lambda station: station.bridges.status())
    if as_json:
        emit_json(found)
    else:
        record(_lines(found))
        if found.state != "working":
            narrate(_not_working(found))
    if found.state in ("unhealthy", "stopped"):
        raise typer.Exit(1)


def _lines(found: "BridgeStatus") -> list[tuple[str, Any]]:
    return [
        ("state", found.state),
        ("problem", found.problem),
        ("bot", found.name),
        ("since", minute_of(found.since) if found.since else ""),
        ("last heard", minute_of(found.last_heard) if found.last_heard else ""),
        ("chats let in", found.chats),
        ("waiting", found.waiting),
    ]


def _not_working(found: "BridgeStatus") -> str:
    if found.state == "off":
        return (
            "the bot runs in `ska up` and `ska serve` where there is a token: "
            "ska telegram token, or TELEGRAM_BOT_TOKEN"
        )
    told = f"the bot is {found.state}: {found.problem}" if found.problem else f"it is {found.state}"
    return f"{told} ({found.hint})" if found.hint else told
