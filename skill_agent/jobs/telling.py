"""What is told to a person of a run that has ended."""

import hashlib
from uuid import NAMESPACE_OID, uuid5

from skill_agent.values import Dispatch, Job, JobRun

from .kinds.kind import Outcome
from .records import Consequence, Kept


def dispatch_of(
    job: Job, run: JobRun, outcome: Outcome, kept: Kept | None, then: Consequence | None
) -> Dispatch | None:
    """What is told of an end; None for nothing. A fault of the configuration is told once."""
    if outcome.error_kind:
        dead = then is not None and then.dead
        known = kept is not None and kept.told == mark_of(outcome)
        if outcome.error_kind == "configuration" and known and not dead:
            return None
        text = _failure(job, run, then)
        return Dispatch(
            title=f"{job.name}: {run.state}",
            text=text,
            sort="failure",
            targets=_targets(job, always=True),
            agent=run.agent,
            session=run.session,
            job=job.id,
            run=run.id,
            private=outcome.private,
            always=True,
            origins=run.origins,
            quotes=run.quotes,
            key=str(uuid5(NAMESPACE_OID, f"{run.id} {run.state}")),
        )
    if not run.result or job.deliver == ("none",):
        return None
    title, late = outcome.title or job.name, " (late)" if run.late else ""
    return Dispatch(
        title=title + late,
        text=run.result.removeprefix(title).lstrip("\n"),  # where it begins with its own heading
        sort=outcome.sort,
        targets=_targets(job),
        agent=run.agent,
        session=run.session,
        job=job.id,
        run=run.id,
        private=outcome.private,
        always=not job.quiet_hours,
        origins=run.origins,
        quotes=run.quotes,
        key=run.id,
    )


def _targets(job: Job, *, always: bool = False) -> tuple[str, ...]:
    """A failure is told also where results are not."""
    wanted = tuple(one for one in job.deliver if one != "none")
    return wanted or (("inbox",) if always else ())


def _failure(job: Job, run: JobRun, then: Consequence | None) -> str:
    lines = [run.error]
    if run.hint:
        lines.append(f"What to do: {run.hint}")
    if run.attempt > 1:
        lines.append(f"It was tried {run.attempt} times.")
    if then is not None and then.dead:
        times = max(then.failures, then.crashes)
        lines.append(
            f"It has failed {times} times in a row and is stopped; "
            f"`ska jobs resume {job.id}` lets it go on."
        )
    if run.result:
        lines.append(f"What there was of a result:\n{run.result}")
    return "\n\n".join(lines)


def mark_of(outcome: Outcome) -> str:
    return hashlib.sha256(outcome.error.encode()).hexdigest()[:16]
