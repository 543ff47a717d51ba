"""`ska cancel`: stops replies that are being made."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import NotFound, UsageError
from skill_agent.values import TurnState

from ..opening.running import run_with
from ..options import JsonOption, single
from ..output import emit_json, narrate
from ..surroundings import surroundings
from .turns import NOBODY, hosted, state_of

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_MOST = 1_000
"""Turns that are looked through."""
_LEAST = 4
"""Characters of an id that may stand for it."""

app = single()


@app.command()
def cancel(
    ctx: typer.Context,
    turn: Annotated[
        str | None,
        typer.Argument(metavar="TURN", help="Id of a turn, its beginning or end, or `latest`."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Stop all that run.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop a reply that is being made; what there is of it is kept.

    `ska turns` lists what runs. `latest` is the turn that was begun last.

    \b
    Examples:
      ska cancel latest
      ska cancel 0198f2a4
      ska cancel --all

    \b
    Exit codes: 0 it does not run (any more), 2 there is no such turn.
    """
    if everything == (turn is not None):
        raise UsageError("name one turn, or say --all", hint="ska turns")

    async def work(runtime: "Workstation") -> list[tuple[TurnState, bool]]:
        known = await runtime.turns.list(limit=_MOST)
        wanted = [one for one in known if one.state == "running"] if turn is None else []
        if turn is not None:
            wanted = [named(turn, known) or await runtime.turns.get(turn)]
        return [(one, await runtime.turns.cancel(one.id)) for one in wanted]

    around = surroundings(ctx)
    if not (there := hosted(around)) and turn is not None:
        raise NotFound(NOBODY, hint="ska turns")
    done = run_with(around, work, role="cancel") if there else []
    if as_json:
        emit_json([{"id": one.id, "session": one.session, "stopped": did} for one, did in done])
    for one, did in done:
        _tell(one, did)
    if not done:
        narrate("no turn runs" if there else NOBODY)


def named(ref: str, known: Sequence[TurnState]) -> TurnState | None:
    """The turn of that name among those known, None where its whole id may still be known
    elsewhere; raises NotFound, and UsageError for several."""
    running = [one for one in known if one.state == "running"]
    if ref == "latest":
        if not running:
            raise NotFound("no turn runs", hint="ska turns")
        return max(running, key=lambda one: one.started_at)
    wanted = ref.lower()
    found = [one for one in known if one.id == wanted]
    if not found and len(wanted) >= _LEAST:
        found = [one for one in known if one.id.startswith(wanted) or one.id.endswith(wanted)]
    going = [one for one in found if one.state == "running"]
    found = going or found
    if len(found) > 1:
        raise UsageError(f"{ref!r} stands for {len(found)} turns", hint="more of the id: ska turns")
    if found or len(wanted) == len("00000000-0000-0000-0000-000000000000"):
        return found[0] if found else None
    raise _unknown(ref)


def _tell(turn: TurnState, stopped: bool) -> None:
    said = f" ({turn.words})" if turn.words else ""
    if stopped:
        narrate(f"stopped {turn.id}{said}; what there was of the reply is kept")
    elif turn.state == "running":
        narrate(f"{turn.id}{said} has just ended by itself")
    else:
        narrate(f"{turn.id}{said} had ended before: {state_of(turn)}")


def _unknown(ref: str) -> NotFound:
    return NotFound(f"there is no turn {ref!r}", hint="ska turns")
