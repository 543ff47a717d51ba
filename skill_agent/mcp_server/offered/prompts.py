"""Prompts a person may choose in their client: each agent's persona, each approved skill."""

from collections.abc import Sequence

from mcp import types

from skill_agent.errors import UsageError
from skill_agent.mcp_server.visit import Visit

from .eyes import nothing_like
from .personas import agents_of, persona
from .shown import in_a_line, shown
from .skill_texts import body_of, for_a_person, said_of, skills_of, trusted, trusted_skill

_AGENT, _SKILL = "agent-", "skill-"
_MOST = 100
_LONGEST_TASK = 20_000
_TASK = types.PromptArgument(
    name="task", title="Task", description="What is to be done.", required=False
)


class HomePrompts:
    """The prompts of a home."""

    async def prompts(self, visit: Visit) -> Sequence[types.Prompt]:
        """Agents that work, then skills whose text may be told."""
        if not visit.may("read"):
            return []
        agents = [one for one in await agents_of(visit) if one.status == "active"]
        skills = await skills_of(visit, hidden=True)
        skills = [one for one in skills if for_a_person(one) and trusted(visit, one)]
        return [
            *(
                types.Prompt(
                    name=f"{_AGENT}{one.slug}",
                    title=in_a_line(f"Be {one.name}", 80),
                    description=in_a_line(one.tagline, 200),
                    arguments=[_TASK],
                )
                for one in agents[:_MOST]
            ),
            *(
                types.Prompt(
                    name=f"{_SKILL}{one.name}",
                    title=in_a_line(f"Use the skill {one.name}", 80),
                    description=said_of(visit, one),
                    arguments=[_TASK],
                )
                for one in skills[:_MOST]
            ),
        ]

    async def get(
        self, visit: Visit, name: str, arguments: dict[str, str]
    ) -> types.GetPromptResult | None:
        """None for another name; raises NotFound, and Forbidden for a skill nobody approved."""
        if not name.startswith((_AGENT, _SKILL)):
            return None
        visit.demand("read")
        task = _task(arguments)
        if name.startswith(_AGENT):
            found = await persona(visit, name.removeprefix(_AGENT))
            said = f"From now on you are {found.name}:\n\n{found.system}"
            return _result(f"{found.name}'s persona", said, task)
        skill = await trusted_skill(visit, name.removeprefix(_SKILL), hidden=True)
        if not for_a_person(skill):
            raise nothing_like("prompt", name, "this skill is for models alone")
        said = f"Follow the instructions of this skill:\n\n{body_of(skill)}"
        return _result(said_of(visit, skill), said, task)


def _task(arguments: dict[str, str]) -> str:
    """Raises UsageError for an argument that there is not, and one that is too long."""
    if unknown := arguments.keys() - {"task"}:
        raise UsageError(f"unknown argument {in_a_line(min(unknown), 60)!r}", hint="task")
    task = arguments.get("task", "")
    if len(task) > _LONGEST_TASK:
        raise UsageError(f"a task has at most {_LONGEST_TASK:,} characters", hint="shorten it")
    return shown(task, _LONGEST_TASK).strip()


def _result(description: str, said: str, task: str) -> types.GetPromptResult:
    return types.GetPromptResult(
        description=description,
        messages=[
            types.PromptMessage(role="user", content=types.TextContent(text=text))
            for text in (said, task)
            if text
        ],
    )
