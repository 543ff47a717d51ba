"""`ska tui`, and `ska` alone: the full-screen workstation on this terminal."""

import os
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from ..opening.running import ready_home, ready_to_talk
from ..options import AgentOption, FollowOption, SessionOption, single
from ..surroundings import Surroundings, on_this_machine, surroundings
from .wishes import InOption, folder_here, folder_of

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

PORT = 8348
"""Beside that of `ska serve`."""

app = single()


@app.command()
def tui(
    ctx: typer.Context,
    agent: AgentOption = None,
    follow: FollowOption = False,
    session: SessionOption = None,
    folder: InOption = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve it to browsers; needs a key with admin.")
    ] = False,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="With --serve: where to listen.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="0 takes a free one.")
    ] = PORT,
) -> None:
    """Open the full-screen workstation.

    The same as `ska` alone, with a choice of where to begin. Agents on outside programs work in
    the folder it is opened in, unless --in names another. With --serve it is opened in browsers
    instead: the page asks for an API key that may do everything, as its person may.

    \b
    Examples:
      ska tui -a ada
      ska tui --session "release plan"
      ska keys create browser --scope admin && ska tui --serve
    """
    around = surroundings(ctx)
    if serve:
        _serve(on_this_machine(ctx), host, port, agent)
        return
    open_workstation(
        around, session="latest" if follow else session, agent=agent,
        folder=folder_of(folder, elsewhere=bool(around.api)),
    )  # fmt: skip


def _serve(around: Surroundings, host: str, port: int, agent: str | None) -> None:
    """In browsers, until it is told to end."""
    from ..event_loop import run
    from ..host.browser import serve_in_browser

    ready_home(around)
    run(serve_in_browser(around, host, port, ["-a", agent] if agent else []))


def open_workstation(
    around: Surroundings,
    *,
    session: str | None = None,
    agent: str | None = None,
    folder: str = "",
) -> None:
    """Runs the workstation until the person leaves it; raises typer.Exit with its exit code.

    A terminal that cannot be drawn on gets the same talk line by line, with states in words.
    """
    from ...tui.frame.terminal import draws

    folder = folder or folder_here(elsewhere=bool(around.api))
    if not draws(os.environ):
        from .chat import talk_by_lines

        talk_by_lines(around, agent, session, {"folder": folder}, plain=True)
        return
    from ...tui.app import run_workstation
    from ..event_loop import run
    from ..opening.joining import load_ahead

    home = ready_to_talk(around)

    def opener() -> "AbstractAsyncContextManager[Workstation]":
        load_ahead(home)  # this runs in a thread, and what comes after it on the screen's own
        return around.open_home(role="tui", hosting=True)

    code = run_workstation(
        opener,
        draft_dir=home.drafts,
        log_file=home.logs / "tui.log",
        theme_file=home.run / "theme",
        run=run,
        session=session,
        agent=agent,
        folder=folder,
    )
    if code:
        raise typer.Exit(code)
