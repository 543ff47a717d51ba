"""`ska tui`, and `ska` alone: the full-screen workstation on this terminal."""

from functools import partial

import typer

from ..opening.running import ready_home
from ..options import AgentOption, FollowOption, SessionOption, single
from ..surroundings import Surroundings, surroundings

app = single()


@app.command()
def tui(
    ctx: typer.Context,
    agent: AgentOption = None,
    follow: FollowOption = False,
    session: SessionOption = None,
) -> None:
    """Open the full-screen workstation.

    The same as `ska` alone, with a choice of where to begin.

    \b
    Examples:
      ska tui -a ada
      ska tui --session "release plan"
    """
    open_workstation(surroundings(ctx), session="latest" if follow else session, agent=agent)


def open_workstation(
    around: Surroundings, *, session: str | None = None, agent: str | None = None
) -> None:
    """Runs the workstation until the person leaves it; raises typer.Exit with its exit code."""
    from ...tui.app import run_workstation

    home = ready_home(around)
    code = run_workstation(
        partial(around.open_home, role="tui", hosting=True),
        draft_dir=home.drafts,
        log_file=home.logs / "tui.log",
        session=session,
        agent=agent,
    )
    if code:
        raise typer.Exit(code)
