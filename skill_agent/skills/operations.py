"""What can be asked of the skills, as an interface with its routes."""

from collections.abc import Callable
from typing import Any, Protocol

from skill_agent.route import route
from skill_agent.values import Skill, SkillActivation, SkillPage, SkillTool, SkillUse

Skills = list[Skill]  # `list` is a method
Activations = list[SkillActivation]
ListOfTools = list[SkillTool]


class SkillOperations(Protocol):
    """The SKILL.md folders."""

    @route("GET", "/v1/skills", scope="read", id="skills")
    async def list(self) -> Skills:
        """The skills there are."""
        ...

    @route("GET", "/v1/skills/page", scope="read", id="skill_page")
    async def page(self, skill: str) -> SkillPage:
        """One skill to be read before it is trusted: by its name, or its path where it could not
        be loaded."""
        ...

    @route("POST", "/v1/skills/{name}/approve", scope="admin", id="approve_skill")
    async def approve(self, name: str, digest: str, *, agent: str = "*") -> Skill:
        """Trusts a skill as it was read, for an agent or every one; `digest` is what was read.
        Once a file of it changes, it asks again."""
        ...

    @route("POST", "/v1/skills/{name}/revoke", scope="admin", once=True, id="revoke_skill")
    async def revoke(self, name: str, *, agent: str | None = None) -> Skill:
        """Takes the approvals of a skill back, all or those for one agent."""
        ...


class SkillToolOperations(Protocol):
    """Skills that an agent, or a client of ours, uses as tools.

    Whoever uses them is an agent's slug, or a client's own, such as `mcp-claude-code`.
    """

    @route("GET", "/v1/skills/active", scope="read", id="active_skills")
    async def list(self, *, agent: str | None = None) -> Activations:
        """Those in use, by agent and tool; also such as are no tool for now, with the reason."""
        ...

    @route("GET", "/v1/skills/tools", scope="read", id="skill_tools")
    async def tools(self, agent: str) -> ListOfTools:
        """The tools there are now, by name."""
        ...

    @route("POST", "/v1/skills/tools/{tool}/use", scope="read", id="use_skill_tool")
    async def use(self, tool: str, agent: str, arguments: dict[str, Any]) -> SkillUse:
        """What the skill says is to be done. Raises NotFound for a tool there is not, Forbidden
        where the skill is not approved as it is now, and UsageError for other arguments than it
        takes."""
        ...

    @route("POST", "/v1/skills/{name}/activate", scope="chat", id="activate_skill")
    async def activate(self, name: str, agent: str, *, actor: str = "person") -> SkillActivation:
        """Makes a tool of a skill; the second time it gives the first. Raises NotFound, Forbidden
        for a skill nobody approved, Conflict for a name that is taken, and UsageError past 100
        with what could be deactivated."""
        ...

    @route("POST", "/v1/skills/{name}/deactivate", scope="chat", id="deactivate_skill")
    async def deactivate(self, name: str, agent: str, *, actor: str = "person") -> SkillActivation:
        """Takes the tool away; raises NotFound where there is none."""
        ...

    def on_change(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Has somebody hear whose tools have changed, also by an edit of a SKILL.md; gives how to
        stop that. In the process of the host only."""
        ...
