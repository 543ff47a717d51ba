"""Words for times in ten languages: the examples of the language files, and what is refused."""

import pytest
from saying import first_times

from skill_agent.text.language import spoken

EXAMPLES = [
    (one.code, words, tuple(times))
    for one in spoken()
    for words, times in one.tables["schedule"]["examples"].items()
]


@pytest.mark.parametrize(("code", "words", "times"), EXAMPLES)
def test_examples_of_the_language_files(code: str, words: str, times: tuple[str, ...]) -> None:
    assert first_times(words, len(times), language=code) == times
    assert first_times(words, len(times)) == times, "without being told the language"
