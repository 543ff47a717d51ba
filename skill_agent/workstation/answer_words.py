"""The words that answer questions, as a front end knows them: fetched, kept for an hour, and the
bundled ones where the home cannot be asked."""

import time
from collections.abc import Callable

from skill_agent.errors import SkillAgentError
from skill_agent.questions.operations import HOUR_S, QuestionOperations
from skill_agent.questions.questions import words_of
from skill_agent.values import HitlWords


class AnswerWords:
    """For one front end."""

    def __init__(
        self, questions: QuestionOperations, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._questions, self._seconds = questions, seconds
        self._known: list[HitlWords] = []
        self._until = 0.0

    async def get(self) -> list[HitlWords]:
        """One language after another."""
        if self._known and self._seconds() < self._until:
            return self._known
        try:
            self._known = await self._questions.config()
        except SkillAgentError:
            return self._known or words_of({})
        self._until = self._seconds() + HOUR_S
        return self._known
