"""Phrases of a table as one pattern: what is said once around many finds what each alone would."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.memory.words.table_phrases import pattern_of
from skill_agent.text.language import language
from skill_agent.text.scripts import UNSPACED

CODES = ("en", "de", "fr", "es", "ru", "ja", "zh")
LETTER = rf"[^\W{UNSPACED}]"


def one(phrase: str) -> str:
    """A phrase with all that stands around it."""
    return r".{0,40}?".join(map(piece, phrase.split("...")))


def piece(text: str) -> str:
    text = text.strip()
    inside = re.escape(text.strip("*")).replace(r"\ ", r"\s+").replace("'", "['’]")
    if re.search(f"[{UNSPACED}]", text):
        return inside
    begin = r"\w*" if text.startswith("*") else rf"(?<!{LETTER})"
    end = "" if text.endswith("'") else r"\w*" if text.endswith("*") else rf"(?!{LETTER})"
    return begin + inside + end


def plainly(phrases: list[str]) -> re.Pattern[str]:
    joined = "|".join(one(each) for each in sorted(phrases, key=len, reverse=True))
    return re.compile(joined, re.IGNORECASE)


def spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [found.span() for found in pattern.finditer(text)]


@pytest.mark.parametrize("code", CODES)
def test_the_languages_own_phrases(code: str) -> None:
    told = language(code)
    assert told is not None
    for phrases in told.tables["changes"].values():
        some = [each for each in phrases if isinstance(each, str)][:40]
        ours, theirs = pattern_of(some), plainly(some)
        for each in some:
            text = f"So {each.replace('...', ' x ').replace('*', 'ab')}, {each} and x{each}y."
            assert spans(ours, text) == spans(theirs, text), each


WORDS = st.lists(st.sampled_from(["a", "ab", "b", "ne", "plus", "d'", "今", "日"]), min_size=1)
PHRASES = st.builds(
    lambda before, words, gap, behind: before + (gap.join(words)) + behind,
    st.sampled_from(["", "*"]), WORDS, st.sampled_from([" ", "...", ""]),
    st.sampled_from(["", "*", "'"]),
)  # fmt: skip


@given(st.lists(PHRASES, min_size=1, max_size=6), st.text("ab ne'plus今日x", max_size=30))
def test_any_phrases_find_what_each_alone_would(phrases: list[str], text: str) -> None:
    assert spans(pattern_of(phrases), text) == spans(plainly(phrases), text)


def test_no_phrase_finds_nothing() -> None:
    assert pattern_of([]).search("anything") is None
