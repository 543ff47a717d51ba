"""What is wrong with jobs, and what to do about it; spends nothing."""

from collections.abc import Mapping

from skill_agent.errors import SkillAgentError
from skill_agent.ports import Delivers
from skill_agent.text.redaction import redact
from skill_agent.values import Job, JobFinding, JobKind

from .book import JobBook, Standing
from .kinds.kind import Kind


async def findings(
    book: JobBook, kinds: Mapping[JobKind, Kind], delivers: Delivers
) -> list[JobFinding]:
    """One for each job, the worst first."""
    found = [await _finding(one, kinds, delivers) for one in await book.all()]
    order = ("error", "warning", "ok")
    return sorted(found, key=lambda one: order.index(one.level))


async def _finding(one: Standing, kinds: Mapping[JobKind, Kind], delivers: Delivers) -> JobFinding:
    job, kept = one.job, one.kept
    if kept.dead:
        times = max(kept.failures, kept.crashes)
        problem = f"{job.name}: stopped after failing {times} times in a row"
        return JobFinding(
            id=job.id, level="error", problem=_because(problem, kept.problem),
            hint=f"mend that, then: ska jobs resume {job.id}",
        )  # fmt: skip
    if job.status == "proposed":
        problem = f"{job.name}: {job.created_by} proposes it, and it waits for you"
        return JobFinding(
            id=job.id, level="warning", problem=problem, hint=f"ska jobs approve {job.id}"
        )
    try:
        kind = kinds.get(job.kind)
        if kind is not None:
            await kind.preflight(job)
        for target in _targets(job):
            delivers.check(target)
    except SkillAgentError as problem:
        told = f"{job.name}: {redact(problem.message)}"
        return JobFinding(id=job.id, level="error", problem=told, hint=problem.hint)
    if kept.failures or kept.crashes:
        problem = f"{job.name}: the last run did not go well"
        return JobFinding(
            id=job.id, level="warning", problem=_because(problem, kept.problem),
            hint=f"ska jobs history {job.id}",
        )  # fmt: skip
    return JobFinding(id=job.id, level="ok", problem=f"{job.name}: {job.status}")


def _targets(job: Job) -> list[str]:
    return [one for one in job.deliver if one != "none"]


def _because(problem: str, why: str) -> str:
    return f"{problem}: {why}" if why else problem
