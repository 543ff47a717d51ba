"""Tools about the team and the home: who there is, whom to be, which skills, what it costs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from skill_agent.agents.dna import AgentDNA
from skill_agent.mcp_server.sets import Tell, Told
from skill_agent.mcp_server.visit import Visit
from skill_agent.values import Budget, UsageRow

from .offer import Arguments, Offer, Offers
from .personas import agents_of, persona
from .shapes import flag, many, number, table, text, whole
from .shown import in_a_line, lines
from .skill_texts import said_of, skills_of, trusted

_MOST = 200


def team() -> Offers:
    """The tools."""
    return Offers(_agents(), _persona(), _skills(), _costs())


# -- agents --------------------------------------------------------------------------------------

AGENT = table(
    {
        "slug": text(),
        "name": text(),
        "tagline": text(),
        "status": text("active, or paused: it takes no work now."),
        "can_do": many(text()),
        "skills": many(text()),
        "tools": many(text()),
        "model": text(),
    }
)


def agent_row(dna: AgentDNA) -> dict[str, Any]:
    """What a person would tell of it; nothing of its instructions."""
    return {
        "slug": dna.slug,
        "name": in_a_line(dna.name, 60),
        "tagline": in_a_line(dna.tagline, 200),
        "status": dna.status,
        "can_do": [in_a_line(one, 200) for one in dna.boundaries.can_do[:20]],
        "skills": [*dna.effective_skills[:50]],
        "tools": [in_a_line(one, 80) for one in dna.mcp[:50]],
        "model": "outside program" if dna.runs else in_a_line(dna.model.model_name, 100),
    }


def _agents() -> Offer:
    return Offer(
        name="list_agents",
        title="List the agents",
        description="Who is in the user's team of agents, and what each is for.",
        scope="read",
        takes=table({}),
        gives=table({"agents": many(AGENT)}),
        run=_listed,
    )


async def _listed(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    rows = [agent_row(one) for one in (await agents_of(visit))[:_MOST]]
    told = [f"- {row['slug']}: {row['name']}, {row['tagline']} ({row['status']})" for row in rows]
    return Told(data={"agents": rows}, text=lines(f"{len(rows)} agents:", told))


def _persona() -> Offer:
    return Offer(
        name="invoke_persona",
        title="Take on a persona",
        description=(
            "Get the system text of one of the user's agents, to work as it does yourself. To have "
            "the agent itself answer, use ask_agent."
        ),
        scope="read",
        takes=table(
            {
                "persona_id": text("The agent's slug.", least=1, most=60),
                "task_description": text("What is to be done.", most=20_000),
                "include_db_status": flag("Also how much the home remembers; true where left out."),
            },
            optional=("include_db_status",),
        ),
        gives=table({"persona_id": text(), "system_prompt": text()}),
        run=_invoked,
    )


async def _invoked(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    found = await persona(visit, arguments["persona_id"])
    parts = [found.system]
    if arguments.get("include_db_status", True):
        counts = await visit.station.figures.counts()
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        parts.append(f"The home holds: {told}.")
    if task := arguments["task_description"].strip():
        parts.append(f"Your task:\n{task}")
    system = "\n\n".join(parts)
    return Told(data={"persona_id": found.slug, "system_prompt": system}, text=system)


# -- skills --------------------------------------------------------------------------------------


def _skills() -> Offer:
    row = table(
        {
            "name": text(),
            "description": text(),
            "approved": flag("Otherwise its name is all that is told."),
            "uri": text(),
        }
    )
    return Offer(
        name="list_skills",
        title="List the skills",
        description="The skills of the user's home: instructions for kinds of work, by name.",
        scope="read",
        takes=table({}),
        gives=table({"skills": many(row)}),
        run=_listed_skills,
    )


async def _listed_skills(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    rows = [
        {
            "name": one.name,
            "description": said_of(visit, one),
            "approved": trusted(visit, one),
            "uri": f"skill://{one.name}/SKILL.md",
        }
        for one in (await skills_of(visit))[:_MOST]
    ]
    told = [f"- {row['name']}: {row['description']}" for row in rows]
    return Told(data={"skills": rows}, text=lines(f"{len(rows)} skills:", told))


# -- costs ---------------------------------------------------------------------------------------


def _costs() -> Offer:
    spent = table({"agent": text(), "calls": whole(), "tokens": whole(), "cost_usd": number()})
    left = table(
        {
            "agent": text(),
            "daily_usd": number(),
            "monthly_usd": number(),
            "left_today_usd": number(),
            "left_month_usd": number(),
        }
    )
    return Offer(
        name="cost_summary",
        title="What it costs",
        description="What the agents' models cost lately, by agent, and what each may still spend.",
        scope="read",
        takes=table(
            {"days": whole("So many days back; 30 where left out.", least=1, most=366)},
            optional=("days",),
        ),
        gives=table(
            {
                "today_usd": number(),
                "total_usd": number(),
                "unpriced": flag("Some calls have no known price: it cost more."),
                "since": text(),
                "agents": many(spent),
                "budgets": many(left),
            }
        ),
        run=_spent,
    )


async def _spent(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    since = datetime.now(UTC) - timedelta(days=arguments.get("days", 30))
    totals = await visit.station.figures.usage(by="agent", since=since)
    data = {
        "today_usd": round(totals.today.cost_usd, 6),
        "total_usd": round(totals.total.cost_usd, 6),
        "unpriced": not totals.total.priced,
        "since": since.isoformat(timespec="seconds"),
        "agents": [_row(one) for one in totals.rows[:_MOST]],
        "budgets": [_budget(one) for one in totals.budgets[:_MOST]],
    }
    told = [f"- {one['agent'] or 'other'}: ${one['cost_usd']:.4f}" for one in data["agents"]]
    head = f"today ${data['today_usd']:.4f}, in all ${data['total_usd']:.4f}"
    return Told(data=data, text=lines(head, told))


def _row(one: UsageRow) -> dict[str, Any]:
    return {
        "agent": one.id,
        "calls": one.calls,
        "tokens": one.prompt_tokens + one.completion_tokens,
        "cost_usd": round(one.cost_usd, 6),
    }


def _budget(one: Budget) -> dict[str, Any]:
    return {
        "agent": one.id,
        "daily_usd": one.daily_usd,
        "monthly_usd": one.monthly_usd,
        "left_today_usd": round(one.left_today_usd, 6),
        "left_month_usd": round(one.left_month_usd, 6),
    }
