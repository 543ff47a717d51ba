"""Summaries of a home: gathered, worded, given. Nothing is written."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from skill_agent.errors import SkillAgentError
from skill_agent.memory.extraction.model import able
from skill_agent.ports import Clock, Model
from skill_agent.text.clock import checked_zone
from skill_agent.text.redaction import redact
from skill_agent.values import DailySummary, SummaryRequest

from .facts import Facts
from .gathering import Gathering
from .model_wording import MOST_TOKENS, worded
from .operations import DailyOperations
from .span import Span, today
from .wording import Wording

LONGEST = 240.0
"""Seconds a model may take; then the program's own words stand."""
_log = logging.getLogger(__name__)


class Summaries(DailyOperations):
    """`model` gives the one that words them; it raises where there is none that could."""

    def __init__(
        self, gathering: Gathering, clock: Clock, model: Callable[[str], Awaitable[Model]]
    ) -> None:
        self._gathering, self._clock, self._model = gathering, clock, model

    async def make(self, request: SummaryRequest) -> DailySummary:
        now = self._clock()
        zone = checked_zone(request.zone)
        until = min(request.until or now, now)
        span = Span(since=request.since or today(until, zone).since, until=until, zone=zone)
        facts = await self._gathering.gather(span, language=request.language)
        if request.since is None and not zone:  # today is the person's day, wherever they wrote
            there = today(until, facts.span.zone)
            if there != facts.span:
                facts = await self._gathering.gather(there, language=request.language)
        return await self.worded(facts, plain=request.plain)

    async def of(self, span: Span, *, key: str = "") -> Facts:
        """What there is to tell of a span; `key` for the holder of an API key."""
        return await self._gathering.gather(span, key=key)

    async def worded(
        self,
        facts: Facts,
        *,
        agent: str = "",
        plain: bool = False,
        max_tokens: int = MOST_TOKENS,
        turn: str = "",
    ) -> DailySummary:
        """The facts in words: an agent's model's, and the program's own wherever those do not hold
        or there is none."""
        wording = Wording(facts.language)
        by = ""
        if not plain and wording.language.code == facts.language.partition("-")[0]:
            facts, by = await self._by_model(facts, wording, agent, max_tokens, turn)
        return DailySummary(
            text=wording.text(facts),
            since=facts.span.since,
            until=facts.span.until,
            zone=facts.span.zone,
            language=wording.language.code,
            by=by,
            talks=facts.talks,
            points=facts.points,
            unread=facts.unread,
            private=facts.private,
            origins=facts.origins,
        )

    async def _by_model(
        self, facts: Facts, wording: Wording, agent: str, max_tokens: int, turn: str
    ) -> tuple[Facts, str]:
        if facts.empty:
            return facts, ""
        try:
            model = await self._model(agent)
            if not able(model.info):
                return facts, ""
            async with asyncio.timeout(LONGEST):
                said = await worded(
                    facts, model, wording.language, max_tokens=max_tokens, turn=turn
                )
        except (SkillAgentError, TimeoutError, ValueError) as problem:
            _log.info("the summary is worded without a model: %s", redact(str(problem)))
            return facts, ""
        used = any(one.worded for one in said.points)
        return said, model.info.name if used else ""
