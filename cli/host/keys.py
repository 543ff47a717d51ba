"""`ska keys`: who may call the HTTP API from other programs and machines.

Reads and writes the home's key files alone, so that a key can be revoked while the home is served;
a server notices at once.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import NotFound, UsageError
from skill_agent.text.clock import minute_of

from ..opening.running import ready_home
from ..options import JsonOption, YesOption, group
from ..output import emit_json, emit_text, narrate, plain, table
from ..surroundings import Surroundings, on_this_machine

if TYPE_CHECKING:
    from skill_agent.access.keys import ApiKey, KeyRing

app = group("Make, see and revoke the keys of the HTTP API.")

USUAL_SCOPES = ("read", "chat")
_SPAN = re.compile(r"([0-9]{1,6})([hdwy])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7, "y": 24 * 365}


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="read, chat, memory or admin; repeatable."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="SPAN", help="Ends after e.g. 12h, 90d, 6w or 1y."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it, this once.

    Only a fingerprint of it is kept. Without --scope it may read and chat. What a scope allows:

    \b
      read    see everything: conversations, memories, prompts, events
      chat    talk, in conversations of its own (with read: in all); by itself
              it sees no memory, and leaves nothing in memory
      memory  change what is remembered, delete conversations; with chat,
              what is said may be remembered and is recalled
      admin   do everything, also store "always" rules and answer for others

    \b
    docs/scopes.md has every route. A program that stands in for you, and
    shall remember what you tell it: --scope read --scope chat --scope memory

    \b
    Examples:
      ska keys create laptop
      ska keys create ci --scope read --expires 90d
      export SKA_KEY="$(ska keys create editor --scope chat)"
    """
    around = on_this_machine(ctx)
    from skill_agent.access.keys import checked_scopes

    scopes, lifetime = checked_scopes(scope or USUAL_SCOPES), _span(expires)
    ready_home(around)
    key, text = _ring(around).create(name, scopes, lifetime)
    if as_json:
        emit_json({**_key_object(key), "key": text})
        return
    ends = f", until {plain(key.expires_at)}" if key.expires_at else ""
    narrate(f"key {key.id} for {key.name}: {', '.join(key.scopes)}{ends}")
    narrate("It is shown this once. Send it as `Authorization: Bearer KEY`.")
    emit_text(text)


@app.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the keys there are, revoked and expired ones too.

    \b
    Examples:
      ska keys list
      ska keys list --json | jq '.[] | select(.state == "active")'
    """
    found = _ring(on_this_machine(ctx)).listed()
    if as_json:
        emit_json([_key_object(key) for key in found])
        return
    now = _now()
    table(
        ("id", "name", "scopes", "state", "made", "expires", "last used"),
        (
            (
                key.id, key.name, key.scopes, key.state(now), _minute(key.created_at),
                _minute(key.expires_at), _minute(key.last_used),
            )
            for key in found
        ),
        empty="no API keys yet; `ska keys create NAME` makes one",
    )  # fmt: skip


@app.command()
def revoke(
    ctx: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `ska keys list` shows it.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """End a key for good, and every token made with it.

    A server that runs notices at once: streams that are open with it end within a second or two,
    and a reply that is being made for it is stopped. Without a terminal --yes is needed.

    \b
    Example:
      ska keys revoke k3f9a2c1d
    """
    around = on_this_machine(ctx)
    ring = _ring(around)
    key = ring.get(key_id)
    if key.revoked_at is None and not yes:
        question = f"Revoke {key.id} ({key.name})? Whoever uses it is locked out."
        if not around.confirm(question, default=False):
            narrate("kept" if around.interactive else "kept: nobody could be asked; use --yes")
            raise typer.Exit(1)
    key, now_ended = ring.revoke(key.id)
    if as_json:
        emit_json(_key_object(key))
    elif now_ended:
        narrate(f"revoked: {key.id} ({key.name})")
    else:
        narrate(f"{key.id} ({key.name}) was revoked already, at {plain(key.revoked_at)}")


@app.command()
def rotate(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Begin with a new signing key for access tokens.

    This happens by itself every day. Tokens that are out stay good until they end, within half an
    hour; API keys are not touched.

    \b
    Example:
      ska keys rotate
    """
    home = on_this_machine(ctx).home
    if not home.exists:
        raise NotFound(f"no home at {home.root}", hint="ska init")
    from skill_agent.access.tokens import TokenMint, signing_file

    mint = TokenMint(signing_file(home.root), _now)
    new = mint.rotate()
    old = len(mint.live()) - 1
    if as_json:
        emit_json({"id": new.kid, "created_at": new.created_at, "still_verifying": old})
        return
    narrate(f"new signing key {new.kid}; {old} older still verify tokens that are out")


def _ring(around: Surroundings) -> "KeyRing":
    from skill_agent.access.keys import KeyRing, keys_file

    return KeyRing(keys_file(around.home.root), _now)


def _now() -> datetime:
    return datetime.now(UTC)


def _span(text: str | None) -> timedelta | None:
    """A span such as `90d`; raises UsageError."""
    if text is None:
        return None
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None or int(found[1]) == 0:
        raise UsageError(f'"{text}" is no span of time', hint="for example 12h, 90d, 6w or 1y")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])


def _minute(moment: datetime | None) -> str:
    return "" if moment is None else minute_of(moment)


def _key_object(key: "ApiKey") -> dict[str, Any]:
    """A key as JSON, without its fingerprint."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "state": key.state(_now()),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used": key.last_used,
    }
