"""Runs a command's work on the runtime of its home, which is made on first use."""

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from skill_agent.backups.unfinished import check_not_half_restored
from skill_agent.errors import ModelUnavailable

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
    """As `ready_home`; a person whose default model is missing is offered to fetch it first, and
    for a script no home is made in which nobody could answer."""
    fresh = not around.home.exists
    stands_in = around.opening is not None and around.opening.gateway is not None
    if fresh and not (around.api or stands_in or around.interactive):
        _check_model(around.home, model)
    home = ready_home(around)
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


def _check_model(home: "Home", model: str | None) -> None:
    """Raises ModelUnavailable where a home yet to be made would have no model to answer with."""
    from skill_agent.models.gateway import Gateway
    from skill_agent.settings.parsing import parse_settings

    settings, _ = parse_settings("", str(home.config), dict(os.environ))
    try:
        Gateway(settings, home).check(model or settings.models.default)
    except ModelUnavailable as problem:
        there = f"there is no skill-agent home at {home.root} yet, and {problem.message}"
        raise ModelUnavailable(there, hint=f"ska init, or {problem.hint}") from problem


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
    from ..event_loop import run
    from . import chores

    due = False

    async def opened() -> Result:
        nonlocal due
        async with around.open_home(role=role) as runtime:
            result = await work(runtime)
            due = around.chores and role != chores.ROLE and await chores.are_due(runtime)
            return result

    result = run(opened())
    if due:
        chores.begin(around.home)
    return result
