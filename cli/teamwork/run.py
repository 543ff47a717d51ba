"""`ska team run`: several agents on one goal."""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError
from skill_agent.events import Event, to_json
from skill_agent.values import (
    PATTERNS,
    Collaboration,
    NewCollaboration,
    NewWork,
    Participant,
    Pattern,
    SeveralPlan,
)

from ..opening.running import ready_to_talk, run_with
from ..options import JsonOption, YesOption, choice
from ..output import emit_jsonl, narrate
from ..surroundings import Surroundings, surroundings
from .following import Follower, Show, Work
from .leaving import check_host, goes_on, no_host, told_begun, told_end

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

Planned = Collaboration | SeveralPlan

LONG_S = 60.0
"""What is expected to take longer is asked about first."""


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    ctx: typer.Context,
    goal: Annotated[list[str], typer.Argument(metavar="GOAL", help="What is to come of it.")],
    pattern: Annotated[
        str, typer.Option("--pattern", metavar="P", help="How they work: " + ", ".join(PATTERNS))
    ] = "supervisor_worker",
    people: Annotated[
        str, typer.Option("--with", metavar="A,B", help="Who takes part; else the lead chooses.")
    ] = "",
    lead: Annotated[
        str | None, typer.Option("--lead", metavar="NAME", help="Who leads and sums up.")
    ] = None,
    max_usd: Annotated[
        float, typer.Option("--max-usd", min=0.0, help="Dollars it may cost.")
    ] = 0.50,
    max_seconds: Annotated[
        float, typer.Option("--max-seconds", min=1.0, help="Seconds it may take.")
    ] = 600.0,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds of a review at most.")] = 5,
    ask_between: Annotated[
        bool,
        typer.Option("--ask-between", help="Ask you between its stages, and take corrections."),
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Print its id and leave; the host goes on with it.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print every event as one JSON line, as it happens.")
    ] = False,
) -> None:
    """Have several agents work on one goal, and print the result.

    The plan and what it is expected to take are told first; a person is asked before what takes
    over a minute or costs money, unless --yes. Who is doing what goes to stderr, the result to
    stdout. Ctrl+C stops it and keeps what there is. Calls of tools that need your approval are
    denied where nobody can be asked. When a limit is reached, the result is made of what there is.

    \b
    Patterns:
      supervisor_worker   the lead parts the work, the others do it, the lead sums up
      pipeline            one after another, each with all that came before
      peer_review         one writes, the other reviews, until it is approved
      brainstorm          everyone has ideas, the lead sums up
      consensus           everyone proposes and votes
      delegation          the lead gives all of it to one other

    \b
    Examples:
      ska team run "which tree fits a small garden?" --with luke,ada --lead kyra
      ska team run "a text about our release" --pattern peer_review --with max,luke --rounds 2
      ska team run "plan the move" --detach --json | jq -r .id

    \b
    Exit codes: 0 done, 1 failed, timed out or was cancelled (also: you said no), 2 wrong usage
    (also: --detach without a host), 3 model unavailable or money spent, 130 interrupted.
    """
    (kind,) = choice("--pattern", pattern.replace("-", "_"), PATTERNS)
    if jsonl and (as_json or detach):
        raise UsageError("--jsonl goes with neither --json nor --detach")
    around = surroundings(ctx)
    if detach:
        check_host(around)
    new = NewCollaboration(
        " ".join(goal),
        pattern=kind,
        participants=_cast(people, lead, kind),
        lead=lead.lstrip("@") if lead else None,
        max_duration_s=max_seconds,
        max_cost_usd=max_usd,
        max_rounds=rounds,
        ask_between=ask_between,
    )
    ready_to_talk(around)
    work = partial(_work, new=new, ctx=ctx, yes=yes, detach=detach, show=_line if jsonl else None)
    done = run_with(around, work, role="team")
    if done is None:
        narrate("nothing was begun")
        raise typer.Exit(1)
    if detach:
        told_begun(done, as_json=as_json)
    elif jsonl:
        raise typer.Exit(int(done.status != "completed"))
    else:
        told_end(done, as_json=as_json)


async def _work(
    runtime: "Workstation",
    *,
    new: NewCollaboration,
    ctx: typer.Context,
    yes: bool,
    detach: bool,
    show: Show | None,
) -> Work | None:
    if detach and not goes_on(runtime):
        raise no_host()
    planned = await runtime.collaborations.plan(new)
    names = {dna.slug: dna.name for dna in await runtime.agents.list()}
    for line in plan_lines(planned, names):
        narrate(line)
    if not yes and not agreed(surroundings(ctx), planned):
        return None
    if detach:
        begun = await runtime.collaborations.start(new)
        with suppress(UsageError):  # a key without "admin": it goes on, on no list of work
            await runtime.work.start(follows(begun))
        return begun
    return await Follower(runtime, ctx, show).to_end(partial(runtime.collaborations.start, new))


def follows(one: Collaboration) -> NewWork:
    """The background work that follows it, under the same id."""
    return NewWork(kind="collaboration", payload={"collaboration": one.id}, key=one.id)


def _cast(people: str, lead: str | None, pattern: Pattern) -> tuple[Participant, ...]:
    """Who was named, and the lead with them: in a pipeline last, to have all before its eyes."""
    names = [one.strip().lstrip("@") for one in people.split(",") if one.strip()]
    if names and lead and lead.lstrip("@").casefold() not in [one.casefold() for one in names]:
        names.insert(len(names) if pattern == "pipeline" else 0, lead.lstrip("@"))
    return tuple(Participant(slug=one) for one in names)


def agreed(around: Surroundings, planned: Planned) -> bool:
    """Whether to begin: asked of a person where it takes long or may cost money."""
    long = (planned.estimate_s or 0.0) > LONG_S
    if not (long or planned.estimate_usd is None or planned.estimate_usd > 0):
        return True
    return around.confirm("Begin?")


def plan_lines(planned: Planned, names: dict[str, str]) -> list[str]:
    """Who is to do what, and what that is expected to take."""
    from skill_agent.conversations.usage import usd
    from skill_agent.workstation.branches import span

    lines = [
        f"{number}. {names.get(step.agent_slug, step.agent_slug)}: {step.stage}"
        + (f", about {span(step.estimate_s)}" if step.estimate_s >= 1 else "")
        for number, step in enumerate(planned.plan, 1)
    ]
    cost = "of unknown price" if planned.estimate_usd is None else usd(planned.estimate_usd)
    most = f"at most {span(planned.max_duration_s)} and {usd(planned.max_cost_usd)}"
    about = f"about {span(planned.estimate_s)}, " if planned.estimate_s else ""
    return [*lines, f"expected: {about}{cost}; {most}"]


def _line(event: Event) -> None:
    emit_jsonl(to_json(event))
