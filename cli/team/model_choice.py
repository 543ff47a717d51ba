"""Which model an agent speaks with by the settings of its home, in a line for people."""

from typing import TYPE_CHECKING

import typer

from ..opening.running import with_runtime
from ..surroundings import surroundings

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA
    from skill_agent.settings.schema import Settings
    from skill_agent.workstation import Workstation


def settings_of(ctx: typer.Context) -> "Settings":
    """Those of the command's home; the usual ones where there is no home yet."""
    from skill_agent.settings.schema import Settings

    from ..opening.home_files import read_settings

    around = surroundings(ctx)
    if around.api:

        async def asked(station: "Workstation") -> "Settings":
            return station.settings

        return with_runtime(ctx, asked)
    return read_settings(around.home) if around.home.exists else Settings()


def spoken_with(dna: "AgentDNA", settings: "Settings") -> str:
    """The model's name, and why it is that one; several where it depends on the message."""
    from skill_agent.agents.tiers import capped, chosen, routed

    if dna.runs is not None:
        return run_on(dna, settings)
    models = settings.models
    if settings.features.model_routing and (tiers := routed(dna, models)):
        mine = dict.fromkeys(f"{tiers[tier]}" for tier in tiers if capped(dna, tier) == tier)
        return f"{', '.join(mine)} (by what each message needs)"
    found = chosen(dna, None, models)
    name = models.default if found.name == "default" else found.name
    return f"{name} ({found.why})"


def run_on(dna: "AgentDNA", settings: "Settings") -> str:
    """The outside program of an agent that has one, and whether it is here."""
    from skill_agent.acp_client.programs import launch_of
    from skill_agent.errors import UsageError

    assert dna.runs is not None
    try:
        launch = launch_of(dna.runs, settings.acp)
    except UsageError as problem:
        return f"{problem.message} ({problem.hint})"
    line = " ".join(launch.command)
    here = launch.found or f"not here; {launch.get or 'is it on PATH?'}"
    return f"the program {launch.name}: {line} ({here})"
