"""`ska route`: who would answer a message and why, what was decided for a turn, and how often."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..opening.running import with_runtime
from ..options import JsonOption, SessionOption, single, slug_of
from ..output import emit_json, emit_text, narrate, plain, record, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skill_agent.values import (
        Decision,
        ExpertScore,
        ModelChoice,
        Recommendation,
        Routing,
        RoutingStats,
    )
    from skill_agent.workstation import Workstation

app = single()
_COLUMNS = ("agent", "overall", "skill", "past", "fit", "load", "trust", "why")


@app.command()
def route(
    ctx: typer.Context,
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="The message; or `why TURN`, or `stats`.")
    ],
    agent: Annotated[
        str | None,
        typer.Option("--agent", "-a", metavar="NAME", help="The agent that speaks just now."),
    ] = None,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who would answer a message, and why; nothing is asked.

    Each agent is weighed by four signals: skill match (40 %), past performance with trust (25 %),
    personality fit (20 %) and load (15 %). The best from 0.6 on answers; the agent that speaks
    stays while it is able; otherwise the default agent answers. `why` tells what was decided for
    a turn (its id, or `latest`), `stats` sums up.

    \b
    Examples:
      ska route "why does my loop never end?"
      ska route "and the second one?" --agent luke
      ska route why latest
      ska route stats --json
    """
    if text == ["stats"]:
        _tell_stats(with_runtime(ctx, lambda station: station.routing.stats()), as_json)
    elif text[0] == "why" and len(text) <= 2:
        _tell_decision(with_runtime(ctx, lambda station: _decision(station, text[1:])), as_json)
    else:
        _tell(with_runtime(ctx, lambda s: _decided(s, " ".join(text), agent, session)), as_json)


async def _decided(
    station: "Workstation", text: str, agent: str | None, session: str | None
) -> "Routing":
    from skill_agent.values import TurnRequest

    speaks = await slug_of(station, agent)
    return await station.routing.decide(TurnRequest(text, session=session), current=speaks)


async def _decision(station: "Workstation", named: "Sequence[str]") -> "Decision":
    turn = named[0] if named else "latest"
    if turn == "latest":
        found = await station.conversations.find("latest")
        turn = (await station.conversations.messages(found.id))[-1].turn
    return await station.routing.decision(turn)


def _tell(routing: "Routing", as_json: bool) -> None:
    if as_json:
        emit_json(routing_object(routing))
        return
    emit_text(routing.agent)
    narrate(f"{routing.reason.replace('_', ' ')}: {routing.explanation}")
    if routing.escalated_from:
        narrate(f"{routing.escalated_from} may not do this and names {routing.agent}")
    _table(routing.scores)
    narrate(f"threshold {routing.threshold:g}, decided in {routing.routing_ms:.1f} ms")


def _tell_decision(decision: "Decision", as_json: bool) -> None:
    if as_json:
        emit_json(plain(decision))
        return
    routing, choice = decision.routing, decision.choice
    if routing is not None:
        record(
            [
                ("turn", decision.id),
                ("agent", routing.agent),
                ("reason", routing.reason.replace("_", " ")),
                ("confidence", f"{routing.confidence:.2f}"),
                ("instead of", routing.came_from),
                ("because", routing.explanation),
                *_model(choice),
            ]
        )
        _table(routing.scores)


def _model(choice: "ModelChoice | None") -> list[tuple[str, object]]:
    if choice is None or choice.tier is None:
        return []
    return [("tier", choice.tier), ("model", choice.model), ("tier because", choice.why)]


def _tell_stats(stats: "RoutingStats", as_json: bool) -> None:
    if as_json:
        emit_json(plain(stats))
        return
    pairs: list[tuple[str, object]] = [
        ("decisions", stats.decisions),
        ("default instead", stats.fallbacks),
        ("mean time", f"{stats.mean_routing_ms:.1f} ms"),
    ]
    for name, counts in (
        ("agents", stats.by_agent),
        ("reasons", stats.by_reason),
        ("tiers", stats.by_tier),
    ):
        ordered = sorted(counts.items(), key=lambda pair: -pair[1])
        pairs.append((name, [f"{key.replace('_', ' ')} {number}" for key, number in ordered]))
    record(pairs)


def _table(scores: "Sequence[ExpertScore]") -> None:
    if not scores:
        return
    table(
        _COLUMNS,
        [
            (
                one.agent,
                f"{one.overall:.2f}",
                f"{one.skill_match:.2f}" if one.able else "may not",
                f"{one.past_performance:.2f}",
                f"{one.personality_fit:.2f}",
                f"{one.load_balance:.2f}",
                f"{one.trust:.2f}",
                one.explanation,
            )
            for one in scores
        ],
    )


def routing_object(routing: "Routing") -> dict[str, Any]:
    """`agent` comes first: scripts rely on it."""
    told = plain(routing)
    return {"agent": told.pop("agent"), **told}


def tell_recommended(found: "Sequence[Recommendation]", as_json: bool) -> None:
    """For `ska agents recommend`."""
    if as_json:
        emit_json(plain(found))
        return
    rows = [
        (one.id, f"{one.confidence:.2f}", ", ".join(one.matching_skills), one.tagline)
        for one in found
    ]
    table(("agent", "confidence", "does", "tagline"), rows, empty="no agent is active")
