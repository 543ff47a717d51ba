"""The words that answer questions, as a front end keeps them."""

from skill_agent.errors import ModelUnavailable, SkillAgentError
from skill_agent.questions.operations import ListOfWords
from skill_agent.questions.questions import Questions, words_of
from skill_agent.workstation.answer_words import AnswerWords


class Counted(Questions):
    """Counts how often its words are asked for, and fails when told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.problem: SkillAgentError | None = None

    async def config(self) -> ListOfWords:
        self.calls += 1
        if self.problem is not None:
            raise self.problem
        return words_of({"sv": {"cancel": ("nej",)}})


async def test_they_are_kept_for_an_hour_and_bundled_where_nobody_answers() -> None:
    home, now = Counted(), 0.0
    words = AnswerWords(home, lambda: now)
    home.problem = ModelUnavailable("gone")
    assert {one.id for one in await words.get()} == {one.id for one in words_of({})}
    home.problem = None
    assert "sv" in {one.id for one in await words.get()}
    now = 3599.0
    await words.get()
    assert home.calls == 2
    now, home.problem = 3601.0, ModelUnavailable("gone")
    assert "sv" in {one.id for one in await words.get()}, "what was known is better than nothing"
    assert home.calls == 3
