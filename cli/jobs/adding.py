"""`ska jobs add|edit`: how a time is understood is shown before anything is kept."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError
from skill_agent.values import JOB_KINDS, JobChange, NewJob, RunLimits

from ..opening.running import ready_home, run_with
from ..options import JsonOption, YesOption, choice
from ..output import emit_json, emit_text, narrate
from ..surroundings import Surroundings, surroundings
from .staying import tell_without_host

if TYPE_CHECKING:
    from skill_agent.values import Job
    from skill_agent.workstation import Workstation

NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Its name.")]
AgentOption = Annotated[
    str | None, typer.Option("--agent", "-a", metavar="NAME", help="Who is asked.")
]
PromptOption = Annotated[
    str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="What an agent is asked.")
]
DeliverOption = Annotated[
    list[str] | None,
    typer.Option(
        "--deliver",
        metavar="WAY",
        help="Where the result goes: inbox, file[:PATH], desktop, webhook:ID, telegram[:CHAT], "
        "none. May be given several times.",
    ),
]
ZoneOption = Annotated[
    str | None, typer.Option("--zone", metavar="ZONE", help="Whose times are meant; else yours.")
]
CatchUpOption = Annotated[
    bool | None,
    typer.Option("--catch-up/--no-catch-up", help="Whether a missed run is caught up once."),
]
QuietOption = Annotated[
    bool | None,
    typer.Option("--quiet/--no-quiet", help="Whether results wait while quiet hours last."),
]
SecondsOption = Annotated[
    float | None, typer.Option("--max-seconds", min=1, help="Seconds a run may take.")
]
TokensOption = Annotated[
    int | None, typer.Option("--max-tokens", min=1, help="Tokens models may write in a run.")
]
CallsOption = Annotated[
    int | None, typer.Option("--max-calls", min=0, help="Calls of tools a run may make.")
]
UsdOption = Annotated[
    float | None, typer.Option("--max-usd", min=0, help="Dollars a run may cost.")
]
TriesOption = Annotated[
    int | None, typer.Option("--tries", min=1, max=10, help="So often a run is tried.")
]


def register(app: typer.Typer) -> None:
    app.command()(add)
    app.command()(edit)


def add(
    ctx: typer.Context,
    when: Annotated[str, typer.Argument(metavar="WHEN", help="When, in words or as cron.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- PROGRAM ARGS…]", help="With --kind command: what is run."),
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="What is done: " + ", ".join(JOB_KINDS))
    ] = "agent",
    name: NameOption = None,
    agent: AgentOption = None,
    prompt: PromptOption = None,
    deliver: DeliverOption = None,
    zone: ZoneOption = None,
    catch_up: CatchUpOption = None,
    quiet: QuietOption = None,
    max_seconds: SecondsOption = None,
    max_tokens: TokensOption = None,
    max_calls: CallsOption = None,
    max_usd: UsdOption = None,
    tries: TriesOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Have something done at its times.

    How WHEN was understood is shown with the next three fire times, and asked about before it is
    kept, unless --yes. Runs need a host that stays (`ska up`); what was missed is caught up once.
    An agent that has nothing worth telling answers [SILENT], and then nothing is told.

    \b
    Examples:
      ska jobs add "weekdays at 18:00" --kind summary --yes
      ska jobs add "every 2h" --prompt "Is anything new on example.org?" --deliver desktop
      ska jobs add "0 9 * * mon-fri" --agent luke --prompt "What is due today?" --yes
      ska jobs add "every 2h" --kind command --yes -- /usr/local/bin/fetch-mail --quiet

    \b
    Exit codes: 0 kept, 1 you said no, 2 wrong usage (also: nobody can be asked and no --yes).
    """
    around = surroundings(ctx)
    (sort,) = choice("--kind", kind, JOB_KINDS)
    if not yes and not around.interactive:
        raise UsageError(
            "nobody can be asked whether the time was understood rightly",
            hint="give --yes",
        )
    new = NewJob(
        when,
        kind=sort,
        name=name or "",
        agent=agent.lstrip("@") if agent else None,
        prompt=prompt or "",
        command=tuple(command or ()),
        timezone=zone or "",
        deliver=tuple(deliver or ("inbox",)),
        catch_up=catch_up is not False,
        quiet_hours=quiet is not False,
        limits=_limits(RunLimits(), max_seconds, max_tokens, max_calls, max_usd),
        max_attempts=tries or 3,
    )
    ready_home(around)
    job = run_with(around, lambda runtime: _added(runtime, around, new, yes=yes), role="jobs")
    if job is None:
        narrate("nothing was kept")
        raise typer.Exit(1)
    _tell(around, job, as_json=as_json)


async def _added(
    runtime: "Workstation", around: Surroundings, new: NewJob, *, yes: bool
) -> "Job | None":
    preview = await runtime.jobs.preview(new.when, timezone=new.timezone)
    narrate(f"{new.when!r}, in the zone {preview.schedule.timezone}:")
    for moment in preview.local:
        narrate(f"  {moment}")
    if not yes and not around.confirm("Is that right?"):
        return None
    return await runtime.jobs.add(new)


def edit(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="Id, first characters of it, or name.")],
    when: Annotated[
        str | None, typer.Option("--when", metavar="WHEN", help="When, in words or as cron.")
    ] = None,
    name: NameOption = None,
    agent: AgentOption = None,
    prompt: PromptOption = None,
    deliver: DeliverOption = None,
    zone: ZoneOption = None,
    catch_up: CatchUpOption = None,
    quiet: QuietOption = None,
    max_seconds: SecondsOption = None,
    max_tokens: TokensOption = None,
    max_calls: CallsOption = None,
    max_usd: UsdOption = None,
    tries: TriesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a job; what is not named stays as it is.

    \b
    Examples:
      ska jobs edit post --when "every 4h"
      ska jobs edit post --deliver inbox --deliver desktop --max-usd 0.05

    \b
    Exit codes: 0 changed, 2 there is no such job, or what was named cannot be.
    """
    around = surroundings(ctx)
    ready_home(around)

    async def work(runtime: "Workstation") -> "Job":
        limits = None
        if (max_seconds, max_tokens, max_calls, max_usd) != (None,) * 4:
            known = (await runtime.jobs.get(job)).limits
            limits = _limits(known, max_seconds, max_tokens, max_calls, max_usd)
        change = JobChange(
            when=when,
            timezone=zone,
            name=name,
            agent=agent.lstrip("@") if agent else None,
            prompt=prompt,
            deliver=tuple(deliver) if deliver else None,
            catch_up=catch_up,
            quiet_hours=quiet,
            limits=limits,
            max_attempts=tries,
        )
        if change == JobChange():
            raise UsageError("what is to be changed?", hint="ska jobs edit --help")
        return await runtime.jobs.edit(job, change)

    _tell(around, run_with(around, work, role="jobs"), as_json=as_json)


def _limits(
    known: RunLimits,
    seconds: float | None,
    tokens: int | None,
    calls: int | None,
    usd: float | None,
) -> RunLimits:
    return replace(
        known,
        timeout_s=known.timeout_s if seconds is None else seconds,
        max_tokens=known.max_tokens if tokens is None else tokens,
        max_tool_calls=known.max_tool_calls if calls is None else calls,
        max_usd=known.max_usd if usd is None else usd,
    )


def _tell(around: Surroundings, job: "Job", *, as_json: bool) -> None:
    if as_json:
        emit_json(job)
    else:
        emit_text(job.id)
        narrate(f"{job.name}: next {job.next_run_local or 'never'}; ska jobs show {job.id}")
    tell_without_host(around)
