"""What can be done with questions that wait for a person, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import HitlWords, Question

ListOfQuestions = list[Question]
ListOfWords = list[HitlWords]
HOUR_S = 3600


class QuestionOperations(Protocol):
    """Questions that wait for a person."""

    @route("GET", "/v1/hitl/config", scope="read", max_age=HOUR_S)
    async def config(self) -> ListOfWords:
        """Which words mean what, one language after another."""
        ...

    @route("GET", "/v1/hitl", scope="chat")
    async def list(self, *, waiting: bool = True, limit: int = 50) -> ListOfQuestions:
        """What waits, the oldest first; otherwise all, the newest first. A key sees what its own
        work asks, with the scope `admin` all."""
        ...

    @route("GET", "/v1/hitl/{question}", scope="chat")
    async def get(self, question: str) -> Question:
        """One, by its id or the beginning of it."""
        ...

    @route("POST", "/v1/hitl/{question}", scope="chat", once=True)
    async def answer(self, question: str, words: str, *, by: str = "person") -> Question:
        """Settles a question once. Raises UsageError, with the words that are known, for an answer
        that says neither proceed nor revise nor cancel, and Conflict for one settled before."""
        ...

    async def asked_by(self, key: str, *, waiting: bool, limit: int) -> ListOfQuestions:
        """As `list`, of one API key's work. In the process of the host only."""
        ...

    async def asker(self, question: str) -> str | None:
        """The API key whose work asks; None for the person's own. In the process of the host
        only."""
        ...
