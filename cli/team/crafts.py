"""Crafts that are left out of an agent's instructions, because nobody approved them yet."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from skill_agent.errors import ConfigError

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA
    from skill_agent.skills.book import SkillBook


def craft_warnings(
    agents: "Sequence[AgentDNA]", skills: "SkillBook", file: str
) -> Iterator[ConfigError]:
    """One for each craft of each agent, with the command that approves it."""
    from skill_agent.skills.trust import how_to_approve

    for agent in agents:
        for skill in skills.unapproved(agent.craft_skill_names, agent.slug):
            yield ConfigError(
                f"{skill.name} is {skill.trust}, so its instructions are left out; read it, then "
                f"{how_to_approve(skill.name)}",
                file=file,
                key=f"agents.{agent.slug}.craft_skill_names",
            )
