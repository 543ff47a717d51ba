"""What can be asked of the skills, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import Skill, SkillActivation

Skills = list[Skill]  # `list` is a method
Activations = list[SkillActivation]


class SkillOperations(Protocol):
    """The SKILL.md folders."""

    @route("GET", "/v1/skills", scope="read", id="skills")
    async def list(self) -> Skills:
        """The skills there are."""
        ...


class SkillToolOperations(Protocol):
    """Skills that an agent, or a client of ours, uses as tools."""

    @route("GET", "/v1/skills/active", scope="read", id="active_skills")
    async def list(self, *, agent: str | None = None) -> Activations:
        """Those in use, by agent and tool."""
        ...

    @route("POST", "/v1/skills/{name}/activate", scope="chat", id="activate_skill")
    async def activate(self, name: str, agent: str) -> SkillActivation:
        """Makes a tool of a skill; the second time it gives the first. Raises NotFound, Forbidden
        for a skill nobody approved, Conflict for a name that is taken, and UsageError past 100
        with what could be deactivated."""
        ...

    @route("POST", "/v1/skills/{name}/deactivate", scope="chat", id="deactivate_skill")
    async def deactivate(self, name: str, agent: str) -> SkillActivation:
        """Takes the tool away; raises NotFound where there is none."""
        ...
