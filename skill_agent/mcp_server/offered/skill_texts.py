"""The texts of skills as a program may read them: of one that was not approved its name alone."""

from pathlib import Path

from skill_agent.errors import Forbidden, NotFound, ToolFailed
from skill_agent.mcp_server.visit import Visit
from skill_agent.skills.book import BODY_CHARACTERS, SkillBook
from skill_agent.skills.trust import EVERY_AGENT, NOT_APPROVED, how_to_approve
from skill_agent.values import Skill

from .eyes import nothing_like
from .shown import in_a_line, shown

FILE = "SKILL.md"


async def skills_of(visit: Visit, *, hidden: bool = False) -> list[Skill]:
    """Those that load; one that only a person may choose (`disable-model-invocation`) is none for
    a model."""
    found = await visit.station.skills.list()
    return [one for one in found if one.loaded and (hidden or not one.hidden)]


def for_a_person(skill: Skill) -> bool:
    """Whether a person may choose it: `user-invocable` in its metadata does not say no."""
    said = str(skill.metadata.get("user-invocable", "")).strip().lower()
    return said not in ("false", "no", "off")


def trusted(visit: Visit, skill: Skill) -> bool:
    """Whether its text may be told: it came with the program, or was approved for all agents or
    the one the visit sees as."""
    return skill.trust == "trusted" or not {EVERY_AGENT, visit.agent}.isdisjoint(skill.approved_for)


def said_of(visit: Visit, skill: Skill) -> str:
    """What it says of itself."""
    return in_a_line(skill.description, 500) if trusted(visit, skill) else NOT_APPROVED


async def skill_of(visit: Visit, name: str, *, hidden: bool = False) -> Skill:
    """Raises NotFound."""
    for one in await skills_of(visit, hidden=hidden):
        if one.name == name:
            return one
    raise nothing_like("skill", name, "list_skills names them")


async def trusted_skill(visit: Visit, name: str, *, hidden: bool = False) -> Skill:
    """Raises NotFound, and Forbidden for one that nobody approved."""
    skill = await skill_of(visit, name, hidden=hidden)
    if not trusted(visit, skill):
        raise Forbidden(f"the skill {skill.name} was not approved", hint=how_to_approve(skill.name))
    return skill


def text_of(skill: Skill, path: str) -> str:
    """One file of its folder, as it was when it was judged; raises NotFound."""
    book = SkillBook((Path(skill.path),))
    try:
        return shown(book.resource(skill.name, path, skill.digest), BODY_CHARACTERS)
    except ToolFailed:
        raise NotFound(
            f"the skill {skill.name} has no text {in_a_line(path, 60)!r} to read",
            hint=f"skill://{skill.name}/{FILE}",
        ) from None


def body_of(skill: Skill) -> str:
    """Its instructions with the list of its files; raises NotFound."""
    try:
        told = SkillBook((Path(skill.path),)).activate(skill.name, skill.digest)
    except ToolFailed:
        raise nothing_like("skill", skill.name, "list_skills names them") from None
    return shown(told, BODY_CHARACTERS)
