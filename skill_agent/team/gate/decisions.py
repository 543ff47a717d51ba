"""What was decided for each turn, as the ledger keeps it: one note, ids and figures only.

The note `route.decided` has the turn as entity; it names the conversation, so it goes with it.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from typing import Any, cast, get_args

from skill_agent.errors import SkillAgentError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import KeepsDecisions, Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import (
    Complexity,
    Decision,
    ExpertScore,
    LogEntry,
    ModelChoice,
    RouteReason,
    Routing,
    RoutingStats,
    Session,
)

KIND = "route.decided"
_MOST_SCORES = 8
_BORROWED = ("user_mention", "requested")
"""Whoever is named answers once; the conversation stays with who spoke before."""
_FIGURES = (
    "overall", "skill_match", "past_performance", "personality_fit", "load_balance", "trust",
)  # fmt: skip
_DAYS = "days"
_log = logging.getLogger(__name__)


class Decisions(KeepsDecisions):
    """Keeps decisions in a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def keep(
        self, turn: str, session: Session, routing: Routing, choice: ModelChoice
    ) -> None:
        await note_decision(self._ledger, turn, session, routing, choice)


async def note_decision(
    ledger: Ledger, turn: str, session: Session, routing: Routing, choice: ModelChoice
) -> None:
    """Writes a decision down, where there was one: agents were compared, one was called, or a tier
    was chosen. Never raises: that it is not kept is logged."""
    called = routing.reason == "user_mention"
    if not (routing.scores or called or choice.tier is not None):
        return
    data: dict[str, Any] = {
        "session": session.id,
        "of": session.agent,
        "routing": _kept_routing(routing),
        "choice": _kept_choice(choice),
    }
    try:
        await ledger.note(KIND, turn, actor=routing.agent, data=data)
    except SkillAgentError as problem:
        _log.warning("the decision for turn %s is not kept: %s", turn, problem.message)


async def decision_of(ledger: Ledger, turn: str, names: Mapping[str, str]) -> Decision | None:
    """What was decided for a turn; None where nothing was. `names` are the agents' by slug."""
    state = (await ledger.projected(_DECISIONS, [_turn_key(turn)])).get(_turn_key(turn))
    if not state or not isinstance(state.get("session"), str):
        return None
    return Decision(
        id=turn,
        session=state["session"],
        routing=_routing(state.get("routing"), names),
        choice=_choice(state.get("choice")),
        created_at=parse_time(state["at"]),
    )


async def speaker_of(ledger: Ledger, session: Session) -> str:
    """Who speaks in a conversation: whom the last decision gave it to, unless it was given to
    another agent since; a mention borrows an agent for one message."""
    key = _session_key(session.id)
    state = (await ledger.projected(_DECISIONS, [key])).get(key)
    if state and state.get("of") == session.agent and isinstance(state.get("speaker"), str):
        return state["speaker"]
    return session.agent


async def stats_of(ledger: Ledger, since: datetime | None = None) -> RoutingStats:
    """Counts of whole days (UTC), from that of `since` on."""
    days = (await ledger.projected(_DECISIONS, [_DAYS])).get(_DAYS, {}).get("days", [])
    first = since.astimezone(UTC).date() if since else date.min
    keys = [_day_key(day) for day in days if date.fromisoformat(day) >= first]
    states = (await ledger.projected(_DECISIONS, keys)).values() if keys else ()
    total: dict[str, Any] = {"decisions": 0, "fallbacks": 0, "ms": 0.0}
    counted: dict[str, dict[str, int]] = {"agent": {}, "reason": {}, "tier": {}}
    for state in states:
        for name in total:
            total[name] += state[name]
        for name, found in counted.items():
            for key, number in state[name].items():
                found[key] = found.get(key, 0) + number
    decisions = total["decisions"]
    return RoutingStats(
        decisions=decisions,
        fallbacks=total["fallbacks"],
        by_agent=counted["agent"],
        by_reason=counted["reason"],
        by_tier=counted["tier"],
        mean_routing_ms=round(total["ms"] / decisions, 3) if decisions else 0.0,
    )


# -- as it is kept ---------------------------------------------------------------------------------


def _kept_routing(routing: Routing) -> dict[str, Any]:
    told = asdict(routing)
    told["scores"] = [_kept_score(one) for one in routing.scores[:_MOST_SCORES]]
    return told


def _kept_score(score: ExpertScore) -> dict[str, Any]:
    return {
        "agent": score.agent,
        "able": score.able,
        "skills": list(score.matching_skills),
        **{name: getattr(score, name) for name in _FIGURES},
    }


def _kept_choice(choice: ModelChoice) -> dict[str, Any]:
    return asdict(choice)


def _routing(said: object, names: Mapping[str, str]) -> Routing | None:
    if not isinstance(said, dict) or not isinstance(said.get("agent"), str):
        return None
    told = _known(Routing, said)
    told["scores"] = tuple(
        _score(one, names) for one in _listed(said.get("scores")) if isinstance(one, dict)
    )
    told["selected"] = tuple(str(one) for one in _listed(said.get("selected")))
    reason = said.get("reason")
    told["reason"] = reason if reason in get_args(RouteReason) else "default"
    told["confidence"] = _figure(said.get("confidence"))
    return Routing(**told)


def _score(said: dict[str, Any], names: Mapping[str, str]) -> ExpertScore:
    agent = str(said.get("agent"))
    figures: dict[str, Any] = {name: _figure(said.get(name)) for name in _FIGURES}
    return ExpertScore(
        agent=agent,
        name=names.get(agent, agent),
        able=said.get("able") is not False,
        matching_skills=tuple(str(one) for one in _listed(said.get("skills"))),
        **figures,
    )


def _choice(said: object) -> ModelChoice | None:
    if not isinstance(said, dict):
        return None
    told = _known(ModelChoice, said)
    complexity = told.pop("complexity", None)
    try:
        found = Complexity(**_known(Complexity, complexity)) if complexity else None
        return ModelChoice(**told, complexity=found)
    except (TypeError, AttributeError):  # a note that was brought in may say anything
        return None


def _known(kind: Any, said: dict[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in said.items() if name in names}


def _listed(said: object) -> list[Any]:
    return cast("list[Any]", said) if isinstance(said, list) else []


def _figure(said: object) -> float:
    return float(said) if isinstance(said, int | float) and abs(said) < 1e9 else 0.0


# -- the fold --------------------------------------------------------------------------------------


def _turn_key(turn: str) -> str:
    return f"turn:{turn}"


def _session_key(session: str) -> str:
    return f"session:{session}"


def _day_key(day: str) -> str:
    return f"day:{day}"


def _part(row: LogEntry, name: str) -> dict[str, Any]:
    said = row.new if isinstance(row.new, dict) else {}
    part = said.get(name)
    return part if isinstance(part, dict) else {}


def _keys(row: LogEntry) -> tuple[str, ...]:
    said = row.new if isinstance(row.new, dict) else {}
    session, routing = said.get("session"), _part(row, "routing")
    if not isinstance(session, str) or not isinstance(routing.get("agent"), str):
        return ()
    lasting = () if routing.get("reason") in _BORROWED else (_session_key(session),)
    return (_turn_key(row.entity), _day_key(_day(row)), _DAYS, *lasting)


def _step(key: str, state: State | None, row: LogEntry) -> State:
    said = row.new if isinstance(row.new, dict) else {}
    routing, choice = _part(row, "routing"), _part(row, "choice")
    if key == _DAYS:
        return {"days": sorted({*(state or {}).get("days", ()), _day(row)})}
    if key.startswith("session:"):
        return {"speaker": routing["agent"], "of": said.get("of")}
    if key.startswith("turn:"):
        return {**said, "at": iso(row.at)}
    known = state or {
        "decisions": 0,
        "fallbacks": 0,
        "ms": 0.0,
        "agent": {},
        "reason": {},
        "tier": {},
    }
    return {
        "decisions": known["decisions"] + 1,
        "fallbacks": known["fallbacks"] + (routing.get("fallback_used") is True),
        "ms": known["ms"] + _figure(routing.get("routing_ms")),
        "agent": _plus(known["agent"], routing.get("agent")),
        "reason": _plus(known["reason"], routing.get("reason")),
        "tier": _plus(known["tier"], choice.get("tier")),
    }


def _plus(known: dict[str, int], name: object) -> dict[str, int]:
    return {**known, name: known.get(name, 0) + 1} if isinstance(name, str) else known


def _day(row: LogEntry) -> str:
    return f"{row.at.astimezone(UTC):%Y-%m-%d}"


_DECISIONS = Projection(name="decisions", version=1, kinds=(KIND,), keys=_keys, step=_step)
