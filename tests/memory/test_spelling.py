"""Slips in a question are read as remembered words; right words and names are left alone."""

from skill_agent.memory.words.spelling import respelt, word_with
from skill_agent.memory.words.stemming import stems

TEXTS = (
    "The choir rehearses; rehearsal is on Monday",
    "Her migraines come from wine",
    "sleep well",
)


class Words:
    """Knows these words."""

    def knows(self, word: str) -> bool:
        return word in {"sheep", "choir", "where"}


def corrected(text: str) -> str:
    def used(stem: str) -> int:
        return sum(stem in stems(told) for told in TEXTS)

    def word_of(stem: str) -> str:
        return next(word for told in TEXTS if (word := word_with(stem, told)))

    return respelt(text, used=used, word_of=word_of, known=Words())


def test_one_letter_missing_doubled_or_exchanged() -> None:
    assert corrected("when is the rehersal") == "when is the rehearsal"
    assert corrected("what about my migranes") == "what about my migraines"
    assert corrected("when is the rehaersal") == "when is the rehearsal"


def test_ordinary_words_are_no_slips_of_others() -> None:
    assert corrected("where are the sheep") == "where are the sheep"


def test_names_paths_and_words_far_from_any_stay() -> None:
    for text in ("Who is Rehersal", "see docs/rehersal", "a rehersal.txt", "what is a marmot"):
        assert corrected(text) == text
