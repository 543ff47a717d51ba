"""`ska turns`: what agents are at work on, and what they have finished lately."""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.values import TurnState

from ..opening.running import run_with
from ..options import JsonOption, single
from ..output import emit_json, plain, table
from ..surroundings import Surroundings, surroundings

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


NOBODY = "no turn runs: nobody hosts the home"

app = single()


@app.command()
def turns(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """See which replies are being made, and which ended lately.

    Those that run come first. They live in the host of the home, so there are none without one.
    A turn whose asker goes away is stopped after some seconds, unless it was asked with --detach.

    \b
    Examples:
      ska turns
      ska turns --json | jq -r '.[] | select(.state == "running") | .id'
    """

    async def work(runtime: "Workstation") -> list[TurnState]:
        return await runtime.turns.list(limit=limit)

    around = surroundings(ctx)
    there = hosted(around)
    found = run_with(around, work, role="turns") if there else []
    if as_json:
        emit_json([plain(one) for one in found])
        return
    table(
        ("turn", "agent", "state", "since", "asked by", "words"),
        ((one.id, one.agent, state_of(one), one.started_at, one.by, one.words) for one in found),
        empty="no turn runs, and none has ended lately" if there else NOBODY,
    )


def hosted(around: Surroundings) -> bool:
    """Whether a process has the home."""
    if around.api:
        return True
    from ...store.lock import HomeLock

    home = around.home
    return home.exists and HomeLock(home.lock).holder() is not None


def state_of(turn: TurnState) -> str:
    """How a turn is or ended, in a word or two."""
    if turn.state == "failed" and turn.reason is not None:
        return turn.reason.replace("_", " ")
    return turn.state
