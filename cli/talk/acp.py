"""`ska acp`: agents inside an editor."""

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

import typer

from skill_agent.errors import NotFound, UsageError

from ..options import AgentOption, single
from ..surroundings import Surroundings, surroundings

if TYPE_CHECKING:
    from skill_agent.acp_agent.line import EditorLine

app = single()


@app.command()
def acp(ctx: typer.Context, agent: AgentOption = None) -> None:
    """Talk to your agents inside an editor (ACP).

    An editor starts this and speaks the Agent Client Protocol with it over standard input and
    output: nothing else is printed there. docs/editors.md says what to write into which editor's
    settings. Without --agent whoever fits a message answers it.

    \b
    Examples:
      ska acp
      ska acp --agent luke

    \b
    Exit codes: 0 the editor hung up, 1 failed, 2 no home or wrong usage, 143 told to end.
    """
    around = surroundings(ctx)
    _check(around)
    _run(around, agent)


def _check(around: Surroundings) -> None:
    """Raises NotFound without a home, UsageError where no editor started us."""
    if around.api:
        from ..opening.remote_home import make_own_files

        make_own_files(around.home)
    elif not around.home.exists:
        from skill_agent.backups.unfinished import check_not_half_restored

        check_not_half_restored(around.home)
        raise NotFound(f"there is no skill-agent home at {around.home.root}", hint="ska init")
    if sys.stdin.isatty():
        raise UsageError("an editor starts this command", hint="docs/editors.md says how")


def _run(around: Surroundings, agent: str | None) -> None:
    from ..ending import Ended
    from ..event_loop import run

    if (signal := run(_served(around, agent))) is not None:
        raise Ended(signal)


async def _served(around: Surroundings, agent: str | None) -> int | None:
    """Until the editor hangs up, or the signal that is given ends us."""
    from skill_agent.acp_agent.serving import serve_editor

    from ..host.until_stopped import end_signal

    line = await _line()
    with end_signal() as told:
        async with around.open_home(role="acp", hosting=True) as station:
            folders = around.home.editor_folders
            serving = asyncio.create_task(serve_editor(station, line, folders=folders, agent=agent))
            ended = asyncio.create_task(told.wait())
            await asyncio.wait((serving, ended), return_when=asyncio.FIRST_COMPLETED)
            told.hurry()
            for task in (serving, ended):  # as if the editor had hung up
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
        return told.signal


async def _line() -> "EditorLine":
    """Standard input and output, kept from everything else: what else is printed goes to stderr."""
    from skill_agent.acp_agent.line import open_line

    given, taken = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    try:
        return await open_line(given, taken)
    except ValueError:
        raise UsageError(
            "standard input and output must be pipes", hint="docs/editors.md says how"
        ) from None
