"""`ska jobs`: what is done at its times, and what came of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..opening.running import with_runtime
from ..options import JsonOption, LimitOption, YesOption, group, newest
from ..output import emit_json, emit_text, narrate, record, table
from ..surroundings import surroundings
from . import adding, running
from .staying import tell_without_host

if TYPE_CHECKING:
    from skill_agent.values import Job, JobRun
    from skill_agent.workstation import Workstation

JobArgument = Annotated[
    str, typer.Argument(metavar="JOB", help="Id, first characters of it, or name.")
]

app = group("Have things done at their times, and see what came of them.")
adding.register(app)
running.register(app)


@app.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List every job, the next one first.

    Those that come with the program (consolidate, expire, backup) are listed too.

    \b
    Examples:
      ska jobs list
      ska jobs list --json | jq -r '.[] | select(.dead) | .name'
    """
    found: list[Job] = with_runtime(ctx, lambda runtime: runtime.jobs.list())
    if as_json:
        emit_json(found)
        return
    table(
        ("id", "name", "kind", "when", "next run", "last run", "state"),
        (
            (
                one.id, one.name, one.kind, one.schedule.said or one.schedule.expression,
                one.next_run_local, f"{one.last_state} {_when(one)}" if one.last_run else "",
                _state(one),
            )
            for one in found
        ),
        empty='no jobs yet: ska jobs add "weekdays at 18:00" --kind summary',
    )  # fmt: skip
    if any(one.next_run for one in found):
        tell_without_host(surroundings(ctx))


def _state(job: "Job") -> str:
    if job.dead:
        return "dead (ska jobs resume)"
    return "proposed (ska jobs approve)" if job.status == "proposed" else job.status


def _when(job: "Job") -> str:
    from skill_agent.text.clock import minute_of

    return minute_of(job.last_run, job.schedule.timezone) if job.last_run else ""


@app.command()
def show(ctx: typer.Context, job: JobArgument, as_json: JsonOption = False) -> None:
    """Show one job with its next fire times, in its own time zone.

    \b
    Examples:
      ska jobs show backup
      ska jobs show 0198f2 --json | jq -r '.next_runs[0]'

    \b
    Exit codes: 0 shown, 2 there is no such job.
    """
    found: Job = with_runtime(ctx, lambda runtime: runtime.jobs.get(job))
    if as_json:
        emit_json(found)
    else:
        record(_lines(found))


def _lines(job: "Job") -> list[tuple[str, object]]:
    limits = job.limits
    money = "what the agent has" if limits.max_usd is None else f"${limits.max_usd:g}"
    asks = job.kind in ("agent", "summary")
    return [
        ("id", job.id),
        ("name", job.name),
        ("kind", job.kind),
        ("when", job.schedule.said or job.schedule.expression),
        ("zone", job.schedule.timezone if job.schedule.kind == "cron" else ""),
        ("next", "\n".join(job.next_runs_local)),
        ("state", _state(job)),
        ("agent", job.agent),
        ("prompt", job.prompt),
        ("command", " ".join(job.command)),
        ("delivered", ", ".join(job.deliver)),
        ("a run may take", f"{limits.timeout_s:g} s" + (f", {limits.max_tokens} tokens, "
         f"{limits.max_tool_calls} calls of tools, {money}" if asks else "")),
        ("missed runs", "caught up once" if job.catch_up else "left out"),
        ("last run", f"{job.last_state}, {_when(job)}" if job.last_run else ""),
        ("failed in a row", job.failures or ""),
        ("problem", job.problem),
    ]  # fmt: skip


@app.command()
def history(
    ctx: typer.Context, job: JobArgument, limit: LimitOption = 20, as_json: JsonOption = False
) -> None:
    """Show what became of a job's fire times, the newest first.

    \b
    Examples:
      ska jobs history backup
      ska jobs history post -n 5 --json | jq -r '.[].result'

    \b
    Exit codes: 0 shown (also: nothing), 2 there is no such job.
    """
    found: list[JobRun] = newest(
        with_runtime(ctx, lambda runtime: runtime.jobs.history(job, limit=limit + 1)), limit
    )
    if as_json:
        emit_json(found)
        return
    table(
        ("run", "due", "state", "took", "what came of it"),
        ((one.id, one.due, _run_state(one), _took(one), _came(one)) for one in found),
        empty="it has not run yet",
    )


def _run_state(run: "JobRun") -> str:
    marks = [mark for mark, there in (("late", run.late), ("by hand", run.by_hand)) if there]
    if run.fire_times > 1:
        marks.append(f"{run.fire_times} times")
    if run.next_try:
        marks.append(f"try {run.attempt} waits")
    return f"{run.state} ({', '.join(marks)})" if marks else run.state


def _took(run: "JobRun") -> str:
    if run.started_at is None or run.ended_at is None:
        return ""
    return f"{(run.ended_at - run.started_at).total_seconds():.1f} s"


def _came(run: "JobRun") -> str:
    text = run.error or run.result or ("nothing to say" if run.silent else "")
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"


@app.command()
def pause(ctx: typer.Context, job: JobArgument, as_json: JsonOption = False) -> None:
    """Let a job rest; `resume` has it go on.

    \b
    Example:
      ska jobs pause backup
    """
    _tell(with_runtime(ctx, lambda runtime: runtime.jobs.pause(job)), as_json=as_json)


@app.command()
def resume(ctx: typer.Context, job: JobArgument, as_json: JsonOption = False) -> None:
    """Have a paused job go on, or one that was stopped after failing again and again.

    What was due meanwhile is not caught up.

    \b
    Example:
      ska jobs resume post
    """
    _tell(with_runtime(ctx, lambda runtime: runtime.jobs.resume(job)), as_json=as_json)


@app.command()
def approve(ctx: typer.Context, job: JobArgument, as_json: JsonOption = False) -> None:
    """Let a job begin that an agent proposes.

    \b
    Examples:
      ska jobs show 0198f2
      ska jobs approve 0198f2
    """
    _tell(with_runtime(ctx, lambda runtime: runtime.jobs.approve(job)), as_json=as_json)


@app.command()
def remove(
    ctx: typer.Context, job: JobArgument, yes: YesOption = False, as_json: JsonOption = False
) -> None:
    """Remove a job; what came of its runs stays in its history.

    \b
    Example:
      ska jobs remove post --yes

    \b
    Exit codes: 0 removed, 1 you said no, 2 there is no such job, or it comes with the program.
    """
    around = surroundings(ctx)

    async def work(runtime: "Workstation") -> "Job | None":
        found = await runtime.jobs.get(job)
        if not yes and not around.confirm(f"Remove {found.name!r}?"):
            return None
        return await runtime.jobs.remove(found.id)

    found = with_runtime(ctx, work)
    if found is None:
        raise typer.Exit(1)
    _tell(found, as_json=as_json, what="removed")


def _tell(job: "Job", *, as_json: bool, what: str = "") -> None:
    if as_json:
        emit_json(job)
        return
    emit_text(job.id)
    told = what or job.status
    narrate(f"{job.name}: {told}" + (f", next {job.next_run_local}" if job.next_run else ""))


@app.command()
def doctor(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Say what is wrong with jobs, and what mends it; no model is asked.

    \b
    Examples:
      ska jobs doctor
      ska jobs doctor --json | jq -r '.[] | select(.level == "error") | .hint'

    \b
    Exit codes: 0 all is well, or only proposals and single failures; 1 something is wrong.
    """
    found = with_runtime(ctx, lambda runtime: runtime.jobs.doctor())
    if as_json:
        emit_json(found)
    else:
        for one in found:
            emit_text(f"{one.level:<8}{one.problem}")
            if one.hint and one.level != "ok":
                emit_text(f"        {one.hint}")
    if any(one.level == "error" for one in found):
        raise typer.Exit(1)
