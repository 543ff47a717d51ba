"""The expert gate: who answers a message that names nobody.

It never raises for a message: what goes wrong is logged, and the conversation keeps its agent.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.ports import ChoosesAgent, Clock, Ledger
from skill_agent.tools.gate.ngrams import folded
from skill_agent.values import (
    AgentTrust,
    ExpertScore,
    RouteReason,
    RouteStrategy,
    Routing,
    Session,
    TurnRequest,
)

from .choosing import THRESHOLD, Chosen, chosen, selected
from .comparing import Comparing, Subject, subject_of
from .decisions import speaker_of
from .load import Loads
from .performance import RatedQueries
from .scoring import MOST_TOLD, Standing, standing
from .trust import Outcome, Outcomes, trust_of

_SURELY_IDLE = 0.9
"""A message that so likely greets, thanks or tells is nobody's work: nobody is compared."""
HandsOver = Callable[[TurnRequest, str], Awaitable[bool]]
_log = logging.getLogger(__name__)


async def _never(_request: TurnRequest, _agent: str) -> bool:
    return False


class ExpertGate(ChoosesAgent):
    """Chooses among the active agents of one home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        default_agent: str,
        comparing: Comparing,
        loads: Loads,
        escalates: bool = True,
        hands_over: HandsOver = _never,
        outcomes: Outcomes | None = None,
        seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`escalates` says that `escalates_to` is honoured. What `hands_over` knows as meant for
        the agent that speaks, because it is to ask a colleague, stays with it."""
        self._hands_over = hands_over
        self._ledger, self._clock, self._directory = ledger, clock, directory
        self._default, self._comparing, self._loads = default_agent, comparing, loads
        self._escalates, self._seconds = escalates, seconds
        self._outcomes = outcomes or Outcomes(ledger)
        self._rated = RatedQueries(ledger)

    async def agent(self, request: TurnRequest, session: Session | None) -> Routing:
        begun = self._seconds()
        try:
            routing = await self._routed(request, session)
        except Exception as problem:  # whom to ask is no reason not to be answered
            _log.exception("nobody could be compared")
            keeps = session.agent if session else self._default
            why = f"the agents could not be compared ({type(problem).__name__})"
            routing = _unasked(keeps, "current" if session else "default", why)
        return replace(routing, routing_ms=self._since(begun))

    async def warm(self) -> None:
        """Makes the agents comparable ahead of the first message."""
        if len(agents := self._active()) > 1:
            await self._comparing.warm(agents)

    async def weighed(
        self,
        request: TurnRequest,
        session: Session | None,
        *,
        current: str | None = None,
        strategy: RouteStrategy = "top_1",
    ) -> Routing:
        """As `agent`, with the scores of every active agent also where they are not needed; raises
        what goes wrong. `current` speaks in place of the conversation's agent."""
        begun = self._seconds()
        agents, speaks = self._active(), await self._speaker(session)
        if not agents:
            return self._stay(request, session, agents, speaks)
        found = await self._compared(subject_of(request), agents)
        speaker = current or speaks
        routing = self._choose(agents, found, speaker=speaker, strategy=strategy, most=None)
        return replace(routing, routing_ms=self._since(begun))

    async def scores(self, text: str) -> list[ExpertScore]:
        """Every active agent, the best first."""
        agents = self._active()
        if not agents:
            return []
        subject = subject_of(TurnRequest(text))
        return (await self._compared(subject, agents)).told(most=None)

    # -- deciding ----------------------------------------------------------------------------

    async def _routed(self, request: TurnRequest, session: Session | None) -> Routing:
        agents, speaker = self._active(), await self._speaker(session)
        stays = self._stay(request, session, agents, speaker)
        if len(agents) < 2 or stays.agent not in {one.slug for one in agents}:
            return stays
        if _bound(request):
            return stays
        if any(one.slug == stays.agent and one.runs for one in agents):
            # The conversation is the program's own too: what others hear of it, it does not.
            return replace(stays, explanation="it works on this with a program of its own")
        if await self._hands_over(request, stays.agent):
            return replace(stays, explanation="it is to ask a colleague")
        subject = subject_of(request)
        if not subject.text.strip() or subject.idle >= _SURELY_IDLE:
            why = "it asks for nobody's work" if subject.text.strip() else stays.explanation
            return replace(stays, explanation=why)
        found = await self._compared(subject, agents)
        routing = self._choose(agents, found, speaker=speaker)
        if routing.fallback_used:
            _log.info("no agent reaches %.2f: %s answers", THRESHOLD, routing.agent)
        return routing

    def _choose(
        self,
        agents: Sequence[AgentDNA],
        found: Standing,
        *,
        speaker: str | None,
        strategy: RouteStrategy = "top_1",
        most: int | None = MOST_TOLD,
    ) -> Routing:
        known = {one.slug: one for one in agents}
        made: Chosen = chosen(
            found,
            known,
            current=speaker if speaker in known else None,
            default=self._default,
            escalates=self._escalates,
        )
        before = speaker or self._default
        told = (made.agent, before, *((made.escalated_from,) if made.escalated_from else ()))
        return Routing(
            agent=made.agent,
            confidence=round(made.confidence, 4),
            reason=made.reason,
            explanation=made.why,
            scores=tuple(found.told(most=most, also=told)),
            strategy=strategy,
            selected=selected(found, strategy, made.agent),
            threshold=THRESHOLD,
            fallback_used=made.fallback,
            # Who never had the conversation has nothing to hand over.
            escalated_from=made.escalated_from if made.escalated_from == before else None,
            came_from=before if before != made.agent else None,
        )

    def _stay(
        self,
        request: TurnRequest,
        session: Session | None,
        agents: Sequence[AgentDNA],
        speaker: str | None,
    ) -> Routing:
        """Who answers where nobody is compared: who speaks in the conversation, else the default
        agent, else the first that is active."""
        active = [one.slug for one in agents]
        if session is not None and (request.task or speaker is None):
            speaker = session.agent
        if speaker is not None and (speaker in active or not active or request.task):
            return _unasked(speaker, "current", "it speaks here")
        if self._default in active or not active:
            return _unasked(self._default, "default", "the default agent")
        first = "the first agent that is active: the default one is not"
        return _unasked(active[0], "default", first)

    async def _speaker(self, session: Session | None) -> str | None:
        return await speaker_of(self._ledger, session) if session else None

    async def _compared(self, subject: Subject, agents: Sequence[AgentDNA]) -> Standing:
        slugs = [one.slug for one in agents]
        compared = await self._comparing.compared(subject, agents)
        outcomes = await self._outcomes.of(slugs)
        now = self._clock()
        similar = await self._rated.of(
            outcomes or {}, compared.vector, compared.embedder, now, folded
        )
        return standing(
            compared,
            similar=similar,
            trust=None if outcomes is None else _trusts(outcomes, now),
            loads=self._loads.now(),
        )

    async def trust(self, agent: str) -> AgentTrust:
        """What is known of one agent's work; nothing where the log cannot be asked."""
        found = (await self._outcomes.of([agent]) or {}).get(agent, ())
        good = sum(one.good for one in found)
        return AgentTrust(
            id=agent, trust=trust_of(found, self._clock()), good=good, bad=len(found) - good
        )

    def _active(self) -> tuple[AgentDNA, ...]:
        return self._directory.list("active")

    def _since(self, begun: float) -> float:
        return round((self._seconds() - begun) * 1000, 3)


def _trusts(outcomes: Mapping[str, Sequence[Outcome]], now: datetime) -> dict[str, float]:
    return {agent: trust_of(found, now) for agent, found in outcomes.items() if found}


def _bound(request: TurnRequest) -> bool:
    """Whether it belongs to whoever is at it: a task's conversation, what answers a client's own
    tools, pictures without a word."""
    words = request.text.strip() or any(one.text.strip() for one in request.attachments)
    return bool(request.task or request.client_tools or not words)


def _unasked(agent: str, reason: RouteReason, why: str) -> Routing:
    return Routing(agent=agent, confidence=1.0, reason=reason, explanation=why, selected=(agent,))
