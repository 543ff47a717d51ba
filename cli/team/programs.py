"""`--acp`: which outside program a new agent runs on."""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError

from ..output import narrate

if TYPE_CHECKING:
    from skill_agent.settings.schema import AcpSettings

AcpOption = Annotated[
    str | None,
    typer.Option("--acp", metavar="PROGRAM", help="Run it on a program of another make."),
]


def program_named(said: str, settings: "AcpSettings") -> str:
    """The program's name; says how to get one that is not here. Raises UsageError for a name that
    nobody knows, with the nearest and those that are on this machine."""
    from skill_agent.acp_client.programs import launch_named, launches

    try:
        launch = launch_named(said, settings)
    except UsageError as problem:
        here = [one.name for one in launches(settings) if one.found]
        told = f"here: {', '.join(here)}" if here else "none of them is on this machine yet"
        raise UsageError(problem.message, hint=f"{problem.hint}; {told}") from None
    if launch.found:
        narrate(f"it runs on {' '.join(launch.command)} ({launch.found})")
    else:
        narrate(f"{launch.command[0]!r} is not on PATH yet: {launch.get}")
    if launch.login:
        narrate(f"not logged in there yet? {launch.login}")
    return launch.name
