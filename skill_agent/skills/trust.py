"""Which skills a person has approved: stored rules that name a skill and the digest of its folder.

A rule is a line `AGENT activate_skill:NAME@DIGEST`, with `*` for every agent. What stands after it
(a wider rule's further words) changes nothing: the approved text is the person's own from then on.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from skill_agent.values import Skill

EVERY_AGENT = "*"
NOT_APPROVED = "not approved yet, so what it says of itself is left out; opening it asks the user"
"""All that a prompt says of a skill nobody has approved."""

_RULE = re.compile(r"(\S+) activate_skill:([a-z0-9-]+)@([0-9a-f]{12,64})(?: .+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One stored rule that approves a skill."""

    agent: str
    name: str
    digest: str
    rule: str
    """The rule as it is listed."""


def approvals_in(rules: Iterable[str]) -> list[Approval]:
    """Those among stored rules that approve skills."""
    found = (_RULE.fullmatch(rule) for rule in rules)
    return [Approval(agent=one[1], name=one[2], digest=one[3], rule=one[0]) for one in found if one]


def skill_rule(name: str, digest: str) -> str:
    """The rule that approves a skill as it is, without the agent."""
    return f"activate_skill:{name}@{digest}"


def judged(skill: Skill, approvals: Sequence[Approval], agent: str | None = None) -> Skill:
    """The skill with what one agent, or any, may make of it; those that came with the program
    stay trusted."""
    if skill.trust == "trusted":
        return skill
    about = [
        one
        for one in approvals
        if one.name == skill.name and (agent is None or one.agent in (EVERY_AGENT, agent))
    ]
    now = tuple(dict.fromkeys(one.agent for one in about if one.digest == skill.digest))
    trust = "approved" if now else "changed" if about else "not approved"
    return replace(skill, trust=trust, approved_for=now)


def is_trusted(skill: Skill) -> bool:
    """Whether its text is the program's or the person's own."""
    return skill.trust in ("trusted", "approved")


def why_ask(skill: Skill) -> str:
    """Why a person is asked before it is opened; empty where nobody is."""
    if is_trusted(skill):
        return ""
    if skill.trust == "changed":
        return f"{skill.name} has changed since you approved it; {_read(skill)}"
    return (
        f"{skill.name} is not one of the skills this program came with, "
        f"and was not approved yet; {_read(skill)}"
    )


def _read(skill: Skill) -> str:
    return f"`ska skills show {skill.name}` shows it"


def how_to_approve(name: str) -> str:
    """The command that approves a skill after it was read."""
    return f"ska skills approve {name}"
