"""Questions as front ends see them: listed, and answered in words."""

from skill_agent.errors import UsageError
from skill_agent.text.answers.lexicon import Lists, help_in, with_own
from skill_agent.text.answers.reading import AnswerReader
from skill_agent.values import HitlWords, Question

from .asking import Asking
from .kept import Kept
from .operations import ListOfQuestions, ListOfWords, QuestionOperations

_LATELY = 10_000


class Questions(QuestionOperations):
    """The group `questions` of a workstation."""

    def __init__(self, asking: Asking, own: Lists) -> None:
        """`own` are words of the person's own, beside the known ones."""
        self._asking, self._own = asking, own
        self._reader: AnswerReader | None = None

    async def config(self) -> ListOfWords:
        return words_of(self._own)

    async def list(self, *, waiting: bool = True, limit: int = 50) -> ListOfQuestions:
        return [one.question for one in await self._listed(waiting, limit)]

    async def get(self, question: str) -> Question:
        await self._asking.look()
        return (await self._asking.kept.find(question)).question

    async def answer(self, question: str, words: str, *, by: str = "person") -> Question:
        # An answer that comes too late is told so, not taken.
        await self._asking.look()
        found = (await self._asking.kept.find(question)).question
        if found.state != "waiting":
            return await self._asking.answer(found.id, found.default, "", by)  # says who did
        if self._reader is None:
            self._reader = AnswerReader(with_own(self._own))
        meant = self._reader.read(words)
        if meant.action not in ("proceed", "revise", "cancel"):
            raise UsageError(
                f"{words.strip()[:60]!r} does not answer the question: {meant.why}",
                hint=help_in("en"),
            )
        return await self._asking.answer(found.id, meant.action, meant.words, by)

    async def asked_by(self, key: str, *, waiting: bool, limit: int) -> ListOfQuestions:
        found = [one for one in await self._listed(waiting, _LATELY) if one.asker == key]
        return [one.question for one in found[:limit]]

    async def asker(self, question: str) -> str | None:
        return (await self._asking.kept.find(question)).asker

    async def _listed(self, waiting: bool, limit: int) -> "list[Kept]":
        open_ = await self._asking.look()
        return open_[:limit] if waiting else await self._asking.kept.latest(limit)


def words_of(own: Lists) -> ListOfWords:
    """The words that answer a question, by language."""
    return [
        HitlWords(
            id=code,
            proceed=(*table.get("proceed", ()), *table.get("bare", ())),
            revise=tuple(table.get("revise", ())),
            cancel=tuple(table.get("cancel", ())),
            help=help_in(code),
        )
        for code, table in sorted(with_own(own).items())
    ]
