"""What was found for a summary, before anybody words it."""

from dataclasses import dataclass

from skill_agent.values import Origin, SummaryPoint, SummaryTalk, all_origins

from .span import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of one span."""

    span: Span
    language: str
    talks: tuple[SummaryTalk, ...] = ()
    points: tuple[SummaryPoint, ...] = ()
    unread: int = 0

    @property
    def empty(self) -> bool:
        return not self.talks and not self.points

    @property
    def private(self) -> bool:
        return any(one.private for one in (*self.talks, *self.points))

    @property
    def origins(self) -> tuple[Origin, ...]:
        return all_origins(*(one.origins for one in (*self.talks, *self.points)))
