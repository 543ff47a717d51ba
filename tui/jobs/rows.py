"""Jobs, their runs and background work as rows of a list."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.content import Content

from skill_agent.text.clock import minute_of
from skill_agent.values import Job, JobRun, RunState, Schedule, Work, WorkState
from skill_agent.workstation.branches import span

from ..frame.agents import AgentList
from ..frame.bars import line_bar
from ..frame.listing import Row, heading
from ..frame.plain import one_line, shown_time

_CELLS = 12
"""Of a bar of progress."""
_QUIET = "$foreground-muted"
Mark = tuple[str, str]
"""One sign, and its colour."""


def rows_of(
    jobs: Sequence[Job], works: Sequence[Work], agents: AgentList
) -> Iterator[Row[Job | Work]]:
    if jobs:
        yield heading(f"Jobs · {len(jobs)}", first=True)
    for job in jobs:
        yield Row(f"job {job.id}", _job(job, agents), job)
    if works:
        yield heading(f"In the background · {len(works)}", first=not jobs)
    for work in works:
        yield Row(f"work {work.id}", _work(work), work)


# -- jobs ----------------------------------------------------------------------------------------


def _job(job: Job, agents: AgentList) -> Content:
    mark, colour = mark_of_job(job)
    who = agents[job.agent].name if job.agent else ""
    resting = job.status in ("paused", "ended")
    waiting = job.status == "active" and not (job.running or job.dead)
    return Content.assemble(
        (f"{mark} ", f"bold {colour}"),
        (one_line(job.name, 120), _QUIET if resting else ""),
        ("\n  ", ""),
        (state_of(job), _QUIET if waiting else colour),
        (f" · {_last(job)}", colour if waiting and colour == "$error" else _QUIET),
        (f" · {who}" if who else "", _QUIET),
    )


def mark_of_job(job: Job) -> Mark:
    if job.running:
        return "▸", "$accent"
    if job.dead:
        return "✗", "$error"
    match job.status:
        case "proposed":
            return "?", "$warning"
        case "paused":
            return "‖", "$warning"
        case "ended":
            return "■", _QUIET
        case "active":
            return mark_of_run(job.last_state) if job.last_state else ("·", _QUIET)


def state_of(job: Job) -> str:
    """What becomes of it next."""
    if job.running:
        return "runs now"
    if job.dead:
        return f"given up after {job.failures} failures"
    if job.status == "active":
        return f"next {_moment(job.next_run, job)}" if job.next_run else "has no further time"
    return {"proposed": "waits for your yes", "paused": "paused", "ended": "over"}[job.status]


def _last(job: Job) -> str:
    """How its last run went."""
    if job.last_run is None or job.last_state is None:
        return "never ran"
    if job.dead:
        return _moment(job.last_run, job)
    return f"{_RAN.get(job.last_state, job.last_state)} {_moment(job.last_run, job)}"


def _moment(moment: datetime, job: Job) -> str:
    return minute_of(moment, job.schedule.timezone)


def when_in_words(schedule: Schedule) -> str:
    """As it was said; else what stands for it."""
    zone = (
        f" ({schedule.timezone})"
        if schedule.timezone.removeprefix("Etc/") not in ("", "UTC")
        else ""
    )
    if schedule.said:
        return one_line(schedule.said, 200) + zone
    expression = one_line(schedule.expression, 100)
    match schedule.kind:
        case "cron":
            return f"cron {expression}{zone}"
        case "interval":
            seconds = float(expression) if expression.isdecimal() else 0
            return f"every {span(seconds) if seconds else expression}{zone}"
        case "once":
            return f"once, {expression}{zone}"


# -- runs ----------------------------------------------------------------------------------------

_RAN: dict[RunState, str] = {
    "claimed": "begins", "running": "runs since", "completed": "done", "failed": "failed",
    "unknown": "broken off", "missed": "missed", "skipped": "left out",
}  # fmt: skip


def mark_of_run(state: RunState) -> Mark:
    match state:
        case "completed":
            return "✓", "$success"
        case "failed" | "unknown":
            return "✗", "$error"
        case "missed" | "skipped":
            return "○", _QUIET
        case "claimed" | "running":
            return "▸", "$accent"


def run_row(run: JobRun, job: Job) -> Row[JobRun]:
    mark, colour = mark_of_run(run.state)
    facts = " · ".join(part for part in facts_of_run(run) if part)
    return Row(
        run.id,
        Content.assemble(
            (f"{mark} ", f"bold {colour}"),
            f"{_moment(run.started_at or run.due, job)}  {_RAN[run.state].removesuffix(' since')}",
            (f"  {facts}" if facts else "", _QUIET),
        ),
        run,
    )


def facts_of_run(run: JobRun) -> Iterator[str]:
    """How long it took, how often, what it cost, whether and where it was told."""
    if run.started_at and run.ended_at:
        yield span((run.ended_at - run.started_at).total_seconds())
    yield f"try {run.attempt}" if run.attempt > 1 else ""
    yield "by hand" if run.by_hand else "late" if run.late else ""
    yield f"{run.tokens_used:,} tokens" if run.tokens_used else ""
    if run.cost_usd:
        yield f"${run.cost_usd:.4f}"
    elif run.cost_usd is None:
        yield "price unknown"
    yield "told" if run.inbox else "nothing to tell" if run.silent else ""
    yield one_line(run.error, 120)


# -- background work -----------------------------------------------------------------------------


def mark_of(state: WorkState) -> Mark:
    match state:
        case "completed":
            return "✓", "$success"
        case "failed" | "dead":
            return "✗", "$error"
        case "cancelled":
            return "■", "$warning"
        case "paused":
            return "‖", "$warning"
        case "waiting_hitl":
            return "?", "$warning"
        case "pending":
            return "·", _QUIET
        case _:
            return "▸", "$accent"


def _work(work: Work) -> Content:
    mark, colour = mark_of(work.state)
    told = work.error or work.message or one_line(work.result, 200)
    return Content.assemble(
        (f"{mark} ", f"bold {colour}"),
        (one_line(work.title, 200), _QUIET if work.ended else ""),
        ("\n  ", ""),
        (words_of(work), colour),
        *(("  ", line_bar(work.progress, _CELLS, "$accent")) if not work.ended else ()),
        (f"  {one_line(told, 300)}" if told else "", _QUIET),
    )


def words_of(work: Work) -> str:
    words = {"waiting_hitl": "waits for you", "dead": "given up", "cancelled": "stopped"}
    told = words.get(work.state, work.state)
    return told if work.ended or work.state == "pending" else f"{told} {work.progress:.0%}"


def times_of(work: Work) -> str:
    begun = shown_time(work.started_at or work.created_at)
    if work.started_at and work.ended_at:
        return f"{begun} · took {span((work.ended_at - work.started_at).total_seconds())}"
    return begun
