"""What agents and jobs did in a span, and what waits for the person."""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from skill_agent.jobs.operations import JobOperations
from skill_agent.questions.operations import QuestionOperations
from skill_agent.team.operations import CollaborationOperations, TaskOperations
from skill_agent.text.gate import tamed_line
from skill_agent.text.redaction import masked
from skill_agent.values import (
    AgentTask,
    Collaboration,
    Job,
    JobRun,
    SummaryMark,
    SummaryPoint,
)

from .span import Span

_MOST = 200
_LONGEST = 200
_FAILED = ("failed", "timed_out", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doings:
    """The groups of operations that tell of it; those that a home does not have are left out."""

    tasks: TaskOperations | None = None
    collaborations: CollaborationOperations | None = None
    jobs: Callable[[], JobOperations] | None = None
    questions: QuestionOperations | None = None

    async def spoken_by_jobs(self, span: Span) -> Collection[str]:
        """The turns in which a job asked, so that nobody takes its words for the person's."""
        return {run.turn async for _, run in self._runs(span) if run.turn}

    async def points(self, span: Span) -> list[SummaryPoint]:
        """What ended in the span, in order of time, then what waits."""
        found = [one async for one in self._tasks(span)]
        found += [one async for one in self._collaborations(span)]
        found += [
            _point("failed", f"{job.name}: {run.error}", run.id, run.ended_at)
            async for job, run in self._runs(span)
            if run.state in _FAILED and run.ended_at and span.holds(run.ended_at)
        ]
        found.sort(key=lambda one: one.at or span.until)
        waiting = await self.questions.list(limit=_MOST) if self.questions else []
        return found + [
            _point("waiting", one.text, one.id, one.created_at)
            for one in waiting
            if one.created_at < span.until
        ]

    async def _tasks(self, span: Span) -> AsyncIterator[SummaryPoint]:
        """Those the person or an agent of theirs gave; a collaboration's own are told with it."""
        for one in await self.tasks.list(limit=_MOST) if self.tasks else []:
            if not one.by and one.collaboration is None and _ended(one, span):
                yield _told(one, one.title, one.assigned_to)

    async def _collaborations(self, span: Span) -> AsyncIterator[SummaryPoint]:
        found = await self.collaborations.list(limit=_MOST) if self.collaborations else []
        for one in found:
            if _ended(one, span):
                yield _told(one, one.goal, ", ".join(each.slug for each in one.participants))

    async def _runs(self, span: Span) -> AsyncIterator[tuple[Job, JobRun]]:
        if self.jobs is None:
            return
        jobs = self.jobs()
        for job in await jobs.list():
            if job.last_run is None or job.last_run < span.since:
                continue
            for run in await jobs.history(job.id, limit=_MOST):
                yield job, run


def _ended(one: AgentTask | Collaboration, span: Span) -> bool:
    cancelled = one.status == "cancelled"
    return not cancelled and one.completed_at is not None and span.holds(one.completed_at)


def _told(one: AgentTask | Collaboration, title: str, who: str) -> SummaryPoint:
    failed = one.status != "completed"
    text = f"{title} ({who})" + (f": {one.error}" if failed and one.error else "")
    return _point("failed" if failed else "done", text, one.id, one.completed_at)


def _point(mark: SummaryMark, text: str, work: str, at: datetime | None) -> SummaryPoint:
    return SummaryPoint(
        mark=mark,
        text=tamed_line(masked(text), _LONGEST),
        at=at,
        work=work,
        origins=("agent",) if mark in ("done", "failed") else (),
    )
