"""`ska team`: work that agents do for one another and together."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import UsageError
from skill_agent.values import AgentTask, Collaboration

from ..opening.running import with_runtime
from ..options import IdArgument, JsonOption, LimitOption, choice, group, newest, slug_of
from ..output import emit_json, emit_text, narrate, plain, table
from . import ask, give, report, run, watch
from .leaving import goes_on, told_end

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation
    from skill_agent.workstation.branches import Branch

Work = AgentTask | Collaboration

app = group("Give agents work, alone or together; see, steer and stop what they do.")
run.register(app)
ask.register(app)
give.register(app)
watch.register(app)
report.register(app)


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATE", help="Only what is in this state.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", metavar="NAME", help="Only this agent's work.")
    ] = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """List collaborations and tasks, what has not ended first.

    What is part of something else is listed with it (`ska team show`); with --status or --agent
    each piece of work is listed by itself. Figures are those of all that is part of it.

    \b
    Examples:
      ska team list
      ska team list --agent luke --status failed
      ska team list --json | jq -r '.[] | select(.ended | not) | .id'

    \b
    Exit codes: 0 listed (also: nothing), 2 there is no such agent or state.
    """
    from skill_agent.values import TASK_STATES

    wanted = choice("--status", status, (*TASK_STATES, "planning", "active", "synthesizing"))

    async def work(runtime: "Workstation") -> "list[Branch]":
        from skill_agent.workstation.branches import flat, in_order, work_of

        slug = await slug_of(runtime, agent)
        found = await work_of(runtime, limit=limit + 1)
        if slug is None and not wanted:
            return found
        every = [one for _, one in flat(found)]
        fits = [one for one in every if slug in (None, one.agent)]
        return in_order(one for one in fits if not wanted or one.status in wanted)

    found = newest(with_runtime(ctx, work), limit)
    if as_json:
        emit_json(found)
        return
    now = datetime.now(UTC)
    table(
        ("id", "what", "agent", "state", "age", "took", "parts", "title"),
        (_row(one, now) for one in found),
        empty='no agent has been given work yet: ska team give luke "…", ska team run "…"',
    )


def _row(one: "Branch", now: datetime) -> tuple[object, ...]:
    from skill_agent.workstation.branches import figures, span

    what = one.pattern.replace("_", " ") or "task"
    age = span(max(0.0, (now - one.created_at).total_seconds()))
    parts = len(one.children) or ""
    return (one.id, what, one.agent, one.state, age, figures(one, now), parts, one.title)


@app.command()
def show(
    ctx: typer.Context,
    ref: IdArgument,
    transcript: Annotated[
        bool, typer.Option("--transcript", help="Also the conversation of each task, in full.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one piece of work: the tree of its tasks, what came of it, and why something failed.

    A task is found by its title too.

    \b
    Examples:
      ska team show 0198f2
      ska team show 0198f2 --transcript
      ska team show 0198f2 --json | jq -r '.children[] | [.agent, .cost_usd] | @tsv'

    \b
    Exit codes: 0 shown, whatever its state; 2 there is none of that name, or there are several.
    """

    async def work(runtime: "Workstation") -> "tuple[Branch, dict[str, Any]]":
        from skill_agent.workstation.branches import tree_of

        from .tree import transcripts

        found = await tree_of(runtime, ref)
        return found, await transcripts(runtime, found) if transcript else {}

    found, said = with_runtime(ctx, work)
    from .tree import told, tree_json

    if as_json:
        emit_json(tree_json(found, said if transcript else None))
    else:
        emit_text("\n".join(told(found, said, datetime.now(UTC))))


@app.command()
def cancel(
    ctx: typer.Context,
    ref: IdArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept with it.")] = "",
    agent: Annotated[
        str | None,
        typer.Option("--agent", "-a", metavar="NAME", help="Only take this agent out of it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Stop a task or a collaboration, with all that is part of it.

    What there is of it is kept. With --agent the others of a collaboration go on.

    \b
    Examples:
      ska team cancel 0198f2
      ska team cancel 0198f2 --agent ada --reason "not needed any more"

    \b
    Exit codes: 0 stopped, or it had ended before; 2 there is none of that name.
    """

    async def work(runtime: "Workstation") -> tuple[Work, Work]:
        from skill_agent.workstation.branches import find_work

        before = await find_work(runtime, ref)
        slug = await slug_of(runtime, agent)
        if isinstance(before, Collaboration):
            do = runtime.collaborations.cancel(before.id, reason=reason, agent=slug)
            return before, await do
        if slug is not None:
            raise UsageError(
                "--agent takes an agent out of a collaboration, and this is a task",
                hint=f"ska team cancel {before.id}",
            )
        return before, await runtime.tasks.cancel(before.id, reason=reason)

    before, after = with_runtime(ctx, work)
    if as_json:
        emit_json(after)
    elif before.ended:
        narrate(f"{after.id} had ended before: {after.status.replace('_', ' ')}")
    elif agent is not None and not after.ended:
        narrate(f"{agent} takes no part in {after.id} any more; the others go on")
    else:
        narrate(f"stopped {after.id}; what there is of it is kept: ska team show {after.id}")


@app.command()
def retry(ctx: typer.Context, ref: IdArgument, as_json: JsonOption = False) -> None:
    """Begin a task anew that failed or was given up, or go on with a collaboration.

    A collaboration goes on after the last step that was finished. Where the home has a host
    (`ska up`) it goes on there; otherwise this command stays until it has ended.

    \b
    Examples:
      ska team retry 0198f2
      ska team deadletter --json | jq -r '.[].id' | xargs -n1 ska team retry

    \b
    Exit codes: 0 begun in the host, or done; 1 it failed again; 2 there is nothing to begin anew,
    or none of that name; 130 interrupted.
    """

    async def work(runtime: "Workstation") -> Work:
        from skill_agent.workstation.branches import find_work

        from .following import Follower

        found = await find_work(runtime, ref)

        async def begin() -> Work:
            if isinstance(found, Collaboration):
                return await runtime.collaborations.resume(found.id)
            return await runtime.tasks.retry(found.id)

        if goes_on(runtime):
            return await begin()
        return await Follower(runtime, ctx).to_end(begin)

    told_end(with_runtime(ctx, work), as_json=as_json)


@app.command()
def deadletter(ctx: typer.Context, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List the tasks that were given up after their last try, with why.

    \b
    Examples:
      ska team deadletter
      ska team retry 0198f2           begin one of them anew

    \b
    Exit codes: 0 listed (also: nothing was given up).
    """
    found = with_runtime(ctx, lambda runtime: runtime.tasks.list(dead=True, limit=limit + 1))
    found = newest(found, limit)
    if as_json:
        emit_json(found)
        return
    table(
        ("id", "agent", "state", "tries", "at", "title", "why"),
        (
            (one.id, one.assigned_to, one.status, one.attempt, one.completed_at, one.title,
             one.error)
            for one in found
        ),
        empty="nothing was given up",
    )  # fmt: skip
    if found:
        narrate("ska team retry ID begins one anew")


@app.command()
def tell(
    ctx: typer.Context,
    ref: IdArgument,
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="What to say.")],
    as_json: JsonOption = False,
) -> None:
    """Say something to an agent that is at work; it reads it before its next step.

    Named by a collaboration, the one task of it that runs is meant.

    \b
    Example:
      ska team tell 0198f2 "leave the tests out"

    \b
    Exit codes: 0 handed on, 2 it does not run any more, or there is none of that name.
    """

    async def work(runtime: "Workstation") -> AgentTask:
        from skill_agent.workstation.branches import find_work

        found = await find_work(runtime, ref)
        task = found.id if isinstance(found, AgentTask) else await _running(runtime, found)
        return await runtime.tasks.tell(task, " ".join(text))

    told = with_runtime(ctx, work)
    if as_json:
        emit_json(plain(told))
    else:
        narrate(f"{told.assigned_to} reads it before the next step")


async def _running(runtime: "Workstation", one: Collaboration) -> str:
    found = await runtime.tasks.list(status="in_progress", collaboration=one.id)
    if len(found) == 1:
        return found[0].id
    if not found:
        raise UsageError("none of its tasks runs", hint=f"ska team show {one.id}")
    named = "; ".join(f"{task.id} ({task.assigned_to})" for task in found)
    raise UsageError(f"{len(found)} of its tasks run", hint=f"say which: {named}")
