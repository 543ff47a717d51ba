"""What can be asked of the skills, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import Skill

Skills = list[Skill]  # `list` is a method


class SkillOperations(Protocol):
    """The SKILL.md folders."""

    @route("GET", "/v1/skills", scope="read", id="skills")
    async def list(self) -> Skills:
        """The skills there are."""
        ...
