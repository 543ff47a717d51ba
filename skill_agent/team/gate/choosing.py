"""Who of the compared agents answers: what goes before what.

A mention and a named agent have the last word before this is asked. Then: the agent that speaks in
the conversation, if it matches or nobody is clearly better, so that a talk does not hop with each
message; the best one above the threshold; the colleague that whoever may not do it names
(`escalates_to`); the default agent. An able specialist goes before `escalates_to`, which says where
a request goes that nobody has a skill for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skill_agent.agents.dna import AgentDNA
from skill_agent.values import RouteReason, RouteStrategy

from .scoring import Standing
from .skill_match import EVEN

THRESHOLD = 0.6
MARGIN = 0.15
"""By how much another must be ahead to take over from the agent that speaks; chosen on
`benchmarks/experts_build.json`."""
TOP_K = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One choice and what led there."""

    agent: str
    reason: RouteReason
    confidence: float
    why: str
    fallback: bool = False
    escalated_from: str | None = None


def chosen(
    standing: Standing,
    agents: Mapping[str, AgentDNA],
    *,
    current: str | None,
    default: str,
    escalates: bool = True,
    margin: float = MARGIN,
) -> Chosen:
    """`agents` are the active ones by slug, `current` among them or None."""
    import numpy as np

    free, scores = standing.selectable(), standing.overall
    best = int(np.where(free, scores, -1.0).argmax())
    passes = bool(free[best]) and scores[best] >= THRESHOLD
    slugs = standing.slugs
    if current is not None:
        mine = standing.row(current)
        ahead = passes and scores[best] - scores[mine] >= margin
        if free[mine] and (standing.compared.matches.skill[mine] >= EVEN or not ahead):
            name = agents[current].name
            why = f"{name} speaks here and is able" if passes else f"{name} speaks here"
            return Chosen(agent=current, reason="current", confidence=float(scores[mine]), why=why)
    if passes:
        name = agents[slugs[best]].name
        why = f"{name} matches best, {scores[best]:.2f}"
        return Chosen(
            agent=slugs[best], reason="skill_match", confidence=float(scores[best]), why=why
        )
    return _fallback(standing, agents, current=current, default=default, escalates=escalates)


def _fallback(
    standing: Standing,
    agents: Mapping[str, AgentDNA],
    *,
    current: str | None,
    default: str,
    escalates: bool,
) -> Chosen:
    import numpy as np

    able = standing.compared.matches.able
    would = current
    if would is None and standing.uncapped.max() >= THRESHOLD:
        would = standing.slugs[int(np.argmax(standing.uncapped))]
    if would is not None and not able[standing.row(would)] and escalates:
        target = escalated(would, agents, standing)
        if target is not None:
            return Chosen(
                agent=target,
                reason="handoff",
                confidence=float(standing.overall[standing.row(target)]),
                why=f"{agents[would].name} may not do this and names {agents[target].name}",
                fallback=True,
                escalated_from=would,
            )
    agent = default if default in agents else _first(standing, agents)
    return Chosen(
        agent=agent,
        reason="default",
        confidence=float(standing.overall[standing.row(agent)]),
        why=f"nobody reaches {THRESHOLD}: {agents[agent].name} answers",
        fallback=True,
    )


def escalated(slug: str, agents: Mapping[str, AgentDNA], standing: Standing) -> str | None:
    """Whom an agent names for what it may not do, or whom that one names, and so on; None where
    that leads to nobody who is active and able."""
    able, seen = standing.compared.matches.able, {slug}
    while True:
        target = agents[slug].boundaries.escalates_to if slug in agents else None
        if target is None or target in seen or target not in agents:
            return None
        if able[standing.row(target)]:
            return target
        seen.add(target)
        slug = target


def selected(standing: Standing, strategy: RouteStrategy, best: str) -> tuple[str, ...]:
    """Who answers by a strategy, the best first; `best` is the one that answers alone."""
    import numpy as np

    if strategy == "top_1":
        return (best,)
    free = standing.selectable()
    order: Sequence[int] = np.argsort(-standing.overall, kind="stable").tolist()
    slugs = standing.slugs
    able = [row for row in order if free[row]]
    if strategy == "top_k":
        return tuple(slugs[row] for row in able[:TOP_K]) or (best,)
    return tuple(slugs[row] for row in able if standing.overall[row] >= THRESHOLD) or (best,)


def _first(standing: Standing, agents: Mapping[str, AgentDNA]) -> str:
    """The best of those that are there, where the default agent is not."""
    import numpy as np

    order: Sequence[int] = np.argsort(-standing.overall, kind="stable").tolist()
    return next(standing.slugs[row] for row in order if standing.slugs[row] in agents)
