"""What the home screen tells beside who is there: what each agent knows, and what waits."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skill_agent.errors import SkillAgentError

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

EVERYBODYS = ""
"""Under what name the home counts memories of no agent in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeNews:
    """Nothing of it where it could not be read: the places themselves say why."""

    known: Mapping[str, int] = field(default_factory=dict)
    approvals: int = 0
    questions: int = 0
    unread: int = 0
    disputes: int = 0

    def knows(self, slug: str) -> int:
        """What an agent can be reminded of: its own, and what is everybody's."""
        return self.known.get(slug, 0) + self.known.get(EVERYBODYS, 0)

    @property
    def waiting(self) -> str:
        """What waits, in words; nothing where nothing does."""
        counts = (
            (self.approvals, "approval", "approvals"),
            (self.questions, "question", "questions"),
            (self.disputes, "dispute", "disputes"),
            (self.unread, "unread", "unread"),
        )
        return " · ".join(f"{n} {one if n == 1 else more}" for n, one, more in counts if n)


async def news_of(station: "Workstation") -> HomeNews:
    """Each part is asked by itself: one that cannot be read hides none of the others."""
    known, approvals, questions, disputes, unread = await asyncio.gather(
        _known(station),
        _count(station.approvals.waiting),
        _count(station.questions.list),
        _count(station.memory.disputes),
        _unread(station),
    )
    return HomeNews(
        known=known, approvals=approvals, questions=questions, disputes=disputes, unread=unread
    )


async def _known(station: "Workstation") -> Mapping[str, int]:
    try:
        return await station.memory.known()
    except SkillAgentError:
        return {}


async def _unread(station: "Workstation") -> int:
    try:
        return (await station.inbox.standing()).unread
    except SkillAgentError:
        return 0


async def _count(ask: Callable[[], Awaitable[Sized]]) -> int:
    try:
        return len(await ask())
    except SkillAgentError:
        return 0
