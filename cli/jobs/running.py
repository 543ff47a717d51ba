"""`ska jobs run|cancel`: a run beside a job's times, and the end of one."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import NotFound, UsageError

from ..opening.running import ready_home, run_with, with_runtime
from ..options import JsonOption
from ..output import emit_json, emit_text, narrate, tell_error
from ..surroundings import surroundings
from ..teamwork.leaving import check_host, goes_on, no_host

if TYPE_CHECKING:
    from skill_agent.values import JobRun
    from skill_agent.workstation import Workstation

LOOK_S, SPEAK_S = 0.2, 5.0


def register(app: typer.Typer) -> None:
    app.command("run")(run_)
    app.command()(cancel)


def run_(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="Id, first characters of it, or name.")],
    detach: Annotated[
        bool, typer.Option("--detach", help="Print its id and leave; the host goes on with it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a job now, beside its times, and print what came of it.

    \b
    Examples:
      ska jobs run post
      ska jobs run backup --detach

    \b
    Exit codes: 0 done, 1 it failed, 2 wrong usage (also: --detach without a host), 130 interrupted.
    """
    around = surroundings(ctx)
    if detach:
        check_host(around)
    ready_home(around)

    async def work(runtime: "Workstation") -> "JobRun":
        if detach and not goes_on(runtime):
            raise no_host()
        begun = await runtime.jobs.run(job)
        return begun if detach else await _waited(runtime, begun)

    done: JobRun = run_with(around, work, role="jobs")
    if as_json:
        emit_json(done)
    elif detach:
        emit_text(done.id)
        narrate(f"it goes on in the host: ska jobs history {done.job}")
    elif done.result:
        emit_text(done.result)
    if detach or done.state == "completed":
        if not detach and not done.result and not as_json:
            narrate(f"{done.name}: done; nothing to say")
        return
    if not as_json:
        _tell_failure(done)
    raise typer.Exit(1)


async def _waited(runtime: "Workstation", run: "JobRun") -> "JobRun":
    """Until it has ended, or waits to be tried again."""
    told = waited = 0.0
    while not run.ended and run.next_try is None:
        await asyncio.sleep(LOOK_S)
        waited += LOOK_S
        if waited - told >= SPEAK_S:
            told = waited
            narrate(f"{run.name}: {run.state}, {waited:.0f} s")
        run = await runtime.jobs.get_run(run.id)
    return run


def _tell_failure(run: "JobRun") -> None:
    again = f"tried again at {run.next_try:%H:%M} UTC" if run.next_try else ""
    tell_error(f"{run.name}: {run.error or run.state}", run.hint or again)


def cancel(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="JOB|RUN", help="The run, or the job it is of.")],
    as_json: JsonOption = False,
) -> None:
    """End a run that is under way, or waits to be tried again.

    \b
    Example:
      ska jobs cancel post

    \b
    Exit codes: 0 it has ended, 2 there is no such run, or no run of that job.
    """

    async def work(runtime: "Workstation") -> "JobRun":
        return await runtime.jobs.cancel_run(await _run_of(runtime, ref))

    done = with_runtime(ctx, work)
    if as_json:
        emit_json(done)
        return
    emit_text(done.id)
    narrate(f"{done.name}: {done.state}")


async def _run_of(runtime: "Workstation", ref: str) -> str:
    try:
        job = await runtime.jobs.get(ref)
    except NotFound:
        return (await runtime.jobs.get_run(ref)).id
    for run in await runtime.jobs.history(job.id, limit=5):
        if not run.ended:
            return run.id
    raise UsageError(f"no run of {job.name!r} is under way", hint=f"ska jobs history {job.id}")
