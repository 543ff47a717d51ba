"""What can be done with questions that wait for a person, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import HitlWords, Question, Requester

ListOfQuestions = list[Question]
ListOfWords = list[HitlWords]


class QuestionOperations(Protocol):
    """Questions that wait for a person."""

    @route("GET", "/v1/hitl/config", scope="read")
    async def config(self) -> ListOfWords:
        """Which words mean what, one language after another."""
        ...

    @route("GET", "/v1/hitl", scope="chat")
    async def list(
        self, *, waiting: bool = True, limit: int = 50, requester: Requester | None = None
    ) -> ListOfQuestions:
        """What waits, the oldest first; otherwise all, the newest first. A key sees what its own
        work asks, with the scope `admin` all."""
        ...

    @route("GET", "/v1/hitl/{question}", scope="chat")
    async def get(self, question: str, *, requester: Requester | None = None) -> Question: ...

    @route("POST", "/v1/hitl/{question}", scope="chat", once=True)
    async def answer(
        self, question: str, words: str, *, by: str = "person", requester: Requester | None = None
    ) -> Question:
        """Settles a question once. Raises UsageError, with the words that are known, for an answer
        that says neither proceed nor revise nor cancel, and Conflict for one settled before."""
        ...
