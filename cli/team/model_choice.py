"""Which model an agent speaks with by the settings of its home, in a line for people."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from ..opening.running import with_runtime
from ..surroundings import surroundings

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA
    from skill_agent.settings.schema import ModelSettings
    from skill_agent.workstation import Workstation


def model_settings(ctx: typer.Context) -> "ModelSettings":
    """Those of the command's home; the usual ones where there is no home yet."""
    from skill_agent.settings.schema import ModelSettings

    from ..opening.home_files import read_settings

    around = surroundings(ctx)
    if around.api:

        async def asked(station: "Workstation") -> "ModelSettings":
            return station.settings.models

        return with_runtime(ctx, asked)
    return read_settings(around.home).models if around.home.exists else ModelSettings()


def spoken_with(dna: "AgentDNA", settings: "ModelSettings") -> str:
    """The model's name, and why it is that one."""
    from skill_agent.agents.tiers import chosen

    found = chosen(dna, None, settings)
    name = settings.default if found.name == "default" else found.name
    return f"{name} ({found.why})"


def idle(agents: "Sequence[AgentDNA]") -> Iterator[str]:
    """What agents' settings say that changes nothing yet, each with whose it is."""
    from skill_agent.agents.tiers import without_effect

    slugs: dict[str, list[str]] = {}
    for dna in agents:
        for told in without_effect(dna):
            slugs.setdefault(told, []).append(dna.slug)
    for told, whose in slugs.items():
        yield f"without effect: {told} ({', '.join(whose)})"
