"""Skills that a test puts into its home, and a person's approval of them."""

from pathlib import Path

from skill_agent.files.home import Home
from skill_agent.skills.book import SkillBook
from skill_agent.skills.trust import EVERY_AGENT, skill_rule
from skill_agent.tools.approvals import RuleBook, stored_rule


def put_skill(
    home: Home, name: str, body: str = "Do it.", *, description: str = "Does it.", head: str = ""
) -> Path:
    """A skill's folder in the home; nobody has approved it."""
    place = home.skills / name
    place.mkdir(parents=True, exist_ok=True)
    text = f"---\nname: {name}\ndescription: {description}\n{head}---\n{body}\n"
    (place / "SKILL.md").write_text(text, encoding="utf-8")
    return place


def approve(home: Home, name: str, agent: str = EVERY_AGENT) -> str:
    """Approves a skill of the home as it is now, as `ska skills approve` does; gives the rule."""
    digest = SkillBook([home.skills]).get(name).digest
    rule = stored_rule(agent, skill_rule(name, digest), tainted=False)
    RuleBook(home.rules).add(rule)
    return rule
