"""`ska memory extract|extractions`: reading conversations for memories, and how that stands."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.text.clock import minute_of

from ..opening.running import with_runtime
from ..options import JsonOption, LimitOption, choice, newest
from ..output import emit_json, narrate, plain, table
from ..progress import Bar

if TYPE_CHECKING:
    from skill_agent.values import ExtractionJob, Memory
    from skill_agent.workstation import Workstation

_NONE = (
    "no reading waits, failed or ended: rules read each message as it comes, and what they kept "
    "stands in ska memory list"
)
_STATES = ("waiting", "running", "failed", "done")


def register(app: typer.Typer) -> None:
    """Adds these commands to the group."""
    app.command("extract")(extract)
    app.command("extractions")(extractions)


def extract(
    ctx: typer.Context,
    session: Annotated[
        str | None, typer.Argument(metavar="[SESSION]", help="Only this one; all otherwise.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read the session from its beginning once more.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read conversations for memories now: what nobody has read yet, and what failed.

    Rules read at once; then the extraction model (`models.roles.extract`) reads twice, where it is
    able to. Exit code 1 when a reading failed; it is kept and tried again later.

    \b
    Examples:
      ska memory extract
      ska memory extract latest --again
    """

    async def work(runtime: "Workstation") -> "tuple[list[ExtractionJob], list[Memory]]":
        before = await runtime.memory.position()
        with Bar("reading") as bar:
            jobs = await runtime.extractions.run(session, again=again, progress=bar)
        return jobs, await runtime.memory.written_since(before)

    jobs, memories = with_runtime(ctx, work)
    if as_json:
        emit_json([_object(job) for job in jobs])
    else:
        table(
            ("id", "type", "imp", "agent", "content"),
            ((m.id, m.memory_type, m.importance, m.agent, m.content) for m in memories),
        )
    _sum_up(jobs)


def _sum_up(jobs: "list[ExtractionJob]") -> None:
    failed = [job for job in jobs if job.state != "done"]
    created = sum(job.created for job in jobs)
    versioned, disputed = sum(job.versioned for job in jobs), sum(job.disputed for job in jobs)
    narrate(
        f"{len(jobs)} conversations read: {created} memories kept, {versioned} updated, "
        f"{disputed} disputed, {sum(job.skipped for job in jobs)} known already"
        if jobs
        else "nothing to read"
    )
    for job in failed:
        narrate(f"failed: session {job.session}: {job.error}")
    if failed:
        raise typer.Exit(1)


def extractions(
    ctx: typer.Context,
    retry: Annotated[
        str | None, typer.Option("--retry", metavar="ID", help="Try this failed one again now.")
    ] = None,
    state: Annotated[
        str | None, typer.Option(help="waiting, running, failed or done.", metavar="STATE")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List what was read for memories, what waits and what failed, newest first.

    A failed reading is kept and tried again, after 1 minute, then 2, 4 … up to 6 hours.

    \b
    Examples:
      ska memory extractions
      ska memory extractions --state failed --json
      ska memory extractions --retry 0198f2
    """
    states: tuple[Any, ...] = choice("--state", state, _STATES)

    async def work(runtime: "Workstation") -> "list[ExtractionJob]":
        if retry is not None:
            job = await runtime.extractions.retry(retry)
            return await runtime.extractions.run(job.session)
        return newest(await runtime.extractions.list(states, limit=limit + 1), limit)

    jobs = with_runtime(ctx, work)
    if as_json:
        emit_json([_object(job) for job in jobs])
    else:
        table(
            ("id", "state", "session", "messages", "why", "kept", "passes", "error"),
            map(_row, jobs),
            empty="no reading of this kind" if states else _NONE,
        )
    if retry is not None:
        _sum_up(jobs)


def _object(job: "ExtractionJob") -> dict[str, Any]:
    return dict(plain(job))


def _row(job: "ExtractionJob") -> tuple[object, ...]:
    error = job.error
    if job.state == "failed":
        when = f"again {minute_of(job.next_try)}" if job.next_try else "given up; --retry"
        error = f"{error} ({when})"
    span = f"{job.start}-{job.end - 1}"
    kept = job.created + job.versioned + job.disputed
    return (job.id, job.state, job.session, span, job.trigger, kept, job.passes, error)
