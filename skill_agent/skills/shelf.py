"""The skills of a home as front ends see them: listed, read before they are trusted, approved.

An approval is a stored rule, read afresh by whoever asks; who keeps the rules is told by `Rules`.
"""

import asyncio
import re
from pathlib import Path
from typing import Protocol

from skill_agent.errors import Conflict, NotFound, StoreError, UsageError
from skill_agent.text.checks import sound_text
from skill_agent.values import Skill, SkillPage

from .book import BODY_CHARACTERS, SkillBook
from .operations import SkillOperations, Skills
from .reading import validate_skill
from .trust import EVERY_AGENT, Approval, approvals_in, skill_rule

_WHO = re.compile(r"\*|[a-z][a-z0-9_-]{0,63}")


class Rules(Protocol):
    """Where approvals are kept, one a line."""

    def rules(self) -> list[str]: ...
    def add(self, entry: str) -> None: ...
    def revoke(self, entry: str) -> None: ...


class SkillShelf(SkillOperations):
    """The book of skills with the rules that say whom a person trusts."""

    def __init__(self, book: SkillBook, rules: Rules) -> None:
        self._book, self._rules = book, rules

    async def list(self) -> Skills:
        return [*self._book.skills()]

    async def page(self, skill: str) -> SkillPage:
        """Raises NotFound for a skill there is not."""
        return await asyncio.to_thread(self._page, sound_text(skill))

    async def approve(self, name: str, digest: str, *, agent: str = EVERY_AGENT) -> Skill:
        """Raises NotFound, UsageError for one that cannot be used, Conflict where it is no longer
        what was read."""
        return await asyncio.to_thread(self._approve, sound_text(name), digest, sound_text(agent))

    async def revoke(self, name: str, *, agent: str | None = None) -> Skill:
        """Raises NotFound where nothing is approved."""
        return await asyncio.to_thread(self._revoke, sound_text(name), agent)

    # -- behind them, in a thread ------------------------------------------------------------

    def _page(self, wanted: str) -> SkillPage:
        found = [one for one in self._book.skills() if wanted == _id(one)]
        skill = found[0] if found else self._book.get(wanted)
        report = validate_skill(Path(skill.path))
        said = dict.fromkeys((*skill.warnings, *report.errors))
        said.pop(skill.reason, None)
        body = self._book.text(skill.name) if skill.loaded else ""
        return SkillPage(
            id=_id(skill),
            skill=skill,
            text=body[:BODY_CHARACTERS],
            cut=len(body) > BODY_CHARACTERS,
            files=self._book.files(skill.name) if skill.loaded else (),
            findings=tuple(said),
        )

    def _approve(self, name: str, digest: str, agent: str) -> Skill:
        skill = self._book.get(name)
        if not skill.loaded:
            raise UsageError(f"{name} cannot be used: {skill.reason}", hint=f"mend {skill.path}")
        if skill.digest != digest:
            raise Conflict(f"{name} has changed since you read it", hint="read it again first")
        if not _WHO.fullmatch(agent):
            raise UsageError("that is no agent", hint="its slug, or * for every agent")
        if skill.trust == "trusted":
            return skill
        entry = f"{agent} {skill_rule(name, digest)}"
        self._rules.add(entry)
        if entry not in self._rules.rules():
            raise StoreError(f"the approval of {name} could not be kept", hint="ska doctor")
        for old in self._approvals(name):
            if old.agent == agent and old.digest != digest:
                self._rules.revoke(old.rule)
        return self._book.get(name)

    def _revoke(self, name: str, agent: str | None) -> Skill:
        skill = self._book.get(name)
        found = [one for one in self._approvals(name) if agent in (None, one.agent)]
        if not found:
            raise NotFound(f'no approval of "{name}" is stored', hint="ska approvals list")
        for one in found:
            self._rules.revoke(one.rule)
        return self._book.get(skill.name)

    def _approvals(self, name: str) -> "list[Approval]":
        return [one for one in approvals_in(self._rules.rules()) if one.name == name]


def _id(skill: Skill) -> str:
    return skill.name if skill.loaded else skill.path
