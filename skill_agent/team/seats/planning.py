"""What a message means for who takes part in its conversation; nothing here writes."""

from collections.abc import Callable
from dataclasses import replace

from skill_agent.agents.dna import AgentDNA
from skill_agent.values import ExpertScore, Routing, SeatChange, SeatPlan

from .seating import Seating
from .wishes import SeatWish

_ASK = (
    "{came_from} may not do this; shall {agent} answer? Denied, {came_from} answers within its "
    "bounds."
)


def wished(wish: SeatWish, seating: Seating, *, reason: str) -> SeatPlan | None:
    """What the person's words ask for; None where it is so already, or cannot be."""
    first = wish.agents[0]
    match wish.kind:
        case "back" if first == seating.lead or not seating.was_here(first):
            return None
        case "over" if first == seating.lead:
            return None
        case "back" | "over":
            return handover(seating.lead, first, reason)
        case "leave":
            return leaving(first, seating)
        case "invite" | "join":
            move = "joined" if wish.kind == "join" else "invited"
            new = [slug for slug in wish.agents if slug not in seating.seated]
            changes = tuple(SeatChange(move=move, agent=slug) for slug in new)
            return SeatPlan(routing=_by_words(first), changes=changes) if new else None


def returning(agent: str, seating: Seating, *, reason: str) -> SeatPlan | None:
    """An agent is called by its name from whom the conversation came: it goes back to it."""
    if not seating.goes_back_to(agent):
        return None
    plan = handover(seating.lead, agent, reason)
    return replace(plan, routing=replace(plan.routing, reason="user_mention"))


def handover(came_from: str, agent: str, reason: str) -> SeatPlan:
    change = SeatChange(move="leads", agent=agent, came_from=came_from, reason=reason)
    return SeatPlan(routing=_by_words(agent), changes=(change,))


def leaving(agent: str, seating: Seating) -> SeatPlan | None:
    """The next one leads where the one that leaves did; the last one stays."""
    rest = [slug for slug in seating.seated if slug != agent]
    if agent not in seating.seated or not rest:
        return None
    change = SeatChange(move="left", agent=agent)
    return SeatPlan(routing=_by_words(rest[0]), changes=(change,))


def escalated(routing: Routing, came_from: AgentDNA, agent: AgentDNA, *, reason: str) -> SeatPlan:
    """The one that may not do it hands over; where it may do nothing by itself the person is asked
    first."""
    change = SeatChange(move="leads", agent=agent.slug, came_from=came_from.slug, reason=reason)
    if came_from.boundaries.max_autonomy == "execute":
        return SeatPlan(routing=routing, changes=(change,))
    return SeatPlan(
        routing=routing,
        changes=(change,),
        otherwise=Routing(
            agent=came_from.slug,
            confidence=1.0,
            reason="current",
            explanation=f"{agent.name} was not allowed to answer",
        ),
        ask=_ASK.format(came_from=came_from.name, agent=agent.name),
    )


def among(routing: Routing, seating: Seating, active: Callable[[str], bool]) -> Routing:
    """Who of those that take part answers, where there are several: the best of them that is able,
    else who leads. A conversation of one agent is left to whoever was chosen."""
    seated = [slug for slug in seating.seated if active(slug)]
    if len(seated) < 2 or routing.agent in seated:
        return routing
    able = [one for one in routing.scores if one.agent in seated and one.able]
    best = max(able, key=_overall, default=None)
    if best is None and routing.escalated_from:
        return routing
    agent = best.agent if best else seated[0]
    return replace(
        routing,
        agent=agent,
        reason="skill_match" if best else "current",
        explanation="the best of those who take part" if best else "it leads the conversation",
        escalated_from=None,
        selected=(agent,),
    )


def _overall(score: ExpertScore) -> float:
    return score.overall


def _by_words(agent: str) -> Routing:
    return Routing(
        agent=agent, confidence=1.0, reason="handoff", explanation="the person asked for it"
    )
