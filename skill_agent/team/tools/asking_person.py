"""The tool by which a model asks the person something it must not decide itself.

It waits for the answer, also where nobody watches: the question is kept, and answered wherever the
person is. Whatever ends the turn takes the question back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from skill_agent.errors import SkillAgentError, ToolFailed
from skill_agent.ports import Asks, ToolOutcome, ToolSpec
from skill_agent.team.tasks.working import to_its_end
from skill_agent.turns.colleagues.nearby import Turning
from skill_agent.values import Answer, NewQuestion, all_origins

from .specs import ASK_PERSON


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPerson:
    """For one turn."""

    asks: Callable[[], Asks]
    question_s: float
    turning: Turning
    spec: ToolSpec = ASK_PERSON

    def rule(self, arguments: dict[str, Any]) -> str:
        return self.spec.name

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        return ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        """Raises ToolFailed for a question that cannot be one."""
        question = self._question(arguments)
        asks = self.asks()
        try:
            return ToolOutcome(text=_told(await asks.ask(question)))
        except asyncio.CancelledError:
            await to_its_end(asks.withdraw(question.key or ""))
            raise
        except SkillAgentError as problem:
            raise ToolFailed(problem.message) from problem

    def _question(self, arguments: dict[str, Any]) -> NewQuestion:
        turning, request = self.turning, self.turning.request
        return NewQuestion(
            text=str(arguments.get("question") or ""),
            detail=str(arguments.get("detail") or ""),
            source="tool",
            about=turning.turn,
            timeout_s=self.question_s,
            agent=turning.agent.slug,
            session=turning.session or None,
            turn=turning.turn,
            origins=all_origins(("agent",), turning.taint.origins),
            chain=request.chain,
            asker=request.requester.key if request.requester else None,
            key=str(uuid4()),
        )


def _told(answer: Answer) -> str:
    """What the model reads of it: the person's own words, or what holds without any."""
    if answer.by == "time-out":
        return "nobody answered in time: do not do it, and say what was left"
    if answer.action == "revise":
        return f"the person wants it to be different: {answer.words}"
    if answer.action == "cancel":
        return f"the person says no: {answer.words}" if answer.words else "the person says no"
    return "the person says yes"
