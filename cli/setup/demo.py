"""`ska demo`: a home to look around in, with a month of somebody's days in it."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError
from skill_agent.files.home import Home, find_home
from skill_agent.files.private import read_text, write_private

from ..event_loop import run
from ..opening.home_files import init_home, read_settings
from ..opening.options import OpenOptions
from ..options import YesOption, single
from ..output import emit_text, narrate
from ..surroundings import Surroundings, on_this_machine

if TYPE_CHECKING:
    from .sample import Month

MARK = "# A sample home, made by `ska demo`. What you change in it is lost when it is made anew.\n"
BEHIND = timedelta(minutes=30)
"""The month ends so long ago, for its clock goes on by a second with every look."""

app = single()


@app.command()
def demo(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="Where; beside your own home if left out."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make one that is there anew.")] = False,
    yes: YesOption = False,
) -> None:
    """Make a sample home: a month of memories, disputes, jobs, an inbox and a team's work.

    Everything in it is invented, and goes the way of real talks: through the agents, the memory and
    the jobs. Your own home is not touched; where it has models, the sample uses the same files,
    otherwise the embedded ones are fetched after a question. It takes half a minute.

    \b
    Examples:
      ska demo
      ska --home "$(ska demo --yes)" memory disputes
      ska demo /tmp/look-around --again

    \b
    Exit codes: 0 made (also if it was there), 1 you said no, 2 something else lies there.
    """
    around = on_this_machine(ctx)
    root = folder or around.home.root.with_name(f"{around.home.root.name}-demo")
    home = find_home(root)
    if _is_sample(home) and not again:
        narrate("it is there already; --again makes it anew")
    else:
        _make(around, home, yes=yes)
    narrate(f"look around: ska --home {home.root}")
    emit_text(str(home.root))


def _is_sample(home: Home) -> bool:
    return home.config.is_file() and read_text(home.config).startswith(MARK)


def _make(around: Surroundings, home: Home, *, yes: bool) -> None:
    """Made beside its place and moved there whole, so that half of one is never taken for one."""
    from .sample import Month

    if home.root.exists() and any(home.root.iterdir()) and not _is_sample(home):
        raise UsageError(
            f"{home.root} holds something else", hint="name a folder that is empty or not there"
        )
    half = find_home(home.root.with_name(f"{home.root.name}.half"))
    shutil.rmtree(half.root, ignore_errors=True)
    try:
        _lay_out(around, half, yes=yes)
        run(_played(around, half, Month(today=datetime.now(UTC) - BEHIND)))
        if home.root.exists():
            shutil.rmtree(home.root)
        half.root.rename(home.root)
    finally:
        shutil.rmtree(half.root, ignore_errors=True)


def _lay_out(around: Surroundings, home: Home, *, yes: bool) -> None:
    """Settings, agents, skills; and the models, by a link where there are any."""
    chosen = {}
    if around.home.exists:
        chosen["models.default"] = read_settings(around.home).models.default
    init_home(home, chosen)
    write_private(home.config, MARK + read_text(home.config))
    if (theirs := around.home.models).is_dir():
        shutil.rmtree(home.models, ignore_errors=True)
        home.models.symlink_to(theirs.resolve())
        return
    from .init import set_up

    set_up(replace(around, path=home.root), yes=yes, look=False)


async def _played(around: Surroundings, home: Home, month: "Month") -> None:
    """The month, with a model that says what the script has; the embedder is the real one."""
    from skill_agent.models.scripted import ScriptedGateway, ScriptedModel

    from .sample import play

    options = around.opening or OpenOptions()
    gateway = ScriptedGateway(ScriptedModel(otherwise=month.answer))
    opening = replace(options, gateway=gateway, clock=month.clock)
    there = replace(around, path=home.root, opening=opening)
    async with there.open_home(role="demo", hosting=True) as station:
        await play(station, month, narrate)
