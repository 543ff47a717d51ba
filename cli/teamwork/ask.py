"""`ska team ask`: one message that several agents answer."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.identifiers import new_id
from skill_agent.values import SEVERAL_STRATEGIES, SeveralAnswer, SeveralRequest

from ..opening.running import ready_to_talk, run_with
from ..options import JsonOption, YesOption, choice
from ..output import emit_json, emit_text, narrate, plain, tell_error, without_controls
from ..surroundings import surroundings
from .following import Follower
from .run import agreed, plan_lines

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


def register(app: typer.Typer) -> None:
    app.command()(ask)


def ask(
    ctx: typer.Context,
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="What is to be answered.")],
    strategy: Annotated[
        str,
        typer.Option("--strategy", metavar="S", help="One of " + ", ".join(SEVERAL_STRATEGIES)),
    ] = "ensemble",
    max_usd: Annotated[
        float, typer.Option("--max-usd", min=0.0, help="Dollars it may cost.")
    ] = 0.50,
    max_seconds: Annotated[
        float, typer.Option("--max-seconds", min=1.0, help="Seconds it may take.")
    ] = 600.0,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Have several agents answer one message, and print what they come to.

    Off unless `ensemble = true` stands under [features] in config.toml: on one machine agents
    answer one after another. What that is expected to take is told first; a person is asked before
    what takes over a minute or costs money, unless --yes. Who is doing what goes to stderr, and so
    does who gave no answer. Ctrl+C stops all of them.

    \b
    Strategies:
      ensemble   all agents that fit answer; their answers are put together, with their authors
      top_k      the three that fit best answer; the best answer is given
      cascade    one after another, the one that fits best first, until one has an answer

    \b
    Examples:
      ska team ask "is this function safe to call twice?" --strategy top_k
      ska team ask "what do you think of our release plan?" --json | jq -r '.responses[].content'

    \b
    Exit codes: 0 answered, 1 nobody answered (also: you said no), 2 wrong usage (also: it is
    switched off), 3 model unavailable or money spent, 130 interrupted.
    """
    (how,) = choice("--strategy", strategy.replace("-", "_"), SEVERAL_STRATEGIES)
    around = surroundings(ctx)
    request = SeveralRequest(
        " ".join(text),
        strategy=how,
        max_cost_usd=max_usd,
        max_duration_s=max_seconds,
        key=new_id(),
    )
    ready_to_talk(around)
    done = run_with(around, partial(_work, request=request, ctx=ctx, yes=yes), role="team")
    if done is None:
        narrate("nobody was asked")
        raise typer.Exit(1)
    _tell(done, as_json=as_json)


async def _work(
    runtime: "Workstation", *, request: SeveralRequest, ctx: typer.Context, yes: bool
) -> SeveralAnswer | None:
    from skill_agent.team.strategies.strategies import id_of

    planned = await runtime.strategies.plan(request)
    names = {dna.slug: dna.name for dna in await runtime.agents.list()}
    for line in plan_lines(planned, names):
        narrate(line)
    if not yes and not agreed(surroundings(ctx), planned):
        return None
    root = id_of(request.key or "")
    return await Follower(runtime, ctx).during(root, runtime.strategies.ask(request))


def _tell(done: SeveralAnswer, *, as_json: bool) -> None:
    """The answer on stdout; raises Exit(1) where there is none."""
    for agent, problem in done.problems.items():
        narrate(f"no answer of {agent}: {problem}")
    if as_json:
        emit_json(plain(done))
    elif done.text:
        emit_text(without_controls(done.text))
    if not done.text:
        tell_error("nobody answered", "ska team list")
        raise typer.Exit(1)
    if done.capped:
        narrate(f"stopped at its limit ({done.capped}); this is what there is")
