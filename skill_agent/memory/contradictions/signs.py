"""Words by which a sentence tells that something is different from before, in any language that has
a file: `[changes]` in `text/languages/CODE.toml`.

Its phrases are read by `words/table_phrases`.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from skill_agent.memory.words.table_phrases import pattern_of
from skill_agent.text.language import english, language, language_of


class Phrases:
    """A pattern of many phrases. A text is looked through once, for each is compared with many."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.found = lru_cache(maxsize=4096)(lambda text: pattern.search(text) is not None)
        self.without = lru_cache(maxsize=4096)(lambda text: pattern.sub("", text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The signs of one language, each as a pattern."""

    over: Phrases
    """What was so is so no longer: moved, replaced, cancelled, corrected, ended."""
    now: Phrases
    """Something is so at present, which may have been so before."""
    deny: Phrases
    also: Phrases
    """It is so beside something else."""
    figures: re.Pattern[str]
    """Numbers and days in words."""
    perhaps: Phrases
    once: Phrases
    """It was so long ago."""

    def bare(self, text: str) -> str:
        """The text without what says that it is new."""
        return self.now.without(self.over.without(text))

    def beside(self, text: str) -> bool:
        """Whether it says that something is so beside something else."""
        return self.also.found(self.over.without(text))

    def apart(self, one: str, other: str) -> bool:
        """Whether one speaks of what may be or was long ago, and the other does not."""
        kinds = (self.perhaps, self.once)
        return any(kind.found(one) != kind.found(other) for kind in kinds)


def signs_of(*texts: str) -> Signs:
    """The signs of the language the texts are written in; English for one without a file."""
    return _signs(language_of(" ".join(texts)))


@cache
def _signs(code: str) -> Signs:
    told = (language(code) or english()).tables.get("changes", {})
    names = ("over", "now", "deny", "also", "perhaps", "once")
    phrases = {name: Phrases(pattern_of(told.get(name, ()))) for name in names}
    return Signs(figures=pattern_of(told.get("figures", ())), **phrases)
