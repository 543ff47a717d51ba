"""`ska agents`: the team as agents.toml has it, one command each.

Reading and editing the file is the core's `AgentDirectory`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..opening.running import with_runtime
from ..options import JsonOption, LimitOption, choice, group
from ..output import emit_json, emit_text, narrate, plain, record, table
from ..surroundings import on_this_machine, surroundings
from . import mail
from .model_choice import settings_of, spoken_with
from .programs import AcpOption, program_named
from .team import Team, follow, team_of

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA
    from skill_agent.values import AgentStatus, PageFormat, Pages
    from skill_agent.workstation import Workstation

app = group("See, make and change the agents of your team.")
mail.register(app)

AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="Slug or name of the agent.")]


@app.command("list")
def list_agents(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the agents with their status.

    \b
    Examples:
      ska agents list
      ska agents list --json | jq -r '.[].id'
    """
    agents = team_of(ctx).list()
    if as_json:
        emit_json([agent_object(dna) for dna in agents])
        return
    rows = [(dna.slug, dna.name, dna.status, _speaks(dna), dna.tagline) for dna in agents]
    table(("agent", "name", "status", "model", "tagline"), rows)


@app.command()
def show(
    ctx: typer.Context,
    agent: AgentArgument,
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Print the identity text its model reads.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one agent: who it is, what it may do, which skills it has.

    \b
    Examples:
      ska agents show luke
      ska agents show kyra --prompt
    """
    dna = team_of(ctx).get(agent)
    if prompt:
        from skill_agent.agents.identity import identity_text

        emit_text(identity_text(dna))
    elif as_json:
        emit_json(agent_object(dna))
    else:
        record(_summary(dna, spoken_with(dna, settings_of(ctx))))


@app.command()
def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Slug, or a name to make the slug from.")],
    display: Annotated[str, typer.Option("--name", help="Name shown.")] = "",
    tagline: Annotated[str, typer.Option(help="One line: what it is for.")] = "",
    tone: Annotated[str, typer.Option(help="friendly, direct, professional …")] = "friendly",
    model: Annotated[
        str, typer.Option("--model", "-m", help="provider/model, a role, or default.")
    ] = "default",
    skill: Annotated[
        list[str] | None, typer.Option(help="A skill only it has; may be repeated.")
    ] = None,
    instructions: Annotated[str, typer.Option(help="How it should work, in your words.")] = "",
    acp: AcpOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an agent; everything else about it can be edited in agents.toml.

    With --acp it runs on a program of another make instead of a model: claude, codex, gemini,
    opencode, goose, or one of [acp.programs] in config.toml.

    \b
    Examples:
      ska agents new zoe --tagline "Plans my travels" --skill weather
      ska agents new claude --acp claude
    """
    from skill_agent.agents.directory import titled

    slug = _slug(name)
    personality: dict[str, Any] = {"tone": tone}
    if instructions:
        personality["custom_instructions"] = instructions
    fields = {
        "name": display or (name if name != slug else titled(slug)),
        "tagline": tagline,
        "custom_skill_names": list(skill or ()),
        "personality": personality,
        "model": {"model_name": model},
    }
    if acp is not None:
        fields["runs"] = {"acp": program_named(acp, settings_of(ctx).acp)}
    team = team_of(ctx, edit=True)
    dna = team.new(slug, fields)
    _tell(ctx, team, dna, f"added {dna.name}; talk with: ska ask -a {dna.slug}", as_json)


@app.command()
def clone(
    ctx: typer.Context,
    agent: AgentArgument,
    new_name: Annotated[str, typer.Argument(metavar="NEW", help="Slug or name of the copy.")],
    display: Annotated[str, typer.Option("--name", help="Name shown.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Copy an agent under a new name: its configuration, not its memories.

    \b
    Example:
      ska agents clone luke nora
    """
    slug = _slug(new_name)
    team = team_of(ctx, edit=True)
    dna = team.clone(agent, slug, display or (new_name if new_name != slug else ""))
    _tell(ctx, team, dna, f"{dna.name} is a copy of {agent}, without its memories", as_json)


@app.command()
def pause(ctx: typer.Context, agent: AgentArgument, as_json: JsonOption = False) -> None:
    """Take an agent out of work for a while.

    \b
    Example:
      ska agents pause max
    """
    _set_status(ctx, agent, "paused", as_json)


@app.command()
def activate(ctx: typer.Context, agent: AgentArgument, as_json: JsonOption = False) -> None:
    """Put an agent to work, also one that was archived.

    \b
    Example:
      ska agents activate max
    """
    _set_status(ctx, agent, "active", as_json)


@app.command()
def archive(ctx: typer.Context, agent: AgentArgument, as_json: JsonOption = False) -> None:
    """Put an agent away; nothing of it is deleted.

    \b
    Example:
      ska agents archive max
    """
    _set_status(ctx, agent, "archived", as_json)


@app.command()
def export(
    ctx: typer.Context,
    agents: Annotated[
        list[str] | None, typer.Argument(metavar="[AGENT]...", help="Only these; all otherwise.")
    ] = None,
    page_format: Annotated[
        str, typer.Option("--format", help="claude or markdown.", metavar="FORMAT")
    ] = "claude",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Folder; made if need be.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files of another origin.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write agents as Markdown personas: who they are, status, trust, figures.

    The pages are written again whenever an agent changes; one that somebody edited is left alone.
    Without --to, the claude form goes to ~/.claude/agents, the markdown form to ./agents.

    \b
    Examples:
      ska agents export
      ska agents export luke --format markdown --to docs/team
    """
    from skill_agent.agents.pages import CLAUDE_AGENTS

    chosen: PageFormat = choice("--format", page_format, ("claude", "markdown"))[0]
    folder = to or (CLAUDE_AGENTS if chosen == "claude" else Path("agents"))

    async def work(runtime: "Workstation") -> "Pages":
        return await runtime.agents.export(
            agents or [], to=str(folder.expanduser().absolute()), page_format=chosen, force=force
        )

    pages = with_runtime(ctx, work)
    if as_json:
        emit_json([{"id": one.agent, **plain(one)} for one in pages.written])
        return
    for one in pages.written:
        emit_text(one.path)
    narrate(f"{len(pages.written)} pages written" if pages.written else "all pages are up to date")


@app.command()
def recommend(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(metavar="TEXT", help="What you need somebody for.")],
    limit: LimitOption = 3,
    as_json: JsonOption = False,
) -> None:
    """Name the agents that would answer best.

    \b
    Examples:
      ska agents recommend "somebody who finds bugs"
      ska agents recommend "a slogan" --json | jq -r .[0].id
    """
    from .route import tell_recommended

    tell_recommended(
        with_runtime(ctx, lambda station: station.routing.recommend(query, limit=limit)), as_json
    )


@app.command()
def validate(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="Another agents.toml than the home's.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check agents.toml: every mistake with line and key; exit code 2 where there is one.

    \b
    Examples:
      ska agents validate
      ska agents validate ./agents.toml
    """
    from skill_agent.agents.parsing import parse_agents
    from skill_agent.errors import ConfigError, ConfigErrors
    from skill_agent.files.bundled import bundled_agents_path
    from skill_agent.files.private import read_text
    from skill_agent.skills.book import SkillBook, skill_roots
    from skill_agent.tools.approvals import RuleBook

    from ..error_report import tell_problems
    from .crafts import craft_warnings

    home = on_this_machine(ctx).home
    chosen = file or (home.agents if home.exists else bundled_agents_path())
    try:
        skills = SkillBook(skill_roots(home), rules=RuleBook(home.rules).rules)
        team = parse_agents(read_text(chosen), str(chosen), skills.names())
    except ConfigErrors as error:
        tell_problems(error.problems, (), as_json=as_json, fine="")
    except ConfigError as error:
        tell_problems([error], (), as_json=as_json, fine="")
    else:
        settings = settings_of(ctx)
        for dna in team.agents:
            narrate(f"{dna.slug} speaks with {spoken_with(dna, settings)}")
        fine = f"{chosen}: {len(team.agents)} agents, no mistakes"
        left_out = craft_warnings(team.agents, skills, str(chosen))
        tell_problems((), (*team.warnings, *left_out), as_json=as_json, fine=fine)


def agent_object(dna: "AgentDNA") -> dict[str, Any]:
    """The whole DNA as JSON, with `id` and the effective skills."""
    return {"id": dna.slug, **plain(dna), "effective_skills": list(dna.effective_skills)}


def _summary(dna: "AgentDNA", spoken: str) -> list[tuple[str, object]]:
    persona, model, bounds = dna.personality, dna.model, dna.boundaries
    traits = ", ".join(f"{name} {weight:g}" for name, weight in persona.traits.items())
    return [
        ("agent", dna.slug),
        ("name", f"{dna.name} {dna.avatar_emoji}".strip()),
        ("tagline", dna.tagline),
        ("status", dna.status),
        ("voice", f"{persona.tone}, {persona.verbosity}, {persona.formality}, {persona.language}"),
        ("traits", traits),
        ("always", "\n".join(persona.always_rules)),
        ("never", "\n".join(persona.never_rules)),
        ("instructions", persona.custom_instructions),
        ("skills", dna.effective_skills),
        ("disabled skills", dna.disabled_skill_names),
        ("runs on", spoken)
        if dna.runs
        else ("model", f"{spoken}, temperature {model.temperature:g}"),
        ("own tiers", [f"{one.tier}: {one.model_name}" for one in model.custom_tiers]),
        ("highest tier", model.max_tier),
        ("budget", f"${model.daily_budget_usd:g} a day, ${model.monthly_budget_usd:g} a month"),
        ("memory", f"{dna.memory.token_budget} tokens a message"),
        ("remembers on", dna.memory.remember_commands),
        ("can do", bounds.can_do),
        ("cannot do", bounds.cannot_do),
        ("escalates to", bounds.escalates_to),
        ("autonomy", bounds.max_autonomy),
        ("domains", bounds.allowed_domains),
    ]


def _speaks(dna: "AgentDNA") -> str:
    from skill_agent.models.outside import program_of

    return f"acp/{program_of(dna.runs)}" if dna.runs else dna.model.model_name


def _set_status(ctx: typer.Context, agent: str, status: "AgentStatus", as_json: bool) -> None:
    team = team_of(ctx, edit=True)
    before = team.get(agent).status
    dna = team.set_status(agent, status)
    word = "was already" if before == status else "is now"
    _tell(ctx, team, dna, f"{dna.name} {word} {status}", as_json)
    if not any(one.status == "active" for one in team.list()):
        narrate("no agent is active now; `ska agents activate AGENT` changes that")


def _tell(ctx: typer.Context, team: Team, dna: "AgentDNA", text: str, as_json: bool) -> None:
    """What was done on stderr, the agent's slug or object on stdout; exported pages follow."""
    narrate(text)
    for line in follow(surroundings(ctx).home, team, dna):
        narrate(line)
    if as_json:
        emit_json(agent_object(dna))
    else:
        emit_text(dna.slug)


def _slug(name: str) -> str:
    from skill_agent.agents.directory import slug_of
    from skill_agent.errors import UsageError

    slug = slug_of(name)
    if not slug:
        raise UsageError(
            f'"{name}" gives no slug', hint="use a name with letters, such as zoe or Zoë Smith"
        )
    return slug
