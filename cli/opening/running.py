"""Runs a command's work on the runtime of its home, which is made on first use."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from ..output import narrate
from ..surroundings import Surroundings, surroundings

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.workstation import Workstation

Result = TypeVar("Result")


def ready_home(around: Surroundings) -> "Home":
    """The home, made on first use: a person is asked, a script gets a line on stderr.

    No model is downloaded for a script. Raises NotFound when the person declines.
    """
    home = around.home
    if around.api:
        from .remote_home import make_own_files

        return make_own_files(home)
    if home.exists:
        return home
    if around.interactive:
        from skill_agent.errors import NotFound

        from ..setup.init import set_up

        narrate(f"There is no skill-agent home at {home.root} yet.")
        if not around.confirm("Set it up now?"):
            raise NotFound(f"no home at {home.root}", hint="ska init")
        set_up(around)
        return home
    from .home_files import init_home

    narrate(f"Making a home at {home.root} (settings only; `ska init` also fetches a model).")
    init_home(home)
    return home


def with_runtime(ctx: typer.Context, work: "Callable[[Workstation], Awaitable[Result]]") -> Result:
    """Opens the home, made if need be, runs the work on its runtime and closes it again."""
    around = surroundings(ctx)
    role = ctx.find_root().invoked_subcommand or "script"
    ready_home(around)
    return run_with(around, work, role=role)


def run_with(
    around: Surroundings, work: "Callable[[Workstation], Awaitable[Result]]", *, role: str
) -> Result:
    """Runs the work on the runtime of a home that is there already."""
    import asyncio

    async def opened() -> Result:
        async with around.open_home(role=role) as runtime:
            return await work(runtime)

    return asyncio.run(opened())
