"""`ska jobs chores`: what `opening/chores` begins as a process of its own."""

from typing import TYPE_CHECKING

import typer

from ..opening.chores import ROLE
from ..opening.running import run_with
from ..surroundings import Surroundings, on_this_machine

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


def register(app: typer.Typer) -> None:
    app.command(hidden=True)(chores)


def chores(ctx: typer.Context) -> None:
    """Do what is due of the home's own jobs, unless another process has the home.

    \b
    Example:
      ska jobs chores
    """
    from ...store.lock import HomeLock

    around: Surroundings = on_this_machine(ctx)
    if not around.home.exists or HomeLock(around.home.lock).holder() is not None:
        return  # whoever stays does them, and whoever does not begins this again
    run_with(around, _work, role=ROLE)


async def _work(runtime: "Workstation") -> None:
    from skill_agent.host.runtime import Runtime

    if isinstance(runtime, Runtime):
        await runtime.do_chores()
