"""Routing as front ends ask for it: who would answer, what was decided, and how often."""

from collections.abc import Sequence
from datetime import datetime

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.address import mentioned
from skill_agent.conversations.asking import checked_request
from skill_agent.conversations.sessions import find_session
from skill_agent.errors import NotFound, UsageError
from skill_agent.ports import Ledger
from skill_agent.team.operations import Recommendations, RoutingOperations
from skill_agent.text.checks import sound_moment, sound_text
from skill_agent.text.shaping import one_line
from skill_agent.values import (
    AgentTrust,
    Decision,
    ExpertScore,
    Recommendation,
    RouteReason,
    Routing,
    RoutingStats,
    TurnRequest,
)

from .decisions import decision_of, stats_of
from .gate import ExpertGate

_PREVIEW = 100
_MOST_RECOMMENDED = 100


class AgentRouting(RoutingOperations):
    """The routing of one home; it works also where no turn is routed."""

    def __init__(self, ledger: Ledger, directory: AgentDirectory, gate: ExpertGate) -> None:
        self._ledger, self._directory, self._gate = ledger, directory, gate

    async def decide(self, request: TurnRequest | str, *, current: str | None = None) -> Routing:
        """Raises UsageError for an empty text or a named agent that is not active, NotFound for an
        unknown agent or conversation."""
        request = checked_request(request)
        session = await find_session(self._ledger, request.session) if request.session else None
        speaks = self._directory.get(current).slug if current else None
        routing = await self._gate.weighed(request, session, current=speaks)
        called = mentioned(request.text, self._directory.slugs)
        if called:
            return self._given(called, "user_mention", routing)
        if request.agent:
            return self._given(request.agent, "requested", routing)
        return routing

    async def recommend(self, query: str, *, limit: int = 3) -> Recommendations:
        """Raises UsageError for an empty query."""
        if not sound_text(query).strip():
            raise UsageError("there is nothing to recommend an agent for", hint="say what you need")
        scores = await self._gate.scores(query)
        able = [one for one in scores if one.able][: max(1, min(limit, _MOST_RECOMMENDED))]
        return [self._recommended(one) for one in able]

    async def trust(self, slug: str) -> AgentTrust:
        """Raises NotFound for an unknown agent."""
        return await self._gate.trust(self._directory.get(sound_text(slug)).slug)

    async def decision(self, turn: str) -> Decision:
        """Raises NotFound where nothing was decided for a turn, or there is none."""
        names = {dna.slug: dna.name for dna in self._directory.list()}
        found = await decision_of(self._ledger, sound_text(turn), names)
        if found is not None:
            return found
        if await self._ledger.turn(turn):
            raise NotFound(
                f"nothing was decided for turn {turn}: it stayed with the conversation's agent",
                hint='`ska route "TEXT"` compares the agents',
            )
        raise NotFound(f"there is no turn {turn}", hint="ska sessions list")

    async def stats(self, *, since: datetime | None = None) -> RoutingStats:
        """Of whole days; raises UsageError for a moment there is none of."""
        return await stats_of(self._ledger, sound_moment(since, "since") if since else None)

    def _given(self, name: str, reason: RouteReason, routing: Routing) -> Routing:
        dna = self._directory.get(name)
        if dna.status != "active":
            raise UsageError(f"{dna.name} is {dna.status}", hint=f"ska agents activate {dna.slug}")
        said = "is addressed" if reason == "user_mention" else "is named"
        return Routing(
            agent=dna.slug,
            confidence=1.0,
            reason=reason,
            explanation=f"{dna.name} {said}",
            scores=routing.scores,
            selected=(dna.slug,),
            routing_ms=routing.routing_ms,
        )

    def _recommended(self, score: ExpertScore) -> Recommendation:
        dna = self._directory.get(score.agent)
        return Recommendation(
            id=dna.slug,
            name=dna.name,
            confidence=score.overall,
            matching_skills=score.matching_skills,
            tagline=dna.tagline,
            personality_preview=preview(dna),
        )


def preview(dna: AgentDNA) -> str:
    """How an agent speaks, in at most 100 characters."""
    persona = dna.personality
    traits: Sequence[str] = sorted(persona.traits, key=lambda name: -persona.traits[name])
    parts = [persona.tone, *traits[:3]]
    said = f"{', '.join(parts)}. {persona.custom_instructions}".strip(". ")
    return one_line(said, _PREVIEW)
