"""Runs a command's work on the runtime of its home, which is made on first use."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from skill_agent.backups.unfinished import check_not_half_restored

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
    check_not_half_restored(home)
    if around.interactive:
        from ..setup.init import set_up

        narrate(f"There is no skill-agent home at {home.root} yet; setting it up.")
        return set_up(around, first_use=True)
    from .home_files import init_home

    narrate(f"Making a home at {home.root} (settings only; `ska init` also fetches a model).")
    init_home(home)
    return home


def ready_to_talk(around: Surroundings, model: str | None = None) -> "Home":
    """As `ready_home`; a person whose default model is missing is offered to fetch it first."""
    fresh = not around.home.exists
    home = ready_home(around)
    stands_in = around.opening is not None and around.opening.gateway is not None
    if fresh or around.api or model or stands_in or not around.interactive:
        return home
    from skill_agent.models.files.installed import installed

    from ..setup.init import EMBEDDED, set_up
    from .home_files import read_settings

    chosen = read_settings(home).models
    alone = chosen.default.startswith(EMBEDDED) and not chosen.fallback
    if alone and not installed(chosen.default, home):
        set_up(around, first_use=True)
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
